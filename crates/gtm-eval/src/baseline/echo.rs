//! `echo`: the arguments come back, in the declared shape where there is one.

use super::schema_faker::fake;
use crate::predictor::{Prediction, Predictor};
use crate::session::{Tools, Turn};
use gtm_sim::Call;
use gtm_tool::schema;
use serde_json::{Map, Value as Json};
use std::sync::Arc;

pub(super) struct Echo {
    tools: Arc<Tools>,
}

impl Echo {
    pub(super) fn new(tools: Arc<Tools>) -> Echo {
        Echo { tools }
    }
}

impl Predictor for Echo {
    fn predict(&mut self, call: &Call) -> Prediction {
        let returns = self.tools.get(&call.tool).and_then(|spec| spec.returns.as_ref());
        let declared = returns.map(|root| schema::properties(root, root)).unwrap_or_default();
        if declared.is_empty() {
            return Prediction::success(call.arguments.clone());
        }
        let reply: Map<String, Json> = declared
            .iter()
            .map(|property| {
                let given = call.arguments.get(property.name).cloned();
                let value = given.unwrap_or_else(|| fake(returns.unwrap_or(schema::open()), property.schema));
                (property.name.to_owned(), value)
            })
            .collect();
        Prediction::success(Json::Object(reply))
    }

    fn observe(&mut self, _: &Call, _: &Turn) {}
}
