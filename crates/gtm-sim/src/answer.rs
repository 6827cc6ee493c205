//! Answering one call: check, faults, replay, behavior, check of the reply.

use crate::errors::{self, Body};
use crate::history::{Done, Rare};
use crate::inject::{self, Counts, Plan};
use crate::names;
use crate::reply::{Call, Rung};
use crate::session::{Checkpoint, Session};
use crate::simulator::{NewTurn, Simulator};
use crate::tool::Tool;
use gtm_error::printable;
use gtm_tool::ToolSpec;
use gtm_world::{Behavior, ErrorKind, Given, Outcome, Slot, ToolError, Value, World};
use serde_json::{Value as Json, json};
use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A call, and what the faults have in mind for it.
struct Asked<'a> {
    session: &'a Session,
    tool: &'a Tool,
    call: &'a Call,
    /// The arguments as given.
    given: Value,
    plan: Plan,
    counts: Counts,
}

/// What answered a call.
struct Answer {
    content: Value,
    rung: Rung,
    status: u16,
    error: Option<ToolError>,
    invented: Vec<String>,
    world: World,
    /// Whether the content is to be checked against the tool's `returns`.
    checked: bool,
}

impl Simulator {
    /// Works out the turn that a call leads to. A panic on the way is a bug, which fails this call
    /// and touches nothing else: all that is worked on here is new.
    pub(crate) fn answer(&self, session: &Session, call: &Call) -> NewTurn {
        let worked_out = catch_unwind(AssertUnwindSafe(|| self.climb(session, call)));
        worked_out.unwrap_or_else(|_| self.panicked(session, call))
    }

    fn climb(&self, session: &Session, call: &Call) -> NewTurn {
        if let Some(recorded) = self.recorded(session, call) {
            let planned = self.plan(session, &call.tool, &call.given());
            if planned.0.error.is_none() {
                return self.real_turn(session, call, recorded.reply(), Rung::Replay, planned);
            }
        }
        let Some(tool) = self.compiled(&call.tool) else {
            return self.refuse(session, call, self.unknown_tool(&call.tool));
        };
        let spec = &self.toolset.tools[tool.at];
        let (policy, limits) = (self.toolset.arguments, &self.toolset.limits);
        let (checked, check) = match self.is_unchecked(tool) {
            true => tool.examine(spec, policy, limits, &call.arguments),
            false => match tool.check(spec, policy, limits, &call.arguments) {
                Ok(checked) => (checked, Value::Null),
                Err(error) => return self.refuse(session, call, error),
            },
        };
        let args = Value::from(&*checked);
        let given = match checked {
            Cow::Borrowed(_) => args.clone(),
            Cow::Owned(_) => call.given(),
        };
        let (plan, counts) = self.plan(session, &tool.name, &args);
        let known = Given { args: &args, check: &check, repeated: self.repeats(session, tool, &args) };
        let answer = self.respond(session, tool, &known, &plan);
        self.turn(Asked { session, tool, call, given, plan, counts }, answer)
    }

    /// What the faults have in mind for a call, and their counts after it.
    pub(crate) fn plan(&self, session: &Session, tool: &str, args: &Value) -> (Plan, Counts) {
        let mut counts = session.now.counts.clone();
        let injector = session.faults.as_deref().unwrap_or(&self.injector);
        let plan = match injector.is_empty() {
            true => Plan::default(),
            false => injector.plan(tool, args, session.seed(), session.history.end(), &mut counts),
        };
        (plan, counts)
    }

    /// The ladder: a fault, an outcome observed before, or the behavior.
    fn respond(&self, session: &Session, tool: &Tool, given: &Given<'_>, plan: &Plan) -> Answer {
        let args = given.args;
        let world = &session.now.world;
        if let Some(error) = &plan.error {
            let after = if plan.commit { self.run(tool, world, given).map(|o| o.world).ok() } else { None };
            let failed = self.failed(tool, error.clone(), args, world, Rung::Fault);
            return Answer { world: after.unwrap_or_else(|| world.clone()), ..failed };
        }
        // A tool that answers a repeated call otherwise is not answered from memory.
        let fresh = given.repeated && self.program(tool).is_some_and(|(program, _)| program.looks_back());
        let observed = session.now.observed.as_ref().filter(|_| !fresh);
        if let Some(done) = observed.and_then(|o| o.get(world.version(), &tool.name, args)) {
            return Answer {
                content: done.content.clone(),
                rung: Rung::Replay,
                status: done.status,
                error: done.rare.as_ref().and_then(|rare| rare.error.clone()),
                invented: Vec::new(),
                world: world.clone(),
                checked: false,
            };
        }
        if plan.stale > 0 {
            let answer = match self.run(tool, session.world_before(plan.stale), given) {
                // A change is made to the state as it is.
                Ok(outcome) if outcome.changed => None,
                Ok(outcome) => Some(self.succeeded(tool, outcome)),
                Err(error) => Some(self.failed(tool, error, args, world, self.rung_of(tool))),
            };
            if let Some(answer) = answer {
                return Answer { world: world.clone(), ..answer };
            }
        }
        match self.run(tool, world, given) {
            Ok(outcome) => self.succeeded(tool, outcome),
            Err(error) => self.failed(tool, error, args, world, self.rung_of(tool)),
        }
    }

