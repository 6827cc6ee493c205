//! How a whole toolset speaks of failure: what is the same for all its tools is learned from any of them,
//! and holds for those that were never seen to fail.

use crate::evidence::{Evidence, Seen, Stray, ToolEvidence};
use crate::lenience::Lenience;
use crate::quote;
use gtm_tool::ToolSpec;
use gtm_world::behavior::{Op, Require, Step};
use gtm_world::{ErrorKind, Value};
use serde_json::{Map as JsonMap, Value as Json, json};
use std::collections::BTreeMap;

/// Words that stand for a tool in a general text.
const TOOL: &str = "\u{1}tool\u{2}";
const PASCAL: &str = "\u{1}pascal\u{2}";
const API: &str = "\u{1}api\u{2}";
/// Names in quotes, listed; and the first name as it is.
const NAMES: &str = "\u{1}names\u{2}";
const NAME: &str = "\u{1}name\u{2}";
const COUNT: &str = "\u{1}count\u{2}";
const PLURAL: &str = "\u{1}plural\u{2}";

/// The part of the state that a tool works on.
const ROOT: &str = "\u{1}root\u{2}";

/// What is wrong with the arguments of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wrong {
    Unexpected,
    Missing,
}

impl Wrong {
    pub(crate) const ALL: [Wrong; 2] = [Wrong::Unexpected, Wrong::Missing];

    fn list(self) -> &'static str {
        match self {
            Wrong::Unexpected => "check.unexpected",
            Wrong::Missing => "check.missing",
        }
    }

    /// The condition under which arguments are right in this respect.
    fn absent(self) -> String {
        format!("isEmpty({})", self.list())
    }

    /// The step that refuses such arguments.
    pub(crate) fn require(self, reply: Json) -> Step {
        Step::from(Op::Require(Require {
            that: Some(self.absent()),
            error: Some(ErrorKind::InvalidArgument),
            reply: Some(reply),
            ..Require::default()
        }))
    }

    /// The names that are missing or unexpected.
    fn names(self, check: &Value) -> Vec<String> {
        let list = check.get(self.list().trim_start_matches("check.")).and_then(Value::as_list);
        list.into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
    }

    /// Whether the call is wrong in this respect; what is unexpected is found first.
    pub(crate) fn is(self, check: &Value) -> bool {
        match self {
            Wrong::Unexpected => !self.names(check).is_empty(),
            Wrong::Missing => !self.names(check).is_empty() && Wrong::Unexpected.names(check).is_empty(),
        }
    }
}

/// A general error reply.
#[derive(Clone, Debug)]
struct Form {
    reply: Json,
    count: usize,
    /// APIs and tools that it was seen of.
    apis: Vec<String>,
    tools: Vec<String>,
}

/// The style of a toolset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Style {
    /// General error replies by what is wrong, the commonest first.
    wrong: BTreeMap<Wrong, Vec<Form>>,
    /// The parts of the state that tools name in their errors.
    roots: BTreeMap<String, String>,
    /// The envelope of errors, over `error.message`.
    pub(crate) envelope: Option<Json>,
    /// The envelope of successes, over `reply`.
    pub(crate) success: Option<Json>,
    pub(crate) unknown_tool: Option<Json>,
    /// What becomes of arguments of a wrong type.
    pub(crate) lenience: Lenience,
}

impl Style {
    pub(crate) fn learn(evidence: &Evidence) -> Style {
        let mut style = Style::default();
        for wrong in Wrong::ALL {
            let mut forms: Vec<Form> = Vec::new();
            for tool in evidence.tools.values() {
                for seen in tool.seen.iter().filter(|s| s.call.is_error && wrong.is(&s.call.check)) {
                    let names = wrong.names(&seen.call.check);
                    let mut general = General { spec: &tool.spec, names: &names, seen, root: None };
                    let reply = general.of(&seen.call.reply.to_json());
                    if let Some(root) = general.root {
                        style.roots.entry(tool.spec.name.clone()).or_insert(root);
                    }
                    let (api, name) = (&tool.spec.origin.api, &tool.spec.name);
                    let at = forms.iter().position(|form| form.reply == reply).unwrap_or_else(|| {
                        forms.push(Form { reply, count: 0, apis: Vec::new(), tools: Vec::new() });
                        forms.len() - 1
                    });
                    let form = &mut forms[at];
                    form.count += 1;
                    [(&mut form.apis, api), (&mut form.tools, name)]
                        .into_iter()
                        .filter(|(known, new)| !known.contains(new))
                        .for_each(|(known, new)| known.push(new.clone()));
                }
            }
            forms.retain(|form| says_which(&form.reply));
            forms.sort_by_key(|form| std::cmp::Reverse(form.count));
            style.wrong.insert(wrong, forms);
        }
        // What most tools work on, where their errors do not say.
        for (name, tool) in &evidence.tools {
            if let Some((root, _)) = tool.roots.iter().max_by_key(|(_, count)| **count) {
                style.roots.entry(name.clone()).or_insert_with(|| root.clone());
            }
        }
        let errors = evidence.tools.values().flat_map(|t| &t.seen).filter(|s| s.call.is_error);
        style.envelope = envelope(errors.map(|s| s.call.reply.to_json()));
        style.success = success(evidence);
        style.unknown_tool = unknown_tool(&evidence.strays);
        style.lenience = Lenience::learn(evidence);
        style
    }

