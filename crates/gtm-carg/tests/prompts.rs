//! What behaviors say as completions, and what those say back, does the same.

use gtm_carg::catalogue::Catalogue;
use gtm_carg::dataset::Config;
use gtm_carg::session::generate;
use gtm_carg::trace::Trace;
use gtm_read::prompt::read::Toolset;
use gtm_world::{Behavior, Clock, Filler, Library, Limits, Program, Slot, Value, World};
use serde_json::Value as Json;
use std::path::Path;
use std::sync::Arc;

struct NothingToFill;

impl Filler for NothingToFill {
    fn fill(&self, _: &Slot<'_>) -> Value {
        Value::Null
    }
}

/// What a call does, messages left out: reply or kind of failure, and the state afterwards.
fn effect(program: &Program, world: &World, arguments: &Json) -> (Result<Json, &'static str>, Json) {
    match program.run(world, &Value::from(arguments), &NothingToFill) {
        Ok(outcome) => (Ok(outcome.reply.to_json()), outcome.world.state().to_json()),
        Err(error) => (Err(error.kind.name()), world.state().to_json()),
    }
}

#[derive(Default)]
struct Tally {
    tools: usize,
    said: usize,
    spelled: usize,
    words: usize,
    prompt_bytes: usize,
    completion_bytes: usize,
    calls: usize,
}

fn check(trace: &Trace, tally: &mut Tally) {
    let toolset = Toolset::new(&trace.tools, &trace.initial_state);
    let library = Arc::new(Library::new(&trace.behaviors, Limits::default()).expect("a library"));
    let compile = |name: &str, behavior: &Behavior| Program::compile(name, behavior, None, &library);
    let mut pairs = std::collections::BTreeMap::new();
    for tool in &trace.tools {
        let behavior = &trace.behaviors.behaviors[&tool.name];
        tally.tools += 1;
        let question = toolset.ask(tool);
        let Some(completion) = question.answer(behavior) else {
            eprintln!("not said: {}", serde_json::to_string(behavior).unwrap());
            continue;
        };
        let understood = question.understand(&completion);
        let understood = understood.unwrap_or_else(|e| panic!("{e}: {completion}\n{}", question.prompt()));
        assert_eq!(question.answer(&understood).as_ref(), Some(&completion), "one way to say it");
        let program = compile(&tool.name, &understood).unwrap_or_else(|e| panic!("{e}: {completion}"));
        tally.said += 1;
        tally.words += completion.split_whitespace().count();
        tally.spelled += completion.matches('`').count() / 2;
        tally.prompt_bytes += question.prompt().len();
        tally.completion_bytes += completion.len();
        pairs.insert(tool.name.as_str(), (compile(&tool.name, behavior).unwrap(), program));
    }
    let clock = Clock { start: "2025-06-02T08:00:00Z".into(), tick_s: 30 };
    let mut world =
        World::new(Value::from(&trace.initial_state), trace.seed, false, &clock).expect("a world");
    for turn in &trace.turns {
        let Some((original, understood)) = pairs.get(turn.call.name.as_str()) else { continue };
        tally.calls += 1;
        let arguments = &turn.call.arguments;
        let (reply, after) = effect(original, &world, arguments);
        assert_eq!((reply, after), effect(understood, &world, arguments), "{}: {arguments}", turn.call.name);
        if let Ok(outcome) = original.run(&world, &Value::from(arguments), &NothingToFill) {
            world = outcome.world;
        }
    }
}

#[test]
fn completions_do_what_the_behaviors_do() {
    let packs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../packs"));
    let catalogue = Catalogue::load(&[packs.to_path_buf()]).expect("sound packs");
    let recipe = catalogue.recipe(&Config { seed: 11, ..Config::default() });
    let mut tally = Tally::default();
    for number in 0..80 {
        let trace = generate(&catalogue, &recipe, number).expect("a session");
        check(&trace, &mut tally);
    }
    let Tally { tools, said, spelled, words, prompt_bytes, completion_bytes, calls } = tally;
    println!(
        "{said} of {tools} tools can be said; {spelled} of {words} words spell a name; prompts have {} bytes, \
         completions {}; {calls} calls do the same",
        prompt_bytes / said,
        completion_bytes / said
    );
    // What is spelled are members of replies that the spec does not declare.
    assert!(said * 100 >= tools * 99 && spelled * 25 <= words && calls > 500);
}
