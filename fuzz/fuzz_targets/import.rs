//! Any bytes as a spec: an error or tools, never a panic; what is imported can be read and called.
#![no_main]

use gtm_sim::{Call, SessionOptions, Simulator, Toolset};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|bytes: &[u8]| {
    let Ok(imported) = gtm_tool::import(bytes, &gtm_tool::Limits::default()) else { return };
    let mut tools = imported.tools;
    tools.truncate(4);
    let Ok(simulator) = Simulator::new(Toolset::from_tools("fuzz", tools)) else { return };
    let Ok(mut session) = simulator.open(SessionOptions::default()) else { return };
    for tool in simulator.tools() {
        let call = Call { tool: tool.name.clone(), arguments: json!({}), idempotency_key: None };
        let reply = simulator.call(&mut session, &call);
        assert!(serde_json::to_string(&reply.content).is_ok());
    }
});