    /// What a tool says of such arguments: a template over `check`. `None` if it is not known, or if the
    /// tool was seen to accept them.
    pub(crate) fn reply(&self, wrong: Wrong, tool: &ToolEvidence) -> Option<Json> {
        let concerned: Vec<&Seen> = tool.seen.iter().filter(|s| wrong.is(&s.call.check)).collect();
        let accepted = concerned.iter().filter(|s| !s.call.is_error).count();
        if accepted > 0 && accepted * 2 > concerned.len() {
            return None;
        }
        let forms = self.wrong.get(&wrong)?;
        let spec = &tool.spec;
        // What it says itself goes before what its own API says, and that before what others say.
        let own = forms.iter().find(|form| form.tools.contains(&spec.name));
        let near = || forms.iter().find(|form| form.apis.contains(&spec.origin.api));
        let form = own.or_else(near).or(forms.first())?;
        let names = Names {
            tool: quote::message(&spec.name),
            pascal: quote::message(&pascal(&spec.name)),
            api: quote::message(&spec.origin.api),
            root: quote::message(self.roots.get(&spec.name).unwrap_or(&spec.origin.api)),
        };
        Some(special(&form.reply, &names, wrong))
    }

    /// What any tool says, over `tool` and `check`.
    pub(crate) fn general(&self, wrong: Wrong) -> Option<Json> {
        let form = self.wrong.get(&wrong)?.iter().find(|form| form.tools.len() > 1)?;
        let names = Names {
            tool: "{tool.name}".into(),
            pascal: "{join(split(tool.name, '_').map(w, capitalize(w)))}".into(),
            api: "{tool.api}".into(),
            root: "{tool.api}".into(),
        };
        Some(special(&form.reply, &names, wrong))
    }
}

/// What stands for the marks in a general text.
struct Names {
    tool: String,
    pascal: String,
    api: String,
    root: String,
}

/// Takes out of an error reply what is particular to the tool and the call.
struct General<'a> {
    spec: &'a ToolSpec,
    names: &'a [String],
    seen: &'a Seen,
    /// The part of the state that was named.
    root: Option<String>,
}

impl General<'_> {
    fn of(&mut self, reply: &Json) -> Json {
        match reply {
            Json::String(text) => Json::String(self.text(text)),
            Json::Array(items) => items.iter().map(|item| self.of(item)).collect(),
            Json::Object(members) => {
                Json::Object(members.iter().map(|(name, value)| (name.clone(), self.of(value))).collect())
            }
            other => other.clone(),
        }
    }

    fn text(&mut self, text: &str) -> String {
        let mut text = generalise_text(text, self.spec, self.names);
        let roots = self.seen.call.world.state().as_map().into_iter().flat_map(|m| m.keys());
        for root in roots.filter(|root| root.len() > 3) {
            let marked = replace_word(&text, root, ROOT);
            if marked != text {
                self.root = Some(root.to_string());
                text = marked;
            }
        }
        text
    }
}

