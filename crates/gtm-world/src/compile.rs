//! Behavior → program: every expression, place and template is parsed once.

use crate::behavior::{self, Behavior, FillMembers, Op, Step};
use crate::cel::{self, Expr, Node};
use crate::library::{CollectionInfo, Envelope, Library};
use crate::place::Place;
use crate::template::{Shape, Template};
use crate::{ErrorKind, Str};
use gtm_error::{Code, Error, Result};
use serde_json::{Map as JsonMap, Value as Json};
use std::sync::Arc;

/// Most steps in one behavior.
const MAX_STEPS: usize = 1_000;
/// Deepest nesting of `attempt` and `do`.
const MAX_NESTED: usize = 4;

/// A compiled behavior. Immutable and shared between threads.
#[derive(Debug)]
pub struct Program {
    pub(crate) tool: String,
    pub(crate) steps: Vec<Compiled>,
    pub(crate) envelope: Option<Envelope>,
    pub(crate) unchecked: bool,
    pub(crate) looks_back: bool,
    pub(crate) library: Arc<Library>,
}

#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) when: Option<Expr>,
    pub(crate) op: CompiledOp,
}

#[derive(Debug)]
pub(crate) enum CompiledOp {
    Require(Require),
    Let(Vec<(Str, Template)>),
    Create(Box<Create>),
    Update(Box<Update>),
    Delete(Delete),
    Get(Get),
    List(Box<ListRows>),
    Compute(Box<Compute>),
    Attempt(Vec<Compiled>),
    Do(Vec<Compiled>),
    Reply(Template),
}

/// What an operation says when it fails.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    pub(crate) message: Option<cel::Template>,
    pub(crate) status: Option<u16>,
}

#[derive(Debug)]
pub(crate) enum Condition {
    Exists(Target),
    Absent(Place),
    That(Expr),
}

#[derive(Debug)]
pub(crate) struct Require {
    pub(crate) condition: Condition,
    pub(crate) failure: Failure,
    pub(crate) reply: Option<Template>,
}

/// A collection as a step names it: the declared one, and the place of this scope of it.
#[derive(Debug)]
pub(crate) struct Within {
    pub(crate) info: Arc<CollectionInfo>,
    pub(crate) place: Place,
}

/// One record or value.
#[derive(Debug)]
pub(crate) enum Target {
    At(Place, String),
    Record(Within, Node),
    First(Within, Expr),
}

#[derive(Debug)]
pub(crate) struct Create {
    pub(crate) within: Within,
    pub(crate) id: Option<Expr>,
    pub(crate) from: Option<Expr>,
    pub(crate) set: Vec<(Str, Template)>,
    pub(crate) fill: FillMembers,
    pub(crate) bind: Str,
    pub(crate) replace: bool,
    pub(crate) failure: Failure,
}

#[derive(Debug)]
pub(crate) struct Update {
    pub(crate) target: Target,
    pub(crate) value: Option<Template>,
    pub(crate) merge: Option<Expr>,
    pub(crate) set: Vec<(Str, Template)>,
    pub(crate) unset: Vec<Str>,
    pub(crate) bind: Str,
    pub(crate) upsert: bool,
    pub(crate) failure: Failure,
}

#[derive(Debug)]
pub(crate) struct Delete {
    pub(crate) target: Target,
    pub(crate) bind: Str,
    pub(crate) missing_ok: bool,
    pub(crate) failure: Failure,
}

#[derive(Debug)]
pub(crate) struct Get {
    pub(crate) target: Target,
    pub(crate) bind: Str,
    pub(crate) optional: bool,
    pub(crate) failure: Failure,
}

#[derive(Debug)]
pub(crate) struct ListRows {
    pub(crate) within: Within,
    pub(crate) filter: Option<Expr>,
    pub(crate) equal: Vec<(Str, Template)>,
    pub(crate) search: Option<Expr>,
    pub(crate) sort: Option<(Expr, Option<Expr>)>,
    pub(crate) offset: Option<Expr>,
    pub(crate) limit: Option<Expr>,
    pub(crate) bind: Str,
    pub(crate) total: Str,
}

#[derive(Debug)]
pub(crate) struct Compute {
    pub(crate) over: Expr,
    pub(crate) filter: Option<Expr>,
    pub(crate) aggregate: Aggregate,
    pub(crate) bind: Str,
}

#[derive(Debug)]
pub(crate) enum Aggregate {
    Count,
    Sum(Expr),
    Avg(Expr),
    Min(Expr),
    Max(Expr),
}

impl Program {
    /// Whether the arguments are not to be refused beforehand ([`Behavior::unchecked`]).
    pub fn is_unchecked(&self) -> bool {
        self.unchecked
    }

