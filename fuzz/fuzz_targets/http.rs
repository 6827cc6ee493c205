//! Any bytes as an HTTP request's path and body, on every face: an answer with a JSON body or none,
//! never a panic.
#![no_main]

mod server;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|request: (u8, &str, &[u8])| {
    const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    const PREFIXES: [&str; 7] = ["", "/v1/", "/v1/sessions/fuzz/", "/r/fuzz/", "/s/fuzz/", "/v1/sessions/fuzz/call", "/r/fuzz/pets"];
    let (choice, path, body) = request;
    let path = format!("{}{path}", PREFIXES[usize::from(choice) / 6 % PREFIXES.len()]);
    server::send(METHODS[usize::from(choice) % METHODS.len()], &path, body);
});
