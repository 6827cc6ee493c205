//! Hostile schemas and documents: each is refused, or compiled, soon, on a 2 MiB stack.

use gtm_error::Code;
use gtm_tool::{Checker, Limits, admit, import, parse_document};
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};

/// Generous: the bar is 250 ms, on a machine that does nothing else, in release.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs on a thread with the stack of a server's worker.
fn small_stack<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let start = Instant::now();
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(work).expect("a thread starts");
    let result = thread.join().unwrap_or_else(|_| panic!("{name} panicked"));
    let took = start.elapsed();
    println!("{name}: {took:?}");
    assert!(took < PATIENCE, "{name} took {took:?}");
    result
}

/// Compiles the schema and checks the values; the code it was refused with, if any.
fn compile(name: &str, schema: Value, values: Vec<Value>) -> Option<Code> {
    let code = small_stack(name, move || {
        let result = Checker::new(&schema, &Limits::default());
        let code = result.as_ref().err().map(|error| error.code());
        if let Ok(checker) = &result {
            for value in &values {
                let _ = checker.check(value);
            }
        }
        // Dropping recurses too; the builder of a very deep value must not have to.
        std::mem::forget(schema);
        code
    });
    println!("  {code:?}");
    code
}

/// `levels` definitions, each applying the next by `shape`.
fn chain(levels: usize, last: Value, shape: impl Fn(Value) -> Value) -> Value {
    let mut defs = Map::new();
    for i in 0..levels {
        defs.insert(format!("n{i}"), shape(json!({"$ref": format!("#/$defs/n{}", i + 1)})));
    }
    defs.insert(format!("n{levels}"), last);
    json!({"$ref": "#/$defs/n0", "$defs": defs})
}

fn nested(levels: usize, mut inner: Value, wrap: impl Fn(Value) -> Value) -> Value {
    for _ in 0..levels {
        inner = wrap(inner);
    }
    inner
}

fn object(key: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(key.to_owned(), value)]))
}

#[test]
fn doubling_references() {
    let too_large = Some(Code::SpecTooLarge);
    for levels in [26, 40, 4_000] {
        let string = || json!({"type": "string"});
        let values = vec![json!("x"), json!(1)];
        let name = |what: &str| format!("{what}, {levels} levels");
        assert_eq!(
            compile(&name("allOf"), chain(levels, string(), |n| json!({"allOf": [n, n]})), values.clone()),
            too_large
        );
        assert_eq!(
            compile(&name("oneOf"), chain(levels, string(), |n| json!({"oneOf": [n, n]})), values.clone()),
            too_large
        );
        assert_eq!(
            compile(&name("anyOf"), chain(levels, string(), |n| json!({"anyOf": [n, n]})), values.clone()),
            too_large
        );
        let mixed = |n: Value| json!({"if": n, "then": n, "else": n, "dependentSchemas": {"a": n}});
        assert_eq!(compile(&name("if"), chain(levels, string(), mixed), values.clone()), too_large);
        // One reference each, but evaluated twice at every level.
        let unevaluated = |n: Value| json!({"anyOf": [n], "unevaluatedProperties": false});
        assert_eq!(compile(&name("unevaluated"), chain(levels, string(), unevaluated), values), too_large);
    }
}

#[test]
fn doubling_through_one_property() {
    let branch = |n: Value| json!({"anyOf": [{"properties": {"a": n}, "required": ["x"]}, {"properties": {"a": n}, "required": ["y"]}]});
    let value = nested(60, json!(1), |inner| json!({"a": inner}));
    assert_eq!(
        compile("property bomb", chain(40, json!({}), branch), vec![value.clone()]),
        Some(Code::SpecTooLarge)
    );
    // The same by recursion: cheap as a schema, refused by the depth of the value.
    let recursive = json!({"anyOf": [
        {"properties": {"a": {"$ref": "#"}}, "required": ["x"]},
        {"properties": {"a": {"$ref": "#"}}, "required": ["y"]},
    ]});
    let checker = Checker::new(&recursive, &Limits::default()).expect("recursion through a property is fine");
    let violation = checker.check(&value).expect_err("too deep");
    assert_eq!(violation.keyword, "maxDepth");
    assert_eq!(compile("recursive property", recursive, vec![value]), None);
}

#[test]
fn wide_sharing_is_no_bomb() {
    // 2^40 paths, but a value can only ever follow one of them at a time.
    let schema = chain(40, json!({"type": "string"}), |n| json!({"properties": {"a": n, "b": n}}));
    assert_eq!(
        compile("tree of 2^40 paths", schema, vec![nested(40, json!("x"), |v| json!({"a": v}))]),
        None
    );
}

