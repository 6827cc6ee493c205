//! Completions back into words, expressions and templates.

use super::expr::{BUILT_IN, KEYWORDS, NAMESPACES};
use super::lex::{Lexeme, lex, literal};
use super::symbols::{Symbols, number};
use gtm_error::{Code, Error, Result};
use serde_json::{Map as JsonMap, Value as Json, json};

/// Deepest nesting of templates and brackets.
const DEPTH: usize = 24;

/// Reads one line of a completion.
pub(super) struct Parser<'a> {
    symbols: &'a Symbols,
    words: Vec<Lexeme<'a>>,
    at: usize,
    depth: usize,
}

/// The error for a completion that says nothing sensible.
pub(super) fn wrong(what: impl Into<String>) -> Error {
    Error::new(Code::BehaviorInvalid, what)
}

impl<'a> Parser<'a> {
    pub(super) fn new(symbols: &'a Symbols, line: &'a str) -> Result<Self> {
        let (words, _) = lex(line, false).ok_or_else(|| wrong("the completion has words of no kind"))?;
        Ok(Parser { symbols, words, at: 0, depth: 0 })
    }

    pub(super) fn done(&self) -> bool {
        self.at == self.words.len()
    }

    fn is_mark(&self, ahead: usize, mark: &str) -> bool {
        matches!(self.words.get(self.at + ahead), Some(Lexeme::Mark(m)) if *m == mark)
    }

    pub(super) fn accept(&mut self, mark: &str) -> bool {
        let is = self.is_mark(0, mark);
        self.at += usize::from(is);
        is
    }

    pub(super) fn expect(&mut self, mark: &str) -> Result<()> {
        match self.accept(mark) {
            true => Ok(()),
            false => Err(wrong(format!("`{mark}` is missing at word {}", self.at + 1))),
        }
    }

