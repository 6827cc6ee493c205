//! Sessions: a toolset and a world are drawn, calls are planned and made.

mod arguments;
mod build;
pub(crate) mod faults;
pub(crate) mod task;

use crate::catalogue::Catalogue;
use crate::dataset::{Recipe, Split, Splits};
use crate::domain::Domain;
use crate::rng::Rng;
use crate::stage::{Answer, Stage};
use crate::style::Names;
use crate::tools::{Effect, ParamRole, Plan, plans};
use crate::trace::{Call, Fact, Source, Trace, Turn};
use arguments::Caller;
use build::Built;
pub(crate) use build::{CLOCK_START, NOW, TICK_S};
use gtm_error::{Code, Error, Result};
use gtm_world::World;
use serde_json::Value as Json;
use std::sync::Arc;

/// Attempts at a call that succeeds, before one that fails is taken.
const ATTEMPTS: usize = 4;

/// A domain with its tools planned.
pub struct Field {
    /// The domain.
    pub domain: Arc<Domain>,
    /// All its tools, without style.
    pub plans: Vec<Plan>,
}

impl Field {
    /// Plans all tools of a domain.
    pub fn new(domain: Domain) -> Field {
        Field { plans: plans(&domain), domain: Arc::new(domain) }
    }
}

/// Attempts at an API of which something follows, before a domain is taken in its place.
const APIS: usize = 8;

/// Makes one session; the same number, recipe and catalogue always make the same one.
///
/// # Errors
/// A pack whose tools do not compile.
pub fn generate(catalogue: &Catalogue, recipe: &Recipe, number: u64) -> Result<Trace> {
    let mut rng = Rng::new(recipe.seed, &["session", &number.to_string()]);
    let specs = &catalogue.specs;
    let real = !specs.providers.is_empty() && (catalogue.fields.is_empty() || rng.chance(recipe.spec_share));
    if real {
        let all: Vec<f64> = Split::ALL.iter().map(|split| split_share(*split, recipe)).collect();
        let split = Split::ALL[rng.weighted(all.iter().copied())];
        let attempts = if catalogue.fields.is_empty() { 16 * APIS } else { APIS };
        for _ in 0..attempts {
            let Some((provider, api)) = specs.draw(&recipe.splits, split, &mut rng) else { continue };
            if let Some(trace) = crate::specs::generate(provider, api, &mut rng) {
                return Ok(Trace { session_id: number.to_string(), split, ..trace });
            }
        }
    }
    if catalogue.fields.is_empty() {
        return Err(Error::new(Code::DatasetConfig, "no session can be made of the specs")
            .at("/specs")
            .expected("APIs whose operations create, get, list, update or delete something"));
    }
    let trace = of_packs(catalogue, recipe, &mut rng)?;
    Ok(Trace { session_id: number.to_string(), ..trace })
}

/// The share of sessions that a split gets.
fn split_share(split: Split, recipe: &Recipe) -> f64 {
    let Splits { validation, test } = recipe.splits;
    match split {
        Split::Train => (1.0 - validation - test).max(0.0),
        Split::Validation => validation,
        Split::Test => test,
    }
}

fn of_packs(catalogue: &Catalogue, recipe: &Recipe, rng: &mut Rng) -> Result<Trace> {
    let Built { stage, names, state, accounts } = build::build(catalogue, &recipe.splits, rng)?;
    let session_seed = rng.bits();
    let world = World::new(state.clone(), session_seed, false, &build::clock())?;
    let names: Vec<&Names<'_>> = names.iter().collect();
    let player = Player { stage: &stage, names: &names, accounts: &accounts };
    let turns = player.play(world.clone(), rng);
    let task = if rng.chance(0.4) { task::task(&stage, &names, &world, &turns, rng) } else { None };
    let facts = stage
        .tools
        .values()
        .map(|tool| {
            fact(
                tool.plan.as_ref(),
                names[tool.domain],
                &tool.dressed.params,
                &stage.domains[tool.domain].pack.domain,
            )
        })
        .collect();
    Ok(Trace {
        suite: "carg".into(),
        session_id: String::new(),
        source: Source::Packs,
        split: recipe.splits.of(&stage.domains[0].pack.domain),
        group: stage.domains[0].pack.domain.clone(),
        seed: session_seed,
        tools: stage.tools.values().map(|tool| tool.dressed.spec.clone()).collect(),
        facts,
        behaviors: stage.behaviors.clone(),
        initial_state: state.to_json(),
        turns,
        task,
    })
}

