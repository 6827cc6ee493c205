//! Expressions with pointers in place of names.

use super::lex::{Lexeme, lex, literal};
use super::symbols::{Symbols, label};
use serde_json::Value as Json;

/// Names that steps bind unless told otherwise; they stand for themselves.
pub(super) const BUILT_IN: [&str; 6] = ["it", "rows", "total", "key", "check", "repeated"];
/// Words that are neither names nor functions.
pub(super) const KEYWORDS: [&str; 4] = ["true", "false", "null", "in"];
/// Words before a dot that belong to a function's name.
pub(super) const NAMESPACES: [&str; 4] = ["cel", "math", "strings", "regex"];
/// Macros that bind a variable, and how many they may bind.
const MACROS: [(&str, usize); 11] = [
    ("map", 1),
    ("filter", 1),
    ("sortBy", 1),
    ("bind", 1),
    ("all", 2),
    ("exists", 2),
    ("exists_one", 2),
    ("existsOne", 2),
    ("transformList", 2),
    ("transformMap", 2),
    ("reduce", 2),
];

/// Writes a completion, word by word. What cannot be said makes a method give `None`.
pub(super) struct Writer<'a> {
    symbols: &'a Symbols,
    /// What has been bound so far; a name's place is its label.
    locals: Vec<String>,
    out: String,
}

