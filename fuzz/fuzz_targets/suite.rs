//! Any text as a session of a suite: an error, or a session that can be measured without a panic.
#![no_main]

use gtm_eval::{Session, ToolCache};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &str| {
    match Session::parse(line, &ToolCache::default()) {
        Ok(session) => assert!(session.turns.len() <= line.len()),
        Err(error) => assert!(!error.message().is_empty()),
    }
});
