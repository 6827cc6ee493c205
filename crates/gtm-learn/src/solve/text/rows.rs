//! Texts that list records, a line for each member: which records is explained as a list, and they are
//! written again.

use super::super::{Found, MAX_DEPTH, Search, Target};
use crate::facts::Facts;
use crate::quote;
use gtm_world::{Map, Value};
use serde_json::{Value as Json, json};

/// Most records that are looked for in a text.
const MAX_RECORDS: usize = 4_000;

/// A record in a text.
struct Block<'a> {
    start: usize,
    end: usize,
    indent: &'a str,
    record: Value,
}

/// A text in parts: what comes before the records, how they are written, what comes after.
struct Listing {
    head: String,
    tail: String,
    records: Vec<Value>,
    layout: Layout,
}

/// How records are listed.
#[derive(Clone, Debug, PartialEq)]
struct Layout {
    indent: String,
    /// What stands before a record, as an expression over its index `i` and itself, `r`.
    prefix: String,
    /// What stands between records; `None` where there was but one.
    between: Option<String>,
}

impl Search<'_> {
    pub(super) fn rows(&self, targets: &[Target], name: &str, depth: usize) -> Option<Found> {
        if depth + 2 >= MAX_DEPTH {
            return None;
        }
        let listing = |t: &Target| listing(self.probe.cases[t.case].facts(), t.value.as_str()?);
        let listings: Vec<Option<Listing>> = targets.iter().map(listing).collect();
        let mut known = listings.iter().flatten();
        let first = known.next()?;
        let between = listings.iter().flatten().find_map(|l| l.layout.between.clone());
        let Layout { indent, prefix, .. } = &first.layout;
        let fits = |l: &Listing| {
            l.layout.indent == *indent
                && l.layout.prefix == *prefix
                && (l.layout.between.is_none() || l.layout.between == between)
        };
        let part = |of: &dyn Fn(&Listing) -> Value| -> Vec<Target> {
            let each = |(t, l): (&Target, &Option<Listing>)| {
                l.as_ref().filter(|l| fits(l)).map(|l| Target { case: t.case, value: of(l) })
            };
            targets.iter().zip(&listings).filter_map(each).collect()
        };
        let records = self.explain(&part(&|l| l.records.iter().cloned().collect()), name, depth + 1);
        let Json::String(rows) = &records.template else { return None };
        if records.count() == 0 || rows.contains("known_") {
            return None;
        }
        let counted = |text: &str, l: &Listing| replace_number(text, l.records.len());
        let head = self.explain(&part(&|l| counted(&l.head, l).as_str().into()), "", depth + 2);
        let tail = self.explain(&part(&|l| counted(&l.tail, l).as_str().into()), "", depth + 2);
        if head.invents || tail.invents {
            return None;
        }
        let lines = format!(
            "join(entries(r).map(e, {} + e.key + \": \" + string(e.value)), \"\\n\")",
            quote::text(indent)
        );
        let listed = format!(
            "join({rows}.transformList(i, r, {prefix} + {lines}), {})",
            quote::text(&between.unwrap_or_default())
        );
        let size = format!("{{size({rows})}}");
        let out = format!("{}{{{listed}}}{}", self.hole(&head.template), self.hole(&tail.template));
        let out = out.replace(COUNT, &size);
        let hits =
            targets.iter().map(|t| self.probe.render(&out, t.case).as_deref() == t.value.as_str()).collect();
        let cost = records.cost + head.cost + tail.cost + 6;
        Some(Found::new(json!({"$text": out}), hits, cost))
    }
}

/// Stands for the number of records.
const COUNT: &str = "\u{1}count\u{2}";

/// The number where it stands by itself, marked.
fn replace_number(text: &str, number: usize) -> String {
    let digits = number.to_string();
    let alone = |at: usize| {
        let before = text[..at].chars().next_back();
        let after = text[at + digits.len()..].chars().next();
        [before, after].into_iter().flatten().all(|c| !c.is_alphanumeric() && c != '_' && c != '.')
    };
    match text.match_indices(&digits).find(|(at, _)| alone(*at)) {
        Some((at, _)) => format!("{}{COUNT}{}", &text[..at], &text[at + digits.len()..]),
        None => text.to_owned(),
    }
}

