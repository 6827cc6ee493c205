//! Executing a program: one call, from arguments and world to reply and new world.

mod ids;
mod invent;
mod list;
mod record;

use crate::cel::{self, Expr, Scope};
use crate::compile::{
    Aggregate, Compiled, CompiledOp, Compute, Condition, Failure, Program, Require, Target,
};
use crate::template::{Slots, Template, exhausted};
use crate::{Budget, ErrorKind, Exhausted, Filler, Map, Str, ToolError, Value, World, place, seed};
use std::sync::LazyLock;

/// What a successful call leads to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The reply, in its envelope.
    pub reply: Value,
    /// The world afterwards.
    pub world: World,
    /// Whether the world differs from before in anything, bookkeeping included.
    pub changed: bool,
    /// JSON pointers into the reply of values that nothing determined.
    pub invented: Vec<String>,
}

/// A call, as a behavior sees it.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The arguments, an object.
    pub args: &'a Value,
    /// What is wrong with them ([`crate::Behavior::unchecked`]); null if nothing is.
    pub check: &'a Value,
    /// Whether the same call has succeeded before in the session.
    pub repeated: bool,
}

/// One call in execution.
struct Run<'a> {
    program: &'a Program,
    world: World,
    scope: Scope,
    budget: Budget,
    slots: Slots<'a>,
    changed: bool,
    /// Records touched in this call that hold invented members: all, or those named.
    marks: Vec<(Map, Vec<Str>)>,
}

/// What a step leads to.
enum Flow {
    Next,
    Reply(Value),
}

type Step<T> = Result<T, ToolError>;

/// Names bound in every call or for every row, made once.
static ARGS: LazyLock<Str> = LazyLock::new(|| "args".into());
static IT: LazyLock<Str> = LazyLock::new(|| "it".into());
static KEY: LazyLock<Str> = LazyLock::new(|| "key".into());

impl Program {
    /// Executes the behavior.
    ///
    /// # Errors
    /// The tool's own failure; nothing has changed then. A behavior over its budget or with a
    /// fault in it fails with [`ErrorKind::Internal`].
    pub fn run(&self, world: &World, args: &Value, filler: &dyn Filler) -> Step<Outcome> {
        self.run_given(world, &Given { args, check: &Value::Null, repeated: false }, filler)
    }

    /// Executes the behavior of a call of which more is known than its arguments.
    ///
    /// # Errors
    /// As [`Program::run`].
    pub fn run_given(&self, world: &World, given: &Given<'_>, filler: &dyn Filler) -> Step<Outcome> {
        let args = given.args;
        let mut scope = Scope::new(world.state().clone(), world.now());
        scope.push(ARGS.clone(), args.clone());
        if self.unchecked {
            scope.push("check".into(), given.check.clone());
            scope.push("repeated".into(), Value::Bool(given.repeated));
        }
        let limits = &self.library.limits;
        let mut run = Run {
            program: self,
            world: world.clone(),
            scope,
            budget: Budget::new(limits),
            slots: Slots {
                filler,
                tool: &self.tool,
                args,
                seed: world.seed(),
                salt: 0,
                invented: Vec::new(),
            },
            changed: false,
            marks: Vec::new(),
        };
        let mut reply = run.steps(&self.steps)?.unwrap_or_default();
        if let Some(envelope) = self.envelope.as_ref().unwrap_or(&self.library.envelope).reply.as_ref() {
            run.scope.push("reply".into(), reply);
            reply = envelope.eval(&mut run.scope, &mut run.budget, &mut run.slots, &mut String::new())?;
        }
        let (bytes, depth) = cel::weigh(&reply, &mut run.budget)?;
        if depth > limits.depth {
            return Err(too_deep());
        }
        if bytes > limits.call_bytes {
            return Err(exhausted(Exhausted::Bytes));
        }
        let mut invented = std::mem::take(&mut run.slots.invented);
        invent::pointers(&reply, &run.marks, &mut invented);
        if run.changed && !run.world.commit(run.budget.used(), limits.state_bytes) {
            return Err(ToolError::new(
                ErrorKind::Internal,
                "the session's state would exceed its limit (limits.state_bytes)",
            ));
        }
        Ok(Outcome { reply, world: run.world, changed: run.changed, invented })
    }

    /// The error in the tool's own envelope; `None` if it has none.
    pub fn render_error(&self, error: &ToolError, args: &Value) -> Option<Value> {
        let envelope =
            self.envelope.as_ref().and_then(|e| e.error.as_ref()).or(self.library.envelope.error.as_ref())?;
        render_error(envelope, error, args, &self.library.limits)
    }
}

impl crate::Library {
    /// The error in the toolset's envelope, for tools that have no program; `None` if it has none.
    pub fn render_error(&self, error: &ToolError, args: &Value) -> Option<Value> {
        render_error(self.envelope.error.as_ref()?, error, args, &self.limits)
    }