fn fact(plan: Option<&Plan>, names: &Names<'_>, params: &[crate::style::DressedParam], domain: &str) -> Fact {
    let Some(plan) = plan else {
        return Fact {
            domain: domain.into(),
            plan: "session".into(),
            family: "session".into(),
            writes: true,
            ..Fact::default()
        };
    };
    let id =
        params.iter().find(|p| matches!(p.param.role, ParamRole::Id(_)) && p.param.attribute.list.is_none());
    let entity = id.and_then(|p| match &p.param.role {
        ParamRole::Id(entity) => names.domain().entities.get(entity),
        _ => None,
    });
    let made = plan.key.strip_prefix("create ").and_then(|entity| names.domain().entities.get(entity));
    let family = serde_json::to_value(plan.family)
        .ok()
        .and_then(|v| v.as_str().map(str::to_owned))
        .unwrap_or_default();
    Fact {
        domain: domain.into(),
        plan: plan.key.clone(),
        family,
        collection: entity
            .or(made)
            .and_then(|kindred| names.collection(&kindred.collection))
            .map(str::to_owned),
        id_argument: id.filter(|_| entity.is_some()).map(|p| p.path.clone()).unwrap_or_default(),
        id_member: names.member("id"),
        writes: plan.effect != Effect::Read,
    }
}

struct Player<'a> {
    stage: &'a Stage,
    names: &'a [&'a Names<'a>],
    accounts: &'a [build::Account],
}

