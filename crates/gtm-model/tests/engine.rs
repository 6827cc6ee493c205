//! The engine and generation: what a sequence gets never depends on its company, its history of steps or the threads;
//! texts follow their grammars; memory is bounded.

use gtm_error::Code;
use gtm_model::{
    Batch, Completion, Config, END, Engine, EngineOptions, Feed, Grammars, LanguageModel, ModelOptions,
    Params, Precision, Request, Rng, Sequence, Tokenizer, Want,
};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

fn tokenizer() -> Tokenizer {
    let words = [
        "order", "status", "pending", "shipped", "name", "count", "items", "\": \"", "{\"", "\"}", "true",
        "42",
    ];
    let texts =
        (0..600).map(move |i| format!("{}{} {} {i}", words[i % 12], words[i / 12 % 12], words[i / 5 % 12]));
    Tokenizer::train(texts, 420).unwrap()
}

fn params(tokenizer: &Tokenizer) -> Params {
    let config = Config {
        vocab_size: tokenizer.len(),
        hidden_size: 64,
        intermediate_size: 96,
        layers: 2,
        heads: 4,
        kv_heads: 2,
        head_dim: 16,
        norm_eps: 1e-6,
        rope_theta: 10_000.0,
        tied: true,
        max_positions: 1_024,
        eos: vec![tokenizer.special(END).unwrap()],
    };
    let mut params = Params::init(&config, 1).unwrap();
    // Fresh weights make every token about as likely as any other; these have opinions.
    params.data.iter_mut().for_each(|v| *v *= 4.0);
    params
}

fn options(precision: Precision, threads: usize, cache_tokens: usize) -> EngineOptions {
    // One position takes 2 layers · 2 heads · 16 · 2 floats.
    EngineOptions { precision, threads, context: 512, cache_bytes: cache_tokens * 2 * 2 * 16 * 2 * 4 }
}

fn feed(engine: &Engine, sequence: &mut Sequence, tokens: &[u32]) -> Vec<f32> {
    engine.step(&mut [Feed { sequence, tokens, want: Want::All }]).unwrap().remove(0)
}

#[test]
fn logits_depend_on_nothing_but_the_tokens_before() {
    let tokenizer = tokenizer();
    let params = params(&tokenizer);
    let vocab = params.config.vocab_size;
    let mut rng = Rng::new(2);
    for precision in [Precision::F32, Precision::Bf16, Precision::Q8] {
        let engine = Engine::new(&params, &options(precision, 1, 16_384));
        let texts: Vec<Vec<u32>> =
            [5, 70, 1, 33, 130].map(|n| (0..n).map(|_| rng.below(vocab) as u32).collect()).to_vec();
        let whole: Vec<Vec<f32>> = texts.iter().map(|t| feed(&engine, &mut engine.sequence(), t)).collect();
        for threads in [2, 3] {
            let engine = Engine::new(&params, &options(precision, threads, 16_384));
            let mut sequences = vec![engine.sequence(); texts.len()];
            let mut fed = vec![0; texts.len()];
            let mut got = vec![Vec::new(); texts.len()];
            // Random cuts, in random company, in random order.
            while fed.iter().zip(&texts).any(|(fed, text)| *fed < text.len()) {
                let mut picked: Vec<usize> =
                    (0..texts.len()).filter(|&i| fed[i] < texts[i].len() && rng.below(3) > 0).collect();
                rng.shuffle(&mut picked);
                let mut by_text: Vec<Option<&mut Sequence>> = sequences.iter_mut().map(Some).collect();
                let mut feeds = Vec::new();
                for &i in &picked {
                    let len = 1 + rng.below(texts[i].len() - fed[i]);
                    feeds.push(Feed {
                        sequence: by_text[i].take().unwrap(),
                        tokens: &texts[i][fed[i]..fed[i] + len],
                        want: Want::All,
                    });
                    fed[i] += len;
                }
                for (i, logits) in picked.iter().zip(engine.step(&mut feeds).unwrap()) {
                    got[*i].extend(logits);
                }
            }
            assert!(got == whole, "{precision:?}, {threads} threads");
        }
    }
}

