//! A call's arguments, as natives read them.

use super::{Function, ITEM, Patterns};
use crate::cel::eval::Got;
use crate::cel::ops::kind;
use crate::cel::{Eval, Fault, json};
use crate::{Budget, Map, Value};
use imbl::Vector;
use regex::Regex;
use std::sync::LazyLock;

static NULL: Value = Value::Null;
static NO_ITEMS: LazyLock<Vector<Value>> = LazyLock::new(Vector::new);
static NO_MEMBERS: LazyLock<Map> = LazyLock::new(Map::new);

/// Arguments of one call and what the native may draw on.
pub(in crate::cel) struct Args<'a> {
    pub(in crate::cel) function: &'static Function,
    pub(in crate::cel) values: &'a [Got<'a>],
    /// The compiled pattern, where it was a literal.
    pub(in crate::cel) regex: Option<&'a Regex>,
    /// Patterns computed earlier in the call.
    pub(in crate::cel) patterns: &'a Patterns,
    /// Logical clock.
    pub(in crate::cel) now: i64,
    pub(in crate::cel) budget: &'a mut Budget,
}

impl<'a> Args<'a> {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// An argument; null if it was not given.
    pub(in crate::cel) fn get(&self, at: usize) -> &'a Value {
        self.values.get(at).map_or(&NULL, |value| &**value)
    }

    /// An argument, unless it is null or was not given.
    pub(super) fn given(&self, at: usize) -> Option<&'a Value> {
        Some(self.get(at)).filter(|value| !value.is_null())
    }

    /// Text.
    pub(super) fn text(&self, at: usize) -> Eval<&'a str> {
        self.get(at).as_str().ok_or_else(|| self.wrong(at, "text"))
    }

    /// Any number.
    pub(super) fn number(&self, at: usize) -> Eval<f64> {
        self.get(at).as_f64().ok_or_else(|| self.wrong(at, "a number"))
    }

    /// A whole number.
    pub(super) fn int(&self, at: usize) -> Eval<i64> {
        self.get(at).as_i64().ok_or_else(|| self.wrong(at, "an integer"))
    }

    /// A whole number, or what stands for it if it was not given.
    pub(super) fn int_or(&self, at: usize, otherwise: i64) -> Eval<i64> {
        if self.given(at).is_none() { Ok(otherwise) } else { self.int(at) }
    }

    /// Text, or what stands for it if it was not given.
    pub(super) fn text_or(&self, at: usize, otherwise: &'a str) -> Eval<&'a str> {
        if self.given(at).is_none() { Ok(otherwise) } else { self.text(at) }
    }

    /// A list as it is; null is the empty list. Costs nothing: for functions that do not go through it.
    pub(super) fn list(&self, at: usize) -> Eval<&'a Vector<Value>> {
        match self.get(at) {
            Value::List(list) => Ok(list),
            Value::Null => Ok(&NO_ITEMS),
            _ => Err(self.wrong(at, "a list")),
        }
    }

    /// The items of a list, or the values of an object; null has none. Paid per item.
    pub(super) fn items(&mut self, at: usize) -> Eval<Vec<&'a Value>> {
        match self.get(at) {
            Value::List(list) => {
                self.pay(list.len())?;
                Ok(list.iter().collect())
            }
            Value::Map(map) => {
                self.pay(map.len())?;
                Ok(map.values().collect())
            }
            Value::Null => Ok(Vec::new()),
            _ => Err(self.wrong(at, "a list")),
        }
    }

    /// The numbers of a list, as doubles; nulls are left out.
    pub(super) fn numbers(&mut self, at: usize) -> Eval<Vec<f64>> {
        let items = self.items(at)?;
        let numbers = items.into_iter().filter(|item| !item.is_null());
        numbers
            .map(|item| item.as_f64().ok_or_else(|| self.fail(format!("{} among the numbers", kind(item)))))
            .collect()
    }

    /// An object; null is the empty one.
    pub(super) fn map(&self, at: usize) -> Eval<&'a Map> {
        match self.get(at) {
            Value::Map(map) => Ok(map),
            Value::Null => Ok(&NO_MEMBERS),
            _ => Err(self.wrong(at, "an object")),
        }
    }

    /// Pays for work.
    pub(super) fn pay(&mut self, steps: usize) -> Eval<()> {
        Ok(self.budget.spend(steps as u64)?)
    }

    /// Pays for bytes about to be built.
    pub(super) fn reserve(&mut self, bytes: usize) -> Eval<()> {
        Ok(self.budget.allocate(bytes.saturating_add(ITEM))?)
    }

    /// Pays for a list of so many items about to be built.
    pub(super) fn reserve_items(&mut self, items: usize) -> Eval<()> {
        self.reserve(items.saturating_mul(ITEM))
    }

    /// A list of values that exist already, paid for here.
    pub(super) fn make_list<'v>(&mut self, items: impl ExactSizeIterator<Item = &'v Value>) -> Eval<Value> {
        self.reserve_items(items.len())?;
        Ok(items.cloned().collect())
    }

    /// Text whose size is that of the arguments or less, paid for here.
    pub(super) fn make_text(&mut self, text: impl AsRef<str>) -> Eval<Value> {
        self.reserve(text.as_ref().len())?;
        Ok(Value::from(text.as_ref()))
    }

    /// An argument as people read it.
    pub(super) fn plain(&mut self, value: &Value) -> Eval<crate::Str> {
        json::plain(value, self.budget)
    }

    /// An error of this call.
    pub(super) fn fail(&self, message: impl std::fmt::Display) -> Fault {
        Fault::data(format!("{}: {message}", self.function.name()))
    }

    /// An error: the argument is of the wrong type.
    pub(super) fn wrong(&self, at: usize, wanted: &str) -> Fault {
        let parameters = &self.function.parameters;
        let name = parameters.get(at).or(parameters.last()).copied().unwrap_or("argument");
        self.fail(format!("{name} must be {wanted}, not {}", kind(self.get(at))))
    }
}
