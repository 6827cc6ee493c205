//! Expressions come from people nobody knows: none may panic, overflow the stack or run for long.

use gtm_world::cel::{Expr, Function, Scope, Template};
use gtm_world::{Budget, ErrorKind, Limits, ToolError, Value};
use proptest::prelude::*;
use serde_json::json;
use std::time::{Duration, Instant};

/// Runs on a stack of 2 MiB, as server threads have it.
fn on_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(work).expect("a thread starts");
    thread.join().expect("no panic and no overflow")
}

fn scope() -> Scope {
    let state = json!({
        "big": (0..10_000).collect::<Vec<i64>>(),
        "same": (0..10_000).collect::<Vec<i64>>(),
        "records": (0..2_000).map(|i| (format!("r{i}"), json!({"n": i, "t": "x".repeat(50)}))).collect::<serde_json::Map<_, _>>(),
        "long": "é".repeat(100_000),
        "a": {"b": [1, 2, {"c": "d"}]}, "x": 1, "s": "text", "f": 1.5, "nil": null, "t": true,
    });
    Scope::new(state.into(), 1_709_634_030)
}

/// Evaluates and checks that what came out was paid for.
fn eval(text: &str, scope: &Scope) -> Option<Result<Value, ToolError>> {
    let expr = Expr::parse(text).ok()?;
    Some(expr.eval(scope, &mut Budget::new(&Limits::default())))
}

#[test]
fn deep_and_long_texts_are_refused_quickly() {
    on_small_stack(|| {
        let n = 100_000;
        for part in [
            "(", "!", "-", "a+", "[", "{'a':", "a.", "a[", "f(", "a?", "a?b:", "a&&", "x||!", "'", "`",
            "a.map(x,", "has(", "- -", "//", "{", "1e", "\\",
        ] {
            for text in [
                part.repeat(n),
                part.repeat(8_000 / part.len()),
                format!("{}1", part.repeat(1_000 / part.len())),
            ] {
                let start = Instant::now();
                // Some of the shorter ones are valid; what counts is that all of them end.
                if let Ok(expr) = Expr::parse(&text) {
                    let _ = expr.eval(&Scope::new(Value::map(), 0), &mut Budget::new(&Limits::default()));
                    let _ = (expr.free_names().len(), expr.clone());
                }
                let _ = Template::parse(&format!("{{{text}}}"));
                let _ = Template::parse(&text);
                assert!(start.elapsed() < Duration::from_millis(500), "{part} × {}", text.len());
            }
        }
    });
}

#[test]
fn the_deepest_expressions_that_parse_also_evaluate() {
    on_small_stack(|| {
        let nested: [fn(usize) -> String; 10] = [
            |n| format!("{}1{}", "(".repeat(n), ")".repeat(n)),
            |n| format!("{}true", "!".repeat(n)),
            |n| format!("1{}", "+1".repeat(n)),
            |n| format!("nil{}", ".b".repeat(n)),
            |n| format!("{}1{}", "[".repeat(n), "]".repeat(n)),
            |n| format!("{}x{}", "[1].map(x, ".repeat(n), ")".repeat(n)),
            |n| format!("{}1", "true ? 1 : ".repeat(n)),
            |n| format!("{}1{}", "abs(".repeat(n), ")".repeat(n)),
            |n| format!("{}1{}", "cel.bind(x, 1, ".repeat(n), ")".repeat(n)),
            |n| format!("{}1{}", "[1].reduce(s, x, 0, ".repeat(n), ")".repeat(n)),
        ];
        for text in nested {
            let deepest = (1..80).rev().map(text).find_map(|text| Expr::parse(&text).ok());
            let expr = deepest.expect("a shallow one parses");
            expr.eval(&scope(), &mut Budget::new(&Limits::default())).expect("evaluates");
        }
    });
}