    /// What a call of a tool that does not exist is answered with; `None` if nothing is said of it.
    pub fn render_unknown_tool(&self, tool: &str, args: &Value) -> Option<Value> {
        let mut scope = Scope::new(Value::map(), 0);
        scope.push("args".into(), args.clone());
        scope.push("tool".into(), tool.into());
        let mut slots = Slots { filler: &NoFiller, tool: "", args, seed: 0, salt: 0, invented: Vec::new() };
        let mut budget = Budget::new(&self.limits);
        self.unknown_tool.as_ref()?.eval(&mut scope, &mut budget, &mut slots, &mut String::new()).ok()
    }
}

/// For templates outside a call, which have no slots worth filling.
struct NoFiller;

impl Filler for NoFiller {
    fn fill(&self, _: &crate::Slot<'_>) -> Value {
        Value::Null
    }
}

fn render_error(
    envelope: &Template,
    error: &ToolError,
    args: &Value,
    limits: &crate::Limits,
) -> Option<Value> {
    let members = [
        ("kind", Value::from(error.kind.name())),
        ("message", Value::from(error.message.as_str())),
        ("path", Value::from(error.path.as_str())),
        ("argument", Value::from(error.path.trim_start_matches('/'))),
        ("expected", error.expected.as_deref().map_or(Value::Null, Value::from)),
        ("status", Value::Int(i64::from(error.http_status()))),
    ];
    let mut scope = Scope::new(Value::map(), 0);
    scope.push("args".into(), args.clone());
    scope.push("error".into(), Value::Map(members.into_iter().map(|(k, v)| (Str::from(k), v)).collect()));
    let mut slots = Slots { filler: &NoFiller, tool: "", args, seed: 0, salt: 0, invented: Vec::new() };
    envelope.eval(&mut scope, &mut Budget::new(limits), &mut slots, &mut String::new()).ok()
}

