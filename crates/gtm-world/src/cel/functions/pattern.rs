//! Regular expressions. The `regex` crate matches in linear time; size and text are bounded besides.

use super::{Args, Section, rows};
use crate::cel::Eval;
use crate::{Str, Value};
use regex::{Regex, RegexBuilder};
use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

/// Most literal patterns in one expression: each is compiled when the expression is.
pub(in crate::cel) const MAX_PATTERNS: usize = 16;
/// Longest pattern, in bytes.
const MAX_PATTERN: usize = 1_000;
/// Largest compiled pattern, in bytes. `\w{20}` fits; `\w{500}` does not.
const MAX_COMPILED: usize = 256 << 10;
/// Longest text a pattern is matched against, in bytes. Matching takes up to text × pattern.
const MAX_SUBJECT: usize = 64 << 10;
/// What compiling a pattern during a call costs.
const COMPILE_FUEL: u64 = 20_000;
/// Computed patterns that a call keeps compiled.
const MAX_KNOWN: usize = 4;

pub(super) const SECTION: Section = Section {
    title: "Patterns",
    intro: "Regular expressions in the syntax of [RE2](https://github.com/google/re2/wiki/Syntax): no look-around, no back-references. \
            Literal patterns are compiled once; compiling a computed pattern costs fuel. Texts may have up to 64 KiB; the functions that go from match \
            to match pay for the rest of the text at each, so for long texts prefer `split`, `words`, `lines` and `replace`.",
    null_passes: true,
    rows: rows! {
        "matches(text, pattern) -> bool", "Whether the pattern is found anywhere in the text; `^` and `$` anchor it.",
            "'BK-204'.matches('^BK-[0-9]+$')" => "true", matches;
        "find(text, pattern) -> text", "The first match; null if there is none.",
            "find('order 66 of 70', '[0-9]+')" => r#""66""#, find;
        "findAll(text, pattern) -> list", "All matches, from left to right.",
            "findAll('1, 22 and 333', '[0-9]+')" => r#"["1","22","333"]"#, find_all;
        "extract(text, pattern, group?) -> text" ["regex.extract"],
            "What a group of the first match captured: by number or name, by default the first group, or the whole match where there is none; null if there is no match.",
            "extract('id=42;', 'id=([0-9]+)')" => r#""42""#, extract;
        "replaceRegex(text, pattern, replacement) -> text" ["regex.replace"], "Every match replaced; `$1` or `${name}` stands for a group.",
            "replaceRegex('2024-03-05', '([0-9]+)-([0-9]+)-([0-9]+)', '$3.$2.$1')" => r#""05.03.2024""#, replace;
        "splitRegex(text, pattern) -> list", "The parts between the matches.",
            "splitRegex('a1b22c', '[0-9]+')" => r#"["a","b","c"]"#, split;
    },
};

/// Compiles a pattern within the limits.
pub(in crate::cel) fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > MAX_PATTERN {
        return Err(format!("the pattern has more than {MAX_PATTERN} bytes"));
    }
    RegexBuilder::new(pattern)
        .size_limit(MAX_COMPILED)
        .dfa_size_limit(MAX_COMPILED)
        .nest_limit(50)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "the pattern is too large once compiled".into(),
            other => format!("not a regular expression: {other}"),
        })
}

/// The patterns that a call has computed so far, compiled. What compiling costs in fuel depends on
/// this, so it must not outlive the call: its replay has to cost the same.
#[derive(Debug, Default)]
pub(in crate::cel) struct Patterns(Mutex<VecDeque<(Str, Arc<Regex>)>>);

impl Clone for Patterns {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// A compiled pattern.
enum Pattern<'a> {
    Literal(&'a Regex),
    Computed(Arc<Regex>),
}

impl Deref for Pattern<'_> {
    type Target = Regex;

    fn deref(&self) -> &Regex {
        match self {
            Pattern::Literal(regex) => regex,
            Pattern::Computed(regex) => regex,
        }
    }
}

