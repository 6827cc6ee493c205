//! The simulator: a toolset, ready to answer calls.

use crate::errors::Styles;
use crate::fault::Fault;
use crate::history::Done;
use crate::inject::Injector;
use crate::live::LiveTools;
use crate::metrics::Metrics;
use crate::names;
use crate::replay::{self, Replay};
use crate::reply::{Call, Reply, Rung};
use crate::session::{Checkpoint, Session};
use crate::tool::Tool;
use crate::toolset::{Toolset, WorldKind};
use gtm_error::{Code, Error, Result, printable};
use gtm_read::{ReadInput, Reader, RuleFiller, RuleReader};
use gtm_tool::ToolSpec;
use gtm_world::{Behaviors, ErrorKind, Filler, Library, Program, ToolError, Value, World};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Longest idempotency key, in bytes.
const MAX_KEY: usize = 256;

/// A toolset, ready to answer calls. Immutable; share it behind an [`Arc`].
pub struct Simulator {
    pub(crate) toolset: Toolset,
    reading: Behaviors,
    confidence: BTreeMap<String, f64>,
    pub(crate) library: Arc<Library>,
    tools: Vec<Tool>,
    by_name: HashMap<Arc<str>, usize>,
    pub(crate) styles: Styles,
    pub(crate) injector: Injector,
    pub(crate) filler: Arc<dyn Filler>,
    /// The initial state; every session starts from the same memory.
    initial: Value,
    /// What recordings answer; none if the toolset names none.
    replay: Option<Replay>,
    pub(crate) live: Option<Arc<dyn LiveTools>>,
    pub(crate) metrics: Metrics,
}

/// How a session differs from the toolset's defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionOptions {
    /// Seed in place of the toolset's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Initial state in place of the toolset's, an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Json>,
    /// Kind of world in place of the toolset's. A session that brings a state where the toolset has
    /// none is closed, unless it says otherwise here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub world: Option<WorldKind>,
    /// Faults in place of the toolset's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faults: Option<Vec<Fault>>,
    /// Names of the tools that the session offers; calls to others are answered as if there were no
    /// such tool. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<String>>,
}

/// A turn that is worked out but not yet in effect.
pub(crate) struct NewTurn {
    pub(crate) done: Arc<Done>,
    pub(crate) next: Checkpoint,
    /// The reply's content as JSON, which the check of the reply needed anyway.
    pub(crate) content: Json,
}

impl NewTurn {
    pub(crate) fn reply(self) -> (Reply, Arc<Done>, Checkpoint) {
        (Reply { content: self.content, ..self.done.bare_reply() }, self.done, self.next)
    }
}

impl Simulator {
    /// A simulator that reads and fills by rules.
    ///
    /// # Errors
    /// As [`Simulator::with`].
    pub fn new(toolset: Toolset) -> Result<Simulator> {
        Simulator::with(toolset, &RuleReader, Arc::new(RuleFiller))
    }

