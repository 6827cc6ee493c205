//! How long parsing and evaluating take. Figures depend on the machine, so nothing is asserted:
//! `cargo test --release -p gtm-world --test cel_timing -- --ignored --nocapture`

use gtm_world::cel::{Expr, Scope, Template};
use gtm_world::{Budget, Limits, Value};
use serde_json::json;
use std::hint::black_box;
use std::time::Instant;

const EXPRESSIONS: [&str; 10] = [
    "args.a.b * 2",
    "flights[args.flight_id]",
    "flight.seats >= args.passengers && flight.status == 'open'",
    "flight.price * args.passengers * (1 + 0.19)",
    "has(args.note) ? args.note : 'none'",
    "'BK-' + args.flight_id + '-' + string(args.passengers)",
    "rows.filter(r, r.n > 5).map(r, r.n * 2).sum()",
    "args.flight_id.matches('^F[0-9]+$')",
    "round(flight.price * 1.1, 2)",
    "addDays(today(), 7)",
];

/// The best of several rounds, in nanoseconds per call: noise only ever adds.
fn nanoseconds(mut work: impl FnMut()) -> f64 {
    const CALLS: u32 = 20_000;
    let rounds = (0..7).map(|_| {
        let start = Instant::now();
        (0..CALLS).for_each(|_| work());
        start.elapsed().as_nanos() as f64 / f64::from(CALLS)
    });
    rounds.fold(f64::INFINITY, f64::min)
}

#[test]
#[ignore = "a measurement"]
fn timings() {
    let state = json!({"flights": {"F1": {"seats": 3, "price": 120.5, "status": "open"}}});
    let mut scope = Scope::new(state.into(), 1_709_634_030);
    let args = json!({"a": {"b": 21}, "flight_id": "F1", "passengers": 2, "note": "n"});
    scope.push("args".into(), args.into());
    scope.push("flight".into(), json!({"seats": 3, "price": 120.5, "status": "open"}).into());
    scope.push("rows".into(), (0..10).map(|i| Value::from(json!({"n": i}))).collect());
    println!("{:>9} {:>9}  expression", "parse ns", "eval ns");
    for text in EXPRESSIONS {
        let expr = Expr::parse(text).expect("parses");
        let parse = nanoseconds(|| drop(black_box(Expr::parse(black_box(text)))));
        let eval = nanoseconds(|| drop(black_box(expr.eval(&scope, &mut Budget::new(&Limits::default())))));
        println!("{parse:>9.0} {eval:>9.0}  {text}");
    }
    let text = "Only {flight.seats} seats left on {args.flight_id}";
    let template = Template::parse(text).expect("parses");
    let parse = nanoseconds(|| drop(black_box(Template::parse(black_box(text)))));
    let eval = nanoseconds(|| drop(black_box(template.render(&scope, &mut Budget::new(&Limits::default())))));
    println!("{parse:>9.0} {eval:>9.0}  {text}");
}