#[test]
fn wide_expressions_are_refused_by_size() {
    let chain = (0..900).map(|i| format!("x == {i}")).collect::<Vec<_>>().join(" || ");
    assert!(Expr::parse(&chain).is_err());
    let chain = (0..400).map(|i| format!("x == {i}")).collect::<Vec<_>>().join(" || ");
    assert_eq!(eval(&chain, &scope()), Some(Ok(Value::Bool(true))));
}

#[test]
fn expensive_expressions_exhaust_the_budget() {
    on_small_stack(|| {
        let scope = scope();
        for text in [
            "big.all(a, big.all(b, big.all(c, true)))",
            "big.map(a, big.map(b, b))",
            "big.all(a, big + [1] != same)",
            "big.all(a, big == same)",
            "big.all(a, records.transformMap(k, v, v) == records)",
            "big.all(a, !(-1 in big))",
            "'x'.repeat(1000000000)",
            "'x'.repeat(9223372036854775807)",
            "range(1000000000000)",
            "range(-9223372036854775808, 9223372036854775807)",
            "padLeft('x', 9223372036854775807)",
            "long.replace('é', long)",
            "long.replace('', long)",
            "big.map(x, long).join(long)",
            "big.all(x, size(long.split('')) > 0)",
            "cel.bind(a, range(100), cel.bind(b, a.map(x, a), cel.bind(c, b.map(x, b), toJson(c.map(x, c)))))",
            "big.map(x, long).sort()",
            "big.map(x, [x]).distinct()",
            "big.all(x, long.substring(0, 60000).matches('(' + string(x) + '|é)*b'))",
            "big.all(x, similarity(long, long) > 0)",
            "big.all(x, sort(big) != [])",
            "big.all(x, flatten([big]) != [])",
            "big.all(x, groupBy(records, 't') != {})",
            "big.all(x, long + string(x) != '')",
            "big.all(x, toJson(records) != '')",
            "big.all(x, merge(records, {'x': 1}) != {})",
            "'%s'.repeat(50000).format(big.map(x, long))",
            "big.reduce(s, x, [], s + [x])",
            "big.reduce(s, x, 'x', s + s)",
            "big.reduce(s, x, 0, big.reduce(t, y, s, t + 1))",
        ] {
            let start = Instant::now();
            let error = eval(text, &scope).expect("parses").expect_err(text);
            assert_eq!(error.kind, ErrorKind::Internal, "{text}: {error}");
            assert!(start.elapsed() < Duration::from_secs(2), "{text} took {:?}", start.elapsed());
        }
    });
}

#[test]
fn what_a_reduction_nests_stays_shallow() {
    on_small_stack(|| {
        let error = eval("big.reduce(s, x, null, [s])", &scope()).expect("parses").expect_err("too deep");
        assert!(error.message.contains("nested deeper"), "{error}");
    });
}

#[test]
fn shared_values_cannot_be_walked_for_free() {
    // A list of ten, each of ten, … is small in memory, and 10^9 items to whoever walks it.
    let bomb = |end: &str| {
        (0..9).rev().fold(end.to_owned(), |inner, i| {
            let last = if i == 0 { "1".into() } else { format!("v{}", i - 1) };
            format!("cel.bind(v{i}, [{}], {inner})", vec![last; 10].join(","))
        })
    };
    for end in ["v8", "toJson(v8)", "flatten(v8, 64)", "string(v8)"] {
        let start = Instant::now();
        let error = eval(&bomb(end), &scope()).expect("parses").expect_err(end);
        assert_eq!(error.kind, ErrorKind::Internal, "{end}");
        assert!(start.elapsed() < Duration::from_secs(1), "{end} took {:?}", start.elapsed());
    }
    // What does not walk it is cheap.
    assert_eq!(eval(&bomb("size(v8)"), &scope()), Some(Ok(Value::Int(10))));
}

