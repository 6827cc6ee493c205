//! Any bytes as an MCP frame, in the current and the previous protocol revision.
#![no_main]

mod server;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    server::send("POST", "/s/fuzz/mcp", body);
});