    /// A simulator with another reader and filler.
    ///
    /// Behaviors of the toolset are compiled now, so that mistakes in them show; those of the
    /// reader, and all schemas, on first use.
    ///
    /// # Errors
    /// [`Code::DuplicateTool`], [`Code::StateInvalid`], [`Code::ToolsetInvalid`] for a fault or a
    /// behavior of no tool, [`Code::BehaviorInvalid`] and [`Code::ExpressionInvalid`].
    pub fn with(toolset: Toolset, reader: &dyn Reader, filler: Arc<dyn Filler>) -> Result<Simulator> {
        toolset.clock.start_seconds()?;
        let initial = initial_state(&toolset.state, &toolset.limits.world)?;
        let injector = Injector::new(&toolset.faults)?;
        let read = reader.read(&ReadInput { tools: &toolset.tools, initial_state: &toolset.state });
        let mut reading = read.behaviors;
        let (learned, own) = (&toolset.learned, &toolset.behaviors);
        let derived = reading.behaviors.clone();
        overlay(&mut reading, learned, &toolset.tools);
        overlay(&mut reading, own, &toolset.tools);
        let library = Arc::new(Library::new(&reading, toolset.limits.world)?);

        let mut by_name = HashMap::with_capacity(toolset.tools.len());
        let mut tools = Vec::with_capacity(toolset.tools.len());
        for (at, spec) in toolset.tools.iter().enumerate() {
            let name: Arc<str> = spec.name.as_str().into();
            if by_name.insert(name.clone(), at).is_some() {
                let what = format!("two different tools are called `{}`", printable(&spec.name));
                return Err(Error::new(Code::DuplicateTool, what));
            }
            let behavior = reading.behaviors.get(&spec.name).cloned().unwrap_or_default();
            let rung = match read.rungs.get(&spec.name) {
                _ if own.behaviors.contains_key(&spec.name) => Rung::User,
                _ if own.otherwise.is_some() => Rung::User,
                _ if learned.behaviors.contains_key(&spec.name) || learned.otherwise.is_some() => {
                    Rung::Learned
                }
                Some(gtm_read::Rung::Rules) => Rung::Rules,
                Some(gtm_read::Rung::Model) => Rung::Model,
                _ => Rung::Direct,
            };
            let under = derived.get(&spec.name).filter(|_| rung == Rung::Learned).cloned();
            let tool = Tool::new(name, at, behavior, rung).with_derived(under);
            if matches!(rung, Rung::User | Rung::Learned) {
                tool.compile(spec, &library)?;
            }
            tools.push(tool);
        }
        if let Some(name) = own.behaviors.keys().find(|name| !by_name.contains_key(name.as_str())) {
            return Err(names::no_tool(name, by_name.keys().map(|known| &**known))
                .at(format!("/behaviors/{}", names::escape(name))));
        }
        let styles = Styles::new(&toolset.tools);
        let metrics = Metrics::default();
        let mut simulator = Simulator {
            toolset,
            reading,
            confidence: read.confidence,
            library,
            tools,
            by_name,
            styles,
            injector,
            filler,
            initial,
            replay: None,
            live: None,
            metrics,
        };
        let recordings = &simulator.toolset.recordings;
        if !recordings.is_empty() {
            let start = replay::start(&simulator.initial);
            let replay = Replay::new(recordings, start, |tool| simulator.reads(tool));
            simulator.replay = Some(replay);
        }
        Ok(simulator)
    }

    /// What was recorded of this call in the session's present state.
    pub(crate) fn recorded(&self, session: &Session, call: &Call) -> Option<&replay::Outcome> {
        self.replay.as_ref()?.get(session.now.trail, &call.tool, &call.given())
    }

    /// The trail after a call, which may have changed something unless it failed or only reads.
    pub(crate) fn trail_after(&self, session: &Session, tool: &str, args: &Value, failed: bool) -> u64 {
        let trail = session.now.trail;
        match &self.replay {
            Some(replay) if !failed && !self.reads(tool) => replay.after(trail, tool, args),
            _ => trail,
        }
    }

    /// Whether calls of this tool change nothing, as far as can be told: because its spec says so,
    /// its behavior has no step that could, or, where nothing is known of it, its name says so.
    fn reads(&self, tool: &str) -> bool {
        let Some((tool, spec)) = self.compiled(tool).zip(self.tool(tool)) else { return false };
        if let Some(read_only) = spec.annotations.read_only {
            return read_only;
        }
        match self.program(tool) {
            Some((_, Rung::Direct)) | None => gtm_read::function::reads(spec).unwrap_or(false),
            Some((program, _)) => !program.may_change(),
        }
    }

    /// The toolset.
    pub fn toolset(&self) -> &Toolset {
        &self.toolset
    }

    /// The tools.
    pub fn tools(&self) -> &[ToolSpec] {
        &self.toolset.tools
    }

