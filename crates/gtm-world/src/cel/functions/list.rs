//! Functions on lists, and on objects seen as the list of their values.

use super::{Args, Section, rows, text::clip};
use crate::cel::eval::{ITEM, index, position};
use crate::cel::{Eval, json, ops};
use crate::{Map, Value};
use std::cmp::Ordering;
use std::sync::Arc;

pub(super) const SECTION: Section = Section {
    title: "Lists",
    intro: "Where a list is gone through, an object stands for the list of its values (so a collection of records by id can be given as it is), and null for the empty list. \
            `field` is the name of a member of each item. Sorting puts booleans before numbers before text before lists before objects, and nulls last; equal items keep their order.",
    null_passes: false,
    rows: rows! {
        "size(x) -> int" ["len", "length", "count"], "Number of characters, items or members; 0 for null.", "size('naïve')" => "5", size;
        "first(list) -> any", "The first item; null for none.", "[1, 2].first()" => "1", |args| Ok(args.list(0)?.front().cloned().unwrap_or_default());
        "last(list) -> any", "The last item; null for none.", "[1, 2].last()" => "2", |args| Ok(args.list(0)?.back().cloned().unwrap_or_default());
        "contains(x, part) -> bool" ["includes"], "Whether a text contains a text, a list an item, or an object a key; false for null.", "[1, 2].contains(2)" => "true", contains;
        "indexOf(x, part, start?) -> int", "Where a text first occurs in a text, or an item in a list; -1 if nowhere.", "'tacocat'.indexOf('co')" => "2", index_of;
        "lastIndexOf(x, part) -> int", "Where it occurs last; -1 if nowhere.", "['a', 'b', 'a'].lastIndexOf('a')" => "2", last_index_of;
        "reverse(x) -> any", "A list or a text backwards.", "reverse([1, 2, 3])" => "[3,2,1]", reverse;
        "slice(list, start, end?) -> list", "The items from `start` up to but without `end`; negative ones count from the end.", "slice([1, 2, 3, 4], 1, -1)" => "[2,3]", slice;
        "take(list, count) -> list", "The first so many items.", "take([1, 2, 3], 2)" => "[1,2]", |args| {
            let count = usize::try_from(args.int(1)?.max(0)).unwrap_or(usize::MAX);
            let list = args.list(0)?;
            Ok(Value::List(Arc::new(list.take(count.min(list.len())))))
        };
        "skip(list, count) -> list" ["drop"], "All but the first so many items.", "skip([1, 2, 3], 2)" => "[3]", |args| {
            let count = usize::try_from(args.int(1)?.max(0)).unwrap_or(usize::MAX);
            let list = args.list(0)?;
            Ok(Value::List(Arc::new(list.skip(count.min(list.len())))))
        };
        "flatten(list, depth?) -> list", "Lists within the list opened, one level or so many.", "flatten([1, [2, [3]]])" => "[1,2,[3]]", |args| {
            let depth = usize::try_from(args.int_or(1, 1)?.clamp(0, 64)).unwrap_or(1);
            let items = args.items(0)?;
            let mut out = Vec::new();
            flatten(args, items, depth, &mut out)?;
            Ok(out.into_iter().collect())
        };
        "distinct(list) -> list" ["unique"], "Each item once, in order of first occurrence.", "distinct([2, 1, 2.0, 'a'])" => r#"[2,1,"a"]"#, distinct;
        "sort(list, direction?) -> list" ["sorted"], "In order; `'desc'` reverses.", "[3, 1, 2].sort()" => "[1,2,3]", sort;
        "sortBy(list, field, direction?) -> list", "Records in order of a member; `'desc'` reverses.", "sortBy([{'n': 2}, {'n': 1}], 'n')" => r#"[{"n":1},{"n":2}]"#, sort_by;
        "range(end) -> list" ["lists.range"], "The integers from 0 up to but without `end`.", "range(3)" => "[0,1,2]", |args| range(args, 0, args.int(0)?, 1);
        "range(start, end, step?) -> list", "The integers from `start` up to but without `end`.", "range(5, 1, -2)" => "[5,3]", |args| range(args, args.int(0)?, args.int(1)?, args.int_or(2, 1)?);
        "zip(a, b) -> list", "Pairs of the items at the same index, as far as both go.", "zip([1, 2], ['a', 'b'])" => r#"[[1,"a"],[2,"b"]]"#, zip;
        "join(list, separator?) -> text", "The items as text, one after another.", "['a', 1].join(', ')" => r#""a, 1""#, join;
        "pluck(list, field) -> list", "That member of every record; null where it is missing.", "pluck([{'id': 1}, {'id': 2}], 'id')" => "[1,2]", pluck;
        "find(list, field, value) -> any", "The first record whose member equals the value; null for none.", "find([{'id': 1}, {'id': 2, 'n': 'b'}], 'id', 2).n" => r#""b""#, |args| {
            Ok(select(args, true, true)?.first().map_or(Value::Null, |found| (*found).clone()))
        };
        "where(list, field, value) -> list", "The records whose member equals the value; all, if the value is null.", "where([{'a': 1}, {'a': 2}], 'a', 2)" => r#"[{"a":2}]"#, |args| {
            let found = select(args, args.given(2).is_some(), false)?;
            args.make_list(found.into_iter())
        };
        "groupBy(list, field) -> object", "Records in lists by the value of a member.", "groupBy([{'t': 'x', 'n': 1}, {'t': 'y', 'n': 2}], 't')" => r#"{"x":[{"t":"x","n":1}],"y":[{"t":"y","n":2}]}"#, |args| group(args, false);
        "indexBy(list, field) -> object", "Records by the value of a member, the last of each.", "indexBy([{'id': 7, 'n': 1}], 'id')" => r#"{"7":{"id":7,"n":1}}"#, |args| group(args, true);
        "countBy(list, field?) -> object", "How often each value of a member occurs, or each item.", "countBy(['a', 'b', 'a'])" => r#"{"a":2,"b":1}"#, count_by;
        "chunk(list, size) -> list", "Lists of so many items each.", "chunk([1, 2, 3], 2)" => "[[1,2],[3]]", chunk;
        "withItem(list, item, index?) -> list" ["append"], "With one more item, at the end or at an index.", "[1, 2].withItem(3)" => "[1,2,3]", with_item;
        "without(list, item) -> list", "Without the items equal to this.", "[1, 2, 1].without(1)" => "[2]", without;
        "withoutAt(list, index) -> list", "Without the item there.", "['a', 'b'].withoutAt(0)" => r#"["b"]"#, without_at;
        "setAt(list, index, item) -> list", "With another item there.", "setAt([1, 2], -1, 9)" => "[1,9]", set_at;
        "union(a, b) -> list", "The items of both lists, each once.", "union([1, 2], [2, 3])" => "[1,2,3]", |args| {
            let mut items = args.items(0)?;
            items.extend(args.items(1)?);
            unique(args, items)
        };
        "intersect(a, b) -> list" ["intersection"], "The items of `a` that are also in `b`.", "intersect([1, 2, 3], [3, 1])" => "[1,3]", |args| retain(args, true);
        "difference(a, b) -> list", "The items of `a` that are not in `b`.", "difference([1, 2, 3], [3])" => "[1,2]", |args| retain(args, false);
        "containsAll(list, items) -> bool" ["sets.contains"], "Whether every one of the items is in the list.", "containsAll([1, 2, 3], [3, 1])" => "true", |args| among(args, true);
        "containsAny(list, items) -> bool" ["sets.intersects"], "Whether some of the items is in the list.", "containsAny([1, 2], [2, 5])" => "true", |args| among(args, false);
    },
};