    /// Runs the tool's behavior. A panic in it fails the call in the tool's own error style.
    pub(crate) fn run(&self, tool: &Tool, world: &World, given: &Given<'_>) -> Result<Outcome, ToolError> {
        let Some((program, _)) = self.program(tool) else {
            return Err(ToolError::new(ErrorKind::Internal, "the tool has no usable behavior"));
        };
        catch_unwind(AssertUnwindSafe(|| program.run_given(world, given, &*self.filler))).unwrap_or_else(
            |_| {
                self.metrics.panicked();
                Err(internal())
            },
        )
    }

    /// Whether the same call has succeeded before in the session, for tools that may ask.
    pub(crate) fn repeats(&self, session: &Session, tool: &Tool, args: &Value) -> bool {
        self.program(tool).is_some_and(|(program, _)| program.looks_back())
            && session.has_done(&tool.name, args)
    }

    fn is_unchecked(&self, tool: &Tool) -> bool {
        self.program(tool).is_some_and(|(program, _)| program.is_unchecked())
    }

    fn rung_of(&self, tool: &Tool) -> Rung {
        self.program(tool).map_or(Rung::Direct, |(_, rung)| *rung)
    }

    fn succeeded(&self, tool: &Tool, outcome: Outcome) -> Answer {
        let http = self.toolset.tools[tool.at].http.as_ref();
        Answer {
            content: outcome.reply,
            rung: self.rung_of(tool),
            status: http.map(|h| h.success_status).filter(|s| *s != 0).unwrap_or(200),
            error: None,
            invented: outcome.invented,
            world: outcome.world,
            checked: true,
        }
    }

    fn failed(&self, tool: &Tool, error: ToolError, args: &Value, world: &World, rung: Rung) -> Answer {
        let spec = &self.toolset.tools[tool.at];
        let status = errors::status(Some(spec), &error);
        let envelope = || self.program(tool).and_then(|(program, _)| program.render_error(&error, args));
        let own = error.body.clone().or_else(envelope);
        let content = own.unwrap_or_else(|| {
            let (tools, styles, filler) = (&self.toolset.tools, &self.styles, &*self.filler);
            let (error, now, seed) = (&error, world.now(), world.seed());
            Value::from(Body { tools, styles, tool: spec, error, status, args, filler, now, seed }.render())
        });
        Answer { status, ..Answer::failure(content, rung, error, world) }
    }

    /// A call that fails its check.
    pub(crate) fn refuse(&self, session: &Session, call: &Call, error: ToolError) -> NewTurn {
        let given = call.given();
        let world = &session.now.world;
        match self.compiled(&call.tool) {
            Some(tool) => {
                let answer = self.failed(tool, error, &given, world, Rung::Check);
                self.turn(Asked { given, ..Asked::plain(session, tool, call) }, answer)
            }
            None => {
                let own = match error.kind {
                    ErrorKind::UnknownTool => self.library.render_unknown_tool(&call.tool, &given),
                    _ => None,
                };
                let own = own.or_else(|| self.library.render_error(&error, &given));
                let content = own.unwrap_or_else(|| Value::from(self.plain_body(&error)));
                self.stranger(session, call, Answer::failure(content, Rung::Check, error, world))
            }
        }
    }

    /// A call in which something of ours panicked.
    fn panicked(&self, session: &Session, call: &Call) -> NewTurn {
        self.metrics.panicked();
        let content = Value::from(self.plain_body(&internal()));
        self.stranger(session, call, Answer::failure(content, Rung::Check, internal(), &session.now.world))
    }

    /// The turn of a call for which no tool can be asked.
    fn stranger(&self, session: &Session, call: &Call, answer: Answer) -> NewTurn {
        let tool = Tool::new(call.tool.as_str().into(), usize::MAX, Behavior::default(), answer.rung);
        self.turn(Asked::plain(session, &tool, call), answer)
    }