impl Player<'_> {
    fn play(&self, mut world: World, rng: &mut Rng) -> Vec<Turn> {
        let count = match rng.weighted([34.0, 40.0, 19.0, 7.0].into_iter()) {
            0 => rng.between(1, 6),
            1 => rng.between(7, 15),
            2 => rng.between(16, 30),
            _ => rng.between(31, 60),
        };
        let mut turns: Vec<Turn> = Vec::new();
        // Calls thought of and not made; a toolset of one reading tool would otherwise never end.
        let mut idle = 0;
        // Ids that the last calls spoke of, by entity: the next call is often about the same thing.
        let mut recent: Vec<(usize, String, gtm_world::Value)> = Vec::new();
        while (turns.len() as i64) < count {
            let turn = if !turns.is_empty() && rng.chance(0.03) {
                let call = rng.pick(&turns).call.clone();
                self.made(&mut world, call, None)
            } else {
                self.turn(&mut world, &mut recent, turns.is_empty(), rng)
            };
            // Who has just read something seldom reads it again before anything has changed.
            let stale = turns.iter().rev().take_while(|t| !t.changed).any(|t| t.call == turn.call);
            if stale && !turn.changed && rng.chance(0.85) {
                idle += 1;
                if idle < 2 * count {
                    continue;
                }
            }
            turns.push(turn);
        }
        turns
    }

    fn turn(
        &self,
        world: &mut World,
        recent: &mut Vec<(usize, String, gtm_world::Value)>,
        first: bool,
        rng: &mut Rng,
    ) -> Turn {
        if rng.chance(0.012) {
            let names: Vec<&str> = self.stage.tools.keys().map(String::as_str).collect();
            let name = faults::unknown_tool(&names, rng);
            return self.made(
                world,
                Call { name, arguments: Json::Object(Default::default()) },
                Some("unknown_tool"),
            );
        }
        let login = self.stage.tools.values().find(|tool| tool.plan.is_none());
        let logged_out =
            world.state().get("session").is_some_and(|s| s.get("user").is_none_or(gtm_world::Value::is_null));
        let wants_login = login.is_some() && logged_out && rng.chance(if first { 0.85 } else { 0.5 });
        let (name, tool) = match self.stage.tools.iter().find(|(_, tool)| wants_login && tool.plan.is_none())
        {
            Some(login) => login,
            None => self.choose(recent, rng),
        };
        let names = self.names[tool.domain];
        let Some(_) = &tool.plan else {
            let arguments = build::session_arguments(self.accounts, names.style(), rng);
            return self.made(world, Call { name: name.clone(), arguments }, None);
        };
        let fault = rng.chance(0.08);
        let mut last = None;
        for attempt in 0..ATTEMPTS {
            let mut caller = Caller { names, world, recent, domain: tool.domain, rng };
            let arguments = caller.arguments(&tool.dressed.params);
            let subject = caller.subject(&tool.dressed.params, &arguments);
            let call = Call { name: name.clone(), arguments };
            let answer = self.stage.call(world, &call.name, &call.arguments);
            let good = answer.error.is_none();
            last = Some((call, answer, subject));
            // Some calls fail for reasons of the field itself; those are the ones worth most.
            if good || (attempt == 0 && rng.chance(0.2)) {
                break;
            }
        }
        let Some((call, answer, subject)) = last else { unreachable!("at least one attempt is made") };
        if fault && let Some((call, mutation)) = faults::mutate(&call, &tool.dressed.spec.parameters, rng) {
            return self.made(world, call, Some(mutation));
        }
        if answer.error.is_none() {
            for (entity, id) in subject {
                recent.retain(|(_, _, known)| *known != id);
                recent.push((tool.domain, entity, id));
            }
            if let Some((entity, id)) = created(tool.plan.as_ref(), names, world, &answer.world) {
                recent.push((tool.domain, entity, id));
            }
            if recent.len() > 6 {
                recent.remove(0);
            }
        }
        let before = std::mem::replace(world, answer.world.clone());
        recorded(call, answer, None, &before)
    }

    fn made(&self, world: &mut World, call: Call, mutation: Option<&str>) -> Turn {
        let answer = self.stage.call(world, &call.name, &call.arguments);
        let before = std::mem::replace(world, answer.world.clone());
        recorded(call, answer, mutation, &before)
    }

    /// The next tool: often one that takes what was spoken of last.
    fn choose(
        &self,
        recent: &[(usize, String, gtm_world::Value)],
        rng: &mut Rng,
    ) -> (&String, &crate::stage::Staged) {
        let about = recent.last().filter(|_| rng.chance(0.5));
        if let Some((domain, entity, _)) = about {
            let fitting: Vec<_> = self
                .stage
                .tools
                .iter()
                .filter(|(_, tool)| {
                    tool.domain == *domain
                        && tool
                            .dressed
                            .params
                            .iter()
                            .any(|p| matches!(&p.param.role, ParamRole::Id(e) if e == entity))
                })
                .collect();
            if let Some(tool) = rng.try_pick(&fitting) {
                return *tool;
            }
        }
        let at = rng.below(self.stage.tools.len());
        self.stage.tools.get_index(at).unwrap_or_else(|| unreachable!("a stage has tools"))
    }
}

/// The record that a create added, found by comparing the collection before and after.
fn created(
    plan: Option<&Plan>,
    names: &Names<'_>,
    before: &World,
    after: &World,
) -> Option<(String, gtm_world::Value)> {
    let plan = plan.filter(|plan| plan.effect == Effect::Create)?;
    let entity = plan.key.rsplit_once(' ').map(|(_, entity)| entity)?;
    let collection = match names.domain().entities.get(entity) {
        Some(kindred) => kindred.collection.clone(),
        None => format!("{entity}{}", crate::tools::RUNS),
    };
    let of = |world: &World| world.state().get(names.collection(&collection)?)?.as_map().cloned();
    let before = of(before);
    let (key, record) = of(after)?.last().map(|(k, v)| (k.clone(), v.clone()))?;
    if before.is_some_and(|map| map.contains_key(&key)) {
        return None;
    }
    let role = if names.domain().entities.contains_key(entity) { entity.to_owned() } else { collection };
    Some((role, record.get(&names.member("id")).cloned().unwrap_or_else(|| gtm_world::Value::Str(key))))
}

fn recorded(call: Call, answer: Answer, mutation: Option<&str>, before: &World) -> Turn {
    let changes = match answer.changed {
        true => task::differences(before.state(), answer.world.state()),
        false => Vec::new(),
    };
    Turn {
        call,
        response: answer.content,
        is_error: answer.error.is_some(),
        error: answer.error.map(|error| error.kind.name().to_owned()),
        mutation: mutation.map(str::to_owned),
        // A write that leaves everything as it was is none.
        changed: !changes.is_empty(),
        changes,
    }
}
