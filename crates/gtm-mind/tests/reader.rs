//! Whatever the weights are, reading gives behaviors that compile, and the same ones every time.

use gtm_mind::{ModelReader, ReadOptions};
use gtm_model::{
    Config, END, EngineOptions, LanguageModel, ModelOptions, Params, Precision, Request, Tokenizer,
};
use gtm_read::prompt::read::Toolset;
use gtm_read::{ReadInput, Reader, RuleReader, Rung};
use gtm_tool::ToolSpec;
use gtm_world::{Library, Limits, Program};
use serde_json::{Value as Json, json};
use std::sync::Arc;

fn tools() -> Vec<ToolSpec> {
    let tool = |name: &str, description: &str, parameters: Json| ToolSpec {
        name: name.into(),
        description: description.into(),
        parameters,
        ..ToolSpec::default()
    };
    let id =
        json!({"type": "object", "properties": {"parcel_id": {"type": "string"}}, "required": ["parcel_id"]});
    vec![
        tool("get_parcel", "Returns a parcel.", id.clone()),
        tool("hold_parcel", "Holds a parcel at the depot.", id),
        tool(
            "frobnicate",
            "Frobnicates.",
            json!({"type": "object", "properties": {"by": {"type": "integer"}}}),
        ),
    ]
}

fn state() -> Json {
    json!({"parcels": {
        "P1": {"parcel_id": "P1", "status": "moving", "weight": 2},
        "P2": {"parcel_id": "P2", "status": "held", "weight": 7},
        "P3": {"parcel_id": "P3", "status": "moving", "weight": 1},
    }})
}

/// A model that has learned nothing, with opinions all the same.
fn model(threads: usize) -> Arc<LanguageModel> {
    let toolset = Toolset::new(&tools(), &state());
    let texts: Vec<String> = tools()
        .iter()
        .map(|tool| {
            format!(
                "{}\nget Ca ; id Pb\nneed it Mc == Vd ; conflict\nreply obj {{ it : Ma , Mc }}",
                toolset.ask(tool).prompt()
            )
        })
        .collect();
    let tokenizer = Tokenizer::train(texts.into_iter(), 400).expect("a tokenizer");
    let config = Config {
        vocab_size: tokenizer.len(),
        hidden_size: 32,
        intermediate_size: 48,
        layers: 2,
        heads: 2,
        kv_heads: 1,
        head_dim: 16,
        norm_eps: 1e-6,
        rope_theta: 10_000.0,
        tied: true,
        max_positions: 2_048,
        eos: vec![tokenizer.special(END).expect("an end")],
    };
    let mut params = Params::init(&config, 5).expect("parameters");
    params.data.iter_mut().for_each(|v| *v *= 4.0);
    let engine = EngineOptions { precision: Precision::F32, threads, ..EngineOptions::default() };
    let options = ModelOptions { engine, ..ModelOptions::default() };
    Arc::new(LanguageModel::new(&params, tokenizer, &options).expect("a model"))
}

#[test]
fn every_finished_answer_is_understood() {
    let model = model(1);
    let (tools, state) = (tools(), state());
    let toolset = Toolset::new(&tools, &state);
    let mut finished = 0;
    for tool in &tools {
        let question = toolset.ask(tool);
        let grammar = model.grammars().lark(&question.grammar()).expect("a grammar");
        for seed in 0..12 {
            let request = Request {
                prefix: Arc::new([]),
                prompt: model.tokenizer().encode(question.prompt()).expect("tokens"),
                grammar: grammar.clone(),
                max_tokens: 200,
                temperature: 1.0,
                seed,
            };
            let completion = model.complete(request).expect("a text");
            let text = model.tokenizer().decode(&completion.tokens);
            if completion.complete {
                finished += 1;
                question.understand(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
            }
        }
    }
    assert!(finished > 5, "only {finished} answers came to an end");
}

#[test]
fn reading_never_fails_and_repeats() {
    let (tools, state) = (tools(), state());
    let input = ReadInput { tools: &tools, initial_state: &state };
    let anything =
        ReadOptions { answers: 6, max_tokens: 120, temperature: 1.0, over_nothing: 0.0, over_rules: 0.0 };
    let first = ModelReader::new(model(1), anything).read(&input);
    let second = ModelReader::new(model(2), anything);
    assert_eq!(second.read(&input), first);
    assert_eq!(second.read(&input), first, "and when it is asked again");
    let library = Arc::new(Library::new(&first.behaviors, Limits::default()).expect("a library"));
    for tool in &tools {
        let behavior = &first.behaviors.behaviors[&tool.name];
        Program::compile(&tool.name, behavior, None, &library).expect("a program");
        let read = first.rungs[&tool.name] == Rung::Model;
        assert_eq!(first.confidence.contains_key(&tool.name), read);
    }
}

#[test]
fn without_confidence_the_rules_stand() {
    let (tools, state) = (tools(), state());
    let input = ReadInput { tools: &tools, initial_state: &state };
    let never = ReadOptions {
        over_nothing: 1.1,
        over_rules: 1.1,
        answers: 2,
        max_tokens: 40,
        ..ReadOptions::default()
    };
    assert_eq!(ModelReader::new(model(1), never).read(&input), RuleReader.read(&input));
}
