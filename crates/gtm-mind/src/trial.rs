//! Whether a behavior holds when it is tried: on calls that are made up from the parameters' schemas and from what the
//! state holds.

use gtm_read::{ReadInput, RuleFiller, function};
use gtm_tool::schema::properties;
use gtm_tool::{Checker, Limits as ToolLimits, ToolSpec};
use gtm_world::{Behavior, Clock, ErrorKind, Filler, Library, Program, Slot, Value, World, seed};
use serde_json::Value as Json;
use std::sync::Arc;

/// Calls that a behavior is tried on.
const CALLS: u64 = 12;
/// Records of a collection whose values calls are made of.
const RECORDS: usize = 4;

/// What behaviors of one toolset are tried in.
pub(crate) struct Trial<'a> {
    state: &'a Json,
    world: Option<World>,
    library: &'a Arc<Library>,
}

impl<'a> Trial<'a> {
    pub(crate) fn new(input: &ReadInput<'a>, library: &'a Arc<Library>) -> Trial<'a> {
        let state = input.initial_state;
        let open = state.as_object().is_none_or(serde_json::Map::is_empty);
        let initial = if open { Value::map() } else { Value::from(state) };
        let world = World::new(initial, 0, open, &Clock::default()).ok();
        Trial { state, world, library }
    }

    /// The share of calls that do something sensible, 0 to 1. `None` for a behavior that is wrong: one that does not
    /// compile, breaks down, replies with what the tool does not return, changes the state though the tool only reads, or
    /// refuses every call.
    pub(crate) fn of(&self, tool: &ToolSpec, behavior: &Behavior) -> Option<f64> {
        let world = self.world.as_ref()?;
        let program = Program::compile(&tool.name, behavior, tool.returns.as_ref(), self.library).ok()?;
        let reads = tool.annotations.read_only == Some(true) || function::reads(tool) == Some(true);
        if reads && program.may_change() {
            return None;
        }
        let returns = tool.returns.as_ref().map(|schema| Checker::new(schema, &ToolLimits::default()));
        let (mut good, mut refused) = (0u64, 0u64);
        for n in 0..CALLS {
            let arguments = self.arguments(tool, n);
            match program.run(world, &arguments, &RuleFiller) {
                Ok(outcome) => {
                    let reply = outcome.reply.to_json();
                    if let Some(Ok(checker)) = &returns
                        && checker.check(&reply).is_err()
                    {
                        return None;
                    }
                    // Nothing at all in reply to a question is no answer.
                    good += u64::from(!(reply.is_null() && reads));
                }
                Err(error) if error.kind == ErrorKind::Internal => return None,
                Err(_) => refused += 1,
            }
        }
        (good > 0).then(|| {
            // Calls are made up blindly: that some are refused says little against a behavior.
            (good as f64 + 0.9 * refused as f64) / CALLS as f64
        })
    }

    /// Arguments that fit the schema; half of them name what the state holds.
    fn arguments(&self, tool: &ToolSpec, n: u64) -> Value {
        let seed = seed::derive(n, &[&tool.name]);
        let slot = Slot {
            tool: &tool.name,
            path: "args",
            schema: &tool.parameters,
            root: &tool.parameters,
            known: None,
            args: &Value::map(),
            now: 0,
            seed,
            rows: 2,
        };
        let made = RuleFiller.fill(&slot).to_json();
        let Json::Object(mut arguments) = made else { return Value::map() };
        // The first calls name what exists, so that they get past the look-up.
        if n >= CALLS / 2 {
            return Value::from(&Json::Object(arguments));
        }
        for (at, property) in properties(&tool.parameters, &tool.parameters).into_iter().enumerate() {
            let known = self.known(property.name);
            if !known.is_empty() {
                let pick = known[(seed as usize).wrapping_add(at) % known.len()].clone();
                arguments.insert(property.name.to_owned(), pick);
            }
        }
        Value::from(&Json::Object(arguments))
    }

    /// Values in the state that go by a parameter's name: those of the member, or keys of the collection that an id's
    /// name begins with.
    fn known(&self, parameter: &str) -> Vec<Json> {
        let mut out = Vec::new();
        let plain =
            |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        let wanted = plain(parameter);
        let noun = wanted.strip_suffix("id").unwrap_or(&wanted);
        for (name, value) in self.state.as_object().into_iter().flatten() {
            let records: Vec<(Option<&String>, &Json)> = match value {
                Json::Object(map) => map.iter().map(|(key, record)| (Some(key), record)).collect(),
                Json::Array(list) => list.iter().map(|record| (None, record)).collect(),
                _ => continue,
            };
            for (key, record) in records.into_iter().take(RECORDS) {
                let member = record.as_object().and_then(|record| record.get(parameter));
                match (member, key) {
                    (Some(value), _) if !value.is_object() && !value.is_array() => out.push(value.clone()),
                    (_, Some(key)) if noun.len() >= 3 && plain(name).contains(noun) => {
                        out.push(Json::String(key.clone()));
                    }
                    _ => {}
                }
            }
        }
        out
    }
}
