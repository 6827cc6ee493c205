//! Any text as behaviors: an error, or programs that end within their budget and leave a world that
//! can be saved.
#![no_main]

use gtm_read::RuleFiller;
use gtm_world::{Behaviors, Clock, Library, Limits, Program, Value, World};
use libfuzzer_sys::fuzz_target;
use serde_json::json;
use std::sync::Arc;

fuzz_target!(|text: &str| {
    let Ok(document) = gtm_tool::parse_document(text.as_bytes(), &gtm_tool::Limits::default()) else { return };
    let Ok(behaviors) = serde_json::from_value::<Behaviors>(document) else { return };
    let limits = Limits { fuel: 100_000, call_bytes: 1 << 20, ..Limits::default() };
    let Ok(library) = Library::new(&behaviors, limits).map(Arc::new) else { return };
    let state = json!({"a": {"x": {"id": "x", "n": 1}, "y": {"id": "y", "n": 2}}, "b": [1, {"id": 3}], "c": "text", "d": 5});
    let args = Value::from(json!({"id": "x", "n": 2, "text": "some text", "list": [3, 1, 2]}));
    for open in [false, true] {
        let Ok(mut world) = World::new(state.clone().into(), 1, open, &Clock::default()) else { return };
        for (tool, behavior) in &behaviors.behaviors {
            let Ok(program) = Program::compile(tool, behavior, None, &library) else { continue };
            let first = program.run(&world, &args, &RuleFiller);
            let second = program.run(&world, &args, &RuleFiller);
            match (first, second) {
                (Ok(first), Ok(second)) => {
                    assert_eq!(first.reply.to_json().to_string(), second.reply.to_json().to_string());
                    world = first.world;
                }
                (Err(first), Err(second)) => assert_eq!(first, second),
                _ => panic!("the same call gave a reply and an error"),
            }
        }
        assert_eq!(World::restore(&world.save()).expect("a saved world is restored").save(), world.save());
    }
});
