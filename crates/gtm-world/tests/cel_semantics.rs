//! What expressions mean: text, and the value or error it must give.

use gtm_world::cel::{Expr, Node, Scope, Template, truth};
use gtm_world::{Budget, ErrorKind, Limits, Value};
use serde_json::json;

fn scope() -> Scope {
    let state = json!({
        "flights": {
            "F1": {"seats": 3, "price": 120.5, "from": "BER", "tags": ["early", "cheap"]},
            "F2": {"seats": 0, "price": 80, "from": "PAR", "tags": []},
            "7": {"seats": 9, "price": 10, "from": null}
        },
        "limit": 10,
        "codes": ["A", "B"],
        "package": "p"
    });
    let mut scope = Scope::new(state.into(), 1_709_634_030);
    let args = json!({
        "flight_id": "F1", "passengers": 2, "number": 7, "none": null, "text": "héllo", "yes": true,
        "rows": [{"n": 3, "s": "c"}, {"n": 1, "s": "a"}, {"n": 2, "s": "b"}], "x-y": 5, "in": 6, "nested": [[1, 2], [3]]
    });
    scope.push("args".into(), args.into());
    scope
}

/// The value as JSON, or `kind: message`.
fn outcome(text: &str) -> String {
    let expr = match Expr::parse(text) {
        Ok(expr) => expr,
        Err(error) => return format!("syntax: {} ({})", error.message(), error.place().unwrap_or("")),
    };
    match expr.eval(&scope(), &mut Budget::new(&Limits::default())) {
        Ok(value) => value.to_json().to_string(),
        Err(error) => error.to_string(),
    }
}

fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(text, expected)| (text, expected, outcome(text)))
        .filter(|(_, expected, got)| got != *expected)
        .map(|(text, expected, got)| format!("{text}\n  expected {expected}\n  got      {got}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each text must fail with a message that holds the words.
fn check_fails(cases: &[(&str, &str)]) {
    for (text, words) in cases {
        let got = outcome(text);
        let failed = got.starts_with("syntax: ") || got.starts_with("invalid_argument: ");
        assert!(failed && got.contains(words), "{text}\n  expected an error with {words:?}\n  got {got}");
    }
}

#[test]
fn literals() {
    check(&[
        ("42", "42"),
        ("-42", "-42"),
        ("0x1F", "31"),
        ("-0xff", "-255"),
        ("7u", "7"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("9223372036854775807", "9223372036854775807"),
        ("1.5", "1.5"),
        (".5", "0.5"),
        ("1e3", "1000.0"),
        ("2.5E-1", "0.25"),
        ("true", "true"),
        ("null", "null"),
        ("'a'", r#""a""#),
        ("\"it's\"", r#""it's""#),
        (r"'a\n\t\\\'\x41\u00e9\U0001F600\101'", r#""a\n\t\\'Aé😀A""#),
        (r"r'a\n'", r#""a\\n""#),
        ("'''a'b\nc'''", r#""a'b\nc""#),
        ("\"\"\"x\"y\"\"\"", r#""x\"y""#),
        (r#"r"""\d"""#, "syntax: unterminated text (column 2)"),
        ("[1, 2, ]", "[1,2]"),
        ("{'a': 1, 'b': [2],}", r#"{"a":1,"b":[2]}"#),
        ("{1: 'x', true: 'y'}", r#"{"1":"x","true":"y"}"#),
        ("[] + [1]", "[1]"),
        ("1 // a comment\n + 2", "3"),
    ]);
    check_fails(&[
        ("9223372036854775808", "out of range"),
        ("1e999", "out of range"),
        ("0x", "out of range"),
        ("b'abc'", "bytes are not supported"),
        ("'abc", "unterminated text"),
        ("'a\nb'", "text ends at the line"),
        (r"'\q'", "unknown escape"),
        (r"'\ud800'", "unknown escape"),
        ("1abc", "runs into a name"),
        ("{'a': 1, 'a': 2}", "twice"),
        ("{none: 1}", "needs quotes"),
    ]);
}

#[test]
fn arithmetic() {
    check(&[
        ("1 + 2 * 3 - 4", "3"),
        ("(1 + 2) * 3", "9"),
        ("2 - 3 - 4", "-5"),
        ("6 / 2", "3"),
        ("7 / 2", "3.5"),
        ("-7 % 3", "-1"),
        ("7.5 % 2", "1.5"),
        ("1 + 0.5", "1.5"),
        ("2 * 1.5", "3.0"),
        ("-args.passengers", "-2"),
        ("- -3", "3"),
        ("-5.abs()", "5"),
        ("'a' + 'b'", r#""ab""#),
        ("flights.F1.price * args.passengers", "241.0"),
        ("9007199254740993 + 0", "9007199254740993"),
    ]);
    check_fails(&[
        ("9223372036854775807 + 1", "does not fit an integer"),
        ("-9223372036854775808 / -1", "does not fit an integer"),
        ("-(-9223372036854775808)", "does not fit an integer"),
        ("1 / 0", "division by zero"),
        ("1.0 / 0", "division by zero"),
        ("1 % 0", "division by zero"),
        ("1e308 * 10", "not a finite number"),
        ("'a' + 1", "use string(x)"),
        ("'3' * 2", "use int(x) or double(x)"),
        ("null + 1", "default(x, 0)"),
        ("{} + {}", "merge(a, b)"),
        ("true + 1", "cannot add a boolean and an integer"),
        ("-'a'", "cannot negate text"),
    ]);
    check(&[("-9223372036854775808 % -1", "0")]);
}

#[test]
fn relations() {
    check(&[
        ("1 == 1.0", "true"),
        ("1 == '1'", "false"),
        ("[1, 2] == [1.0, 2]", "true"),
        ("{'a': 1, 'b': 2} == {'b': 2, 'a': 1}", "true"),
        ("null == args.none", "true"),
        ("1 != 'a'", "true"),
        ("1 < 1.5", "true"),
        ("2 >= 2.0", "true"),
        ("9007199254740993 > 9007199254740992.0", "true"),
        ("'2024-03-05' < '2024-11-01'", "true"),
        ("false < true", "true"),
        ("1 < 2 == true", "true"),
        ("2 in [1, 2]", "true"),
        ("2.0 in [1, 2]", "true"),
        ("'F1' in flights", "true"),
        ("7 in flights", "true"),
        ("'x' in args.none", "false"),
        ("!('A' in codes)", "false"),
    ]);
    check_fails(&[
        ("1 < 'a'", "cannot compare an integer with text"),
        ("null < 1", "cannot compare null with an integer"),
        ("[1] < [2]", "cannot compare a list with a list"),
        ("'a' in 'abc'", "contains(text, part)"),
        ("1 in 2", "`in` looks in a list or object"),
        ("1 = 1", "`=` does not compare"),
        ("true & false", "`&` is no operator"),
    ]);
}

#[test]
fn logic_ignores_errors_that_do_not_matter() {
    check(&[
        ("true && false", "false"),
        ("false || true", "true"),
        ("!true", "false"),
        ("!!args.yes", "true"),
        ("1 / 0 > 1 && false", "false"),
        ("false && 1 / 0 > 1", "false"),
        ("1 / 0 > 1 || true", "true"),
        ("true && false || true", "true"),
        ("false && true || true && true", "true"),
        ("args.missing && true", "false"),
        ("!args.missing", "true"),
        ("args.missing ? 1 : 2", "2"),
        ("true ? 1 : 1 / 0", "1"),
        ("false ? 1 : true ? 2 : 3", "2"),
        ("[1, 'a', 2].exists(x, x > 1)", "true"),
        ("['a', 1].all(x, x > 1)", "false"),
    ]);
    check_fails(&[
        ("1 / 0 > 1 && true", "division by zero"),
        ("1 / 0 > 1 || false", "division by zero"),
        ("1 && true", "expected true or false, got an integer"),
        ("'x' ? 1 : 2", "expected true or false, got text"),
        ("!'x'", "expected true or false"),
        ("['a'].exists(x, x > 1)", "cannot compare"),
    ]);
}

#[test]
fn missing_is_null() {
    check(&[
        ("args.nothing", "null"),
        ("args.nothing.more[3].still", "null"),
        ("unknown", "null"),
        ("unknown.member", "null"),
        ("codes[0]", r#""A""#),
        ("codes[-1]", r#""B""#),
        ("codes[2]", "null"),
        ("codes[-3]", "null"),
        ("codes[1.0]", r#""B""#),
        ("flights[args.flight_id].seats", "3"),
        ("flights[args.number].seats", "9"),
        ("flights[args.nothing]", "null"),
        ("args.nested[0][1]", "2"),
        ("args.`x-y` + args['x-y']", "10"),
        ("args.in", "6"),
        ("package", r#""p""#),
        (".limit", "10"),
        ("has(args.none)", "true"),
        ("has(args.nothing)", "false"),
        ("has(args.nothing.more)", "false"),
        ("has(flights['F9'])", "false"),
        ("has(flights[args.flight_id])", "true"),
        ("has(codes[1])", "true"),
        ("has(codes[2])", "false"),
        ("has(limit)", "true"),
        ("has(nolimit)", "false"),
    ]);
    check_fails(&[
        ("args.text.size", "cannot read member 'size' of text"),
        ("codes.first", "cannot read member 'first' of a list"),
        ("limit.x", "cannot read member 'x' of an integer"),
        ("codes['a']", "index of a list must be an integer"),
        ("codes[0.5]", "index of a list must be an integer"),
        ("args.text[0]", "charAt"),
        ("flights[[1]]", "a list cannot be the key"),
        ("has(1 + 1)", "`has` takes a place"),
    ]);
}

#[test]
fn macros() {
    check(&[
        ("[1, 2, 3].all(x, x > 0)", "true"),
        ("[].all(x, false)", "true"),
        ("[1, 2, 3].exists(x, x == 2)", "true"),
        ("[1, 2, 2].exists_one(x, x == 2)", "false"),
        ("[1, 2, 3].existsOne(x, x == 2)", "true"),
        ("[1, 2, 3].map(x, x * 2)", "[2,4,6]"),
        ("[1, 2, 3].map(x, x > 1, x * 2)", "[4,6]"),
        ("[1, 2, 3].filter(x, x % 2 == 1)", "[1,3]"),
        ("flights.filter(k, flights[k].seats > 0)", r#"["F1","7"]"#),
        ("values(flights).filter(f, f.seats > 0).map(f, f.from)", r#"["BER",null]"#),
        ("flights.exists(k, f, k == 'F2' && f.seats == 0)", "true"),
        ("['a', 'b'].transformList(i, x, string(i) + x)", r#"["0a","1b"]"#),
        ("['a', 'b'].transformList(i, x, i > 0, x)", r#"["b"]"#),
        ("{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v * 10)", r#"{"b":20}"#),
        ("args.rows.sortBy(r, r.n).map(r, r.s)", r#"["a","b","c"]"#),
        ("args.rows.sortBy(r, -r.n)[0].s", r#""c""#),
        ("args.rows.sortBy('n').map(r, r.s)", r#"["a","b","c"]"#),
        ("args.rows.sortBy('n', 'desc')[0].n", "3"),
        ("args.nested.map(l, l.map(x, x * limit))", "[[10,20],[30]]"),
        ("[1, 2].map(args, args + 1)", "[2,3]"),
        ("args.none.map(x, x)", "[]"),
        ("cel.bind(x, 2, x * x + cel.bind(x, 3, x))", "7"),
        ("[1, 2, 3].reduce(sum, x, 0, sum + x)", "6"),
        ("range(3).reduce(s, i, {'n': 1}, {'n': s.n * 2, 'i': i})", r#"{"n":8,"i":2}"#),
        ("{'a': 1, 'b': 2}.reduce(t, k, '', t + k)", r#""ab""#),
        ("none.reduce(s, x, 5, s + x)", "5"),
        ("[[1, 2], [3]].reduce(s, row, 0, s + row.reduce(t, x, 0, t + x))", "6"),
        ("[1, 2].map(x, [3].map(y, x + y))", "[[4],[5]]"),
    ]);
    check_fails(&[
        ("[1].map(x)", "wrong arguments for `map`"),
        ("[1].map(1, 2)", "wrong arguments for `map`"),
        ("[1].all(x, y, z, w)", "wrong arguments for `all`"),
        ("map([1], x, x)", "wrong use of `map`"),
        ("'abc'.map(c, c)", "expected a list or object to go through, got text"),
        ("flights.filter(f, f.seats > 0)", "going through an object gives its keys"),
        ("cel.bind(1, 2, 3)", "wrong arguments for `cel.bind`"),
        ("[1].reduce(s, x, 0)", "wrong arguments for `reduce`"),
    ]);
}

#[test]
fn calls() {
    check(&[
        ("size(args.text) == args.text.size()", "true"),
        ("math.greatest(1, 5, 3)", "5"),
        ("math.abs(-2)", "2"),
        ("lists.range(3)", "[0,1,2]"),
        ("args.text.upper().reverse()", r#""OLLÉH""#),
        ("'%s has %d'.format(['x', 2])", r#""x has 2""#),
        ("contains(args.none, 'x')", "false"),
        ("lower(args.none)", "null"),
        ("codes.contains('A')", "true"),
        ("flights.where('from', 'BER').size()", "1"),
        ("flights.where('from', args.none).size()", "3"),
        ("flights.find('from', 'PAR').price", "80"),
        ("max([3, 1.5, null])", "3"),
        ("min([])", "null"),
        ("round(2.5)", "3"),
        ("round(-2.5)", "-3"),
        ("round(1.005, 2)", "1.01"),
        ("round(1250, -2)", "1300"),
        ("floor(2.3, 1)", "2.3"),
        ("int('12') + double('0.5')", "12.5"),
        ("sort([3, 'a', null, 1.5, true])", r#"[true,1.5,3,"a",null]"#),
        ("convert(32, 'F', 'C')", "0.0"),
        ("convert(1, 'mile', 'km')", "1.609344"),
        ("convert(2, 'GB', 'MB')", "2000.0"),
        ("json('[1, {\"a\": null}]')[1]", r#"{"a":null}"#),
        ("toJson(flights.F2)", r#""{\"seats\":0,\"price\":80,\"from\":\"PAR\",\"tags\":[]}""#),
        ("getPath(flights, 'F1.tags[-1]')", r#""cheap""#),
        ("setPath({}, 'a.b', 1)", r#"{"a":{"b":1}}"#),
        ("args.rows.pluck('n').sum()", "6"),
        ("'A-12'.matches('^[A-Z]-\\\\d+$')", "true"),
        ("extract('k=v', '(?P<key>\\\\w+)=(\\\\w+)', 'key')", r#""k""#),
        ("'x'.matches('(' + 'x)')", "true"),
    ]);
    check_fails(&[
        ("nope(1)", "unknown function `nope`"),
        ("round()", "`round` does not take 0 arguments"),
        ("round(1, 2, 3)", "does not take 3 arguments"),
        ("round('a')", "round: x must be a number, not text"),
        ("upper(1)", "upper: text must be text, not an integer"),
        ("int('x')", "\"x\" is not an integer"),
        ("int(1e300)", "does not fit an integer"),
        ("sqrt(-1)", "not defined"),
        ("calc('1 +')", "the text ends"),
        ("convert(1, 'kg', 'm')", "cannot turn mass into length"),
        ("convert(1, 'foo', 'm')", "unknown unit"),
        ("json('{')", "not valid JSON"),
        ("date('soon')", "is not a date"),
        ("matches('a', '(')", "not a regular expression"),
        ("matches('a', args.text + '(')", "not a regular expression"),
        ("min(1, 'a')", "cannot compare"),
        ("Point{x: 1}", "messages are not supported"),
    ]);
    let error = Expr::parse("rond(1.5)").unwrap_err().to_string();
    assert!(error.contains("perhaps round"), "{error}");
}

#[test]
fn syntax_errors_say_where_and_what() {
    check(&[
        ("", "syntax: unexpected the end (column 1)"),
        ("1 +", "syntax: unexpected the end (column 4)"),
        ("(1", "syntax: unexpected the end (column 3)"),
        ("1 2", "syntax: unexpected a number (column 3)"),
        ("a.", "syntax: unexpected the end (column 3)"),
        ("a..b", "syntax: unexpected `.` (column 3)"),
        ("[1 2]", "syntax: unexpected a number (column 4)"),
        ("é", "syntax: unexpected character 'é' (column 1)"),
        ("'é' $", "syntax: unexpected character '$' (column 5)"),
        ("a ?\n b", "syntax: unexpected the end (line 2, column 3)"),
        ("in [1]", "syntax: `in` needs a left side (column 1)"),
    ]);
    let error = Expr::parse("a ? b").unwrap_err().to_string();
    assert!(error.contains("GTM0203") && error.contains("expected: `:`"), "{error}");
}

#[test]
fn templates() {
    let render = |text: &str| {
        let template = Template::parse(text).map_err(|error| error.to_string())?;
        template.render(&scope(), &mut Budget::new(&Limits::default())).map_err(|error| error.to_string())
    };
    for (text, expected) in [
        ("plain", "plain"),
        ("", ""),
        ("Only {flights.F1.seats} seats left", "Only 3 seats left"),
        ("{args.text}!{args.text}", "héllo!héllo"),
        ("{{{limit}}}", "{10}"),
        ("{args.none} {1.5} {true} {codes} {{}}", "null 1.5 true [\"A\",\"B\"] {}"),
        ("{ {'a': '}'} }", "{\"a\":\"}\"}"),
        ("{'{' + \"}\"}", "{}"),
        ("é{limit}é", "é10é"),
    ] {
        assert_eq!(render(text).as_deref(), Ok(expected), "{text}");
    }
    for (text, words) in [
        ("a { b", "expected: an operator or `}`"),
        ("a } b", "`}` without `{`"),
        ("{}", "unexpected `}`"),
        ("{1/0}", "division by zero"),
        ("{'a}", "unterminated text"),
    ] {
        let error = render(text).unwrap_err();
        assert!(error.contains(words), "{text}: {error}");
    }
    let template = Template::parse("{a.b} {a} {c.map(x, x + d)}").expect("parses");
    assert_eq!(template.free_names(), ["a", "c", "d"]);
}

#[test]
fn names_are_found_and_scopes_nest() {
    let expr = Expr::parse(
        "a + rows.map(x, x + b).exists(y, y > a) + cel.bind(z, q, z) + rows.reduce(s, x, b, s + x)",
    )
    .expect("parses");
    assert_eq!(expr.free_names(), ["a", "rows", "b", "q"]);
    let mut scope = Scope::new(json!({"a": 1}).into(), 0);
    let mut budget = Budget::new(&Limits::default());
    let a = Expr::parse("a").expect("parses");
    assert!(matches!(a.node(), Node::Name(name) if &**name == "a"));
    let mark = scope.mark();
    scope.push("a".into(), Value::Int(2));
    scope.push("a".into(), Value::Int(3));
    assert_eq!(a.eval(&scope, &mut budget), Ok(Value::Int(3)));
    scope.pop();
    assert_eq!(a.eval(&scope, &mut budget), Ok(Value::Int(2)));
    scope.truncate(mark);
    assert_eq!(a.eval(&scope, &mut budget), Ok(Value::Int(1)));
    scope.set_state(json!({"a": 9}).into());
    assert_eq!(a.eval(&scope, &mut budget), Ok(Value::Int(9)));
}

#[test]
fn an_exhausted_budget_is_an_internal_error_that_nothing_hides() {
    let limits = Limits { fuel: 100, ..Limits::default() };
    for text in ["range(50).map(x, x).all(x, range(50).all(y, true)) || true", "range(1000) == [] || true"] {
        let expr = Expr::parse(text).expect("parses");
        let error = expr.eval(&scope(), &mut Budget::new(&limits)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Internal, "{text}");
        assert_eq!(error.message, "the call ran out of fuel (limits.fuel)");
    }
}

#[test]
fn conditions_take_booleans_and_null() {
    assert_eq!(truth(&Value::Bool(true)), Ok(true));
    assert_eq!(truth(&Value::Null), Ok(false));
    assert_eq!(truth(&Value::Int(1)).unwrap_err().kind, ErrorKind::InvalidArgument);
}