fn size(args: &mut Args<'_>) -> Eval<Value> {
    let size = match args.get(0) {
        Value::Null => 0,
        Value::Str(text) => text.chars().count(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        _ => return Err(args.wrong(0, "text, a list or an object")),
    };
    Ok(Value::Int(i64::try_from(size).unwrap_or(i64::MAX)))
}

fn contains(args: &mut Args<'_>) -> Eval<Value> {
    match args.get(0) {
        Value::Str(text) => Ok(text.contains(args.text(1)?).into()),
        other => Ok(ops::within(args.get(1), other, args.budget)?.into()),
    }
}

fn place(at: Option<usize>) -> Value {
    Value::Int(at.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1))
}

fn index_of(args: &mut Args<'_>) -> Eval<Value> {
    if let Value::Str(text) = args.get(0) {
        let start = clip(args.int_or(2, 0)?, text.chars().count());
        let from = text.char_indices().nth(start).map_or(text.len(), |(at, _)| at);
        let found = text[from..].find(args.text(1)?);
        return Ok(place(found.map(|at| start + text[from..from + at].chars().count())));
    }
    let items = args.items(0)?;
    let start = clip(args.int_or(2, 0)?, items.len());
    for (at, item) in items.iter().enumerate().skip(start) {
        if ops::equal(item, args.get(1), args.budget)? {
            return Ok(place(Some(at)));
        }
    }
    Ok(place(None))
}

