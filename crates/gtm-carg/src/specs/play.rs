//! Sessions with the tools of a real API.

use super::arguments::Target;
use super::pool::{Api, Provider};
use super::uses::{self, Act, Use, main, uses};
use crate::rng::Rng;
use crate::session::task::differences;
use crate::session::{CLOCK_START, TICK_S, faults};
use crate::trace::{Call, Fact, Source, Trace, Turn};
use gtm_sim::{ArgumentPolicy, Session, SessionOptions, Simulator, Toolset, WorldKind};
use gtm_tool::{Checker, Limits, ToolSpec};
use gtm_world::{Clock, Value};
use serde_json::{Map as JsonMap, Value as Json, json};

/// Largest state that a session starts from, and largest reply, in bytes of JSON.
const MAX_STATE: usize = 64 << 10;
const MAX_REPLY: usize = 16 << 10;
/// Calls by which records are found that a session then starts from, for each reading tool.
const LOOKS: usize = 3;
/// Attempts at a call that succeeds, before one that fails is taken.
const ATTEMPTS: usize = 3;

/// Makes a session; `None` if little follows from the specs, or what follows is too large.
pub(crate) fn generate(provider: &Provider, api: &Api, rng: &mut Rng) -> Option<Trace> {
    let tools = choose(api.tools(), rng);
    let toolset = Toolset {
        clock: Clock { start: CLOCK_START.into(), tick_s: TICK_S },
        arguments: ArgumentPolicy::Strict,
        seed: rng.bits(),
        ..Toolset::from_tools(&api.title, tools)
    };
    let simulator = Simulator::new(toolset).ok()?;
    let player = Player::new(&simulator)?;
    let state = player.explore(rng)?;
    let seed = rng.bits();
    let options = SessionOptions {
        seed: Some(seed),
        state: Some(state.clone()),
        world: Some(WorldKind::Closed),
        ..SessionOptions::default()
    };
    let turns = player.play(simulator.open(options).ok()?, rng)?;
    let facts = player.actors.iter().map(|actor| actor.fact(&provider.name)).collect();
    Some(Trace {
        suite: "carg".into(),
        source: Source::Specs,
        group: provider.name.clone(),
        seed,
        tools: simulator.tools().to_vec(),
        facts,
        behaviors: simulator.reading().clone(),
        initial_state: state,
        turns,
        ..Trace::default()
    })
}

/// 1 to 40 of the tools, neighbours mostly.
fn choose(mut tools: Vec<ToolSpec>, rng: &mut Rng) -> Vec<ToolSpec> {
    let count = match rng.weighted([40.0, 35.0, 18.0, 7.0].into_iter()) {
        0 => rng.between(2, 5),
        1 => rng.between(6, 12),
        2 => rng.between(13, 24),
        _ => rng.between(25, 40),
    } as usize;
    if count < tools.len() {
        let from = rng.below(tools.len() - count + 1);
        tools = tools.split_off(from);
        tools.truncate(count);
    }
    rng.shuffle(&mut tools);
    tools
}

/// A tool and what it does.
struct Actor<'s> {
    spec: &'s ToolSpec,
    checker: Checker,
    uses: Vec<Use>,
    paths: Vec<Vec<String>>,
    /// Member that holds a record's id.
    id_member: String,
    writes: bool,
}

impl Actor<'_> {
    fn target(&self) -> Target<'_> {
        Target { spec: self.spec, checker: &self.checker, uses: &self.uses, paths: &self.paths }
    }

    fn main(&self) -> Option<&Use> {
        main(&self.uses)
    }

    fn reads(&self) -> bool {
        self.main().is_none_or(|u| matches!(u.act, Act::Get | Act::List))
    }

    fn fact(&self, domain: &str) -> Fact {
        let main = self.main();
        let at = main.and_then(|main| self.uses.iter().position(|u| u == main));
        // Collections within others, or elsewhere in the state, are none that an id alone tells a record of.
        let plain = main
            .filter(|u| u.scopes.is_empty() && at.is_some_and(|at| self.paths[at] == [u.collection.clone()]));
        Fact {
            domain: domain.to_owned(),
            plan: match main {
                Some(main) => format!("{} {}", main.act.name(), main.collection),
                None => "direct".into(),
            },
            family: format!("rest_{}", main.map_or("direct", |main| main.act.name())),
            collection: plain.map(|u| u.collection.clone()),
            id_argument: plain.and_then(|u| u.id.clone()).into_iter().collect(),
            id_member: self.id_member.clone(),
            writes: self.writes,
        }
    }
}

