//! `last-seen`: whatever the tool said last.

use super::refusal;
use crate::predictor::{Prediction, Predictor};
use crate::session::{Tools, Turn};
use gtm_sim::Call;
use serde_json::Value as Json;
use std::collections::HashMap;
use std::sync::Arc;

pub(super) struct LastSeen {
    tools: Arc<Tools>,
    replies: HashMap<String, Json>,
}

impl LastSeen {
    pub(super) fn new(tools: Arc<Tools>) -> LastSeen {
        LastSeen { tools, replies: HashMap::new() }
    }
}

impl Predictor for LastSeen {
    fn predict(&mut self, call: &Call) -> Prediction {
        refusal(&self.tools, call)
            .unwrap_or_else(|| Prediction::success(self.replies.get(&call.tool).cloned().unwrap_or_default()))
    }

    fn observe(&mut self, call: &Call, turn: &Turn) {
        if !turn.is_error {
            self.replies.insert(call.tool.clone(), turn.response.clone());
        }
    }
}