    /// The tool of this name.
    pub fn tool(&self, name: &str) -> Option<&ToolSpec> {
        self.by_name.get(name).and_then(|&at| self.toolset.tools.get(at))
    }

    /// The behaviors in force: those of the reader, with the user's own over them.
    pub fn reading(&self) -> &Behaviors {
        &self.reading
    }

    /// How sure a model is of what it read of a tool, 0 to 1; `None` if no model read it.
    pub fn confidence(&self, tool: &str) -> Option<f64> {
        self.confidence.get(tool).copied().filter(|_| self.rung(tool) == Some(Rung::Model))
    }

    /// How a tool is answered: [`Rung::User`], [`Rung::Learned`], [`Rung::Rules`], [`Rung::Model`] or [`Rung::Direct`].
    pub fn rung(&self, tool: &str) -> Option<Rung> {
        self.program(self.compiled(tool)?).map(|(_, rung)| *rung)
    }

    /// What was counted over all sessions.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// A new session.
    ///
    /// # Errors
    /// [`Code::StateInvalid`] for a state that is no object or over the limits,
    /// [`Code::ToolsetInvalid`] for faults that make no sense or a tool that is not there.
    pub fn open(&self, options: SessionOptions) -> Result<Session> {
        let toolset = &self.toolset;
        let state = match &options.state {
            Some(state) => initial_state(state, &toolset.limits.world)?,
            None => self.initial.clone(),
        };
        let empty = |state: &Value| state.as_map().is_none_or(|map| map.is_empty());
        let usual = match toolset.world {
            WorldKind::Open if empty(&self.initial) && !empty(&state) => WorldKind::Closed,
            kind => kind,
        };
        let open = options.world.unwrap_or(usual) == WorldKind::Open;
        let world = World::new(state, options.seed.unwrap_or(toolset.seed), open, &toolset.clock)?;
        let faults = options.faults.as_deref().map(Injector::new).transpose()?.map(Arc::new);
        let trail = self.replay.as_ref().map_or(0, |_| replay::start(world.state()));
        let mut session = Session::new(world, trail, faults);
        if let Some(tools) = options.tools {
            if let Some(name) = tools.iter().find(|name| !self.by_name.contains_key(name.as_str())) {
                return Err(names::no_tool(name, self.by_name.keys().map(|known| &**known)));
            }
            session.tools = Some(Arc::new(tools.iter().map(|name| Arc::from(name.as_str())).collect()));
        }
        Ok(session)
    }

    /// Answers a call. A simulated failure is a reply; it changes nothing but the history.
    ///
    /// An idempotency key that was used for another call is answered with a failure too; see
    /// [`Simulator::try_call`] to tell it apart.
    pub fn call(&self, session: &mut Session, call: &Call) -> Reply {
        match self.try_call(session, call) {
            Ok(reply) => reply,
            Err(error) => {
                let kind = if error.code() == Code::IdempotencyConflict {
                    ErrorKind::Conflict
                } else {
                    ErrorKind::InvalidArgument
                };
                let bare = Call { idempotency_key: None, ..call.clone() };
                let refused = self.refuse(session, &bare, ToolError::new(kind, error.message()));
                self.commit(session, refused)
            }
        }
    }

    /// Answers a call, apart from calls that are wrong in GTM's own terms.
    ///
    /// # Errors
    /// [`Code::IdempotencyConflict`] if the key was used for another call,
    /// [`Code::RequestMalformed`] if it is too long. Nothing has happened then.
    pub fn try_call(&self, session: &mut Session, call: &Call) -> Result<Reply> {
        if let Some(reply) = self.stored(session, call)? {
            self.metrics.retried();
            return Ok(reply);
        }
        let turn = self.answer(session, call);
        Ok(self.commit(session, turn))
    }