    /// The body of an error where no tool says how it looks.
    fn plain_body(&self, error: &ToolError) -> Json {
        let tools = &self.toolset.tools;
        match !tools.is_empty() && tools.iter().all(|tool| tool.http.is_some()) {
            true => json!({"error": {"code": error.kind.name(), "message": error.message}}),
            false => json!({"error": error.message}),
        }
    }

    fn unknown_tool(&self, name: &str) -> ToolError {
        let near = names::nearest(name, self.toolset.tools.iter().map(|tool| tool.name.as_str()));
        let error = ToolError::new(ErrorKind::UnknownTool, format!("unknown tool \"{}\"", printable(name)));
        let expected = (!near.is_empty()).then(|| format!("perhaps \"{}\"", near.join("\", \"")));
        ToolError { expected, ..error }
    }

    /// The reply as the tool declares it, where a behavior that GTM derived gave another shape: an agent
    /// must not see what the tool cannot say. What a user wrote is left as it is.
    fn mend(
        &self,
        session: &Session,
        tool: &Tool,
        spec: &ToolSpec,
        args: &Value,
        rung: Rung,
        content: &Value,
    ) -> Option<Value> {
        let schema =
            spec.returns.as_ref().filter(|_| matches!(rung, Rung::Rules | Rung::Model | Rung::Direct))?;
        let world = &session.now.world;
        let filled = || {
            self.filler.fill(&Slot {
                tool: &tool.name,
                path: "",
                schema,
                root: schema,
                known: content.as_map().map(|_| content),
                args,
                now: world.now(),
                seed: gtm_world::seed::derive(session.seed(), &[&tool.name, &args.to_json().to_string()]),
                rows: 2,
            })
        };
        let wrapped = std::iter::once(content.clone()).collect::<Value>();
        [wrapped, filled()]
            .into_iter()
            .find(|reply| tool.is_valid(spec, &self.toolset.limits, &reply.to_json()))
    }

    /// Checks the reply, and puts together what the session will remember of the call.
    fn turn(&self, asked: Asked<'_>, answer: Answer) -> NewTurn {
        let Asked { session, tool, call, given, plan, counts } = asked;
        let Answer { mut content, rung, status, error, mut invented, world, checked } = answer;
        let is_error = error.is_some();
        let mut json = content.to_json();
        let spec = self.toolset.tools.get(tool.at).filter(|_| checked);
        let mut valid = spec.is_none_or(|spec| tool.is_valid(spec, &self.toolset.limits, &json));
        if !valid {
            self.metrics.invalid_reply();
            if let Some(mended) = spec.and_then(|spec| self.mend(session, tool, spec, &given, rung, &content))
            {
                json = mended.to_json();
                content = mended;
                invented = vec![String::new()];
                valid = true;
            }
        }
        if !is_error && !plan.truncate.is_empty() {
            json = plan.truncate.iter().fold(json, inject::truncate);
            content = Value::from(&json);
        }
        let fault = (!plan.names.is_empty()).then(|| plan.names.join(", "));
        let Plan { delay_ms, retry_after_s, .. } = plan;
        let rare = Rare { error, invented, fault, delay_ms, retry_after_s };
        let done = Arc::new(Done {
            tool: tool.name.clone(),
            args: given,
            key: call.idempotency_key.as_deref().map(Arc::from),
            content,
            rung,
            is_error,
            valid,
            lasting: false,
            status,
            seed: session.seed(),
            version_before: session.version(),
            version: world.version(),
            rare: (rare != Rare::default()).then(|| Box::new(rare)),
        });
        let (keys, observed) = (session.now.keys.clone(), session.now.observed.clone());
        // A fault may fail a call that takes effect all the same.
        let unchanged = is_error && done.version == done.version_before;
        let trail = self.trail_after(session, &tool.name, &done.args, unchanged);
        let mut next = Checkpoint { world, counts, keys, observed, trail };
        next.remember(&done);
        NewTurn { done, next, content: json }
    }
}

impl<'a> Asked<'a> {
    /// A call that no fault concerns.
    fn plain(session: &'a Session, tool: &'a Tool, call: &'a Call) -> Asked<'a> {
        let counts = session.now.counts.clone();
        Asked { session, tool, call, given: call.given(), plan: Plan::default(), counts }
    }
}

impl Answer {
    /// A failure, which leaves the world as it is.
    fn failure(content: Value, rung: Rung, error: ToolError, world: &World) -> Answer {
        let (status, invented) = (errors::status(None, &error), Vec::new());
        Answer { content, rung, status, error: Some(error), invented, world: world.clone(), checked: false }
    }
}

fn internal() -> ToolError {
    ToolError::new(ErrorKind::Internal, "the simulated tool failed internally")
}