/// The envelope of successes, if nearly all tools answer with an object of which one member is the
/// reply and the others never differ.
fn success(evidence: &Evidence) -> Option<Json> {
    let good = |tool: &&ToolEvidence| tool.seen.iter().any(|s| !s.call.is_error);
    let tools: Vec<&ToolEvidence> = evidence.tools.values().filter(good).collect();
    let replies: Vec<(&ToolEvidence, &Value)> = tools
        .iter()
        .flat_map(|tool| tool.seen.iter().filter(|s| !s.call.is_error).map(|s| (*tool, &s.call.reply)))
        .take(2_000)
        .collect();
    let first = replies.first()?.1.as_map()?;
    let alike = |reply: &Value| {
        reply
            .as_map()
            .is_some_and(|m| m.len() == first.len() && m.keys().all(|name| first.contains_key(name)))
    };
    if tools.len() < 3 || first.len() < 2 || !replies.iter().all(|(_, reply)| alike(reply)) {
        return None;
    }
    let varies = |name: &str| replies.iter().any(|(_, reply)| reply.get(name) != first.get(name));
    let varying: Vec<&gtm_world::Str> = first.keys().filter(|name| varies(name)).collect();
    let [payload] = varying.as_slice() else { return None };
    // Whether a reply that is declared as an object of one member comes without that object.
    let single = |tool: &ToolEvidence| {
        let properties = tool.spec.returns.as_ref()?.get("properties")?.as_object()?;
        (properties.len() == 1).then(|| properties.keys().next().cloned())?
    };
    let (mut bare, mut whole) = (0, 0);
    for (tool, reply) in &replies {
        let Some(name) = single(tool) else { continue };
        match reply.get(payload).and_then(|inner| inner.get(&name)) {
            Some(_) => whole += 1,
            None => bare += 1,
        }
    }
    let reply = match bare > whole {
        true => "isObject(reply) && size(reply) == 1 ? first(values(reply)) : reply",
        false => "reply",
    };
    let member = |(name, value): (&gtm_world::Str, &Value)| {
        let template = if name == *payload { json!(reply) } else { crate::solve::constant(value) };
        (name.to_string(), template)
    };
    Some(Json::Object(first.iter().map(member).collect()))
}

fn generalise_text(text: &str, spec: &ToolSpec, names: &[String]) -> String {
    let mut text = text.to_owned();
    let first = names.first().map_or("", String::as_str);
    for (written, mark) in [(listed(names), NAMES), (format!("'{first}'"), NAMES), (first.to_owned(), NAME)] {
        // The last occurrence: what comes before speaks of the tool.
        if !first.is_empty()
            && let Some(at) = text.rfind(&written)
        {
            text.replace_range(at..at + written.len(), mark);
            break;
        }
    }
    if text.contains(NAMES) {
        let count = format!(" {} ", names.len());
        text = text.replacen(&count, &format!(" {COUNT} "), 1);
        let plural = if names.len() == 1 { "argument: " } else { "arguments: " };
        if text.contains(COUNT) {
            text = text.replacen(plural, &format!("argument{PLURAL}: "), 1);
        }
    }
    for (word, mark) in
        [(spec.name.clone(), TOOL), (pascal(&spec.name), PASCAL), (spec.origin.api.clone(), API)]
    {
        if word.len() > 1 {
            text = replace_word(&text, &word, mark);
        }
    }
    text
}

/// Whether a general reply names what is wrong.
fn says_which(form: &Json) -> bool {
    match form {
        Json::String(text) => text.contains(NAMES) || text.contains(NAME),
        Json::Array(items) => items.iter().any(says_which),
        Json::Object(members) => members.values().any(says_which),
        _ => false,
    }
}

/// Replaces a word where it stands by itself.
fn replace_word(text: &str, word: &str, by: &str) -> String {
    let mut out = String::new();
    let mut left = text;
    while let Some(at) = left.find(word) {
        let (before, after) = (left[..at].chars().next_back(), left[at + word.len()..].chars().next());
        let alone = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
        out.push_str(&left[..at]);
        out.push_str(if alone(before) && alone(after) { by } else { word });
        left = &left[at + word.len()..];
    }
    out + left
}

/// Names as Python lists them: `'a'`, `'a' and 'b'`, `'a', 'b', and 'c'`.
fn listed(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [first @ .., last] => format!("{}, and {last}", first.join(", ")),
    }
}

fn pascal(name: &str) -> String {
    let word = |word: &str| {
        let mut chars = word.chars();
        chars.next().map_or(String::new(), |c| c.to_uppercase().chain(chars).collect())
    };
    name.split('_').map(word).collect()
}