/// The records that a text lists, if it does.
fn listing(facts: &Facts, text: &str) -> Option<Listing> {
    if !text.contains(": ") || !text.contains('\n') {
        return None;
    }
    let mut blocks = blocks(facts, text);
    blocks.sort_by_key(|b| (b.start, std::cmp::Reverse(b.end)));
    let mut listed: Vec<Block<'_>> = Vec::new();
    for block in blocks {
        if listed.last().is_none_or(|last| block.start >= last.end) {
            listed.push(block);
        }
    }
    let (first, last) = (listed.first()?, listed.last()?);
    // The line before a record belongs to it, if it names it.
    let line = text[..first.start].trim_end_matches('\n').rfind('\n').map_or(0, |at| at + 1);
    let named = general(&text[line..first.start], 0, &first.record);
    let (head, prefix) = match named {
        Some(prefix) => (text[..line].to_owned(), prefix),
        None => (text[..first.start].to_owned(), "\"\"".to_owned()),
    };
    let mut between: Option<String> = None;
    for (i, pair) in listed.windows(2).enumerate() {
        let gap = &text[pair[0].end..pair[1].start];
        let line = gap.trim_end_matches('\n').rfind('\n').map_or(0, |at| at + 1);
        let here = match prefix.as_str() {
            "\"\"" => gap,
            _ => (general(&gap[line..], i + 1, &pair[1].record)? == prefix).then_some(&gap[..line])?,
        };
        if pair[0].indent != pair[1].indent || between.as_deref().is_some_and(|known| known != here) {
            return None;
        }
        between = Some(here.to_owned());
    }
    Some(Listing {
        head,
        tail: text[last.end..].to_owned(),
        layout: Layout { indent: first.indent.to_owned(), prefix, between },
        records: listed.into_iter().map(|b| b.record).collect(),
    })
}

/// Records of the state that the text writes out whole.
fn blocks<'a>(facts: &Facts, text: &'a str) -> Vec<Block<'a>> {
    let mut out: Vec<Block<'a>> = Vec::new();
    let mut looked = 0;
    for at in 0..facts.nodes.len() as u32 {
        let Value::Map(record) = facts.value(at) else { continue };
        if !facts.in_state(at) || record.len() < 2 || looked >= MAX_RECORDS {
            continue;
        }
        looked += 1;
        let Some(line) = record.first().and_then(|(name, value)| line(name, value)) else { continue };
        let Some(start) = text.find(&line) else { continue };
        let begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let indent = &text[begin..start];
        if !indent.trim().is_empty() {
            continue;
        }
        if let Some(whole) = written(record, indent)
            && let Some(rest) = text.get(begin..)
            && rest.starts_with(&whole)
        {
            out.push(Block {
                start: begin,
                end: begin + whole.len(),
                indent,
                record: facts.value(at).clone(),
            });
        }
    }
    out
}

fn line(name: &str, value: &Value) -> Option<String> {
    let shown = match value {
        Value::Str(text) => text.to_string(),
        Value::Map(_) => return None,
        other => other.to_json().to_string(),
    };
    Some(format!("{name}: {shown}"))
}

fn written(record: &Map, indent: &str) -> Option<String> {
    let lines: Option<Vec<String>> =
        record.iter().map(|(name, value)| Some(format!("{indent}{}", line(name, value)?))).collect();
    Some(lines?.join("\n"))
}

/// What stands before a record, as an expression; `None` if it does not speak of it.
fn general(prefix: &str, index: usize, record: &Value) -> Option<String> {
    let (name, value) = record.as_map()?.iter().find_map(|(name, value)| {
        let text = value.as_str().filter(|t| t.len() > 1 && prefix.contains(*t))?;
        Some((name.to_string(), text.to_owned()))
    })?;
    let (before, after) = prefix.split_once(&value)?;
    let number = (index + 1).to_string();
    let counted = match before.strip_prefix(&number) {
        Some(rest) => format!("string(i + 1) + {}", quote::text(rest)),
        None => quote::text(before),
    };
    Some(format!("{counted} + {} + {}", quote::member("r", &name), quote::text(after)))
}
