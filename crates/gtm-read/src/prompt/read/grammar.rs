//! The grammar of completions. Each word brings the blank before it, so that no word is the beginning of another one's
//! blank: the lexer never has to go back.

use super::super::expr::{BUILT_IN, NAMESPACES};
use super::super::symbols::Symbols;
use gtm_world::cel::Function;

/// Macros, which are called as functions are.
const MACROS: [&str; 13] = [
    "has",
    "map",
    "filter",
    "all",
    "exists",
    "exists_one",
    "existsOne",
    "transformList",
    "transformMap",
    "sortBy",
    "reduce",
    "bind",
    "try",
];

/// What does not depend on the prompt. `op` is a step, `t` a template, `o` an object, `e` an expression.
const RULES: &str = r#"
start: "direct" | ("unchecked" "\n")? line ("\n" line)*
line: ("if" e " then ")? op | ("if" e " then ")? ("attempt" | "do") ("\n" line)+ "\n" "end"
op: "let" t " as" L
  | ("need" | "has" | "lacks") e kind? (" ; answer" t)?
  | "get" target (" ; where" e)? " ; optional"? kind? bound?
  | "list" e (" ; where" e)? (" ; match" o)? (" ; search" e)? (" ; sort" e (" ; descending" e)?)? (" ; offset" e)? (" ; limit" e)? bound? (" ; total" local)?
  | "create" e (" ; id" e)? (" ; from" e)? (" ; set" o)? (" ; required" | " ; all")? " ; replace"? bound?
  | "update" target (" ; value" t)? (" ; merge" e)? (" ; set" o)? (" ; unset" member)* " ; upsert"? kind? bound?
  | "delete" target " ; missing_ok"? kind? bound?
  | "compute" e (" ; where" e)? (" ; sum" e | " ; avg" e | " ; min" e | " ; max" e | " ; count") " ; as" local
  | "reply" t
target: " at"? e (" ; id" e)?
bound: " ; as" local
kind: " ; invalid_argument" | " ; not_found" | " ; conflict" | " ; permission_denied" | " ; unauthenticated" | " ; rate_limited" | " ; unavailable" | " ; timeout" | " ; internal"
t: " obj" o
 | " arr" " [" (t (" ," t)*)? " ]"
 | " text" " (" (e (" ;" e)*)? " )"
 | " fill" (" (" (" from" e)? (" ;"? " rows" e)? " )")?
 | e
o: " {" (full (" ," full)*)? " }" | " {" local " :" entry (" ," entry)* " }"
full: member " =" t
entry: member (" =" t)?
e: binary (" ?" e " :" e)?
binary: unary (OPERATOR unary)*
unary: (" !" | " -")* post
post: primary (member | " ." FUNCTION call | " [" e " ]")*
call: " (" (e (" ," e)*)? " )"
primary: NUMBER | TEXT | pointer | local | " true" | " false" | " null" | " args"
 | FUNCTION call
 | SPACE " ." FUNCTION call
 | " (" e " )"
 | " [" (e (" ," e)*)? " ]"
 | " {" (e " :" e (" ," e " :" e)*)? " }"
local: L | BOUND
OPERATOR: " &&" | " ||" | " ==" | " !=" | " <" | " <=" | " >" | " >=" | " +" | " -" | " *" | " /" | " %" | " in"
NUMBER: / [0-9]{1,15}(\.[0-9]{1,9})?/
TEXT: / "([^"\\\n]|\\["\\nrt]){0,200}"/
L: / L[a-z]/
"#;

/// The grammar of the completions of one prompt.
pub(super) fn grammar(symbols: &Symbols) -> String {
    let words = |words: &mut dyn Iterator<Item = &str>| words.collect::<Vec<_>>().join("|");
    let mut functions: Vec<&str> = Function::all()
        .flat_map(|f| std::iter::once(f.name()).chain(f.aliases().iter().copied()))
        .chain(MACROS)
        .collect();
    functions.sort_unstable();
    functions.dedup();
    let mut out = RULES.to_owned();
    out.push_str(&format!(
        "FUNCTION: / ({})/\n",
        words(&mut functions.into_iter().filter(|name| !name.contains('.')))
    ));
    out.push_str(&format!("BOUND: / ({})/\n", words(&mut BUILT_IN.into_iter())));
    out.push_str(&format!("SPACE: / ({})/\n", words(&mut NAMESPACES.into_iter())));
    let mut kinds = Vec::new();
    for sigil in ['P', 'C', 'N', 'V', 'M'] {
        let labels = symbols.labels(sigil);
        if !labels.is_empty() {
            out.push_str(&format!(
                "{sigil}: / {sigil}({})/\n",
                words(&mut labels.iter().map(String::as_str))
            ));
            kinds.push(sigil.to_string());
        }
        if !matches!(sigil, 'N' | 'V') {
            out.push_str(&format!("{sigil}_SPELLED: / {sigil}`[^`\\n]{{1,60}}`/\n"));
            kinds.push(format!("{sigil}_SPELLED"));
        }
    }
    let (members, pointers): (Vec<String>, Vec<String>) =
        kinds.into_iter().partition(|kind| kind.starts_with('M'));
    out.push_str(&format!("member: {}\npointer: {}\n", members.join(" | "), pointers.join(" | ")));
    out
}