    /// Whether it depends on whether the call is a repeated one.
    pub fn looks_back(&self) -> bool {
        self.looks_back
    }

    /// Compiles the behavior of `tool`, whose successful replies `returns` describes.
    ///
    /// # Errors
    /// [`Code::BehaviorInvalid`] or [`Code::ExpressionInvalid`], with the JSON pointer of the fault.
    pub fn compile(
        tool: &str,
        behavior: &Behavior,
        returns: Option<&Json>,
        library: &Arc<Library>,
    ) -> Result<Program> {
        let shape = Shape::of(Arc::new(returns.cloned().unwrap_or(Json::Bool(true))), "");
        let place = |e: Error| e.at(format!("/behaviors/{tool}"));
        let count = count(&behavior.steps, MAX_NESTED);
        if count > MAX_STEPS {
            return Err(place(
                Error::new(Code::BehaviorInvalid, format!("{count} steps"))
                    .at("/steps")
                    .expected(format!("at most {MAX_STEPS}")),
            ));
        }
        if behavior.direct && !behavior.steps.is_empty() {
            return Err(place(
                Error::new(Code::BehaviorInvalid, "a direct behavior has no steps").at("/steps"),
            ));
        }
        let compiler = Compiler { library, shape: &shape };
        let mut steps = Vec::with_capacity(behavior.steps.len().max(1));
        if behavior.direct {
            steps.push(Compiled { when: None, op: CompiledOp::Reply(Template::fill(&shape)) });
        }
        for (i, step) in behavior.steps.iter().enumerate() {
            steps.push(compiler.step(step).map_err(|e| place(e.at(format!("/steps/{i}"))))?);
        }
        let envelope = behavior.envelope.as_ref().map(Envelope::compile).transpose().map_err(place)?;
        let unchecked = behavior.unchecked;
        let looks_back = unchecked && behavior.steps.iter().any(looks_back);
        Ok(Program { tool: tool.into(), steps, envelope, unchecked, looks_back, library: library.clone() })
    }
}

/// Whether a condition of the step names `repeated`.
fn looks_back(step: &Step) -> bool {
    let names = |text: &String| Expr::parse(text).is_ok_and(|expr| expr.free_names().contains(&"repeated"));
    let condition = match &step.op {
        Op::Require(op) => op.that.as_ref(),
        Op::Let(names) => {
            return names.values().filter_map(Json::as_str).any(|text| text.contains("repeated"));
        }
        _ => None,
    };
    step.when.iter().chain(condition).any(names)
}

/// Number of steps, attempted ones included; too many, if they are nested more deeply than `depth`.
fn count(steps: &[Step], depth: usize) -> usize {
    let each = |step: &Step| match &step.op {
        Op::Attempt(_) | Op::Do(_) if depth == 0 => MAX_STEPS + 1,
        Op::Attempt(inner) | Op::Do(inner) => 1 + count(inner, depth - 1),
        _ => 1,
    };
    steps.iter().map(each).fold(0, usize::saturating_add)
}

struct Compiler<'a> {
    library: &'a Library,
    shape: &'a Shape,
}