fn last_index_of(args: &mut Args<'_>) -> Eval<Value> {
    if let Value::Str(text) = args.get(0) {
        return Ok(place(text.rfind(args.text(1)?).map(|at| text[..at].chars().count())));
    }
    let items = args.items(0)?;
    for (at, item) in items.iter().enumerate().rev() {
        if ops::equal(item, args.get(1), args.budget)? {
            return Ok(place(Some(at)));
        }
    }
    Ok(place(None))
}

fn reverse(args: &mut Args<'_>) -> Eval<Value> {
    match args.get(0) {
        Value::Str(text) => args.make_text(text.chars().rev().collect::<String>()),
        _ => {
            let items = args.items(0)?;
            args.make_list(items.into_iter().rev())
        }
    }
}

fn slice(args: &mut Args<'_>) -> Eval<Value> {
    let list = args.list(0)?;
    let start = clip(args.int(1)?, list.len());
    let end = clip(args.int_or(2, i64::MAX)?, list.len()).max(start);
    Ok(Value::List(Arc::new(list.clone().slice(start..end))))
}

fn flatten(args: &mut Args<'_>, items: Vec<&Value>, depth: usize, out: &mut Vec<Value>) -> Eval<()> {
    for item in items {
        match item {
            Value::List(inner) if depth > 0 => {
                args.pay(1 + inner.len())?;
                flatten(args, inner.iter().collect(), depth - 1, out)?;
            }
            _ => {
                args.reserve(0)?;
                out.push(item.clone());
            }
        }
    }
    Ok(())
}

/// A set of values: scalars are found by their order, lists and objects one by one.
#[derive(Default)]
struct Seen<'v> {
    scalars: std::collections::BTreeSet<Scalar<'v>>,
    composites: Vec<&'v Value>,
}

/// A scalar under its sorting order, which agrees with equality.
struct Scalar<'v>(&'v Value);

impl Ord for Scalar<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        ops::order(self.0, other.0)
    }
}

impl PartialOrd for Scalar<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Scalar<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Scalar<'_> {}

impl<'v> Seen<'v> {
    fn contains(&self, item: &Value, args: &mut Args<'_>) -> Eval<bool> {
        match item {
            Value::List(_) | Value::Map(_) => {
                for other in &self.composites {
                    args.pay(1)?;
                    if ops::equal(item, other, args.budget)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            _ => {
                args.pay(self.cost(item))?;
                Ok(self.scalars.contains(&Scalar(item)))
            }
        }
    }

    /// Adds an item; false if it was there.
    fn insert(&mut self, item: &'v Value, args: &mut Args<'_>) -> Eval<bool> {
        let new = !self.contains(item, args)?;
        if new {
            match item {
                Value::List(_) | Value::Map(_) => self.composites.push(item),
                _ => {
                    args.pay(self.cost(item))?;
                    self.scalars.insert(Scalar(item));
                }
            }
        }
        Ok(new)
    }

    /// What finding a scalar costs: a comparison per level.
    fn cost(&self, item: &Value) -> usize {
        let levels = 1 + self.scalars.len().max(1).ilog2() as usize;
        levels * (1 + item.as_str().map_or(0, str::len) / 16)
    }
}

fn unique(args: &mut Args<'_>, items: Vec<&Value>) -> Eval<Value> {
    let mut seen = Seen::default();
    let mut out = Vec::new();
    for item in items {
        if seen.insert(item, args)? {
            out.push(item);
        }
    }
    args.make_list(out.into_iter())
}

fn distinct(args: &mut Args<'_>) -> Eval<Value> {
    let items = args.items(0)?;
    unique(args, items)
}

/// The items of the second argument.
fn second<'a>(args: &mut Args<'a>) -> Eval<Seen<'a>> {
    let mut seen = Seen::default();
    for item in args.items(1)? {
        seen.insert(item, args)?;
    }
    Ok(seen)
}