/// The general reply for one tool, as a template.
fn special(form: &Json, names: &Names, wrong: Wrong) -> Json {
    match form {
        Json::String(text) => {
            let list = wrong.list();
            let plain = quote::message(text);
            let one = format!("{{{list}[0]}}");
            let all = format!(
                "{{size({list}) < 3 ? join({list}.map(n, \"'\" + n + \"'\"), \" and \") : \
                 join(take({list}, size({list}) - 1).map(n, \"'\" + n + \"'\"), \", \") + \", and '\" + last({list}) + \"'\"}}"
            );
            let listed = if wrong == Wrong::Missing { all } else { format!("'{one}'") };
            let text = plain.replace(NAMES, &listed).replace(NAME, &one);
            let text = text
                .replace(COUNT, &format!("{{size({list})}}"))
                .replace(PLURAL, &format!("{{size({list}) == 1 ? \"\" : \"s\"}}"))
                .replace(TOOL, &names.tool)
                .replace(PASCAL, &names.pascal)
                .replace(API, &names.api)
                .replace(ROOT, &names.root);
            match text.contains('{') {
                true => json!({"$text": text}),
                false => json!(quote::text(&text)),
            }
        }
        Json::Array(items) => items.iter().map(|item| special(item, names, wrong)).collect(),
        Json::Object(members) => {
            let each = |(name, value): (&String, &Json)| (name.clone(), special(value, names, wrong));
            Json::Object(members.iter().map(each).collect::<JsonMap<_, _>>())
        }
        other => other.clone(),
    }
}

/// The envelope that most error replies have: text with the same start, or an object with one member
/// that varies. A template over `error.message`.
pub(crate) fn envelope(replies: impl Iterator<Item = Json>) -> Option<Json> {
    let replies: Vec<Json> = replies.take(2_000).collect();
    let texts: Vec<&str> = replies.iter().filter_map(Json::as_str).collect();
    if texts.len() * 2 > replies.len() {
        let start = prefix(&texts);
        return Some(json!({"$text": format!("{}{{error.message}}", quote::message(start))}));
    }
    let objects: Vec<&JsonMap<String, Json>> = replies.iter().filter_map(Json::as_object).collect();
    let first = *objects.first()?;
    let alike: Vec<_> = objects.iter().filter(|o| o.keys().eq(first.keys())).collect();
    if alike.len() * 2 < replies.len() {
        return None;
    }
    let varies = |name: &str| alike.iter().any(|o| o.get(name) != first.get(name));
    let mut message = first.iter().filter(|(name, v)| v.is_string() && varies(name)).map(|(name, _)| name);
    let message =
        message.next().or_else(|| first.iter().find(|(_, v)| v.is_string()).map(|(name, _)| name))?;
    let member = |(name, value): (&String, &Json)| {
        let template = match value {
            _ if name == message => json!("error.message"),
            Json::String(text) => json!(quote::text(text)),
            Json::Array(_) | Json::Object(_) => json!({"$value": value}),
            other => other.clone(),
        };
        (name.clone(), template)
    };
    Some(Json::Object(first.iter().map(member).collect()))
}

/// What most texts begin with, up to a colon.
fn prefix<'a>(texts: &[&'a str]) -> &'a str {
    let start = |text: &&'a str| text.find(": ").map(|at| &text[..at + 2]).filter(|s| s.len() < 60);
    let starts: Vec<&str> = texts.iter().filter_map(start).collect();
    let commonest =
        starts.iter().max_by_key(|s| (starts.iter().filter(|o| o == s).count(), std::cmp::Reverse(s.len())));
    commonest
        .filter(|s| starts.iter().filter(|o| o == s).count() * 2 > texts.len())
        .copied()
        .unwrap_or_default()
}

/// What calls of tools that do not exist are answered with, if it is always the same but for the name.
fn unknown_tool(strays: &[Stray]) -> Option<Json> {
    fn general(reply: &Json, tool: &str) -> Json {
        match reply {
            Json::String(text) => {
                let text = replace_word(&quote::message(text), tool, "{tool}");
                if text.contains('{') { json!({"$text": text}) } else { json!(quote::text(&text)) }
            }
            Json::Object(members) => Json::Object(
                members.iter().map(|(name, value)| (name.clone(), general(value, tool))).collect(),
            ),
            Json::Array(_) => json!({"$value": reply}),
            other => other.clone(),
        }
    }
    let forms: Vec<Json> = strays.iter().map(|s| general(&s.reply, &s.tool)).collect();
    let commonest = forms.iter().max_by_key(|form| forms.iter().filter(|o| o == form).count())?;
    Some(commonest.clone())
}
