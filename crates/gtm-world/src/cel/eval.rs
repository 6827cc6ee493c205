//! The evaluator: walks the tree, borrowing what it can.

use super::ast::{BinaryOp, Call, Fold, FoldKind, Node, Reduce};
use super::functions::Args;
use super::scope::{Env, Frame};
use super::{Eval, Fault, Scope, json, ops};
use crate::{Budget, Map, Str, ToolError, Value};
use std::ops::Deref;

/// Bytes accounted for one item of a list, and for one member of an object besides its key.
pub(super) const ITEM: usize = 40;

static NULL: Value = Value::Null;

/// The value of a node; see [`super::Expr::eval`].
pub fn eval_node(node: &Node, scope: &Scope, budget: &mut Budget) -> Result<Value, ToolError> {
    match eval_in(node, scope, budget)? {
        Got::Ref(value) => Ok(value.clone()),
        Got::Own(value) => {
            if matches!(value, Value::List(_) | Value::Map(_)) {
                json::weigh(&value, budget)?;
            }
            Ok(value)
        }
    }
}

/// The value of a node for a caller that walks it within the budget and keeps no part of it.
pub(super) fn eval_in<'a>(node: &'a Node, scope: &'a Scope, budget: &mut Budget) -> Eval<Got<'a>> {
    eval(node, Env { scope, frame: None }, budget)
}

/// Whether a value counts as true where a condition is asked for: booleans as they are, null as
/// false, so that a flag left out is off. Anything else is an error.
pub fn truth(value: &Value) -> Result<bool, ToolError> {
    Ok(holds(value)?)
}

/// A value, borrowed from the scope or the expression where possible: reading `args.a.b` must not
/// touch the reference counts of `args` and `a`.
pub(super) enum Got<'a> {
    Ref(&'a Value),
    Own(Value),
}

impl Deref for Got<'_> {
    type Target = Value;

    fn deref(&self) -> &Value {
        match self {
            Got::Ref(value) => value,
            Got::Own(value) => value,
        }
    }
}

impl Got<'_> {
    pub(super) fn into_owned(self) -> Value {
        match self {
            Got::Ref(value) => value.clone(),
            Got::Own(value) => value,
        }
    }
}

impl From<Value> for Got<'_> {
    fn from(value: Value) -> Self {
        Got::Own(value)
    }
}

impl From<bool> for Got<'_> {
    fn from(value: bool) -> Self {
        Got::Own(Value::Bool(value))
    }
}

fn eval<'a>(node: &'a Node, env: Env<'a>, budget: &mut Budget) -> Eval<Got<'a>> {
    budget.spend(1)?;
    match node {
        Node::Literal(value) => Ok(Got::Ref(value)),
        Node::Name(name) => Ok(Got::Ref(env.lookup(name).unwrap_or(&NULL))),
        Node::Select(base, name) => match eval(base, env, budget)? {
            Got::Ref(base) => Ok(Got::Ref(select(base, name)?)),
            Got::Own(base) => Ok(Got::Own(select(&base, name)?.clone())),
        },
        Node::Index(base, key) => {
            let base = eval(base, env, budget)?;
            let key = eval(key, env, budget)?;
            if let Value::Str(name) = &*key {
                budget.spend(name.len() as u64 / 16)?;
            }
            match base {
                Got::Ref(base) => Ok(Got::Ref(index(base, &key)?)),
                Got::Own(base) => Ok(Got::Own(index(&base, &key)?.clone())),
            }
        }
        Node::List(items) => {
            budget.allocate(ITEM * (items.len() + 1))?;
            let mut list = Vec::with_capacity(items.len());
            for item in items {
                list.push(eval(item, env, budget)?.into_owned());
            }
            Ok(Value::from_iter(list).into())
        }
        Node::Map(members) => object(members, env, budget).map(Got::Own),
        Node::Not(operand) => Ok((!holds(&*eval(operand, env, budget)?)?).into()),
        Node::Neg(operand) => ops::negate(&*eval(operand, env, budget)?).map(Got::Own),
        Node::Binary(op, left, right) => {
            let left = eval(left, env, budget)?;
            let right = eval(right, env, budget)?;
            binary(*op, &left, &right, budget).map(Got::Own)
        }
        Node::And(items) => junction(items, false, env, budget).map(Got::from),
        Node::Or(items) => junction(items, true, env, budget).map(Got::from),
        Node::Conditional(parts) => {
            let [condition, then, otherwise] = &**parts;
            let chosen = if holds(&*eval(condition, env, budget)?)? { then } else { otherwise };
            eval(chosen, env, budget)
        }
        Node::Has(place) => exists(place, env, budget).map(Got::from),
        Node::Call(call) => invoke(call, env, budget).map(Got::Own),
        Node::Fold(fold) => comprehend(fold, env, budget).map(Got::Own),
        Node::Try(parts) => match eval(&parts[0], env, budget) {
            Err(Fault::Data(_)) => eval(&parts[1], env, budget),
            other => other,
        },
        Node::Bind(bind) => {
            let value = eval(&bind.value, env, budget)?;
            let frame = Frame { name: &bind.name, value: &value, outer: env.frame };
            let env = Env { scope: env.scope, frame: Some(&frame) };
            Ok(Got::Own(eval(&bind.body, env, budget)?.into_owned()))
        }
        Node::Reduce(reduce) => self::reduce(reduce, env, budget).map(Got::Own),
    }
}

