//! Arguments for real specs: published examples, values that fit the schemas, ids of records that there are.

use super::uses::{Act, Use, ids, key};
use crate::rng::Rng;
use gtm_read::RuleFiller;
use gtm_tool::{Checker, ToolSpec, schema};
use gtm_world::{Filler, Slot, Value};
use serde_json::{Map as JsonMap, Value as Json};

/// Chance that a published example is taken as it is.
const EXAMPLE: f64 = 0.3;
/// Chance that an id is of something spoken of lately.
const RECENT: f64 = 0.55;
/// Chance that an id is of nothing.
const UNKNOWN: f64 = 0.05;

/// A tool, ready to have arguments drawn for it.
pub(super) struct Target<'t> {
    pub(super) spec: &'t ToolSpec,
    pub(super) checker: &'t Checker,
    pub(super) uses: &'t [Use],
    /// Where the collection of each use is in the state.
    pub(super) paths: &'t [Vec<String>],
}

impl Target<'_> {
    /// Arguments. `recent` are ids that were spoken of, by collection, the latest last.
    pub(super) fn arguments(
        &self,
        state: &Value,
        recent: &[(String, String)],
        rng: &mut Rng,
    ) -> JsonMap<String, Json> {
        let mut arguments = self.invented(rng);
        for (used, path) in self.uses.iter().zip(self.paths) {
            for at in 0..=used.scopes.len() {
                let name = match used.scopes.get(at) {
                    Some(scope) => scope,
                    // A record that is to be made has no id yet.
                    None if used.act == Act::Create => continue,
                    None => match &used.id {
                        Some(id) => id,
                        None => continue,
                    },
                };
                let outer = Use { scopes: used.scopes[..at].to_vec(), ..used.clone() };
                let known = ids(state, path, &outer, &arguments);
                // Two steps may speak of the same record.
                if arguments.get(name).and_then(key).is_some_and(|given| known.contains(&given)) {
                    continue;
                }
                let lately: Vec<&String> = recent
                    .iter()
                    .filter(|(collection, id)| *collection == used.collection && known.contains(id))
                    .map(|(_, id)| id)
                    .collect();
                let id = match rng.try_pick(&known) {
                    _ if rng.chance(UNKNOWN) => None,
                    Some(_) if !lately.is_empty() && rng.chance(RECENT) => Some(*rng.pick(&lately)),
                    any => any,
                };
                if let Some(id) = id {
                    arguments.insert(name.clone(), self.typed(name, id));
                }
            }
        }
        arguments
    }

    /// Arguments that the schema allows: all that are required and some others.
    fn invented(&self, rng: &mut Rng) -> JsonMap<String, Json> {
        let fits =
            |arguments: &JsonMap<String, Json>| self.checker.check(&Json::Object(arguments.clone())).is_ok();
        let published: Vec<&JsonMap<String, Json>> = self
            .spec
            .examples
            .iter()
            .filter_map(|example| example.arguments.as_ref()?.as_object())
            .filter(|arguments| fits(arguments))
            .collect();
        if rng.chance(EXAMPLE)
            && let Some(published) = rng.try_pick(&published)
        {
            return (*published).clone();
        }
        let nothing = Value::map();
        let parameters = &self.spec.parameters;
        let slot = Slot {
            tool: &self.spec.name,
            path: "",
            schema: parameters,
            root: parameters,
            known: None,
            args: &nothing,
            now: crate::session::NOW,
            seed: rng.bits(),
            rows: 2,
        };
        let Json::Object(all) = RuleFiller.fill(&slot).to_json() else { return JsonMap::new() };
        let properties = schema::properties(parameters, parameters);
        let needed = |name: &str| properties.iter().any(|p| p.name == name && p.required);
        let chance =
            if self.uses.iter().any(|u| matches!(u.act, Act::Create | Act::Update)) { 0.5 } else { 0.25 };
        let kept: JsonMap<String, Json> = all
            .iter()
            .filter(|(name, _)| needed(name) || rng.chance(chance))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        // What was left out may have been needed after all, by a rule other than `required`.
        if fits(&kept) || !fits(&all) { kept } else { all }
    }

    /// The id in the type that the argument has.
    fn typed(&self, name: &str, id: &str) -> Json {
        let parameters = &self.spec.parameters;
        let properties = schema::properties(parameters, parameters);
        let declared = properties
            .iter()
            .find(|p| p.name == name)
            .and_then(|p| schema::primary_type(parameters, p.schema));
        match (declared, id.parse::<i64>()) {
            (Some("integer" | "number"), Ok(n)) => n.into(),
            _ => id.into(),
        }
    }
}