    /// Puts a turn into effect.
    pub(crate) fn commit(&self, session: &mut Session, turn: NewTurn) -> Reply {
        let (reply, done, next) = turn.reply();
        self.metrics.answered(done.rung, reply.error.as_ref().map(|e| e.kind));
        session.apply(done, next, &self.toolset.limits.world);
        reply
    }

    /// The reply that the call got before, under its idempotency key.
    pub(crate) fn stored(&self, session: &Session, call: &Call) -> Result<Option<Reply>> {
        let Some(key) = &call.idempotency_key else { return Ok(None) };
        if key.len() > MAX_KEY {
            let what = format!("an idempotency key of {} bytes", key.len());
            return Err(Error::new(Code::RequestMalformed, what).expected(format!("at most {MAX_KEY} bytes")));
        }
        let Some(done) = session.stored(key) else { return Ok(None) };
        if !done.is_call(&call.tool, &call.given()) {
            let what = format!("the key `{}` was used for another call of `{}`", printable(key), done.tool);
            return Err(Error::new(Code::IdempotencyConflict, what));
        }
        let mut reply = done.reply();
        reply.provenance.retried = true;
        Ok(Some(reply))
    }

    /// The arguments of a call as a behavior sees them, and what is wrong with them: null, or an object
    /// as [`gtm_world::Behavior::unchecked`] describes. `None` for a tool that does not exist.
    pub fn examine(&self, call: &Call) -> Option<(Value, Value)> {
        let tool = self.compiled(&call.tool)?;
        let (spec, limits) = (&self.toolset.tools[tool.at], &self.toolset.limits);
        let (args, check) = tool.examine(spec, self.toolset.arguments, limits, &call.arguments);
        Some((Value::from(&*args), check))
    }

    /// The compiled tool of this name.
    pub(crate) fn compiled(&self, name: &str) -> Option<&Tool> {
        self.by_name.get(name).and_then(|&at| self.tools.get(at))
    }

    /// A tool's program and the rung it stands for.
    pub(crate) fn program<'a>(&'a self, tool: &'a Tool) -> Option<&'a (Arc<Program>, Rung)> {
        tool.program(&self.toolset.tools[tool.at], &self.library, &self.metrics)
    }
}

/// Lays better known behaviors over others, which they may refer to.
fn overlay(under: &mut Behaviors, over: &Behaviors, tools: &[ToolSpec]) {
    under.collections.extend(over.collections.clone());
    let parts = [
        (&mut under.envelope.reply, &over.envelope.reply),
        (&mut under.envelope.error, &over.envelope.error),
        (&mut under.unknown_tool, &over.unknown_tool),
    ];
    parts.into_iter().filter(|(_, over)| over.is_some()).for_each(|(under, over)| under.clone_from(over));
    for tool in tools {
        let general = || Some(over.otherwise.as_ref()?.for_tool(&tool.name, &tool.origin.api));
        let Some(behavior) = over.behaviors.get(&tool.name).cloned().or_else(general) else { continue };
        let derived = under.behaviors.get(&tool.name).cloned().unwrap_or_default();
        under.behaviors.insert(tool.name.clone(), behavior.with_derived(&derived));
    }
}

fn initial_state(state: &Json, limits: &gtm_world::Limits) -> Result<Value> {
    let value = Value::from(state);
    if value.as_map().is_none() {
        return Err(Error::new(Code::StateInvalid, format!("the state is of type {}", value.type_name()))
            .at("/state")
            .expected("an object"));
    }
    let (bytes, depth) = value.size();
    if bytes > limits.state_bytes {
        return Err(Error::new(Code::StateInvalid, format!("the state takes about {bytes} bytes"))
            .at("/state")
            .expected(format!("at most {} (`limits.world.state_bytes`)", limits.state_bytes)));
    }
    if depth > limits.depth {
        return Err(Error::new(Code::StateInvalid, format!("the state is nested {depth} levels deep"))
            .at("/state")
            .expected(format!("at most {} (`limits.world.depth`)", limits.depth)));
    }
    Ok(value)
}