impl<'a> Args<'a> {
    /// The text and the pattern, the first two arguments.
    fn subject(&mut self) -> Eval<(&'a str, Pattern<'a>)> {
        let text = self.text(0)?;
        let pattern = self.text(1)?;
        if text.len() > MAX_SUBJECT {
            return Err(self.fail(format!("the text has more than {MAX_SUBJECT} bytes")));
        }
        self.pay(text.len())?;
        if let Some(regex) = self.regex {
            return Ok((text, Pattern::Literal(regex)));
        }
        let mut known = self.patterns.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, regex)) = known.iter().find(|(text, _)| &**text == pattern) {
            return Ok((text, Pattern::Computed(regex.clone())));
        }
        self.budget.spend(COMPILE_FUEL)?;
        let regex = Arc::new(compile(pattern).map_err(|why| self.fail(why))?);
        known.truncate(MAX_KNOWN - 1);
        known.push_front((pattern.into(), regex.clone()));
        Ok((text, Pattern::Computed(regex)))
    }

    /// Pays for a match found at `start` by a function that goes on to the next. A search may look at
    /// all of the rest, even where it then matches a single character: that makes the square of the text.
    fn pay_match(&mut self, text: &str, start: usize, bytes: usize) -> Eval<()> {
        self.pay(text.len() - start)?;
        self.reserve(bytes)
    }
}

fn matches(args: &mut Args<'_>) -> Eval<Value> {
    let (text, regex) = args.subject()?;
    Ok(regex.is_match(text).into())
}

fn find(args: &mut Args<'_>) -> Eval<Value> {
    let (text, regex) = args.subject()?;
    regex.find(text).map_or(Ok(Value::Null), |found| args.make_text(found.as_str()))
}

fn find_all(args: &mut Args<'_>) -> Eval<Value> {
    let (text, regex) = args.subject()?;
    let mut found = Vec::new();
    for item in regex.find_iter(text) {
        args.pay_match(text, item.start(), item.len())?;
        found.push(Value::from(item.as_str()));
    }
    Ok(found.into_iter().collect())
}

fn extract(args: &mut Args<'_>) -> Eval<Value> {
    let (text, regex) = args.subject()?;
    let Some(captures) = regex.captures(text) else { return Ok(Value::Null) };
    let group = match args.given(2) {
        None => captures.get(1).or_else(|| captures.get(0)),
        Some(Value::Str(name)) => captures.name(name),
        Some(_) => usize::try_from(args.int(2)?).ok().and_then(|at| captures.get(at)),
    };
    group.map_or(Ok(Value::Null), |found| args.make_text(found.as_str()))
}

fn replace(args: &mut Args<'_>) -> Eval<Value> {
    let (text, regex) = args.subject()?;
    let replacement = args.text(2)?;
    let mut out = String::new();
    let mut end = 0;
    for captures in regex.captures_iter(text) {
        let Some(found) = captures.get(0) else { continue };
        // A group named in the replacement is at most the match, and takes two bytes to name.
        let most = replacement.len().saturating_mul(1 + found.len());
        args.pay(1 + most / 16)?;
        args.pay_match(text, found.start(), 0)?;
        let before = out.len();
        out.push_str(&text[end..found.start()]);
        captures.expand(replacement, &mut out);
        args.budget.allocate(out.len() - before)?;
        end = found.end();
    }
    out.push_str(&text[end..]);
    args.make_text(out)
}

fn split(args: &mut Args<'_>) -> Eval<Value> {
    let (text, regex) = args.subject()?;
    let mut parts = Vec::new();
    let mut end = 0;
    for found in regex.find_iter(text) {
        args.pay_match(text, found.start(), found.start() - end)?;
        parts.push(Value::from(&text[end..found.start()]));
        end = found.end();
    }
    args.reserve(text.len() - end)?;
    parts.push(Value::from(&text[end..]));
    Ok(parts.into_iter().collect())
}