#[test]
fn forks_go_their_own_way_and_truncation_goes_back() {
    let tokenizer = tokenizer();
    let engine = Engine::new(&params(&tokenizer), &options(Precision::Q8, 2, 4_096));
    let text: Vec<u32> = (0..75).collect();
    let mut first = engine.sequence();
    feed(&engine, &mut first, &text[..40]);
    let before = engine.in_use();
    let mut forks = vec![first.clone(); 5];
    assert_eq!(engine.in_use(), before, "a fork costs nothing until it is used");
    for (i, fork) in forks.iter_mut().enumerate() {
        let tail = [7 + i as u32, 3, 9];
        let mut plain = engine.sequence();
        let wanted = feed(&engine, &mut plain, &[&text[..40], &tail].concat());
        assert!(wanted.ends_with(&feed(&engine, fork, &tail)));
    }
    let rest = feed(&engine, &mut first, &text[40..]);
    first.truncate(40);
    assert!(rest == feed(&engine, &mut first, &text[40..]));
    first.truncate(11);
    let mut plain = engine.sequence();
    feed(&engine, &mut plain, &text[..11]);
    assert!(feed(&engine, &mut plain, &[1, 2]) == feed(&engine, &mut first, &[1, 2]));
    drop((forks, first, plain));
    assert_eq!(engine.in_use(), 0);
}

#[test]
fn memory_and_context_are_bounded_and_a_refused_step_changes_nothing() {
    let tokenizer = tokenizer();
    let engine = Engine::new(&params(&tokenizer), &options(Precision::Q8, 1, 128));
    let mut a = engine.sequence();
    let mut b = engine.sequence();
    feed(&engine, &mut a, &[1; 60]);
    let both = &mut [
        Feed { sequence: &mut a, tokens: &[2; 10], want: Want::Last },
        Feed { sequence: &mut b, tokens: &[2; 60], want: Want::Last },
    ];
    assert_eq!(engine.step(both).unwrap_err().code(), Code::ModelLimit);
    assert_eq!((a.len(), b.len(), engine.in_use()), (60, 0, 64));
    let long = engine.step(&mut [Feed { sequence: &mut b, tokens: &[2; 513], want: Want::Last }]);
    assert_eq!(long.unwrap_err().code(), Code::ModelLimit);
    let unknown = engine.step(&mut [Feed { sequence: &mut b, tokens: &[1_000_000], want: Want::Last }]);
    assert_eq!(unknown.unwrap_err().code(), Code::ModelInvalid);
    let other = Engine::new(&params(&tokenizer), &options(Precision::Q8, 1, 128));
    let foreign = other.step(&mut [Feed { sequence: &mut a, tokens: &[1], want: Want::Last }]);
    assert_eq!(foreign.unwrap_err().code(), Code::ModelInvalid);
}

fn schemas() -> Vec<Value> {
    vec![
        json!({"type": "object", "properties": {"status": {"enum": ["pending", "shipped"]}, "count": {"type": "integer", "minimum": 0, "maximum": 9_999}},
               "required": ["status", "count"], "additionalProperties": false}),
        json!({"type": "object", "properties": {"name": {"type": "string", "maxLength": 12}, "open": {"type": "boolean"}},
               "required": ["name", "open"], "additionalProperties": false}),
        json!({"type": "array", "items": {"enum": ["order", "items"]}, "minItems": 1, "maxItems": 3}),
    ]
}

/// Requests of many kinds: shared and private prefixes, greedy and sampled, short and cut.
fn requests(tokenizer: &Tokenizer, grammars: &Grammars) -> Vec<Request> {
    let schemas = schemas();
    let prefixes: Vec<Arc<[u32]>> =
        ["", "order status pending shipped name count items ", "items true true true 42 42 order name "]
            .map(|text| tokenizer.encode(text).unwrap().into())
            .to_vec();
    (0..18)
        .map(|i| Request {
            prefix: Arc::clone(&prefixes[i % 3]),
            prompt: tokenizer.encode(&format!("order {} name {i}", i * 7)).unwrap(),
            grammar: grammars.json(&schemas[i / 3 % 3]).unwrap(),
            max_tokens: if i == 4 { 3 } else { 60 },
            temperature: if i % 2 == 0 { 0.0 } else { 1.0 },
            seed: i as u64,
        })
        .collect()
}

fn run(engine: &Engine, requests: &[Request], order: &[usize], apart: usize) -> Vec<Completion> {
    let mut batch = Batch::new();
    let mut out: Vec<Option<Completion>> = vec![None; requests.len()];
    let mut tickets = std::collections::HashMap::new();
    let mut left = order.iter();
    while out.iter().any(Option::is_none) {
        for &i in left.by_ref().take(apart) {
            tickets.insert(batch.push(engine, requests[i].clone()).unwrap(), i);
        }
        for (ticket, result) in batch.step(engine) {
            out[tickets[&ticket]] = Some(result.unwrap());
        }
    }
    assert!(batch.is_empty());
    out.into_iter().flatten().collect()
}

