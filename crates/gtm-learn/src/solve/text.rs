//! Texts: what their instances share stands, what differs becomes holes, and each hole is a search of
//! its own.

mod read;
mod rows;
mod skeleton;

use super::{Found, MAX_DEPTH, Search, Target, add, seeds};
use crate::quote;
use gtm_world::Value;
use serde_json::{Value as Json, json};
use skeleton::{Piece, Skeleton};
use std::rc::Rc;

/// Longest text that is taken apart.
const MAX_BYTES: usize = 6_000;
/// Most holes in one text.
const MAX_HOLES: usize = 24;

/// What a text counts, in percent, of which all but the holes is right.
const HALF: u8 = 40;

/// Ways to write a text, each with how it is written as an expression.
const TRANSFORMS: &[(&str, fn(&str) -> String)] = &[
    ("lower(@)", |t| t.to_lowercase()),
    ("upper(@)", |t| t.to_uppercase()),
    ("trim(@)", |t| t.trim().to_owned()),
    ("title(replace(@, '_', ' '))", |t| title(&t.replace('_', " "))),
    ("replace(@, '_', ' ')", |t| t.replace('_', " ")),
    ("last(split(@, '/'))", |t| t.rsplit('/').next().unwrap_or_default().to_owned()),
    ("first(split(@, ' '))", |t| t.split(' ').next().unwrap_or_default().to_owned()),
    ("last(split(@, ' '))", |t| t.rsplit(' ').next().unwrap_or_default().to_owned()),
    ("first(split(@, '-'))", |t| t.split('-').next().unwrap_or_default().to_owned()),
    ("reverse(@)", |t| t.chars().rev().collect()),
];

fn title(text: &str) -> String {
    let word = |word: &str| {
        let mut chars = word.chars();
        chars
            .next()
            .map_or(String::new(), |c| c.to_uppercase().chain(chars.flat_map(char::to_lowercase)).collect())
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

impl Search<'_> {
    pub(super) fn text(&self, targets: &[Target], name: &str, depth: usize) -> Option<Found> {
        if targets.iter().any(|t| t.value.as_str().is_none_or(|s| s.len() > MAX_BYTES)) {
            return None;
        }
        let read = self.read(targets, name, depth);
        if read.as_ref().is_some_and(Found::is_full) {
            return read;
        }
        let rows = self.rows(targets, name, depth);
        if rows.as_ref().is_some_and(Found::is_full) {
            return rows;
        }
        let written = self.written(targets);
        let holes = self.holes(targets, depth);
        [read, rows, written, holes].into_iter().flatten().max_by_key(Found::score)
    }

    /// Another text, written otherwise.
    fn written(&self, targets: &[Target]) -> Option<Found> {
        let mut candidates: Vec<(Rc<str>, u32)> = Vec::new();
        for target in seeds(targets).into_iter().take(2) {
            let wanted = target.value.as_str().filter(|t| !t.is_empty())?;
            for (text, ways) in self.probe.cases[target.case].facts().all_refs() {
                for (i, (written, transform)) in TRANSFORMS.iter().enumerate() {
                    if **text != *wanted && transform(text) == wanted {
                        for way in ways {
                            let expr = written.replace('@', &way.text);
                            add(&mut candidates, expr.into(), way.cost + 3 + i as u32 / 2);
                        }
                    }
                }
            }
        }
        candidates.sort_by(|a, b| a.1.cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
        candidates.truncate(40);
        self.best(targets, candidates)
    }

    /// Text with holes.
    fn holes(&self, targets: &[Target], depth: usize) -> Option<Found> {
        let skeleton = Skeleton::of(self.probe, targets)?;
        let literal = skeleton.pieces.iter().any(|piece| matches!(piece, Piece::Text(_) | Piece::Slot(_)));
        let gaps = skeleton.pieces.iter().filter(|piece| matches!(piece, Piece::Gap)).count();
        if !literal || skeleton.pieces.len() < 2 || gaps > MAX_HOLES || depth + 1 >= MAX_DEPTH {
            return None;
        }
        // What stands in each gap of each text; texts that do not fit are given up.
        let parts: Vec<Option<Vec<String>>> =
            targets.iter().map(|t| skeleton.parts(self.probe, t.case, t.value.as_str()?)).collect();
        let mut hits: Vec<bool> = parts.iter().map(Option::is_some).collect();
        let (mut out, mut cost, mut gap, mut invents) = (String::new(), 2, 0, false);
        for piece in &skeleton.pieces {
            match piece {
                Piece::Text(text) => {
                    out.push_str(&quote::message(text));
                    cost += 1;
                }
                Piece::Slot(ways) => {
                    let way = ways.first()?;
                    out.push_str(&format!("{{{}}}", way.text));
                    cost += way.cost;
                }
                Piece::Gap => {
                    let below: Vec<Target> = targets
                        .iter()
                        .zip(&parts)
                        .filter_map(|(t, parts)| Some((t, parts.as_ref()?)))
                        .map(|(t, parts)| Target { case: t.case, value: parts[gap].as_str().into() })
                        .collect();
                    if below.is_empty() {
                        return None;
                    }
                    let found = self.explain(&below, "", depth + 2);
                    let fitting = hits.iter_mut().zip(&parts).filter(|(_, parts)| parts.is_some());
                    fitting.zip(&found.hits).for_each(|((all, _), hit)| *all &= hit);
                    cost += found.cost;
                    invents |= found.invents;
                    out.push_str(&self.hole(&found.template));
                    gap += 1;
                }
            }
        }
        // A hole may refer to a table or to something made up, which only the finished behavior knows.
        if !invents && !out.contains("known_") {
            let rendered = |t: &Target| self.probe.render(&out, t.case).as_deref() == t.value.as_str();
            hits = targets.iter().map(rendered).collect();
        }
        // A text of the right build with a wrong word in it is better than another text.
        let parts = hits.iter().zip(&parts).map(|(hit, parts)| match (hit, parts) {
            (true, _) => 100,
            (false, Some(_)) => HALF,
            (false, None) => 0,
        });
        let parts = parts.collect();
        Some(Found { parts, invents, ..Found::new(json!({"$text": out}), hits, cost) })
    }

    /// A template as a hole in text.
    pub(super) fn hole(&self, template: &Json) -> String {
        match template {
            Json::String(text) => match text.strip_prefix('"') {
                // A text literal needs no hole.
                Some(_) => match serde_json::from_str::<String>(text) {
                    Ok(plain) => quote::message(&plain),
                    Err(_) => format!("{{{text}}}"),
                },
                None => format!("{{{text}}}"),
            },
            Json::Object(members) => match (members.get("$text"), members.get("$value")) {
                (Some(Json::String(text)), _) => text.clone(),
                (_, Some(Json::String(text))) => quote::message(text),
                _ => format!("{{{}}}", self.name("made_up", template.clone())),
            },
            other => format!("{{{}}}", self.name("made_up", other.clone())),
        }
    }
}

/// A text value.
pub(super) fn value(text: &str) -> Value {
    Value::from(text)
}
