//! What the rules know about a toolset: its tools, its state, and how they hang together.

use super::expr;
use super::member::Member;
use super::state_shape::{Collection, Kind, Scalar, Shape};
use super::tokens::{phrase, sentence};
use super::tool::Tool;
use super::tree::Tree;
use serde_json::Value as Json;

/// A member whose values are records of another collection.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reference {
    /// Collection that has the member.
    pub(super) from: usize,
    /// Path of the member in its records.
    pub(super) path: Vec<String>,
    /// Collection it points into.
    pub(super) to: usize,
    /// Member of that collection that the values equal; its key if absent.
    pub(super) by: Option<String>,
}

/// Tools, state and references between its parts.
pub(super) struct Context<'a> {
    /// The tools.
    pub(super) tools: Vec<Tool<'a>>,
    /// The state.
    pub(super) shape: Shape,
    /// References between collections.
    pub(super) references: Vec<Reference>,
    /// The file tree in the state, if there is one.
    pub(super) tree: Option<Tree>,
    /// No initial state is given, so anything may exist.
    pub(super) open: bool,
}

/// Words of ids, which say nothing about what is identified.
pub(super) const ID_WORDS: &[&str] =
    &["id", "identifier", "uuid", "key", "no", "number", "num", "code", "ref", "reference", "slug"];

impl<'a> Context<'a> {
    /// Reads tools and state.
    pub(super) fn new(tools: Vec<Tool<'a>>, state: &Json) -> Self {
        let mut shape = Shape::of(state);
        synonyms(&mut shape);
        let open = state.as_object().is_none_or(serde_json::Map::is_empty);
        let references = references(&shape);
        Self { tools, shape, references, tree: super::tree::find(state), open }
    }

    /// A collection.
    pub(super) fn collection(&self, index: usize) -> &Collection {
        &self.shape.collections[index]
    }

    /// A collection as an expression: where it is in the state.
    pub(super) fn expr(&self, index: usize) -> String {
        expr::state(&self.collection(index).path)
    }

    /// The reference from a member, if it is one.
    pub(super) fn reference(&self, from: usize, path: &[String]) -> Option<&Reference> {
        self.references.iter().find(|r| r.from == from && r.path == path)
    }

    /// Singles values near a collection or tool: in the group given, or anywhere at the top.
    pub(super) fn scalars_in<'s>(&'s self, group: &'s [String]) -> impl Iterator<Item = &'s Scalar> {
        self.shape.scalars.iter().filter(move |scalar| scalar.group == group)
    }

    /// The group of state that a tool belongs to, by the API it says it is part of, else by words of
    /// its name. Empty if there is only one state for all.
    pub(super) fn group_of(&self, tool: &Tool<'_>) -> Option<&[String]> {
        let tops: Vec<&(Vec<String>, Vec<String>)> =
            self.shape.groups.iter().filter(|(path, _)| path.len() == 1).collect();
        let api = super::tokens::stems(&tool.spec.origin.api);
        if !api.is_empty()
            && let Some((_, words)) = tops.iter().find(|(_, words)| *words == api)
        {
            return Some(words);
        }
        let said: Vec<&String> =
            tool.action.prefix.iter().chain(&tool.action.all_nouns).chain(&tool.action.qualifier).collect();
        let mut best: Option<(usize, &[String])> = None;
        for (_, words) in tops {
            let hits =
                words.iter().filter(|word| !GENERIC.contains(&word.as_str()) && said.contains(word)).count();
            if hits > 0 && best.is_none_or(|(most, _)| hits > most) {
                best = Some((hits, words));
            }
        }
        best.map(|(_, words)| words)
    }
}

/// Words of class names that do not tell classes apart.
pub(super) const GENERIC: &[&str] = &[
    "api", "bot", "system", "service", "control", "manager", "base", "platform", "tool", "server", "client",
    "app",
];

/// Words that are used for the same kind of thing.
const SYNONYMS: &[&[&str]] = &[
    &["inbox", "message", "mail", "email"],
    &["user", "account", "customer", "member", "profile"],
    &["reservation", "booking", "appointment", "registration"],
    &["order", "purchase"],
    &["agenda", "event", "schedule"],
    &["task", "todo"],
    &["note", "memo"],
    &["file", "document"],
    &["merchant", "store", "shop", "restaurant", "vendor"],
    &["product", "item"],
    &["employee", "staff"],
];