#[test]
fn deep_nesting() {
    for levels in [100, 127, 500, 1_000, 5_000, 100_000] {
        for keyword in ["items", "not", "allOf", "default"] {
            // Built by hand: `json!` copies what it is given, level by level.
            let inner = nested(levels, Value::Object(Map::new()), |value| match keyword {
                "allOf" => object("allOf", Value::Array(vec![value])),
                "default" => Value::Array(vec![value]),
                _ => object(keyword, value),
            });
            let schema = if keyword == "default" { object("default", inner) } else { inner };
            let code = compile(&format!("{levels} nested {keyword}"), schema, vec![json!([])]);
            let expected =
                (levels > 127 || (keyword == "allOf" && levels > 63)).then_some(Code::SpecTooLarge);
            assert_eq!(code, expected, "{levels} {keyword}");
        }
    }
}

#[test]
fn long_reference_chains() {
    // A chain of references costs one stack frame each in a validator.
    let too_large = Some(Code::SpecTooLarge);
    assert_eq!(
        compile("chain of 30,000 references", chain(30_000, json!({}), |n| n), vec![json!(1)]),
        too_large
    );
    let chained = |n: Value| json!({"anyOf": [n, {"type": "null"}]});
    assert_eq!(compile("chain of 300 anyOf", chain(300, json!(false), chained), vec![json!(1)]), too_large);
    assert_eq!(compile("chain of 100 anyOf", chain(100, json!(false), chained), vec![json!(1)]), None);
    // Many such chains, one at each level of a deep value.
    let mut defs = Map::new();
    for i in 0..80 {
        defs.insert(format!("n{i}"), json!({"anyOf": [{"$ref": format!("#/$defs/n{}", i + 1)}]}));
    }
    defs.insert("n80".into(), json!({"items": {"$ref": "#/$defs/n0"}}));
    let schema = json!({"$ref": "#/$defs/n0", "$defs": defs});
    let value = nested(120, json!([]), |v| json!([v]));
    assert_eq!(compile("chains at 120 levels", schema, vec![value]), None);
    assert_eq!(compile("chain of 100 references", chain(100, json!({}), |n| n), vec![json!(1)]), None);
    let items = chain(20_000, json!({}), |n| json!({"items": n}));
    let value = nested(120, json!(1), |v| json!([v]));
    compile("chain of 20,000 items", items, vec![value]);
}

#[test]
fn circles() {
    for schema in [
        json!({"$ref": "#"}),
        json!({"allOf": [{"$ref": "#"}]}),
        json!({"not": {"$ref": "#"}}),
        json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"anyOf": [{"$ref": "#/$defs/a"}]}}}),
        json!({"$dynamicRef": "#x", "$dynamicAnchor": "x"}),
    ] {
        assert_eq!(compile("circle", schema, vec![json!(1)]), Some(Code::SchemaInvalid));
    }
    let list = json!({"properties": {"next": {"$ref": "#"}, "value": {"type": "integer"}}});
    assert_eq!(compile("linked list", list, vec![nested(100, json!({}), |v| json!({"next": v}))]), None);
}

#[test]
fn sizes() {
    let too_large = Some(Code::SpecTooLarge);
    let values: Vec<Value> = (0..100_000).map(|i| json!(format!("v{i}"))).collect();
    assert_eq!(compile("enum of 100,000", json!({"enum": values}), vec![]), too_large);
    let properties: Map<String, Value> = (0..50_000).map(|i| (format!("p{i}"), json!({}))).collect();
    assert_eq!(compile("50,000 properties", json!({"properties": properties}), vec![]), too_large);
    assert_eq!(compile("huge pattern", json!({"pattern": "a".repeat(1 << 20)}), vec![]), too_large);
    assert_eq!(compile("many values", json!({"anyOf": vec![json!({}); 200_000]}), vec![]), too_large);
    for n in [1e4, 1e6, 1e9, 1e300] {
        let schema = json!({"type": "array", "maxItems": n, "minItems": n, "items": {"maxLength": n}});
        assert_eq!(compile("huge bounds", schema, vec![json!([1])]), None);
    }
    let fill: Vec<Value> = (0..9_999).map(|i| json!(format!("v{i}"))).collect();
    assert_eq!(compile("largest enum", json!({"enum": fill}), vec![json!("no")]), None);
    assert_eq!(
        compile("odd numbers", json!({"multipleOf": 1_000_003, "minimum": 1e308}), vec![json!(1e308)]),
        None
    );
}

#[test]
fn regular_expressions() {
    let subject = "a".repeat(50_000) + "!";
    for pattern in [
        "^(a+)+$",
        "^(a|aa)+$",
        "(?=(a+))\\1b",
        "(?=a*b)x",
        "(?:(?=a*b)|a)*z",
        "(?=.*b)(?=.*c)(?=.*d)x",
        "(?!.*b)(?!.*c)z",
        "(?:a(?=.*!)){1,500}b",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
        "(a{1,1000}){1,1000}",
        "((a{1,100}){1,100}){1,100}",
        ".*a.{20}",
        "(x+x+)+y",
        "(?<!a)(a*)*b",
        "[",
        "(?P<n>a)(?P<n>b)",
        "\\p{Nonsense}",
        "/^abc$/i",
    ] {
        let schema = json!({"type": "string", "pattern": pattern});
        let short = &subject[subject.len() - 4_000..];
        assert_eq!(compile(pattern, schema, vec![json!(subject), json!(short), json!("x")]), None);
    }
    assert_eq!(compile("parentheses", json!({"pattern": "(".repeat(4_000)}), vec![json!("x")]), None);
    let parentheses = "(".repeat(2_000) + &")".repeat(2_000);
    assert_eq!(compile("matched parentheses", json!({"pattern": parentheses}), vec![json!("x")]), None);
}