/// A member; null if there is none.
fn select<'v>(base: &'v Value, name: &str) -> Eval<&'v Value> {
    match base {
        Value::Map(map) => Ok(map.get(name).unwrap_or(&NULL)),
        Value::Null => Ok(&NULL),
        Value::List(_) => Err(Fault::data(format!(
            "cannot read member '{name}' of a list; use an index such as [0], or map(x, x.{name})"
        ))),
        Value::Str(_) => Err(Fault::data(format!(
            "cannot read member '{name}' of text; going through an object gives its keys, values(object) gives its values"
        ))),
        other => Err(Fault::data(format!("cannot read member '{name}' of {}", ops::kind(other)))),
    }
}

/// An item or member; null if there is none.
pub(super) fn index<'v>(base: &'v Value, key: &Value) -> Eval<&'v Value> {
    match (base, key) {
        (Value::Null, _) | (Value::Map(_), Value::Null) => Ok(&NULL),
        (Value::Map(map), Value::Str(name)) => Ok(map.get(name).unwrap_or(&NULL)),
        (Value::Map(map), key) => match key.as_key() {
            Some(name) => Ok(map.get(&name).unwrap_or(&NULL)),
            None => Err(Fault::data(format!("{} cannot be the key of an object", ops::kind(key)))),
        },
        (Value::List(list), key) => match key.as_i64() {
            Some(at) => Ok(position(at, list.len()).and_then(|at| list.get(at)).unwrap_or(&NULL)),
            None => {
                Err(Fault::data(format!("the index of a list must be an integer, not {}", ops::kind(key))))
            }
        },
        (Value::Str(_), _) => Err(Fault::data("text has no [index]; use charAt(text, index) or substring")),
        (other, _) => Err(Fault::data(format!("cannot index {}", ops::kind(other)))),
    }
}

/// The place of index `at`, counted from the end if negative; `None` if out of range.
pub(super) fn position(at: i64, length: usize) -> Option<usize> {
    let at = if at < 0 { at.checked_add(i64::try_from(length).ok()?)? } else { at };
    usize::try_from(at).ok().filter(|at| *at < length)
}

/// Whether a value counts as true in a condition.
fn holds(value: &Value) -> Eval<bool> {
    match value {
        Value::Bool(b) => Ok(*b),
        Value::Null => Ok(false),
        other => Err(Fault::data(format!("expected true or false, got {}", ops::kind(other)))),
    }
}

fn object<'a>(members: &'a [(Node, Node)], env: Env<'a>, budget: &mut Budget) -> Eval<Value> {
    budget.allocate(ITEM * (members.len() + 1))?;
    let mut map = Map::new();
    for (key, value) in members {
        let key = member_key(&*eval(key, env, budget)?)?;
        budget.allocate(key.len())?;
        let value = eval(value, env, budget)?.into_owned();
        if map.contains_key(&key) {
            return Err(Fault::data(format!("the object has the key '{key}' twice")));
        }
        map.insert(key, value);
    }
    Ok(Value::Map(map))
}

/// The text under which a value is a key.
pub(super) fn member_key(key: &Value) -> Eval<Str> {
    key.as_key().ok_or_else(|| match key {
        Value::Null => {
            Fault::data("the key of a member is null; a fixed key needs quotes, as in {'name': 1}")
        }
        other => Fault::data(format!("{} cannot be the key of an object", ops::kind(other))),
    })
}

