//! The `list` step: filter, sort, page.

use super::{IT, KEY, Run, Step, exhausted, record};
use crate::compile::ListRows;
use crate::place;
use crate::{Str, Value};
use std::cmp::Ordering;

impl Run<'_> {
    pub(super) fn list(&mut self, op: &ListRows) -> Step<()> {
        let container = op.within.place.resolve(&mut self.scope, &mut self.budget)?;
        let mut equal = Vec::with_capacity(op.equal.len());
        for (name, template) in &op.equal {
            let wanted = self.template(template)?;
            if !wanted.is_null() {
                equal.push((name.clone(), wanted));
            }
        }
        let search = match &op.search {
            Some(search) => self.eval(search)?.as_key().filter(|text| !text.trim().is_empty()),
            None => None,
        };
        if self.may_invent_rows(&op.within, &container) {
            self.invent_rows(&op.within, &container, &equal, search.as_deref())?;
        }
        let held = place::read(self.world.state(), &container).cloned().unwrap_or_default();
        let offset = self.count(op.offset.as_ref())?.unwrap_or(0);
        let limit =
            self.count(op.limit.as_ref())?.unwrap_or(usize::MAX).min(self.program.library.limits.list_rows);
        let (total, rows) =
            if equal.is_empty() && search.is_none() && op.filter.is_none() && op.sort.is_none() {
                self.budget
                    .spend((offset as u64).saturating_add(limit as u64).min(len(&held) as u64))
                    .map_err(exhausted)?;
                let page =
                    record::entries(&held).skip(offset).take(limit).map(|(k, v)| (k, v.clone())).collect();
                (len(&held), page)
            } else {
                let mut rows = self.select(op, &held, &equal, search.as_deref())?;
                self.sort(op, &mut rows)?;
                let total = rows.len();
                (total, rows.into_iter().skip(offset).take(limit).collect::<Vec<_>>())
            };
        self.budget.allocate(64 * rows.len()).map_err(exhausted)?;
        if self.world.is_open() {
            let pointer = place::pointer(&container);
            for (key, row) in &rows {
                if let Value::Map(map) = row {
                    self.mark(&pointer, key, map);
                }
            }
        }
        self.scope.push(op.bind.clone(), rows.into_iter().map(|(_, row)| row).collect());
        self.scope.push(op.total.clone(), Value::Int(total as i64));
        Ok(())
    }

    fn select(
        &mut self,
        op: &ListRows,
        held: &Value,
        equal: &[(Str, Value)],
        search: Option<&str>,
    ) -> Step<Vec<(Str, Value)>> {
        let search = search.map(str::to_lowercase);
        let mut rows = Vec::new();
        for (key, row) in record::entries(held) {
            self.budget.spend(1 + equal.len() as u64).map_err(exhausted)?;
            if !equal.iter().all(|(name, wanted)| row.get(name).is_some_and(|held| any_equal(held, wanted))) {
                continue;
            }
            if let Some(text) = &search {
                crate::cel::weigh(row, &mut self.budget)?;
                if !contains_text(row, text) {
                    continue;
                }
            }
            if let Some(filter) = &op.filter {
                let mark = self.scope.mark();
                self.scope.push(IT.clone(), row.clone());
                self.scope.push(KEY.clone(), Value::Str(key.clone()));
                let holds = self.holds(filter);
                self.scope.truncate(mark);
                if !holds? {
                    continue;
                }
            }
            rows.push((key, row.clone()));
        }
        Ok(rows)
    }

    fn sort(&mut self, op: &ListRows, rows: &mut [(Str, Value)]) -> Step<()> {
        let Some((by, descending)) = &op.sort else { return Ok(()) };
        let by = self.eval(by)?;
        let Some((member, mut reversed)) = by.as_str().map(order_of) else { return Ok(()) };
        if let Some(descending) = descending {
            reversed ^= match self.eval(descending)? {
                Value::Bool(b) => b,
                Value::Str(s) => s.to_ascii_lowercase().starts_with("desc"),
                other => other.as_i64() == Some(-1),
            };
        }
        let cost = rows.len() as u64 * (rows.len().max(2).ilog2() as u64);
        self.budget.spend(cost).map_err(exhausted)?;
        let null = Value::Null;
        rows.sort_by(|(_, a), (_, b)| {
            let (a, b) = (a.get(member).unwrap_or(&null), b.get(member).unwrap_or(&null));
            // Rows without the member come last in both directions.
            let order = a.is_null().cmp(&b.is_null());
            order.then_with(|| if reversed { compare(b, a) } else { compare(a, b) })
        });
        Ok(())
    }

    /// A number of rows; negative counts as 0, null as not given.
    fn count(&mut self, expr: Option<&crate::cel::Expr>) -> Step<Option<usize>> {
        let Some(expr) = expr else { return Ok(None) };
        let value = self.eval(expr)?;
        Ok(value.as_f64().map(|n| if n >= 0.0 { n as usize } else { 0 }))
    }
}

fn len(held: &Value) -> usize {
    match held {
        Value::Map(map) => map.len(),
        Value::List(list) => list.len(),
        _ => 0,
    }
}

/// The member and direction in `-price`, `price desc`, `price:desc`, `+price`.
fn order_of(by: &str) -> (&str, bool) {
    if let Some(member) = by.strip_prefix('-') {
        return (member, true);
    }
    let by = by.strip_prefix('+').unwrap_or(by);
    match by.split_once([' ', ':']) {
        Some((member, direction)) => (member, direction.trim().to_ascii_lowercase().starts_with("desc")),
        None => (by, false),
    }
}

/// Equal as filters see it: a list on either side means any of it, and `"5"` equals 5.
fn any_equal(held: &Value, wanted: &Value) -> bool {
    match (held, wanted) {
        (_, Value::List(several)) => several.iter().any(|one| any_equal(held, one)),
        (Value::List(several), _) => several.iter().any(|one| any_equal(one, wanted)),
        _ => held == wanted || (held.as_key().is_some() && held.as_key() == wanted.as_key()),
    }
}

fn contains_text(value: &Value, text: &str) -> bool {
    match value {
        Value::Str(s) => s.to_lowercase().contains(text),
        Value::Map(map) => map.values().any(|v| contains_text(v, text)),
        Value::List(list) => list.iter().any(|v| contains_text(v, text)),
        _ => false,
    }
}

/// A total order over values: null, booleans, numbers, text, lists, objects; the last two all alike.
pub(super) fn compare(a: &Value, b: &Value) -> Ordering {
    let rank = |v: &Value| match v {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Int(_) | Value::Float(_) => 2,
        Value::Str(_) => 3,
        Value::List(_) => 4,
        Value::Map(_) => 5,
    };
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Str(a), Value::Str(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
            a.as_f64().unwrap_or(0.0).total_cmp(&b.as_f64().unwrap_or(0.0))
        }
        _ => rank(a).cmp(&rank(b)),
    }
}