#[test]
fn values_cannot_grow_deep_from_step_to_step() {
    on_small_stack(|| {
        let wrap = Expr::parse(&format!("{}x{}", "[".repeat(60), "]".repeat(60))).expect("parses");
        let path = Expr::parse("setPath({}, 'a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p', x)").expect("parses");
        for expr in [wrap, path] {
            let mut scope = Scope::new(Value::map(), 0);
            let mut deepest = 0;
            for _ in 0..1_000 {
                let Ok(value) = expr.eval(&scope, &mut Budget::new(&Limits::default())) else { break };
                deepest = value.size().1;
                scope.push("x".into(), value);
            }
            assert!((100..=128).contains(&deepest), "{deepest}");
        }
    });
}

#[test]
fn hostile_patterns_end_quickly() {
    let scope = scope();
    let start = Instant::now();
    for pattern in [
        "(a*)*b",
        "(x+x+)+y",
        "(.*)(.*)(.*)(.*)[a-z]{50}q",
        "\\\\w{1000}",
        "(\\\\w{30}){30}",
        "((a{0,99}){0,99}){0,99}",
        "[^x]{200}q",
        "(é|é|é)*x",
        "(?:\\\\w{20}|.{30}){3}x",
    ] {
        let _ = eval(&format!("long.substring(0, 32000).matches('{pattern}')"), &scope);
        let _ = eval(&format!("long.substring(0, 32000).replaceRegex('{pattern}', '$0$0$0')"), &scope);
        let _ = eval(&format!("upper(long).substring(0, 32000).findAll('{pattern}')"), &scope);
        let _ = eval(
            &format!("big.all(i, long.substring(0, 100).matches('{pattern}' + string(i)) || true)"),
            &scope,
        );
    }
    let many = (0..17).map(|i| format!("matches(s, '{i}')")).collect::<Vec<_>>().join(" || ");
    assert!(Expr::parse(&many).is_err());
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn no_function_panics_on_odd_arguments() {
    on_small_stack(|| {
        let scope = scope();
        let odd = [
            "null",
            "true",
            "0",
            "-1",
            "1",
            "9223372036854775807",
            "-9223372036854775808",
            "1.5",
            "-0.0",
            "1e308",
            "5e-324",
            "''",
            "'é'",
            "'a,b'",
            "'2024-03-05'",
            "'9999-12-31T23:59:59Z'",
            "'-9999-01-01'",
            "'%Q%é%'",
            "long",
            "[]",
            "[1, 'a', null, [2], {}]",
            "big",
            "{}",
            "{'a': null, '1': 2}",
            "records",
            "'a.b[0]'",
            "'km'",
            "'desc'",
        ];
        let limits = Limits { fuel: 100_000, call_bytes: 1 << 20, ..Limits::default() };
        for function in Function::all() {
            let parameters =
                function.signature().split(" -> ").next().map_or(0, |head| head.matches(',').count() + 1);
            for count in 0..=parameters.min(4) {
                // All pairs for the first two arguments; further ones walk through the list.
                for (i, a) in odd.iter().enumerate() {
                    for (j, b) in odd.iter().enumerate() {
                        let args: Vec<&str> = (0..count)
                            .map(|at| match at {
                                0 => *a,
                                1 => *b,
                                at => odd[(i * 7 + j * 3 + at) % odd.len()],
                            })
                            .collect();
                        let text = format!("{}({})", function.name(), args.join(", "));
                        let Ok(expr) = Expr::parse(&text) else { continue };
                        let outcome = expr.eval(&scope, &mut Budget::new(&limits));
                        if let Ok(value) = outcome {
                            assert!(no_odd_numbers(&value), "{text} gave {value:?}");
                        }
                    }
                }
            }
        }
    });
}

/// JSON has no infinities; nothing may make one.
fn no_odd_numbers(value: &Value) -> bool {
    match value {
        Value::Float(x) => x.is_finite(),
        Value::List(list) => list.iter().all(no_odd_numbers),
        Value::Map(map) => map.values().all(no_odd_numbers),
        _ => true,
    }
}

/// Text that is likely to be nearly an expression.
fn soup() -> impl Strategy<Value = String> {
    let mut words: Vec<String> = [
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ".",
        ",",
        "?",
        ":",
        "!",
        "-",
        "+",
        "*",
        "/",
        "%",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "&&",
        "||",
        " in ",
        "a",
        "x",
        "s",
        "f",
        "t",
        "nil",
        "big",
        "records",
        "long",
        "a.b",
        "a.b[2].c",
        "1",
        "0",
        "2.5",
        "9223372036854775807",
        "1e308",
        "'text'",
        "'é'",
        "''",
        "true",
        "false",
        "null",
        ".map(x, x)",
        ".filter(x, ",
        ".all(x, ",
        ".exists(x, ",
        "has(a.b)",
        "cel.bind(x, ",
        "'[a-z]+'",
        "'2024-03-05'",
        "'%s'",
        "\"",
        "`",
        "\\",
        "r'",
        "'''",
        "//",
        "\n",
        "é",
    ]
    .map(str::to_owned)
    .to_vec();
    words.extend(Function::all().map(|function| format!("{}(", function.name())));
    words.extend(Function::all().map(|function| format!(".{}(", function.name())));
    prop::collection::vec(prop::sample::select(words), 1..30).prop_map(|parts| parts.concat())
}

/// Text that is an expression.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "a",
        "x",
        "s",
        "f",
        "t",
        "nil",
        "a.b",
        "a.b[2].c",
        "1",
        "-3",
        "0",
        "2.5",
        "9223372036854775807",
        "'text'",
        "'12'",
        "''",
        "true",
        "null",
        "[1, 2, 3]",
        "['b', 'a']",
        "{'k': 1}",
        "records.r1",
        "'2024-03-05'",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(5, 40, 3, |inner| {
        let op = prop::sample::select(vec!["+", "-", "*", "/", "%", "==", "!=", "<", ">=", "&&", "||", "in"]);
        let all: Vec<&'static str> = Function::all().map(Function::name).collect();
        let function = prop::sample::select(all);
        prop_oneof![
            (inner.clone(), op, inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            (function, prop::collection::vec(inner.clone(), 0..4))
                .prop_map(|(f, args)| format!("{f}({})", args.join(", "))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}.map(x, {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}].exists(x, {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[{b}]")),
            inner.prop_map(|a| format!("!({a})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn soup_neither_panics_nor_runs_away(text in soup()) {
        let scope = scope_once();
        let limits = Limits { fuel: 50_000, call_bytes: 1 << 20, ..Limits::default() };
        if let Ok(expr) = Expr::parse(&text) {
            let _ = expr.eval(scope, &mut Budget::new(&limits));
            let _ = expr.free_names();
        }
        if let Ok(template) = Template::parse(&text) {
            let _ = template.render(scope, &mut Budget::new(&limits));
        }
    }

    #[test]
    fn expressions_are_deterministic_and_give_json(text in expression()) {
        let run = || {
            // A scope keeps the patterns that it has compiled: each run has its own, as each call does.
            let scope = scope_once().clone();
            let mut budget = Budget::new(&Limits { fuel: 50_000, call_bytes: 1 << 20, ..Limits::default() });
            let outcome = Expr::parse(&text).ok().map(|expr| expr.eval(&scope, &mut budget));
            (outcome, budget.fuel())
        };
        let (first, second) = (run(), run());
        prop_assert_eq!(&first, &second);
        if let (Some(Ok(value)), _) = &first {
            prop_assert!(no_odd_numbers(value));
        }
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in any::<String>()) {
        let _ = Expr::parse(&text);
        let _ = Template::parse(&text);
    }
}

/// Building the scope takes longer than using it.
fn scope_once() -> &'static Scope {
    static SCOPE: std::sync::OnceLock<Scope> = std::sync::OnceLock::new();
    SCOPE.get_or_init(scope)
}