fn retain(args: &mut Args<'_>, wanted: bool) -> Eval<Value> {
    let other = second(args)?;
    let mut out = Vec::new();
    for item in args.items(0)? {
        if other.contains(item, args)? == wanted {
            out.push(item);
        }
    }
    args.make_list(out.into_iter())
}

fn among(args: &mut Args<'_>, all: bool) -> Eval<Value> {
    let mut list = Seen::default();
    for item in args.items(0)? {
        list.insert(item, args)?;
    }
    for item in args.items(1)? {
        if list.contains(item, args)? != all {
            return Ok(Value::Bool(!all));
        }
    }
    Ok(Value::Bool(all))
}

/// Whether a direction reverses the order.
fn descends(args: &Args<'_>, at: usize) -> Eval<bool> {
    match args.get(at) {
        Value::Null => Ok(false),
        Value::Bool(descending) => Ok(*descending),
        _ => match args.text(at)?.to_ascii_lowercase().as_str() {
            "asc" | "ascending" => Ok(false),
            "desc" | "descending" => Ok(true),
            _ => Err(args.fail("direction must be 'asc' or 'desc'")),
        },
    }
}

/// Items in the order of their keys. Nulls stay last either way.
fn ordered<'v>(args: &mut Args<'_>, mut items: Vec<(&'v Value, &'v Value)>, down: bool) -> Eval<Value> {
    args.budget.spend(ops::sorting_cost(items.iter().map(|(key, _)| *key)))?;
    items.sort_by(|(a, _), (b, _)| match ops::order(a, b) {
        order if down && !a.is_null() && !b.is_null() => order.reverse(),
        order => order,
    });
    args.make_list(items.into_iter().map(|(_, item)| item))
}

fn sort(args: &mut Args<'_>) -> Eval<Value> {
    let down = descends(args, 1)?;
    let items = args.items(0)?.into_iter().map(|item| (item, item)).collect();
    ordered(args, items, down)
}

/// A member of a record; null if it has none.
fn member<'v>(item: &'v Value, name: &str) -> &'v Value {
    static NULL: Value = Value::Null;
    item.get(name).unwrap_or(&NULL)
}

fn sort_by(args: &mut Args<'_>) -> Eval<Value> {
    let (field, down) = (args.text(1)?, descends(args, 2)?);
    let items = args.items(0)?.into_iter().map(|item| (member(item, field), item)).collect();
    ordered(args, items, down)
}

fn range(args: &mut Args<'_>, start: i64, end: i64, step: i64) -> Eval<Value> {
    if step == 0 {
        return Err(args.fail("step must not be 0"));
    }
    let distance =
        if step > 0 { i128::from(end) - i128::from(start) } else { i128::from(start) - i128::from(end) };
    let step_size = i128::from(step.unsigned_abs());
    let count = usize::try_from((distance.max(0) + step_size - 1) / step_size).unwrap_or(usize::MAX);
    args.reserve_items(count)?;
    let number = |at: usize| Value::Int(start.wrapping_add(step.wrapping_mul(at as i64)));
    Ok((0..count).map(number).collect())
}

fn zip(args: &mut Args<'_>) -> Eval<Value> {
    let (a, b) = (args.items(0)?, args.items(1)?);
    args.reserve_items(3 * a.len().min(b.len()))?;
    Ok(a.into_iter().zip(b).map(|(a, b)| Value::from_iter([a.clone(), b.clone()])).collect())
}

fn join(args: &mut Args<'_>) -> Eval<Value> {
    let separator = args.text_or(1, "")?;
    let mut out = String::new();
    for (at, item) in args.items(0)?.into_iter().enumerate() {
        if at > 0 {
            args.budget.allocate(separator.len())?;
            out.push_str(separator);
        }
        json::write_plain(item, &mut out, args.budget)?;
    }
    Ok(out.into())
}