/// Lets a collection be called by another word, where no other collection has a better claim to it.
fn synonyms(shape: &mut Shape) {
    let taken: Vec<Vec<String>> =
        shape.collections.iter().flat_map(|c| std::iter::once(&c.stems).chain(&c.aliases)).cloned().collect();
    for collection in &mut shape.collections {
        let [own] = collection.stems.as_slice() else { continue };
        let Some(words) = SYNONYMS.iter().find(|words| words.contains(&own.as_str())) else { continue };
        let own = own.clone();
        for word in words.iter().filter(|word| **word != own) {
            let alias = vec![(*word).to_owned()];
            if !taken.contains(&alias) {
                collection.aliases.push(alias);
            }
        }
    }
}

impl Collection {
    /// Whether some words name its records.
    pub(super) fn called(&self, words: &[String]) -> bool {
        std::iter::once(&self.stems).chain(&self.aliases).any(|name| super::entity::mentions(words, name))
    }

    /// Whether a word is part of its name, or of another word for it.
    pub(super) fn names_word(&self, word: &String) -> bool {
        std::iter::once(&self.stems).chain(&self.aliases).any(|name| name.contains(word))
    }

    /// What one of its records is called by someone who uses these words for it.
    pub(super) fn noun_in(&self, words: &[String]) -> String {
        if super::entity::mentions(words, &self.stems) {
            return self.noun();
        }
        let alias = self.aliases.iter().find(|alias| super::entity::mentions(words, alias));
        alias.map_or_else(|| self.noun(), |alias| phrase(alias))
    }

    /// Whether some words are its name.
    pub(super) fn is_called(&self, words: &[String]) -> bool {
        std::iter::once(&self.stems).chain(&self.aliases).any(|name| *name == words)
    }

    /// What one record is called: `order`, `credit card`.
    pub(super) fn noun(&self) -> String {
        phrase(&self.stems)
    }

    /// The same at the start of a sentence.
    pub(super) fn title(&self) -> String {
        sentence(&self.noun())
    }

    /// A member by path or name.
    pub(super) fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.top() && member.name() == name)
    }

    /// The member that says in which stage of its life a record is.
    pub(super) fn status(&self) -> Option<&Member> {
        let named = |word: &str| {
            self.members.iter().find(|member| {
                member.top() && member.single && member.stems.last().is_some_and(|s| s == word)
            })
        };
        named("status").or_else(|| named("state").filter(|m| !m.unique)).or_else(|| named("stage"))
    }

    /// Whether keys are names rather than numbers or codes, so that a name finds a record.
    pub(super) fn keyed_by_name(&self) -> bool {
        matches!(self.kind, Kind::Map | Kind::Lists | Kind::Index)
            && self.id.is_none()
            && !self.keys.is_empty()
            && !self.keys.iter().all(|key| key.chars().any(|c| c.is_ascii_digit()) && !key.contains(' '))
    }
}

/// Members whose values are keys or ids of another collection.
fn references(shape: &Shape) -> Vec<Reference> {
    let mut out: Vec<Reference> = Vec::new();
    for (from, collection) in shape.collections.iter().enumerate() {
        for member in collection.members.iter().filter(|m| m.single && !m.values.is_empty()) {
            if member.top() && collection.id.as_deref() == Some(member.name()) {
                continue;
            }
            let texts = member.values.iter().all(|v| v.len() > 1);
            let mut found: Option<(f64, Reference)> = None;
            for (to, target) in shape.collections.iter().enumerate() {
                if to == from || target.parent.is_some() || target.keys.is_empty() {
                    continue;
                }
                let near = collection.group == target.group
                    || target.group.is_empty()
                    || collection.parent.is_some();
                let named = target.stems.iter().any(|word| member.stems.contains(word));
                let by_key = member.values.iter().all(|value| target.keys.contains(value));
                let other = target.other_ids.iter().find(|other| {
                    target.member(other).is_some_and(|o| member.values.iter().all(|v| o.values.contains(v)))
                });
                let by = match (by_key, other) {
                    (true, _) => target.id.clone().filter(|_| target.kind == Kind::List),
                    (false, Some(other)) => Some(other.clone()),
                    _ => continue,
                };
                let number = target.keys.iter().all(|key| key.parse::<i64>().is_ok());
                // Small numbers coincide everywhere: there a name has to speak for it too.
                if !named && (number || !texts || member.values.len() < 2 || !near) {
                    continue;
                }
                let score = f64::from(u8::from(named)) * 2.0
                    + f64::from(u8::from(near))
                    + f64::from(u8::from(by_key)) * 0.5;
                if found.as_ref().is_none_or(|(best, _)| score > *best) {
                    found = Some((score, Reference { from, path: member.path.clone(), to, by }));
                }
            }
            out.extend(found.map(|(_, reference)| reference));
        }
    }
    out
}
