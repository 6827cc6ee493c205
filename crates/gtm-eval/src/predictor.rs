//! What predicts replies: the simulator here, baselines in [`crate::baseline`].

use crate::session::Turn;
use gtm_error::Result;
use gtm_sim::{Call, Observed, Session, SessionOptions, Simulator};
use gtm_world::ErrorKind;
use serde_json::Value as Json;

/// A predicted reply.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// What the agent would see; of an HTTP tool, the body.
    pub content: Json,
    /// Whether the call fails.
    pub is_error: bool,
    /// HTTP status, where the predictor gives one.
    pub status: Option<u16>,
    /// Why it fails, where the predictor knows.
    pub kind: Option<ErrorKind>,
}

impl Prediction {
    /// A successful reply.
    pub fn success(content: Json) -> Prediction {
        Prediction { content, is_error: false, status: Some(200), kind: None }
    }
}

/// Something that predicts the replies of one session.
pub trait Predictor {
    /// The reply to a call, as things stand. The call has no effect.
    fn predict(&mut self, call: &Call) -> Prediction;

    /// The reply to a call, which has its effect.
    fn act(&mut self, call: &Call) -> Prediction {
        self.predict(call)
    }

    /// Takes in what the real tool answered.
    fn observe(&mut self, call: &Call, turn: &Turn);
}

/// GTM's simulator.
pub struct Simulated {
    simulator: Simulator,
    session: Session,
}

impl Simulated {
    /// A simulator with a fresh session of its own toolset's state.
    ///
    /// # Errors
    /// As [`Simulator::open`].
    pub fn new(simulator: Simulator) -> Result<Simulated> {
        let session = simulator.open(SessionOptions::default())?;
        Ok(Simulated { simulator, session })
    }
}

impl Predictor for Simulated {
    fn predict(&mut self, call: &Call) -> Prediction {
        let mut ahead = self.session.fork();
        answer(&self.simulator, &mut ahead, call)
    }

    fn act(&mut self, call: &Call) -> Prediction {
        answer(&self.simulator, &mut self.session, call)
    }

    fn observe(&mut self, call: &Call, turn: &Turn) {
        let observed = Observed { content: turn.response.clone(), is_error: turn.is_error };
        // Only an idempotency key could be refused, and these calls have none.
        let _ = self.simulator.observe(&mut self.session, call, observed);
    }
}

fn answer(simulator: &Simulator, session: &mut Session, call: &Call) -> Prediction {
    let reply = simulator.call(session, call);
    Prediction {
        content: reply.content,
        is_error: reply.is_error,
        status: Some(reply.status),
        kind: reply.error.map(|error| error.kind),
    }
}
