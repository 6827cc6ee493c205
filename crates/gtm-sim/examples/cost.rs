//! What calls, forks and sessions cost: `cargo run --release -p gtm-sim --example cost`.
//!
//! With numbers of records as arguments, only the calls over so many records are measured.

use gtm_sim::{Call, CreateSession, ForkSession, SessionOptions, Simulator, Store, StoreConfig, Toolset};
use serde_json::{Map, Value as Json, json};
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// As the `gtm` binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TOOLS: &str = r#"
name: items
tools:
  - {name: get_item, parameters: {type: object, required: [id], properties: {id: {type: string}}}}
  - {name: create_item, parameters: {type: object, required: [name], properties: {name: {type: string}, price: {type: number}}}}
  - {name: update_item, parameters: {type: object, required: [id], properties: {id: {type: string}, price: {type: number}}}}
collections: {items: {id: id, ids: {pattern: "it-????????"}}}
behaviors:
  get_item: {steps: [{get: {in: items, id: args.id, as: item}}, {reply: item}]}
  create_item: {steps: [{create: {in: items, from: args, as: item}}, {reply: item}]}
  update_item: {steps: [{update: {in: items, id: args.id, merge: args, as: item}}, {reply: item}]}
"#;

fn state(records: usize) -> Json {
    let item = |n: usize| {
        let id = format!("it-{n:08x}");
        let record = json!({"id": id, "name": format!("Item {n}"), "price": n as f64 / 4.0, "tags": ["a", "b"], "stock": n});
        (id, record)
    };
    json!({"items": (0..records).map(item).collect::<Map<_, _>>()})
}

fn simulator(records: usize) -> Arc<Simulator> {
    let mut toolset =
        Toolset::parse(TOOLS, Path::new("")).expect("the tools are sound").with_state(state(records));
    toolset.limits.world.state_bytes = 2 << 30;
    Arc::new(Simulator::new(toolset).expect("the toolset is sound"))
}

/// Nanoseconds that this thread was on a processor, where the system tells, else the time of day:
/// a busy machine does not spoil the figures.
fn busy(start: Instant) -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let told = told.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    told.unwrap_or_else(|| start.elapsed().as_nanos() as f64)
}

/// Nanoseconds for one of many.
fn each(count: usize, mut work: impl FnMut(usize)) -> f64 {
    let start = Instant::now();
    let before = busy(start);
    (0..count).for_each(&mut work);
    (busy(start) - before) / count as f64
}

/// Resident memory of this process in bytes, where the system tells.
fn resident() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    text.split(' ').nth(1)?.parse::<usize>().ok().map(|pages| pages * 4_096)
}

fn main() {
    let chosen: Vec<usize> = std::env::args().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    if chosen.is_empty() {
        forks();
    }
    let usual = [100, 10_000, 1_000_000];
    let records = if chosen.is_empty() { usual.as_slice() } else { &chosen };
    records.iter().for_each(|records| calls(*records));
}

fn forks() {
    let store = Store::new(StoreConfig {
        max_sessions: 200_000,
        ttl: Duration::from_secs(60),
        ..StoreConfig::default()
    })
    .expect("a store");
    store.add_toolset("items", simulator(10_000));
    store.create(CreateSession { id: Some("s".into()), ..CreateSession::default() }).expect("a session");
    println!("state: {} bytes of JSON", store.state("s").expect("a state").to_string().len());
    let before = resident();
    let start = Instant::now();
    let forks = store.fork("s", &ForkSession::count(100_000)).expect("forks");
    let took = start.elapsed();
    let bytes = |after: Option<usize>| Some(after?.saturating_sub(before?) / forks.len());
    println!("100,000 forks in a store: {took:.2?}, bytes each (infos included): {:?}", bytes(resident()));
    let calls = [
        Call::new("get_item", json!({"id": "it-00000001"})),
        Call::new("update_item", json!({"id": "it-00000001", "price": 1})),
    ];
    let start = Instant::now();
    for fork in &forks {
        store.call(&fork.id, &calls[0]).expect("a reply");
    }
    let took = start.elapsed();
    println!("one get in each: {took:.2?}, bytes each: {:?}", bytes(resident()));
    let start = Instant::now();
    for fork in &forks {
        store.call(&fork.id, &calls[1]).expect("a reply");
    }
    let took = start.elapsed();
    println!("one update in each: {took:.2?}, bytes each: {:?}", bytes(resident()));
}

fn calls(records: usize) {
    let simulator = simulator(records);
    let mut session = simulator.open(SessionOptions::default()).expect("a session");
    let id = |n: usize| format!("it-{:08x}", n * 7_919 % records);
    let gets: Vec<Call> = (0..1_000).map(|n| Call::new("get_item", json!({"id": id(n)}))).collect();
    let puts: Vec<Call> =
        (0..1_000).map(|n| Call::new("update_item", json!({"id": id(n), "price": n}))).collect();
    let adds: Vec<Call> =
        (0..1_000).map(|n| Call::new("create_item", json!({"name": "new", "price": n}))).collect();
    let get = each(100_000, |n| drop(black_box(simulator.call(&mut session, &gets[n % 1_000]))));
    let update = each(50_000, |n| drop(black_box(simulator.call(&mut session, &puts[n % 1_000]))));
    let create = each(20_000, |n| drop(black_box(simulator.call(&mut session, &adds[n % 1_000]))));
    let fork = each(1_000_000, |_| drop(black_box(session.fork())));
    println!(
        "{records:>8} records: get {get:.0} ns, update {update:.0} ns, create {create:.0} ns, fork {fork:.0} ns"
    );
}