    /// The next word as it stands, if it is one that is no pointer.
    pub(super) fn peek(&self) -> Option<&'a str> {
        match self.words.get(self.at) {
            Some(Lexeme::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// Takes the next word if it is this one.
    pub(super) fn accept_word(&mut self, word: &str) -> bool {
        let is = self.peek() == Some(word);
        self.at += usize::from(is);
        is
    }

    pub(super) fn next_word(&mut self) -> Result<&'a str> {
        let word = self.peek().ok_or_else(|| wrong(format!("a word is missing at word {}", self.at + 1)))?;
        self.at += 1;
        Ok(word)
    }

    /// A pointer of this kind as the name it stands for.
    fn pointer(&mut self, sigil: &str) -> Result<Option<String>> {
        let Some(word) = self.peek() else { return Ok(None) };
        if word == sigil
            && let Some(Lexeme::Ticked(name)) = self.words.get(self.at + 1)
        {
            self.at += 2;
            return Ok(Some((*name).to_owned()));
        }
        let Some(label) = word.strip_prefix(sigil).filter(|label| number(label).is_some()) else {
            return Ok(None);
        };
        let found = match sigil {
            "V" => self.symbols.value_at(label),
            "F" => self.symbols.fact_at(label),
            _ => self.symbols.name_at(label),
        };
        let name = found.ok_or_else(|| wrong(format!("`{word}` points at nothing")))?;
        self.at += 1;
        Ok(Some(name.to_owned()))
    }

    pub(super) fn member(&mut self) -> Result<Option<String>> {
        self.pointer("M")
    }

    /// A name that a step binds.
    pub(super) fn local(&mut self) -> Result<String> {
        let word = self.next_word()?;
        local(word).ok_or_else(|| wrong(format!("`{word}` is no name for a value")))
    }

    /// Takes a pointer, if one is next, into an expression.
    fn named(&mut self, out: &mut Text) -> Result<bool> {
        for (sigil, before) in [("M", "."), ("P", "args."), ("C", "")] {
            if let Some(name) = self.pointer(sigil)? {
                out.name(before, &name);
                return Ok(true);
            }
        }
        for sigil in ["V", "N"] {
            if let Some(text) = self.pointer(sigil)? {
                out.push(&literal(&text));
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// An expression, up to a mark that cannot be part of it.
    pub(super) fn expression(&mut self) -> Result<String> {
        let start = self.at;
        let mut out = Text::default();
        let mut open: Vec<&str> = Vec::new();
        loop {
            if self.named(&mut out)? {
                continue;
            }
            let Some(word) = self.words.get(self.at) else { break };
            match word {
                Lexeme::Word(word) => {
                    let known = KEYWORDS.contains(word) || BUILT_IN.contains(word) || *word == "args";
                    let function = self.is_mark(1, "(");
                    match local(word).filter(|_| !function) {
                        Some(local) => out.push(&local),
                        None if known || function || NAMESPACES.contains(word) => out.push(word),
                        // A word of the grammar of steps: the expression is over.
                        None if open.is_empty() => break,
                        None => return Err(wrong(format!("`{word}` is no part of an expression"))),
                    }
                }
                Lexeme::Ticked(_) => return Err(wrong("a name in backticks needs M, P or C before it")),
                Lexeme::Number(number) => out.push(number),
                Lexeme::Text(text) => out.push(&literal(text)),
                Lexeme::Mark(mark) => {
                    match *mark {
                        "(" | "[" | "{" => {
                            open.push(mark);
                            if open.len() > DEPTH {
                                return Err(wrong("the expression is nested too deeply"));
                            }
                        }
                        ";" | "=" if open.is_empty() => break,
                        "," | ":" if open.is_empty() && !(*mark == ":" && out.asks > 0) => break,
                        ")" | "]" | "}" if open.pop().is_none() => break,
                        _ => {}
                    }
                    out.mark(mark, open.last().copied());
                }
            }
            self.at += 1;
        }
        if self.at == start {
            return Err(wrong(format!("an expression is missing at word {}", start + 1)));
        }
        Ok(out.text)
    }

    /// A template: an object, a list, a text, a slot, or an expression.
    pub(super) fn template(&mut self) -> Result<Json> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(wrong("the template is nested too deeply"));
        }
        let out = match self.peek() {
            Some("obj") if self.is_mark(1, "{") => {
                self.at += 1;
                Json::Object(self.object()?)
            }
            Some("arr") if self.is_mark(1, "[") => {
                self.at += 2;
                let mut items = Vec::new();
                while !self.accept("]") {
                    if !items.is_empty() {
                        self.expect(",")?;
                    }
                    items.push(self.template()?);
                }
                Json::Array(items)
            }
            Some("text") if self.is_mark(1, "(") => json!({"$text": self.message()?}),
            Some("fill") if self.is_mark(1, "(") => {
                self.at += 2;
                let mut fill = JsonMap::new();
                while !self.accept(")") {
                    self.accept(";");
                    let word = self.next_word()?;
                    if !["from", "rows"].contains(&word) {
                        return Err(wrong(format!("a slot has no `{word}`")));
                    }
                    fill.insert(word.to_owned(), Json::String(self.expression()?));
                }
                json!({"$fill": fill})
            }
            Some("fill") => {
                self.at += 1;
                json!("fill")
            }
            _ => Json::String(self.expression()?),
        };
        self.depth -= 1;
        Ok(out)
    }

    /// Members of an object, in braces: `{ it : Ma , Mb = EXPRESSION }`.
    pub(super) fn object(&mut self) -> Result<JsonMap<String, Json>> {
        self.expect("{")?;
        let mut base = None;
        if self.peek().and_then(local).is_some() && self.is_mark(1, ":") {
            base = Some(self.local()?);
            self.at += 1;
        }
        let mut members = JsonMap::new();
        while !self.accept("}") {
            if !members.is_empty() {
                self.expect(",")?;
            }
            let name = self.member()?.ok_or_else(|| wrong("an object's member needs a name"))?;
            let value = match (self.accept("="), &base) {
                (true, _) => self.template()?,
                (false, Some(base)) => {
                    let mut text = Text { text: base.clone(), ..Text::default() };
                    text.name(".", &name);
                    Json::String(text.text)
                }
                (false, None) => return Err(wrong(format!("the member `{name}` has no value"))),
            };
            members.insert(name, value);
        }
        Ok(members)
    }

    /// JSON, in which plain values may be pointers.
    pub(super) fn value(&mut self) -> Result<Json> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(wrong("the value is nested too deeply"));
        }
        let out = self.value_at_depth()?;
        self.depth -= 1;
        Ok(out)
    }

