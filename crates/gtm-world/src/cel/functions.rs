//! The function library: one table, from which lookup, arity checks and `docs/functions.md` are made.

mod codec;
mod date;
mod geo;
mod list;
mod number;
mod object;
mod pattern;
mod statistics;
mod text;
mod units;

mod args;
mod page;

pub(super) use args::Args;
pub(super) use number::power;
pub use page::reference;
pub(super) use pattern::{MAX_PATTERNS, Patterns, compile as compile_pattern};

use super::{Eval, eval::ITEM};
use crate::Value;
use std::collections::HashMap;
use std::sync::LazyLock;

/// How a function is carried out.
type Native = fn(&mut Args<'_>) -> Eval<Value>;

/// One function as its section declares it.
struct Row {
    /// `name(parameter, optional?, more...) -> type`. Name, arity and result type are read from it,
    /// so that the documentation cannot differ from what is checked.
    signature: &'static str,
    aliases: &'static [&'static str],
    doc: &'static str,
    example: &'static str,
    /// The example's value, as JSON.
    result: &'static str,
    native: Native,
}

/// Declares rows: `signature [aliases], doc, example => result, native;`
macro_rules! rows {
    ($($signature:literal $([$($alias:literal),*])?, $doc:literal, $example:literal => $result:literal, $native:expr;)*) => {
        &[$(super::Row {
            signature: $signature,
            aliases: &[$($($alias),*)?],
            doc: $doc,
            example: $example,
            result: $result,
            native: $native,
        }),*]
    };
}
use rows;

/// A group of functions.
struct Section {
    title: &'static str,
    intro: &'static str,
    /// Null as the first argument gives null, or false where the result is a boolean: fields left
    /// out of a record should not make a search over records fail.
    null_passes: bool,
    rows: &'static [Row],
}

const SECTIONS: [&Section; 10] = [
    &text::SECTION,
    &pattern::SECTION,
    &number::SECTION,
    &statistics::SECTION,
    &list::SECTION,
    &object::SECTION,
    &date::SECTION,
    &codec::SECTION,
    &units::SECTION,
    &geo::SECTION,
];

/// A function of the library.
pub struct Function {
    name: &'static str,
    parameters: Vec<&'static str>,
    least: usize,
    most: usize,
    null_gives: Option<Value>,
    row: &'static Row,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.row.signature)
    }
}

impl Function {
    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its other names.
    pub fn aliases(&self) -> &'static [&'static str] {
        self.row.aliases
    }

    /// Name, parameters and result type, such as `round(x, digits?) -> number`.
    pub fn signature(&self) -> &'static str {
        self.row.signature
    }

    /// What it does, in a line.
    pub fn doc(&self) -> &'static str {
        self.row.doc
    }

    /// An example and its value as JSON.
    pub fn example(&self) -> (&'static str, &'static str) {
        (self.row.example, self.row.result)
    }

    /// Every function, in the order of the reference page.
    pub fn all() -> impl Iterator<Item = &'static Function> {
        REGISTRY.functions.iter()
    }

    /// Which argument is a regular expression.
    pub(super) fn pattern_argument(&self) -> Option<usize> {
        self.parameters.iter().position(|parameter| *parameter == "pattern")
    }

    pub(super) fn call(&self, args: &mut Args<'_>) -> Eval<Value> {
        match &self.null_gives {
            Some(value) if args.get(0).is_null() => Ok(value.clone()),
            _ => (self.row.native)(args),
        }
    }

    fn new(section: &'static Section, row: &'static Row) -> Function {
        let (head, result) = row.signature.split_once(" -> ").unwrap_or((row.signature, "any"));
        let (name, list) = head.split_once('(').unwrap_or((head, ""));
        let parameters: Vec<&str> =
            list.trim_end_matches(')').split(", ").filter(|parameter| !parameter.is_empty()).collect();
        let least = parameters.iter().filter(|parameter| !parameter.ends_with(['?', '.'])).count();
        let open = parameters.last().is_some_and(|parameter| parameter.ends_with("..."));
        let most = if open { usize::MAX } else { parameters.len() };
        let parameters: Vec<&str> =
            parameters.into_iter().map(|parameter| parameter.trim_end_matches(['?', '.'])).collect();
        let null_gives = (section.null_passes && !parameters.is_empty())
            .then(|| if result == "bool" { Value::Bool(false) } else { Value::Null });
        Function { name, parameters, least, most, null_gives, row }
    }
}