impl Compiler<'_> {
    fn step(&self, step: &Step) -> Result<Compiled> {
        Ok(Compiled { when: optional(&step.when, "/when")?, op: self.op(&step.op)? })
    }

    fn op(&self, op: &Op) -> Result<CompiledOp> {
        Ok(match op {
            Op::Require(op) => CompiledOp::Require(self.require(op).map_err(|e| e.at("/require"))?),
            Op::Let(names) => CompiledOp::Let(self.members(names, None).map_err(|e| e.at("/let"))?),
            Op::Create(op) => CompiledOp::Create(Box::new(self.create(op).map_err(|e| e.at("/create"))?)),
            Op::Update(op) => CompiledOp::Update(Box::new(self.update(op).map_err(|e| e.at("/update"))?)),
            Op::Delete(op) => CompiledOp::Delete(self.delete(op).map_err(|e| e.at("/delete"))?),
            Op::Get(op) => CompiledOp::Get(self.get(op).map_err(|e| e.at("/get"))?),
            Op::List(op) => CompiledOp::List(Box::new(self.list(op).map_err(|e| e.at("/list"))?)),
            Op::Compute(op) => CompiledOp::Compute(Box::new(self.compute(op).map_err(|e| e.at("/compute"))?)),
            Op::Attempt(steps) => CompiledOp::Attempt(self.steps(steps, "/attempt")?),
            Op::Do(steps) => CompiledOp::Do(self.steps(steps, "/do")?),
            Op::Derived(_) => {
                return Err(Error::new(
                    Code::BehaviorInvalid,
                    "there is no derived behavior here to refer to",
                )
                .at("/derived"));
            }
            Op::Reply(reply) => {
                CompiledOp::Reply(Template::parse(reply, self.shape).map_err(|e| e.at("/reply"))?)
            }
        })
    }

    fn steps(&self, steps: &[Step], within: &str) -> Result<Vec<Compiled>> {
        let each = |(i, step)| self.step(step).map_err(|e: Error| e.at(format!("{within}/{i}")));
        steps.iter().enumerate().map(each).collect()
    }

    fn require(&self, op: &behavior::Require) -> Result<Require> {
        let (condition, kind) = match (&op.exists, &op.absent, &op.that) {
            (Some(place), None, None) => {
                (Condition::Exists(self.at(place).map_err(|e| e.at("/exists"))?), ErrorKind::NotFound)
            }
            (None, Some(place), None) => {
                (Condition::Absent(self.place(place).map_err(|e| e.at("/absent"))?), ErrorKind::Conflict)
            }
            (None, None, Some(that)) => {
                (Condition::That(Expr::parse(that).map_err(|e| e.at("/that"))?), ErrorKind::InvalidArgument)
            }
            _ => return Err(one_of("exists, absent, that")),
        };
        // What a failing call shows is not what `returns` describes.
        let any = Shape::of(Arc::new(Json::Bool(true)), "");
        let reply = op.reply.as_ref().map(|reply| Template::parse(reply, &any)).transpose();
        Ok(Require {
            condition,
            failure: failure(op.error.unwrap_or(kind), &op.message, op.status)?,
            reply: reply.map_err(|e| e.at("/reply"))?,
        })
    }

    fn create(&self, op: &behavior::Create) -> Result<Create> {
        let within = self.within(&op.within)?;
        let set = self.members(&op.set, within.info.schema.as_ref()).map_err(|e| e.at("/set"))?;
        Ok(Create {
            id: optional(&op.id, "/id")?,
            from: optional(&op.from, "/from")?,
            set,
            fill: op.fill,
            bind: name(&op.bind, "it"),
            replace: op.replace,
            failure: failure(ErrorKind::Conflict, &op.message, None)?,
            within,
        })
    }

    fn update(&self, op: &behavior::Update) -> Result<Update> {
        let target = self.target(&op.at, &op.within, &op.id, &None)?;
        let schema = match &target {
            Target::Record(within, _) | Target::First(within, _) => within.info.schema.as_ref(),
            Target::At(..) => None,
        };
        let any = Shape::of(Arc::new(Json::Bool(true)), "");
        Ok(Update {
            value: op
                .value
                .as_ref()
                .map(|v| Template::parse(v, &any))
                .transpose()
                .map_err(|e| e.at("/value"))?,
            merge: optional(&op.merge, "/merge")?,
            set: self.members(&op.set, schema).map_err(|e| e.at("/set"))?,
            unset: op.unset.iter().map(|n| Str::from(n.as_str())).collect(),
            bind: name(&op.bind, "it"),
            upsert: op.upsert,
            failure: failure(op.error.unwrap_or(ErrorKind::NotFound), &op.message, None)?,
            target,
        })
    }

    fn delete(&self, op: &behavior::Delete) -> Result<Delete> {
        Ok(Delete {
            target: self.target(&op.at, &op.within, &op.id, &None)?,
            bind: name(&op.bind, "it"),
            missing_ok: op.missing_ok,
            failure: failure(op.error.unwrap_or(ErrorKind::NotFound), &op.message, None)?,
        })
    }

    fn get(&self, op: &behavior::Get) -> Result<Get> {
        Ok(Get {
            target: self.target(&op.at, &op.within, &op.id, &op.filter)?,
            bind: name(&op.bind, "it"),
            optional: op.optional,
            failure: failure(op.error.unwrap_or(ErrorKind::NotFound), &op.message, None)?,
        })
    }

    fn list(&self, op: &behavior::ListRows) -> Result<ListRows> {
        let sort = match &op.sort {
            Some(sort) => Some((
                Expr::parse(&sort.by).map_err(|e| e.at("/sort/by"))?,
                optional(&sort.descending, "/sort/descending")?,
            )),
            None => None,
        };
        Ok(ListRows {
            within: self.within(&op.within)?,
            filter: optional(&op.filter, "/where")?,
            equal: self.members(&op.equal, None).map_err(|e| e.at("/match"))?,
            search: optional(&op.search, "/search")?,
            sort,
            offset: optional(&op.offset, "/offset")?,
            limit: optional(&op.limit, "/limit")?,
            bind: name(&op.bind, "rows"),
            total: name(&op.total, "total"),
        })
    }

    fn compute(&self, op: &behavior::Compute) -> Result<Compute> {
        let parse = |text: &String, name| Expr::parse(text).map_err(|e: Error| e.at(name));
        let aggregate = match (&op.sum, &op.avg, &op.min, &op.max, op.count) {
            (Some(of), None, None, None, false) => Aggregate::Sum(parse(of, "/sum")?),
            (None, Some(of), None, None, false) => Aggregate::Avg(parse(of, "/avg")?),
            (None, None, Some(of), None, false) => Aggregate::Min(parse(of, "/min")?),
            (None, None, None, Some(of), false) => Aggregate::Max(parse(of, "/max")?),
            (None, None, None, None, true) => Aggregate::Count,
            _ => return Err(one_of("sum, avg, min, max, count")),
        };
        if op.bind.is_empty() {
            return Err(Error::new(Code::BehaviorInvalid, "the result has no name").at("/as"));
        }
        Ok(Compute {
            over: Expr::parse(&op.over).map_err(|e| e.at("/over"))?,
            filter: optional(&op.filter, "/where")?,
            aggregate,
            bind: Str::from(op.bind.as_str()),
        })
    }

    /// Named templates; slots among them get their schema from the record's, where there is one.
    fn members(
        &self,
        set: &JsonMap<String, Json>,
        schema: Option<&Arc<Json>>,
    ) -> Result<Vec<(Str, Template)>> {
        let record = Shape::of(schema.cloned().unwrap_or_else(|| Arc::new(Json::Bool(true))), "");
        set.iter()
            .map(|(name, json)| {
                let template =
                    Template::parse(json, &record.member(name)).map_err(|e| e.at(format!("/{name}")))?;
                Ok((Str::from(name.as_str()), template))
            })
            .collect()
    }

    fn target(
        &self,
        at: &Option<String>,
        within: &Option<String>,
        id: &Option<String>,
        filter: &Option<String>,
    ) -> Result<Target> {
        match (at, within, id, filter) {
            (Some(at), None, None, None) => self.at(at).map_err(|e| e.at("/at")),
            (None, Some(within), Some(id), None) => Ok(Target::Record(
                self.within(within)?,
                Expr::parse(id).map_err(|e| e.at("/id"))?.node().clone(),
            )),
            (None, Some(within), None, Some(filter)) => {
                Ok(Target::First(self.within(within)?, Expr::parse(filter).map_err(|e| e.at("/where"))?))
            }
            _ => Err(one_of("`at`, or `in` with `id`")),
        }
    }

    /// `bookings[args.id]` is a record of a declared collection, so it may be invented in an open
    /// world; any other path is just a place.
    fn at(&self, text: &str) -> Result<Target> {
        let expr = Expr::parse(text)?;
        if let Node::Index(inner, key) = expr.node()
            && let Node::Name(name) = &**inner
            && self.library.collections.contains_key(&**name)
        {
            return Ok(Target::Record(self.within(name)?, (**key).clone()));
        }
        Ok(Target::At(self.place(text)?, text.into()))
    }

    fn place(&self, text: &str) -> Result<Place> {
        Place::parse(text, |name| self.library.collections.get(name).map(|info| info.place.clone()))
    }

    fn within(&self, text: &str) -> Result<Within> {
        let mut info = None;
        let place = Place::parse(text, |name| {
            info = self.library.collections.get(name).cloned();
            info.as_ref().map(|info: &Arc<CollectionInfo>| info.place.clone())
        })
        .map_err(|e| e.at("/in"))?;
        let info = info.unwrap_or_else(|| Arc::new(CollectionInfo::undeclared(text, place.clone())));
        Ok(Within { info, place })
    }
}

fn optional(text: &Option<String>, place: &str) -> Result<Option<Expr>> {
    text.as_ref().map(|t| Expr::parse(t)).transpose().map_err(|e| e.at(place))
}

fn failure(kind: ErrorKind, message: &Option<String>, status: Option<u16>) -> Result<Failure> {
    if let Some(status) = status.filter(|s| !(400..600).contains(s)) {
        return Err(Error::new(Code::BehaviorInvalid, format!("{status} is not the status of a failure"))
            .at("/status")
            .expected("400 to 599"));
    }
    let message =
        message.as_ref().map(|m| cel::Template::parse(m)).transpose().map_err(|e: Error| e.at("/message"))?;
    Ok(Failure { kind, message, status })
}

fn name(given: &Option<String>, default: &str) -> Str {
    Str::from(given.as_deref().unwrap_or(default))
}

fn one_of(choices: &str) -> Error {
    Error::new(Code::BehaviorInvalid, "needs exactly one of several members")
        .expected(format!("exactly one of {choices}"))
}