fn binary(op: BinaryOp, left: &Value, right: &Value, budget: &mut Budget) -> Eval<Value> {
    use std::cmp::Ordering;
    Ok(Value::Bool(match op {
        BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem => {
            return ops::arithmetic(op, left, right, budget);
        }
        BinaryOp::Eq => ops::equal(left, right, budget)?,
        BinaryOp::Ne => !ops::equal(left, right, budget)?,
        BinaryOp::Lt => ops::compare(left, right, budget)? == Ordering::Less,
        BinaryOp::Le => ops::compare(left, right, budget)? != Ordering::Greater,
        BinaryOp::Gt => ops::compare(left, right, budget)? == Ordering::Greater,
        BinaryOp::Ge => ops::compare(left, right, budget)? != Ordering::Less,
        BinaryOp::In => ops::within(left, right, budget)?,
    }))
}

/// `&&` and `||`: the deciding value wins over errors on either side, as CEL has it.
fn junction<'a>(items: &'a [Node], decisive: bool, env: Env<'a>, budget: &mut Budget) -> Eval<bool> {
    let mut verdict = Verdict::new(decisive);
    for item in items {
        if verdict.add(eval(item, env, budget).and_then(|value| holds(&value)))? {
            break;
        }
    }
    verdict.end()
}

/// Collects conditions until one decides.
struct Verdict {
    decisive: bool,
    decided: bool,
    fault: Option<Fault>,
}

impl Verdict {
    fn new(decisive: bool) -> Self {
        Self { decisive, decided: false, fault: None }
    }

    /// Whether this condition decides.
    fn add(&mut self, condition: Eval<bool>) -> Eval<bool> {
        match condition {
            Ok(holds) => {
                self.decided |= holds == self.decisive;
                Ok(self.decided)
            }
            Err(fault @ Fault::Exhausted(_)) => Err(fault),
            Err(fault) => {
                self.fault.get_or_insert(fault);
                Ok(false)
            }
        }
    }

    /// The outcome.
    fn end(self) -> Eval<bool> {
        match self.fault {
            _ if self.decided => Ok(self.decisive),
            Some(fault) => Err(fault),
            None => Ok(!self.decisive),
        }
    }
}

fn exists<'a>(place: &'a Node, env: Env<'a>, budget: &mut Budget) -> Eval<bool> {
    Ok(match place {
        Node::Name(name) => env.lookup(name).is_some(),
        Node::Select(base, name) => eval(base, env, budget)?.get(name).is_some(),
        Node::Index(base, key) => {
            let base = eval(base, env, budget)?;
            let key = eval(key, env, budget)?;
            match (&*base, key.as_i64()) {
                (Value::List(list), Some(at)) => position(at, list.len()).is_some(),
                (Value::Map(map), _) => key.as_key().is_some_and(|name| map.contains_key(&name)),
                _ => false,
            }
        }
        other => !eval(other, env, budget)?.is_null(),
    })
}

fn invoke<'a>(call: &'a Call, env: Env<'a>, budget: &mut Budget) -> Eval<Value> {
    // Arguments on the stack: a call should not allocate to make its argument list.
    match &call.args[..] {
        [] => run(call, &[], env, budget),
        [a] => run(call, &[eval(a, env, budget)?], env, budget),
        [a, b] => run(call, &[eval(a, env, budget)?, eval(b, env, budget)?], env, budget),
        [a, b, c] => {
            let values = [eval(a, env, budget)?, eval(b, env, budget)?, eval(c, env, budget)?];
            run(call, &values, env, budget)
        }
        args => {
            let mut values = Vec::with_capacity(args.len());
            for arg in args {
                values.push(eval(arg, env, budget)?);
            }
            run(call, &values, env, budget)
        }
    }
}