impl Run<'_> {
    /// Executes steps until one replies.
    fn steps(&mut self, steps: &[Compiled]) -> Step<Option<Value>> {
        for step in steps {
            if let Flow::Reply(value) = self.step(step)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// Executes steps whose failure is none of the call. What they spent of the budget stays spent.
    fn attempt(&mut self, steps: &[Compiled]) {
        let (world, changed, marks) = (self.world.clone(), self.changed, self.marks.len());
        let names = self.scope.mark();
        if self.steps(steps).is_err() {
            (self.world, self.changed) = (world, changed);
            self.marks.truncate(marks);
            self.scope.truncate(names);
            self.scope.set_state(self.world.state().clone());
        }
    }

    fn step(&mut self, step: &Compiled) -> Step<Flow> {
        self.budget.spend(1).map_err(exhausted)?;
        if let Some(when) = &step.when
            && !self.holds(when)?
        {
            return Ok(Flow::Next);
        }
        match &step.op {
            CompiledOp::Require(op) => self.require(op)?,
            CompiledOp::Let(names) => {
                for (name, template) in names {
                    let value = self.template(template)?;
                    self.scope.push(name.clone(), value);
                }
            }
            CompiledOp::Create(op) => self.create(op)?,
            CompiledOp::Update(op) => self.update(op)?,
            CompiledOp::Delete(op) => self.delete(op)?,
            CompiledOp::Get(op) => self.get(op)?,
            CompiledOp::List(op) => self.list(op)?,
            CompiledOp::Compute(op) => self.compute(op)?,
            CompiledOp::Attempt(steps) => self.attempt(steps),
            CompiledOp::Do(steps) => {
                self.steps(steps)?;
            }
            CompiledOp::Reply(template) => {
                self.slots.invented.clear();
                self.slots.salt = 0;
                let mut pointer = String::new();
                return template
                    .eval(&mut self.scope, &mut self.budget, &mut self.slots, &mut pointer)
                    .map(Flow::Reply);
            }
        }
        Ok(Flow::Next)
    }

    fn eval(&mut self, expr: &Expr) -> Step<Value> {
        expr.eval(&self.scope, &mut self.budget)
    }

    /// A condition; anything but `true` and `false` is a fault of the behavior.
    fn holds(&mut self, condition: &Expr) -> Step<bool> {
        match self.eval(condition)? {
            Value::Bool(holds) => Ok(holds),
            Value::Null => Ok(false),
            other => Err(ToolError::new(
                ErrorKind::Internal,
                format!("the condition `{}` is {}, not a boolean", condition.text(), other.type_name()),
            )),
        }
    }

    /// Evaluates a template outside the reply.
    fn template(&mut self, template: &Template) -> Step<Value> {
        self.slots.salt = seed::mix(1 + self.world.version());
        template.eval(&mut self.scope, &mut self.budget, &mut self.slots, &mut String::new())
    }

    fn require(&mut self, op: &Require) -> Step<()> {
        let holds = match &op.condition {
            Condition::That(that) => self.holds(that)?,
            Condition::Absent(place) => {
                let path = place.resolve(&mut self.scope, &mut self.budget)?;
                place::read(self.world.state(), &path).is_none_or(Value::is_null)
            }
            Condition::Exists(target) => self.find(target)?.1.is_some(),
        };
        if holds {
            return Ok(());
        }
        let mut error = self.fail(&op.failure, || default_message(op));
        if let Some(reply) = &op.reply {
            error.body = Some(self.template(reply)?);
        }
        Err(error)
    }

    /// The failure that an operation declares.
    fn fail(&mut self, failure: &Failure, default: impl FnOnce() -> String) -> ToolError {
        let message = match &failure.message {
            Some(template) => match template.render(&self.scope, &mut self.budget) {
                Ok(message) => message,
                Err(error) => return error,
            },
            None => default(),
        };
        ToolError { status: failure.status, ..ToolError::new(failure.kind, message) }
    }

    fn compute(&mut self, op: &Compute) -> Step<()> {
        let over = self.eval(&op.over)?;
        let rows: Vec<(Value, Value)> = match &over {
            Value::Map(map) => map.iter().map(|(k, v)| (Value::Str(k.clone()), v.clone())).collect(),
            Value::List(list) => {
                list.iter().enumerate().map(|(i, v)| (Value::Int(i as i64), v.clone())).collect()
            }
            _ => Vec::new(),
        };
        self.budget.allocate(64 * rows.len()).map_err(exhausted)?;
        let (mut count, mut sum, mut exact) = (0i64, 0.0f64, Some(0i64));
        let mut best: Option<Value> = None;
        for (key, row) in rows {
            let mark = self.scope.mark();
            self.scope.push(IT.clone(), row);
            self.scope.push(KEY.clone(), key);
            let selected = op.filter.as_ref().map_or(Ok(true), |filter| self.holds(filter));
            let value = match (&selected, &op.aggregate) {
                (
                    Ok(true),
                    Aggregate::Sum(of) | Aggregate::Avg(of) | Aggregate::Min(of) | Aggregate::Max(of),
                ) => self.eval(of),
                _ => Ok(Value::Null),
            };
            self.scope.truncate(mark);
            self.budget.spend(1).map_err(exhausted)?;
            if !selected? {
                continue;
            }
            let value = value?;
            match &op.aggregate {
                Aggregate::Count => count += 1,
                Aggregate::Sum(of) | Aggregate::Avg(of) => {
                    if value.is_null() {
                        continue;
                    }
                    let Some(number) = value.as_f64() else { return Err(not_a_number(of, &value)) };
                    count += 1;
                    sum += number;
                    exact = match (&value, exact) {
                        (Value::Int(i), Some(total)) => total.checked_add(*i),
                        _ => None,
                    };
                }
                Aggregate::Min(_) | Aggregate::Max(_) => {
                    let wanted = if matches!(op.aggregate, Aggregate::Min(_)) {
                        std::cmp::Ordering::Less
                    } else {
                        std::cmp::Ordering::Greater
                    };
                    if !value.is_null() && best.as_ref().is_none_or(|b| list::compare(&value, b) == wanted) {
                        best = Some(value);
                    }
                }
            }
        }
        let result = match &op.aggregate {
            Aggregate::Count => Value::Int(count),
            Aggregate::Sum(_) => exact.map_or(Value::float(sum), Value::Int),
            Aggregate::Avg(_) if count == 0 => Value::Null,
            Aggregate::Avg(_) => Value::float(sum / count as f64),
            Aggregate::Min(_) | Aggregate::Max(_) => best.unwrap_or_default(),
        };
        self.scope.push(op.bind.clone(), result);
        Ok(())
    }

    /// Tells expressions about the state as it is now.
    fn sync(&mut self) {
        self.changed = true;
        self.scope.set_state(self.world.state().clone());
    }

    /// Refuses values nested more deeply than the state may be, and accounts for their size.
    fn admit(&mut self, value: &Value) -> Step<()> {
        let (bytes, depth) = cel::weigh(value, &mut self.budget)?;
        if depth + 8 > self.program.library.limits.depth {
            return Err(too_deep());
        }
        self.budget.allocate(bytes).map_err(exhausted)
    }
}

fn default_message(op: &Require) -> String {
    match &op.condition {
        Condition::Exists(Target::At(_, text)) => format!("{text} does not exist"),
        Condition::Exists(Target::Record(within, _) | Target::First(within, _)) => {
            format!("{} not found", record::singular(&within.info.name))
        }
        Condition::Absent(_) => "it exists already".into(),
        Condition::That(that) => format!("the call does not satisfy `{}`", that.text()),
    }
}

fn not_a_number(of: &Expr, value: &Value) -> ToolError {
    ToolError::new(ErrorKind::Internal, format!("`{}` is {}, not a number", of.text(), value.type_name()))
}

fn too_deep() -> ToolError {
    ToolError::new(ErrorKind::Internal, "the value is nested too deeply (limits.depth)")
}

/// Evaluates a node that is part of a larger expression.
fn eval_node(run: &mut Run<'_>, node: &cel::Node) -> Step<Value> {
    cel::eval_node(node, &run.scope, &mut run.budget)
}