#[test]
fn texts_are_the_same_in_any_company_order_and_team() {
    let tokenizer = Arc::new(tokenizer());
    let params = params(&tokenizer);
    let grammars = Grammars::new(Arc::clone(&tokenizer), params.config.eos[0]).unwrap();
    let requests = requests(&tokenizer, &grammars);
    let engine = Engine::new(&params, &options(Precision::Q8, 1, 8_192));
    let alone: Vec<Completion> =
        requests.iter().map(|r| run(&engine, std::slice::from_ref(r), &[0], 1).remove(0)).collect();
    let mut order: Vec<usize> = (0..requests.len()).collect();
    for (threads, apart, cache) in [(1, 18, 8_192), (2, 1, 8_192), (2, 5, 400), (3, 18, 500)] {
        Rng::new(apart as u64).shuffle(&mut order);
        let engine = Engine::new(&params, &options(Precision::Q8, threads, cache));
        assert!(run(&engine, &requests, &order, apart) == alone, "{threads} threads, {apart} at a time");
    }
    let mut complete = 0;
    for (i, completion) in alone.iter().enumerate() {
        let text = tokenizer.decode(&completion.tokens);
        println!("{text}");
        assert!(completion.log_probability <= 0.0 && completion.tokens.len() <= requests[i].max_tokens);
        if !completion.complete {
            assert_eq!(completion.tokens.len(), requests[i].max_tokens);
            continue;
        }
        complete += 1;
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value.to_string(), text, "written without white space");
        match i / 3 % 3 {
            0 => assert!(
                matches!(value["status"].as_str(), Some("pending" | "shipped")) && value["count"].is_number()
            ),
            1 => assert!(value["name"].as_str().unwrap().chars().count() <= 12 && value["open"].is_boolean()),
            _ => assert!((1..=3).contains(&value.as_array().unwrap().len())),
        }
        assert!(i / 3 % 3 == 2 || completion.forced > 0, "keys are forced, not sampled");
    }
    assert!(complete > 9 && !alone[4].complete);
}

#[test]
fn grammars_are_refused_not_dropped() {
    let tokenizer = Arc::new(tokenizer());
    let grammars = Grammars::new(Arc::clone(&tokenizer), tokenizer.special(END).unwrap()).unwrap();
    let mut deep = json!({"type": "string"});
    for _ in 0..150 {
        deep = json!({"type": "array", "items": deep});
    }
    for schema in [json!(false), json!({"type": "nonsense"}), json!({"$ref": "http://example.com/x"}), deep] {
        assert_eq!(grammars.json(&schema).err().map(|e| e.code()), Some(Code::GrammarInvalid), "{schema}");
    }
    assert_eq!(grammars.lark("start: (").err().map(|e| e.code()), Some(Code::GrammarInvalid));
    assert!(grammars.lark("start: \"yes\" | \"no\"").is_ok());
}

#[test]
fn a_model_serves_many_threads_and_refuses_what_cannot_be() {
    let tokenizer = tokenizer();
    let params = params(&tokenizer);
    let options = ModelOptions { engine: options(Precision::Q8, 2, 2_048), queue: 64 };
    let model = LanguageModel::new(&params, tokenizer, &options).unwrap();
    let requests = requests(model.tokenizer(), model.grammars());
    let alone: Vec<Completion> = requests.iter().map(|r| model.complete(r.clone()).unwrap()).collect();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (model, requests, alone) = (&model, &requests, &alone);
            scope.spawn(move || {
                for i in 0..requests.len() {
                    let i = (i * 5 + thread) % requests.len();
                    assert!(model.complete(requests[i].clone()).unwrap() == alone[i]);
                }
            });
        }
    });
    let refused = |change: &dyn Fn(&mut Request)| {
        let mut request = requests[1].clone();
        change(&mut request);
        model.complete(request).unwrap_err().code()
    };
    assert_eq!(refused(&|r| r.max_tokens = usize::MAX), Code::ModelLimit);
    assert_eq!(refused(&|r| r.max_tokens = 0), Code::ModelLimit);
    assert_eq!(refused(&|r| r.prompt = vec![9_999_999]), Code::ModelInvalid);
    // Given up at once; the rest goes on.
    let late = model.submit(requests[1].clone()).unwrap().wait_for(Duration::ZERO);
    assert!(late.is_err_and(|e| e.code() == Code::ModelCancelled));
    drop(model.submit(requests[2].clone()).unwrap());
    assert!(model.complete(requests[3].clone()).unwrap() == alone[3]);
}
