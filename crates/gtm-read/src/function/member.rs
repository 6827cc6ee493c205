//! Members of records: where they are, what they are called and what values they take.

use super::state_shape::plain;
use super::tokens::stems;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// Distinct values remembered per member.
const VALUES: usize = 400;
/// Members remembered per collection.
const MEMBERS: usize = 200;

/// A member of a collection's records.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// Path in the record; more than one name for members of a plain object inside.
    pub(super) path: Vec<String>,
    /// Words of the last name, in the singular.
    pub(super) stems: Vec<String>,
    /// Distinct plain values seen, as text, in order.
    pub(super) values: BTreeSet<String>,
    /// A value seen first.
    pub(super) first: Json,
    /// Whether every record has it.
    pub(super) always: bool,
    /// Whether every value is different (and there are two at least).
    pub(super) unique: bool,
    /// Whether its values are single values rather than lists or objects.
    pub(super) single: bool,
    /// Number of records that have it.
    pub(super) count: usize,
}

impl Member {
    /// A member known from a schema only.
    pub(super) fn named(name: &str) -> Self {
        Self {
            path: vec![name.to_owned()],
            stems: stems(name),
            values: BTreeSet::new(),
            first: Json::Null,
            always: false,
            unique: false,
            single: true,
            count: 0,
        }
    }

    /// Its own name.
    pub(super) fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// Whether it is a member of the record itself.
    pub(super) fn top(&self) -> bool {
        self.path.len() == 1
    }
}

/// The members of some records, in order of appearance.
pub(super) fn members<'a>(records: impl Iterator<Item = &'a Json>) -> Vec<Member> {
    let mut out: Vec<Member> = Vec::new();
    let mut total = 0;
    for record in records {
        total += 1;
        collect(record, &mut Vec::new(), &mut out);
    }
    for member in &mut out {
        member.always = member.count == total;
        member.unique = member.single && member.count > 1 && member.values.len() == member.count.min(VALUES);
    }
    out
}

fn collect(record: &Json, path: &mut Vec<String>, out: &mut Vec<Member>) {
    let Json::Object(map) = record else { return };
    for (name, value) in map {
        path.push(name.clone());
        let at = match out.iter().position(|member| member.path == *path) {
            Some(at) => at,
            None if out.len() >= MEMBERS => {
                path.pop();
                continue;
            }
            None => {
                out.push(Member { path: path.clone(), first: value.clone(), ..Member::named(name) });
                out.len() - 1
            }
        };
        let member = &mut out[at];
        member.count += 1;
        if value.is_object() || value.is_array() {
            member.single = false;
        } else if member.values.len() < VALUES {
            member.values.insert(plain(value));
        }
        // Plain objects inside are looked into; collections inside are collections of their own.
        let odd = path.iter().any(|name| name.chars().any(|c| c.is_ascii_digit() && name.len() > 8));
        if value.is_object() && path.len() < 3 && !odd && super::state_shape::kind_of(name, value).is_none() {
            collect(value, path, out);
        }
        path.pop();
    }
}