impl<'a> Writer<'a> {
    pub(super) fn new(symbols: &'a Symbols) -> Self {
        Writer { symbols, locals: Vec::new(), out: String::new() }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    pub(super) fn line(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    pub(super) fn word(&mut self, word: &str) {
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push(' ');
        }
        self.out.push_str(word);
    }

    /// A pointer to a name, or the name itself where the prompt does not mention it.
    fn pointer(&mut self, sigil: char, name: &str) -> Option<()> {
        match self.symbols.label_of_name(name) {
            Some(label) => self.word(&format!("{sigil}{label}")),
            None if name.contains(['`', '\n', '\r']) => return None,
            None => self.word(&format!("{sigil}`{name}`")),
        }
        Some(())
    }

    pub(super) fn root(&mut self, name: &str) -> Option<()> {
        self.pointer('C', name)
    }

    /// JSON, with pointers where its plain values are known.
    pub(super) fn value(&mut self, json: &Json, depth: usize) -> Option<()> {
        match json {
            Json::Array(items) => {
                self.word("arr [");
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        self.word(",");
                    }
                    self.value(item, depth.checked_sub(1)?)?;
                }
                self.word("]");
            }
            Json::Object(members) => {
                self.word("obj {");
                for (at, (name, value)) in members.iter().enumerate() {
                    if at > 0 {
                        self.word(",");
                    }
                    self.member(name)?;
                    self.word("=");
                    self.value(value, depth.checked_sub(1)?)?;
                }
                self.word("}");
            }
            plain => match (self.symbols.label_of_fact(&plain.to_string()), plain) {
                (Some(label), _) => self.word(&format!("F{label}")),
                (None, Json::String(text)) => self.text(text),
                (None, plain) => self.word(&plain.to_string().replace('-', "- ").replace("e- ", "e-")),
            },
        }
        Some(())
    }

    pub(super) fn member(&mut self, name: &str) -> Option<()> {
        self.pointer('M', name)
    }

    /// A name that is bound from here on.
    pub(super) fn bind(&mut self, name: &str) {
        let word = self.bound(name);
        self.word(&word);
    }

    fn bound(&mut self, name: &str) -> String {
        self.local(name).unwrap_or_else(|| {
            self.locals.push(name.to_owned());
            format!("L{}", label(self.locals.len() - 1))
        })
    }

    pub(super) fn local(&self, name: &str) -> Option<String> {
        if BUILT_IN.contains(&name) {
            return Some(name.to_owned());
        }
        self.locals.iter().position(|local| local == name).map(|at| format!("L{}", label(at)))
    }

    pub(super) fn text(&mut self, text: &str) {
        let word = match (self.symbols.label_of_value(text), self.symbols.label_of_name(text)) {
            (Some(label), _) => format!("V{label}"),
            (None, Some(label)) => format!("N{label}"),
            (None, None) => literal(text),
        };
        self.word(&word);
    }

    pub(super) fn expression(&mut self, text: &str) -> Option<()> {
        self.lexemes(&lex(text, false)?.0)
    }

    pub(super) fn lexemes(&mut self, words: &[Lexeme<'_>]) -> Option<()> {
        let is = |at: usize, mark: &str| matches!(words.get(at), Some(Lexeme::Mark(m)) if *m == mark);
        let variables = variables(words);
        let mut at = 0;
        while let Some(word) = words.get(at) {
            match word {
                // A dot before a member is part of its pointer; one before a function is not.
                Lexeme::Mark(".") => {
                    if is(at + 2, "(") {
                        self.word(".");
                    }
                }
                Lexeme::Mark(mark) => self.word(mark),
                Lexeme::Number(number) => self.word(number),
                Lexeme::Text(text) => self.text(text),
                Lexeme::Word(function) if is(at + 1, "(") => self.word(function),
                Lexeme::Word(name) | Lexeme::Ticked(name) if at > 0 && is(at - 1, ".") => {
                    self.member(name)?
                }
                Lexeme::Word("args") => match words.get(at + 2) {
                    Some(Lexeme::Word(name) | Lexeme::Ticked(name))
                        if is(at + 1, ".") && !is(at + 3, "(") =>
                    {
                        self.pointer('P', name)?;
                        at += 2;
                    }
                    _ => self.word("args"),
                },
                Lexeme::Word(word) if KEYWORDS.contains(word) => self.word(word),
                Lexeme::Word(word) if NAMESPACES.contains(word) && is(at + 1, ".") && is(at + 3, "(") => {
                    self.word(word);
                }
                Lexeme::Word(name) if variables.contains(name) => self.bind(name),
                Lexeme::Word(name) | Lexeme::Ticked(name) => match self.local(name) {
                    Some(word) => self.word(&word),
                    None => self.pointer('C', name)?,
                },
            }
            at += 1;
        }
        Some(())
    }

    /// Text with expressions in braces, as its pieces.
    pub(super) fn message(&mut self, message: &str) -> Option<()> {
        self.word("text (");
        let (mut piece, mut rest, mut first) = (String::new(), message, true);
        while let Some(at) = rest.find(['{', '}']) {
            piece.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if rest.starts_with(brace) {
                piece.push_str(brace);
                rest = &rest[1..];
            } else if brace == "{" {
                self.piece(&mut piece, &mut first);
                self.separate(&mut first);
                let (words, end) = lex(rest, true)?;
                self.lexemes(&words)?;
                rest = &rest[end..];
            } else {
                return None;
            }
        }
        piece.push_str(rest);
        self.piece(&mut piece, &mut first);
        self.word(")");
        Some(())
    }

    fn piece(&mut self, piece: &mut String, first: &mut bool) {
        if !piece.is_empty() {
            self.separate(first);
            self.word(&literal(piece));
            piece.clear();
        }
    }

    fn separate(&mut self, first: &mut bool) {
        if !std::mem::take(first) {
            self.word(";");
        }
    }
}

/// The variables that macros in an expression bind.
fn variables<'t>(words: &[Lexeme<'t>]) -> Vec<&'t str> {
    let is = |at: usize, mark: &str| matches!(words.get(at), Some(Lexeme::Mark(m)) if *m == mark);
    let mut out = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let Lexeme::Word(name) = word else { continue };
        if at == 0 || !is(at - 1, ".") || !is(at + 1, "(") {
            continue;
        }
        let Some((_, most)) = MACROS.iter().find(|(of, _)| of == name) else { continue };
        for n in 0..*most {
            match words.get(at + 2 + 2 * n) {
                Some(Lexeme::Word(variable)) if is(at + 3 + 2 * n, ",") => out.push(*variable),
                _ => break,
            }
        }
    }
    out
}