struct Player<'s> {
    simulator: &'s Simulator,
    actors: Vec<Actor<'s>>,
}

impl<'s> Player<'s> {
    /// `None` if too few of the tools have a behavior.
    fn new(simulator: &'s Simulator) -> Option<Player<'s>> {
        let reading = simulator.reading();
        let limits = Limits::default();
        let mut actors = Vec::new();
        for spec in simulator.tools() {
            let used = reading.behaviors.get(&spec.name).map(uses).unwrap_or_default();
            let place = |name: &str| reading.collections.get(name);
            let paths = used
                .iter()
                .map(|u| match place(&u.collection).and_then(|c| c.path.as_deref()) {
                    Some(path) => path.split('.').map(str::to_owned).collect(),
                    None => vec![u.collection.clone()],
                })
                .collect();
            let id_member = main(&used).and_then(|u| place(&u.collection)?.id.clone());
            let writes = !matches!(main(&used).map(|u| u.act), Some(Act::Get | Act::List));
            actors.push(Actor {
                spec,
                checker: Checker::new(&spec.parameters, &limits).ok()?,
                uses: used,
                paths,
                id_member: id_member.unwrap_or_else(|| "id".into()),
                writes,
            });
        }
        let known = actors.iter().filter(|actor| !actor.uses.is_empty()).count();
        (known > 0 && 2 * known >= actors.len()).then_some(Player { simulator, actors })
    }

    /// The state that there is once one has looked around in an open world: what a session then starts from.
    fn explore(&self, rng: &mut Rng) -> Option<Json> {
        let mut session = self.simulator.open(SessionOptions::default()).ok()?;
        for actor in self.actors.iter().filter(|actor| actor.reads() && !actor.uses.is_empty()) {
            for _ in 0..1 + rng.below(LOOKS) {
                let arguments = actor.target().arguments(session.state(), &[], rng);
                self.simulator
                    .call(&mut session, &gtm_sim::Call::new(&actor.spec.name, Json::Object(arguments)));
            }
        }
        for actor in &self.actors {
            // What is only ever made has been made before.
            let made = actor.main().filter(|u| u.act == Act::Create);
            if made.is_some() && rng.chance(0.5) {
                let arguments = actor.target().arguments(session.state(), &[], rng);
                self.simulator
                    .call(&mut session, &gtm_sim::Call::new(&actor.spec.name, Json::Object(arguments)));
            }
        }
        let mut state = session.state().to_json();
        // What nobody has looked at is empty, and there.
        if let Json::Object(roots) = &mut state {
            for root in self.actors.iter().flat_map(|actor| &actor.paths).filter_map(|path| path.first()) {
                roots.entry(root.as_str()).or_insert_with(|| json!({}));
            }
        }
        (state.to_string().len() <= MAX_STATE).then_some(state)
    }

    fn play(&self, mut session: Session, rng: &mut Rng) -> Option<Vec<Turn>> {
        let count = match rng.weighted([40.0, 40.0, 15.0, 5.0].into_iter()) {
            0 => rng.between(1, 6),
            1 => rng.between(7, 15),
            2 => rng.between(16, 30),
            _ => rng.between(31, 60),
        };
        let mut turns: Vec<Turn> = Vec::new();
        let mut recent: Vec<(String, String)> = Vec::new();
        let mut idle = 0;
        while (turns.len() as i64) < count {
            let turn = self.turn(&mut session, &mut recent, rng);
            if turn.response.to_string().len() > MAX_REPLY {
                return None;
            }
            // Who has just read something seldom reads it again before anything has changed.
            let stale = turns.iter().rev().take_while(|t| !t.changed).any(|t| t.call == turn.call);
            if stale && !turn.changed && rng.chance(0.85) && idle < 2 * count {
                idle += 1;
                continue;
            }
            turns.push(turn);
        }
        Some(turns)
    }

    fn turn(&self, session: &mut Session, recent: &mut Vec<(String, String)>, rng: &mut Rng) -> Turn {
        if rng.chance(0.012) {
            let names: Vec<&str> = self.actors.iter().map(|actor| actor.spec.name.as_str()).collect();
            let name = faults::unknown_tool(&names, rng);
            return self.make(session, Call { name, arguments: json!({}) }, Some("unknown_tool"));
        }
        let actor = self.choose(recent, rng);
        let mut call = Call::default();
        for attempt in 0..ATTEMPTS {
            let arguments = actor.target().arguments(session.state(), recent, rng);
            call = Call { name: actor.spec.name.clone(), arguments: Json::Object(arguments) };
            // A fork costs nothing, and a call that fails for a reason of its own is worth having.
            let mut fork = session.fork();
            let reply = self.simulator.call(&mut fork, &request(&call));
            if !reply.is_error || (attempt == 0 && rng.chance(0.25)) {
                break;
            }
        }
        if rng.chance(0.08)
            && let Some((spoilt, mutation)) = faults::mutate(&call, &actor.spec.parameters, rng)
        {
            return self.make(session, spoilt, Some(mutation));
        }
        let before = session.state().clone();
        let turn = self.make(session, call, None);
        if !turn.is_error {
            remember(actor, &before, session.state(), &turn.call.arguments, recent);
        }
        turn
    }

    /// The next tool: often one that takes what was spoken of last.
    fn choose(&self, recent: &[(String, String)], rng: &mut Rng) -> &Actor<'s> {
        if let Some((collection, _)) = recent.last().filter(|_| rng.chance(0.5)) {
            let about = |actor: &&Actor<'s>| {
                actor
                    .uses
                    .iter()
                    .any(|u| u.collection == *collection && (u.id.is_some() || u.act == Act::List))
            };
            let fitting: Vec<&Actor<'s>> = self.actors.iter().filter(about).collect();
            if let Some(actor) = rng.try_pick(&fitting) {
                return actor;
            }
        }
        rng.pick(&self.actors)
    }

    fn make(&self, session: &mut Session, call: Call, mutation: Option<&str>) -> Turn {
        let before = session.state().clone();
        let reply = self.simulator.call(session, &request(&call));
        let changes = differences(&before, session.state());
        Turn {
            call,
            response: reply.content,
            is_error: reply.is_error,
            error: reply.error.map(|error| error.kind.name().to_owned()),
            mutation: mutation.map(str::to_owned),
            changed: !changes.is_empty(),
            changes,
        }
    }
}

fn request(call: &Call) -> gtm_sim::Call {
    gtm_sim::Call::new(&call.name, call.arguments.clone())
}

/// Notes the records that a call was about, and those that it made.
fn remember(
    actor: &Actor<'_>,
    before: &Value,
    after: &Value,
    arguments: &Json,
    recent: &mut Vec<(String, String)>,
) {
    let none = JsonMap::new();
    let arguments = arguments.as_object().unwrap_or(&none);
    for (used, path) in actor.uses.iter().zip(&actor.paths) {
        let id = match (used.act, &used.id) {
            (Act::Create, _) => {
                let known = uses::ids(before, path, used, arguments);
                uses::ids(after, path, used, arguments).into_iter().find(|id| !known.contains(id))
            }
            (_, Some(id)) => arguments.get(id).and_then(uses::key),
            (_, None) => None,
        };
        if let Some(id) = id {
            recent.retain(|(_, known)| *known != id);
            recent.push((used.collection.clone(), id));
        }
    }
    if recent.len() > 6 {
        recent.drain(..recent.len() - 6);
    }
}