fn pluck(args: &mut Args<'_>) -> Eval<Value> {
    let field = args.text(1)?;
    let items = args.items(0)?;
    args.make_list(items.into_iter().map(|item| member(item, field)))
}

/// Records whose member equals the value; all, unless `filter`.
fn select<'a>(args: &mut Args<'a>, filter: bool, one: bool) -> Eval<Vec<&'a Value>> {
    let (field, value) = (args.text(1)?, args.get(2));
    let mut found = Vec::new();
    for item in args.items(0)? {
        if !filter || ops::equal(member(item, field), value, args.budget)? {
            found.push(item);
            if one {
                break;
            }
        }
    }
    Ok(found)
}

fn group(args: &mut Args<'_>, single: bool) -> Eval<Value> {
    let field = args.text(1)?;
    let mut groups = Map::new();
    for item in args.items(0)? {
        let Some(key) = member(item, field).as_key() else { continue };
        args.reserve(2 * ITEM + key.len())?;
        if single {
            groups.insert(key, item.clone());
        } else if let Some(Value::List(list)) = groups.get_mut(&key) {
            Arc::make_mut(list).push_back(item.clone());
        } else {
            groups.insert(key, Value::from_iter([item.clone()]));
        }
    }
    Ok(Value::Map(groups))
}

fn count_by(args: &mut Args<'_>) -> Eval<Value> {
    let field = if args.given(1).is_some() { Some(args.text(1)?) } else { None };
    let mut counts = Map::new();
    for item in args.items(0)? {
        let counted = field.map_or(item, |field| member(item, field));
        let Some(key) = counted.as_key() else { continue };
        args.pay(1 + key.len() / 16)?;
        if let Some(Value::Int(count)) = counts.get_mut(&key) {
            *count += 1;
        } else {
            args.reserve(ITEM + key.len())?;
            counts.insert(key, Value::Int(1));
        }
    }
    Ok(Value::Map(counts))
}

fn chunk(args: &mut Args<'_>) -> Eval<Value> {
    let size = usize::try_from(args.int(1)?).ok().filter(|size| *size > 0);
    let size = size.ok_or_else(|| args.fail("size must be at least 1"))?;
    let items = args.items(0)?;
    args.reserve_items(items.len() + 2 * items.len().div_ceil(size))?;
    Ok(items.chunks(size).map(|part| Value::from_iter(part.iter().map(|item| (*item).clone()))).collect())
}

/// A list changed at a place, sharing the rest.
fn changed(args: &mut Args<'_>, change: impl FnOnce(&mut imbl::Vector<Value>)) -> Eval<Value> {
    // Unsharing the nodes on the way to the place copies a few of them.
    args.reserve(64 * ITEM)?;
    let mut list = args.list(0)?.clone();
    change(&mut list);
    Ok(Value::List(Arc::new(list)))
}

fn with_item(args: &mut Args<'_>) -> Eval<Value> {
    let item = args.get(1).clone();
    let length = args.list(0)?.len();
    let at = clip(args.int_or(2, i64::MAX)?, length);
    changed(args, |list| if at == length { list.push_back(item) } else { list.insert(at, item) })
}

fn without(args: &mut Args<'_>) -> Eval<Value> {
    let mut kept = Vec::new();
    for item in args.items(0)? {
        if !ops::equal(item, args.get(1), args.budget)? {
            kept.push(item);
        }
    }
    args.make_list(kept.into_iter())
}

fn without_at(args: &mut Args<'_>) -> Eval<Value> {
    match position(args.int(1)?, args.list(0)?.len()) {
        Some(at) => changed(args, |list| drop(list.remove(at))),
        None => Ok(args.get(0).clone()),
    }
}

fn set_at(args: &mut Args<'_>) -> Eval<Value> {
    let item = args.get(2).clone();
    if index(args.get(0), args.get(1)).is_err() || args.get(0).as_map().is_some() {
        return Err(args.wrong(0, "a list"));
    }
    match position(args.int(1)?, args.list(0)?.len()) {
        Some(at) => changed(args, |list| drop(list.set(at, item))),
        None => Err(args.fail("there is no item at this index; use withItem to add one")),
    }
}