fn run(call: &Call, values: &[Got<'_>], env: Env<'_>, budget: &mut Budget) -> Eval<Value> {
    // Text functions look at all of their text; paying here keeps each of them simple.
    for value in values {
        if let Value::Str(text) = &**value {
            budget.spend(text.len() as u64 / 16)?;
        }
    }
    let function = call.function;
    let (now, patterns) = (env.scope.now(), &env.scope.patterns);
    function.call(&mut Args { function, values, regex: call.regex.as_ref(), patterns, now, budget })
}

/// `list.reduce(so_far, item, initial, body)`. The value is weighed after each item: one that holds
/// its predecessor would else grow without bound in depth, which no budget of bytes sees.
fn reduce(reduce: &Reduce, env: Env<'_>, budget: &mut Budget) -> Eval<Value> {
    let range = eval(&reduce.range, env, budget)?;
    let mut so_far = eval(&reduce.initial, env, budget)?.into_owned();
    let mut take = |item: &Value, budget: &mut Budget| -> Eval<()> {
        let outer = Frame { name: &reduce.so_far, value: &so_far, outer: env.frame };
        let frame = Frame { name: &reduce.item, value: item, outer: Some(&outer) };
        let inner = Env { scope: env.scope, frame: Some(&frame) };
        let next = eval(&reduce.body, inner, budget)?.into_owned();
        if matches!(next, Value::List(_) | Value::Map(_)) {
            json::weigh_within(&next, budget)?;
        }
        so_far = next;
        Ok(())
    };
    match &*range {
        Value::Null => {}
        Value::List(list) => list.iter().try_for_each(|item| take(item, budget))?,
        Value::Map(map) => map.keys().try_for_each(|key| take(&Value::Str(key.clone()), budget))?,
        other => return Err(no_range(other)),
    }
    Ok(so_far)
}

fn no_range(value: &Value) -> Fault {
    Fault::data(format!("expected a list or object to go through, got {}", ops::kind(value)))
}

/// What a comprehension has gathered so far.
enum Gathered {
    Verdict(Verdict),
    Count(usize),
    List(Vec<Value>),
    Keyed(Vec<(Value, Value)>),
    Map(Map),
}

fn comprehend<'a>(fold: &'a Fold, env: Env<'a>, budget: &mut Budget) -> Eval<Value> {
    let mut gathered = match fold.kind {
        FoldKind::All => Gathered::Verdict(Verdict::new(false)),
        FoldKind::Exists => Gathered::Verdict(Verdict::new(true)),
        FoldKind::ExistsOne => Gathered::Count(0),
        FoldKind::Map | FoldKind::Filter => Gathered::List(Vec::new()),
        FoldKind::SortBy => Gathered::Keyed(Vec::new()),
        FoldKind::MapValues => Gathered::Map(Map::new()),
    };
    let range = eval(&fold.range, env, budget)?;
    match &*range {
        Value::Null => {}
        Value::List(list) => {
            for (at, item) in list.iter().enumerate() {
                let key = Value::Int(i64::try_from(at).unwrap_or(i64::MAX));
                if step(fold, &key, item, &mut gathered, env, budget)? {
                    break;
                }
            }
        }
        Value::Map(map) => {
            for (name, value) in map.iter() {
                let key = Value::Str(name.clone());
                let item = if fold.key.is_some() || fold.kind == FoldKind::MapValues { value } else { &key };
                if step(fold, &key, item, &mut gathered, env, budget)? {
                    break;
                }
            }
        }
        other => return Err(no_range(other)),
    }
    Ok(match gathered {
        Gathered::Verdict(verdict) => Value::Bool(verdict.end()?),
        Gathered::Count(count) => Value::Bool(count == 1),
        Gathered::List(items) => Value::from_iter(items),
        Gathered::Keyed(mut items) => {
            budget.spend(ops::sorting_cost(items.iter().map(|(key, _)| key)))?;
            items.sort_by(|a, b| ops::order(&a.0, &b.0));
            items.into_iter().map(|(_, item)| item).collect()
        }
        Gathered::Map(map) => Value::Map(map),
    })
}

/// One item of a comprehension; true ends it.
fn step<'e>(
    fold: &'e Fold,
    key: &'e Value,
    item: &'e Value,
    gathered: &mut Gathered,
    env: Env<'e>,
    budget: &mut Budget,
) -> Eval<bool> {
    let key_frame = fold.key.as_deref().map(|name| Frame { name, value: key, outer: env.frame });
    let outer = key_frame.as_ref().or(env.frame);
    let frame = Frame { name: &fold.item, value: item, outer };
    let inner = Env { scope: env.scope, frame: Some(&frame) };
    if let Some(filter) = &fold.filter
        && !holds(&*eval(filter, inner, budget)?)?
    {
        return Ok(false);
    }
    let body = eval(&fold.body, inner, budget);
    match gathered {
        Gathered::Verdict(verdict) => return verdict.add(body.and_then(|value| holds(&value))),
        Gathered::Count(count) => *count += usize::from(holds(&*body?)?),
        Gathered::List(items) if fold.kind == FoldKind::Filter => {
            if holds(&*body?)? {
                budget.allocate(ITEM)?;
                items.push(item.clone());
            }
        }
        Gathered::List(items) => {
            let value = body?.into_owned();
            budget.allocate(ITEM)?;
            items.push(value);
        }
        Gathered::Keyed(items) => {
            let value = body?.into_owned();
            budget.allocate(2 * ITEM)?;
            items.push((value, item.clone()));
        }
        Gathered::Map(map) => {
            let value = body?.into_owned();
            let name = member_key(key)?;
            budget.allocate(ITEM + name.len())?;
            map.insert(name, value);
        }
    }
    Ok(false)
}