/// All functions, by name.
struct Registry {
    functions: Vec<Function>,
    /// Functions of one name differ in their number of arguments.
    by_name: HashMap<&'static str, Vec<usize>>,
}

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let rows = SECTIONS.iter().flat_map(|section| section.rows.iter().map(|row| (*section, row)));
    let functions: Vec<Function> = rows.map(|(section, row)| Function::new(section, row)).collect();
    let mut by_name: HashMap<&'static str, Vec<usize>> = HashMap::new();
    for (at, function) in functions.iter().enumerate() {
        for name in std::iter::once(&function.name).chain(function.row.aliases) {
            by_name.entry(name).or_default().push(at);
        }
    }
    Registry { functions, by_name }
});

/// Why a call names no function.
pub(super) struct Unresolved {
    pub(super) message: String,
    /// What would have been right; may be empty.
    pub(super) expected: String,
}

/// The function of this name that takes so many arguments.
pub(super) fn resolve(name: &str, arguments: usize) -> Result<&'static Function, Unresolved> {
    let registry = &*REGISTRY;
    let Some(named) = registry.by_name.get(name) else {
        let message = format!("unknown function `{name}`");
        if let Some((_, usage)) = MACROS.iter().find(|(known, _)| *known == name) {
            return Err(Unresolved { message: format!("wrong use of `{name}`"), expected: (*usage).into() });
        }
        let close = nearest(name);
        let expected = if close.is_empty() { String::new() } else { format!("perhaps {}", close.join(", ")) };
        return Err(Unresolved { message, expected });
    };
    let mut functions = named.iter().map(|at| &registry.functions[*at]);
    functions.clone().find(|function| (function.least..=function.most).contains(&arguments)).ok_or_else(
        || {
            let usages: Vec<&str> = functions.by_ref().map(Function::signature).collect();
            let given =
                if arguments == 1 { "1 argument".to_owned() } else { format!("{arguments} arguments") };
            Unresolved { message: format!("`{name}` does not take {given}"), expected: usages.join(" or ") }
        },
    )
}

/// The name of a function that is written with a namespace, such as `math.abs`.
pub(super) fn namespaced(space: &str, name: &str) -> Option<&'static str> {
    if space.len() > 16 {
        return None;
    }
    REGISTRY.by_name.get_key_value(format!("{space}.{name}").as_str()).map(|(name, _)| *name)
}

/// Up to three known names that are spelled or begin alike.
fn nearest(name: &str) -> Vec<&'static str> {
    let lower = name.to_lowercase();
    // Distances are for typing errors; long names would only cost time.
    if lower.len() > 32 {
        return Vec::new();
    }
    let names = REGISTRY.functions.iter().flat_map(|f| std::iter::once(&f.name).chain(f.row.aliases));
    let mut close: Vec<(usize, &'static str)> = names
        .copied()
        .map(|known| (text::edits(&lower, &known.to_lowercase()), known))
        .filter(|(edits, known)| {
            *edits <= 1 + lower.len() / 4 || (lower.len() > 2 && known.to_lowercase().starts_with(&lower))
        })
        .collect();
    close.sort_unstable();
    close.dedup_by_key(|(_, known)| *known);
    close.into_iter().take(3).map(|(_, known)| known).collect()
}

/// Macros and how they are written.
const MACROS: [(&str, &str); 14] = [
    ("has", "has(place)"),
    ("all", "list.all(x, condition) or list.all(i, x, condition)"),
    ("exists", "list.exists(x, condition) or list.exists(i, x, condition)"),
    ("exists_one", "list.exists_one(x, condition) or list.exists_one(i, x, condition)"),
    ("existsOne", "list.existsOne(x, condition) or list.existsOne(i, x, condition)"),
    ("filter", "list.filter(x, condition)"),
    ("map", "list.map(x, value) or list.map(x, condition, value)"),
    ("transformList", "list.transformList(i, x, value) or list.transformList(i, x, condition, value)"),
    ("transformMap", "object.transformMap(k, v, value) or object.transformMap(k, v, condition, value)"),
    ("sortBy", "list.sortBy(x, key) or sortBy(list, 'member')"),
    ("reduce", "list.reduce(so_far, x, initial, value)"),
    ("cel.bind", "cel.bind(name, value, expression)"),
    ("bind", "cel.bind(name, value, expression)"),
    ("cel.try", "cel.try(expression, otherwise)"),
];

/// Whether a name is taken by macros alone.
pub(super) fn is_macro(name: &str) -> bool {
    MACROS.iter().any(|(known, _)| *known == name) && !REGISTRY.by_name.contains_key(name)
}

/// How a macro is written.
pub(super) fn macro_usage(name: &str) -> &'static str {
    MACROS.iter().find(|(known, _)| *known == name).map_or("", |(_, usage)| usage)
}