#[test]
fn references_out_of_the_schema() {
    for target in [
        "http://127.0.0.1:9/x",
        "http://169.254.169.254/latest",
        "file:///etc/hostname",
        "../x.json",
        "\\\\h\\x",
    ] {
        let schema = json!({"properties": {"a": {"$ref": target}}});
        let error = Checker::new(&schema, &Limits::default()).expect_err("refused");
        assert_eq!(error.code(), Code::RefRefused);
        assert!(error.message().contains(target), "{error}");
    }
    // Other ways to name an address are refused or mean nothing.
    for schema in [
        json!({"$schema": "http://127.0.0.1:9/meta", "type": "string"}),
        json!({"$id": "http://127.0.0.1:9/x", "$defs": {"a": {"type": "string"}}, "$ref": "#/$defs/a"}),
        json!({"properties": {"a": {"$schema": "http://127.0.0.1:9/meta"}}}),
        json!({"properties": {"a": {"$id": "http://127.0.0.1:9/", "$ref": "#/b"}}}),
        json!({"$dynamicRef": "http://127.0.0.1:9/x#a"}),
        json!({"$recursiveRef": "http://127.0.0.1:9/x"}),
    ] {
        if let Err(error) = Checker::new(&schema, &Limits::default()) {
            println!("{}", error.message());
        }
    }
}

#[test]
fn documents() {
    let deep = |open: &str, n: usize| open.repeat(n);
    for (name, text) in [
        ("deep JSON arrays", deep("[", 100_000)),
        ("deep JSON objects", deep("{\"a\":", 100_000)),
        ("deep YAML sequence", deep("- ", 100_000)),
        ("deep YAML flow", deep("{a: ", 100_000)),
        ("deep YAML map", (0..5_000).map(|i| " ".repeat(i) + "a:\n").collect()),
        ("deep and closed", deep("[", 100_000) + &deep("]", 100_000)),
    ] {
        let error =
            small_stack(name, move || parse_document(&text, &Limits::default()).expect_err("refused"));
        assert_eq!(error.code(), Code::SpecTooLarge, "{name}: {error}");
    }
    // As deep as is allowed, through everything.
    let text = format!(
        "{{\"openapi\":\"3.0.0\",\"paths\":{{\"/a\":{{\"post\":{{\"requestBody\":{{\"content\":{{\"application/json\":{{\"schema\":{}}}}}}}}}}}}}}}",
        "{\"allOf\":[".repeat(57) + "{}" + &"]}".repeat(57)
    );
    let imported = small_stack("deepest operation", move || import(text.as_bytes(), &Limits::default()));
    assert_eq!(imported.expect("a document").operations, 1);
}

#[test]
fn bytes_that_mean_nothing() {
    let mut seed = 0x2545_f491_4f6c_dd1du64;
    let mut next = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let seeds: &[&[u8]] = &[
        b"{\"openapi\":\"3.0.0\",\"paths\":{\"/a/{b}\":{\"get\":{\"parameters\":[{\"$ref\":\"#/components/parameters/p\"}],\"responses\":{\"200\":{\"content\":{\"a/b\":{\"schema\":{\"$ref\":\"#/x\"}}}}}}}}}",
        b"swagger: '2.0'\npaths:\n  /a: &x\n    post: {parameters: [{in: body, name: b, schema: {type: object, properties: {a: {type: string}}}}]}\n  /b: *x\n",
        b"{\"tools\":[{\"name\":\"a\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"x\":{\"enum\":[1]}}}}]}",
        b"[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{}}}]",
        b"{\"name\":\"a\",\"parameters\":{\"type\":\"dict\"}}\n{\"name\":\"b\",\"parameters\":{}}\n",
        b"{\"api_list\":[{\"name\":\"x\",\"required_parameters\":[{\"name\":\"y\",\"type\":\"NUMBER\"}]}]}",
        b"\x28\xb5\x2f\xfd\x04\x00",
    ];
    for round in 0..4_000 {
        let mut bytes = seeds[round % seeds.len()].to_vec();
        for _ in 0..1 + next() % 6 {
            let at = (next() % bytes.len() as u64) as usize;
            match next() % 4 {
                0 => bytes[at] = next() as u8,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, b"{}[]\",:&*-#$\n"[(next() % 13) as usize]),
                _ => bytes.truncate(at.max(1)),
            }
            if bytes.is_empty() {
                bytes.push(b'{');
            }
        }
        // Whatever it answers, it answers.
        let _ = import(&bytes, &Limits::default());
        if let Ok(value) = parse_document(&bytes, &Limits::default()) {
            let _ = admit(&value, &Limits::default());
            let _ = Checker::new(&value, &Limits::default());
        }
    }
}