    fn value_at_depth(&mut self) -> Result<Json> {
        if let Some(fact) = self.pointer("F")? {
            return serde_json::from_str(&fact).map_err(|e| wrong(e.to_string()));
        }
        for sigil in ["V", "N"] {
            if let Some(text) = self.pointer(sigil)? {
                return Ok(Json::String(text));
            }
        }
        match self.peek() {
            Some("obj") => {
                self.at += 1;
                self.expect("{")?;
                let mut members = JsonMap::new();
                while !self.accept("}") {
                    if !members.is_empty() {
                        self.expect(",")?;
                    }
                    let name = self.member()?.ok_or_else(|| wrong("an object's member needs a name"))?;
                    self.expect("=")?;
                    members.insert(name, self.value()?);
                }
                return Ok(Json::Object(members));
            }
            Some("arr") => {
                self.at += 1;
                self.expect("[")?;
                let mut items = Vec::new();
                while !self.accept("]") {
                    if !items.is_empty() {
                        self.expect(",")?;
                    }
                    items.push(self.value()?);
                }
                return Ok(Json::Array(items));
            }
            _ => {}
        }
        let sign = if self.accept("-") { "-" } else { "" };
        let found = match self.words.get(self.at) {
            Some(Lexeme::Number(number)) => serde_json::from_str(&format!("{sign}{number}")).ok(),
            Some(Lexeme::Text(text)) => Some(Json::String(text.clone())),
            Some(Lexeme::Word("true")) => Some(Json::Bool(true)),
            Some(Lexeme::Word("false")) => Some(Json::Bool(false)),
            Some(Lexeme::Word("null")) => Some(Json::Null),
            _ => None,
        };
        self.at += 1;
        found.ok_or_else(|| wrong(format!("a value is missing at word {}", self.at)))
    }

    /// A name that the state has at its root.
    pub(super) fn root(&mut self) -> Result<Option<String>> {
        self.pointer("C")
    }

    fn message(&mut self) -> Result<String> {
        self.at += 2;
        let mut out = String::new();
        while !self.accept(")") {
            if !out.is_empty() {
                self.expect(";")?;
            }
            let alone = matches!(self.words.get(self.at + 1), Some(Lexeme::Mark(";" | ")")));
            match self.words.get(self.at) {
                Some(Lexeme::Text(text)) if alone => {
                    out.push_str(&text.replace('{', "{{").replace('}', "}}"));
                    self.at += 1;
                }
                _ => {
                    out.push('{');
                    out.push_str(&self.expression()?);
                    out.push('}');
                }
            }
        }
        Ok(out)
    }
}

/// The name that a word binds or stands for: `La` is `_a`, which no tool calls anything.
fn local(word: &str) -> Option<String> {
    if BUILT_IN.contains(&word) {
        return Some(word.to_owned());
    }
    let label = word.strip_prefix('L').filter(|label| number(label).is_some())?;
    Some(format!("_{label}"))
}

/// An expression's text, with blanks where people put them.
#[derive(Default)]
struct Text {
    text: String,
    /// Conditionals that have not come to their `:` yet.
    asks: usize,
    /// What comes next follows directly.
    tight: bool,
}

impl Text {
    fn push(&mut self, word: &str) {
        if !self.text.is_empty() && !self.tight {
            self.text.push(' ');
        }
        self.text.push_str(word);
        self.tight = false;
    }

    fn name(&mut self, before: &str, name: &str) {
        let plain = |name: &str| {
            name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && !name.starts_with(|c: char| c.is_ascii_digit())
                && !name.is_empty()
        };
        let name = if plain(name) { name.to_owned() } else { format!("`{name}`") };
        if before == "." {
            self.text.push_str(&format!(".{name}"));
            self.tight = false;
        } else {
            self.push(&format!("{before}{name}"));
        }
    }

    fn mark(&mut self, mark: &str, within: Option<&str>) {
        match mark {
            "." | ")" | "]" | "," => self.text.push_str(mark),
            // What is called or looked into stands directly before it.
            "(" | "["
                if self.text.ends_with(|c: char| c.is_alphanumeric() || "_)]`".contains(c))
                    && !self.after_operator() =>
            {
                self.text.push_str(mark);
            }
            ":" if self.asks == 0 && within == Some("{") => self.text.push_str(mark),
            "{" | "}" => {
                if mark == "{" {
                    self.push(mark);
                } else {
                    self.text.push_str(mark);
                }
            }
            _ => self.push(mark),
        }
        match mark {
            "?" => self.asks += 1,
            ":" => self.asks = self.asks.saturating_sub(1),
            _ => {}
        }
        self.tight = matches!(mark, "." | "(" | "[" | "{" | "!");
    }

    /// Whether the text ends in a word that is an operator: `x in (…)`.
    fn after_operator(&self) -> bool {
        self.text.ends_with(" in")
    }
}
