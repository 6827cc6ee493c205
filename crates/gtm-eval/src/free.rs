//! Running freely: nothing real is fed in, and ids that the real tool made up are translated.
//!
//! Where a later call uses an id from an earlier real reply, ours from the same place of our own
//! reply stands for it, as an agent that talks to us would have used that; and back in replies.

use crate::json;
use crate::known::Known;
use crate::volatile;
use serde_json::{Map, Value as Json};
use std::collections::HashMap;

/// Which of our fresh values stands for which real one.
#[derive(Debug, Default)]
pub(crate) struct Aliases {
    ours: HashMap<String, Json>,
    real: HashMap<String, Json>,
}

impl Aliases {
    /// Notes the fresh values of a real reply with our new values from the same places.
    pub(crate) fn note(&mut self, real: &Json, ours: &Json, known: &Known) {
        json::leaves(real, Some(ours), "", &mut |name, real, ours| {
            let Some(ours @ (Json::String(_) | Json::Number(_))) = ours else { return };
            // Ours may look otherwise, a counter for instance; it must only be new.
            if volatile::is_fresh(real, name, known) && !known.has(ours) {
                self.ours.insert(real.to_string(), ours.clone());
                self.real.insert(ours.to_string(), real.clone());
            }
        });
    }

    /// Arguments of a real call as our session understands them.
    pub(crate) fn to_ours(&self, arguments: &Json) -> Json {
        translated(arguments, &self.ours)
    }

    /// Our reply in terms of the real session.
    pub(crate) fn to_real(&self, reply: &Json) -> Json {
        translated(reply, &self.real)
    }
}

fn translated(value: &Json, names: &HashMap<String, Json>) -> Json {
    if names.is_empty() {
        return value.clone();
    }
    match value {
        Json::Object(members) => {
            let members = members.iter().map(|(name, value)| {
                let new = names.get(&Json::from(name.as_str()).to_string()).and_then(Json::as_str);
                (new.unwrap_or(name).to_owned(), translated(value, names))
            });
            Json::Object(members.collect::<Map<_, _>>())
        }
        Json::Array(items) => items.iter().map(|item| translated(item, names)).collect(),
        scalar => names.get(&scalar.to_string()).unwrap_or(scalar).clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn made_up_ids_are_translated_both_ways() {
        let mut aliases = Aliases::default();
        let real = json!({"id": "BK-4821", "status": "open", "total": 7});
        aliases.note(&real, &json!({"id": "BK-0001", "status": "new", "total": 8}), &Known::default());
        assert_eq!(
            aliases.to_ours(&json!({"booking": ["BK-4821", "open"]})),
            json!({"booking": ["BK-0001", "open"]})
        );
        assert_eq!(aliases.to_real(&json!({"BK-0001": {"n": 8}})), json!({"BK-4821": {"n": 8}}));
    }
}
