//! Baselines: what can be had without a simulator. They take the same turns through the same door.

mod echo;
mod last_seen;
mod schema_faker;

use crate::predictor::{Prediction, Predictor};
use crate::session::{Session, Tools};
use gtm_sim::Call;
use gtm_world::ErrorKind;
use serde_json::{Value as Json, json};

/// A baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Baseline {
    /// Checks arguments, then a value made from the declared return schema alone.
    SchemaFaker,
    /// The arguments, in the declared shape.
    Echo,
    /// Checks arguments, then the most recent successful reply that the session has shown of the tool,
    /// or what `SchemaFaker` says.
    LastSeen,
}

impl Baseline {
    /// Every baseline.
    pub const ALL: [Baseline; 3] = [Baseline::SchemaFaker, Baseline::Echo, Baseline::LastSeen];

    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Baseline::SchemaFaker => "schema-faker",
            Baseline::Echo => "echo",
            Baseline::LastSeen => "last-seen",
        }
    }

    /// A predictor for one session.
    pub fn predictor(self, session: &Session) -> Box<dyn Predictor> {
        let tools = session.tools.clone();
        match self {
            Baseline::SchemaFaker => Box::new(schema_faker::SchemaFaker::new(tools)),
            Baseline::Echo => Box::new(echo::Echo::new(tools)),
            Baseline::LastSeen => Box::new(last_seen::LastSeen::new(tools)),
        }
    }
}

/// What a mock server says of a call before it answers: an unknown tool, or arguments that the
/// schema does not allow. Arguments that the schema does not name count as not allowed.
fn refusal(tools: &Tools, call: &Call) -> Option<Prediction> {
    let Some(spec) = tools.get(&call.tool) else {
        let message = format!("unknown tool \"{}\"", call.tool);
        return Some(failure(ErrorKind::UnknownTool, message));
    };
    let empty = json!({});
    let arguments = if call.arguments.is_null() { &empty } else { &call.arguments };
    let violation = tools.parameters(&call.tool).and_then(|checker| checker.check(arguments).err());
    if let Some(violation) = violation {
        return Some(failure(ErrorKind::InvalidArgument, violation.message));
    }
    let declared = spec.parameters.get("properties").and_then(Json::as_object)?;
    let undeclared = arguments.as_object()?.keys().find(|name| !declared.contains_key(*name))?;
    Some(failure(ErrorKind::InvalidArgument, format!("unexpected argument \"{undeclared}\"")))
}

fn failure(kind: ErrorKind, message: String) -> Prediction {
    Prediction {
        content: json!({"error": message}),
        is_error: true,
        status: Some(kind.http_status()),
        kind: Some(kind),
    }
}
