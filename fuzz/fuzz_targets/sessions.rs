//! Any sequence of session operations, against a plain model: an ordered map that is cloned.
#![no_main]

use arbitrary::Arbitrary;
use gtm_sim::{Call, Session, SessionOptions, Simulator, SnapshotRef, Toolset};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

#[derive(Arbitrary, Debug)]
enum Op {
    Put(u8, i16),
    Delete(u8),
    Get(u8),
    Bad,
    Fork,
    Switch(u8),
    Rollback(u8),
    Reset,
    Save,
}

type Model = BTreeMap<String, i64>;

fn simulator() -> &'static Simulator {
    static SIMULATOR: OnceLock<Simulator> = OnceLock::new();
    SIMULATOR.get_or_init(|| {
        let key = json!({"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]});
        let put = json!({"type": "object", "properties": {"id": {"type": "string"}, "n": {"type": "integer"}}, "required": ["id", "n"]});
        let toolset = json!({
            "tools": [
                {"name": "put", "parameters": put}, {"name": "delete", "parameters": key}, {"name": "get", "parameters": key}],
            "state": {"things": {}}, "collections": {"things": {"id": "id"}},
            "behaviors": {
                "put": {"steps": [{"create": {"in": "things", "id": "args.id", "set": {"n": "args.n"}, "replace": true}}, {"reply": "it.n"}]},
                "delete": {"steps": [{"delete": {"in": "things", "id": "args.id"}}, {"reply": "it.n"}]},
                "get": {"steps": [{"get": {"in": "things", "id": "args.id"}}, {"reply": "it.n"}]}
            }
        });
        let toolset = Toolset::parse(toolset.to_string(), Path::new(".")).expect("the toolset loads");
        Simulator::new(toolset).expect("the toolset compiles")
    })
}

fn call(session: &mut Session, tool: &str, arguments: Json) -> Option<i64> {
    let reply = simulator().call(session, &Call { tool: tool.into(), arguments, idempotency_key: None });
    (!reply.is_error).then(|| reply.content.as_i64()).flatten()
}

fuzz_target!(|ops: Vec<Op>| {
    let open = || simulator().open(SessionOptions::default()).expect("a session opens");
    // Each line of play: the session, and the model before each of its turns.
    let mut lines: Vec<(Session, Vec<Model>, Model)> = vec![(open(), Vec::new(), Model::new())];
    let mut at = 0;
    for op in ops.into_iter().take(200) {
        let count = lines.len();
        let (session, past, model) = &mut lines[at];
        match op {
            Op::Put(id, n) => {
                past.push(model.clone());
                let id = format!("k{}", id % 8);
                assert_eq!(call(session, "put", json!({"id": id, "n": n})), Some(i64::from(n)));
                model.insert(id, i64::from(n));
            }
            Op::Delete(id) => {
                past.push(model.clone());
                let id = format!("k{}", id % 8);
                assert_eq!(call(session, "delete", json!({"id": id})), model.remove(&id));
            }
            Op::Get(id) => {
                past.push(model.clone());
                let id = format!("k{}", id % 8);
                assert_eq!(call(session, "get", json!({"id": id})), model.get(&id).copied());
            }
            Op::Bad => {
                past.push(model.clone());
                assert_eq!(call(session, "put", json!({"id": 5})), None);
            }
            Op::Fork if count < 8 => {
                let fork = (session.fork(), past.clone(), model.clone());
                lines.push(fork);
            }
            Op::Fork => {}
            Op::Switch(to) => at = usize::from(to) % count,
            Op::Rollback(back) => {
                let turn = past.len().saturating_sub(usize::from(back) % 6);
                session.rollback(&SnapshotRef::Turn(turn as u64)).expect("the turn is kept");
                if turn < past.len() {
                    *model = past[turn].clone();
                    past.truncate(turn);
                }
            }
            Op::Reset => {
                session.reset();
                past.clear();
                model.clear();
            }
            Op::Save => {
                let saved = session.to_json();
                *session = Session::from_json(&saved).expect("a saved session is restored");
            }
        }
        let (session, past, model) = &lines[at];
        assert_eq!(session.turns(), past.len());
        let held = session.state().to_json();
        let things: Model = held["things"].as_object().expect("an object").iter().map(|(k, v)| (k.clone(), v["n"].as_i64().unwrap_or(-1))).collect();
        assert_eq!(&things, model);
    }
});
