//! The filler over real return schemas: every value it makes should validate.
//!
//! Reads the tool specs beside the repository where they are; says so where they are not.
//! `GTM_FILL_ALL=1 cargo test -p gtm-read --release --test fill -- --nocapture` goes over all of them.

use gtm_read::RuleFiller;
use gtm_tool::{Checker, Limits, ToolSpec, import_lines};
use gtm_world::{Filler, Slot, Value};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::PathBuf;
use std::time::Duration;

/// Tools looked at unless all are asked for.
const SAMPLE: usize = 5_000;

fn data(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

fn slot<'a>(tool: &'a ToolSpec, schema: &'a Json, args: &'a Value, seed: u64) -> Slot<'a> {
    Slot {
        tool: &tool.name,
        path: "",
        schema,
        root: schema,
        known: None,
        args,
        now: 1_735_689_600,
        seed,
        rows: 3,
    }
}

/// Arguments made by the filler itself: they echo into the reply, as real ones do.
fn arguments(tool: &ToolSpec) -> Value {
    let none = Value::map();
    let slot = Slot { path: "args", ..slot(tool, &tool.parameters, &none, 5) };
    RuleFiller.fill(&slot)
}

#[test]
fn replies_validate() {
    let Some(path) = data("tools.train.jsonl.zst") else { return };
    let all = std::env::var_os("GTM_FILL_ALL").is_some();
    let limits = Limits::default();
    let (mut seen, mut filled, mut valid) = (0usize, 0usize, 0usize);
    let mut slowest = (Duration::ZERO, String::new());
    let mut spent = Duration::ZERO;
    let mut why: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let reader = BufReader::new(std::fs::File::open(path).expect("the file is there"));
    let _ = import_lines(reader, &limits, |_, tool| {
        let Ok(tool) = tool else { return };
        seen += 1;
        // Every 14th of 71,000.
        if !all && seen % 14 != 0 {
            return;
        }
        let Some(returns) = tool.returns.as_ref() else { return };
        let Ok(checker) = Checker::new(returns, &limits) else { return };
        let args = arguments(&tool);
        let start = std::time::Instant::now();
        let value = RuleFiller.fill(&slot(&tool, returns, &args, filled as u64));
        let took = start.elapsed();
        spent += took;
        if took > slowest.0 {
            slowest = (took, tool.name.clone());
        }
        filled += 1;
        match checker.check(&value.to_json()) {
            Ok(()) => valid += 1,
            Err(violation) => {
                let example = format!(
                    "{}: {} at {} {:?}",
                    tool.name, violation.message, violation.path, tool.origin.api
                );
                why.entry(violation.keyword.clone()).or_insert((0, example)).0 += 1;
            }
        }
    });
    println!(
        "{filled} replies of {seen} tools, {valid} valid ({:.3} %)",
        100.0 * valid as f64 / filled as f64
    );
    println!(
        "mean {:.1} µs, slowest {:.1} ms ({})",
        spent.as_micros() as f64 / filled as f64,
        slowest.0.as_secs_f64() * 1e3,
        slowest.1
    );
    for (keyword, (count, example)) in &why {
        println!("  {count:5} {keyword}: {}", example.chars().take(300).collect::<String>());
    }
    assert!(filled >= SAMPLE / 2, "only {filled} replies were made");
    assert!(valid as f64 >= 0.995 * filled as f64, "{valid} of {filled} valid");
}

#[test]
fn same_slot_same_value_other_seed_other_value() {
    let tool = ToolSpec { name: "get_user".into(), ..ToolSpec::default() };
    let schema = json!({"type": "object", "properties": {
        "id": {"type": "string"}, "name": {"type": "string"}, "email": {"type": "string", "format": "email"},
        "created_at": {"type": "string", "format": "date-time"}, "updated_at": {"type": "string", "format": "date-time"},
    }});
    let args = Value::map();
    let make = |seed| RuleFiller.fill(&slot(&tool, &schema, &args, seed)).to_json();
    assert_eq!(make(1).to_string(), make(1).to_string());
    assert_ne!(make(1), make(2));
    for seed in 0..100 {
        let user = make(seed);
        let (name, email) =
            (user["name"].as_str().unwrap_or_default(), user["email"].as_str().unwrap_or_default());
        let last = name.split(' ').next_back().unwrap_or_default().to_lowercase();
        assert!(email.contains(&last), "{name} has the address {email}");
        assert!(user["created_at"].as_str() <= user["updated_at"].as_str());
    }
}

#[test]
fn what_is_known_stays_and_arguments_echo() {
    let tool = ToolSpec { name: "get_weather".into(), ..ToolSpec::default() };
    let schema = json!({"type": "object", "required": ["city"], "properties": {
        "city": {"type": "string"}, "unit": {"type": "string"}, "temperature": {"type": "number"},
        "location": {"type": "object", "properties": {"country": {"type": "string"}}},
        "rows": {"type": "array", "items": {"type": "object", "properties": {"city": {"type": "string"}, "day": {"type": "integer"}}}},
    }});
    let args = Value::from(json!({"city": "Ghent", "country": "Belgium", "limit": 2}));
    let known = Value::from(json!({"unit": "K", "absent": 1}));
    let slot = Slot { known: Some(&known), ..slot(&tool, &schema, &args, 9) };
    let reply = RuleFiller.fill(&slot).to_json();
    assert_eq!(reply["city"], "Ghent");
    assert_eq!(reply["unit"], "K");
    assert_eq!(reply["location"]["country"], "Belgium");
    assert_eq!(reply["rows"].as_array().map(Vec::len), Some(2));
    assert_eq!(reply["rows"][1]["city"], "Ghent");
    assert_eq!(reply.get("absent"), None);
}

/// The time is printed; `--release` gives the figure of docs/performance.md.
#[test]
fn a_record_of_twenty_fields_is_quick() {
    let tool = ToolSpec { name: "get_order".into(), ..ToolSpec::default() };
    let text = |format: &str| json!({"type": "string", "format": format});
    let schema = json!({"type": "object", "required": ["id"], "properties": {
        "id": {"type": "integer"}, "order_number": {"type": "string"}, "first_name": {"type": "string"}, "last_name": {"type": "string"},
        "email": text("email"), "phone": {"type": "string"}, "street": {"type": "string"}, "city": {"type": "string"},
        "country": {"type": "string"}, "zip": {"type": "string"}, "status": {"type": "string", "enum": ["open", "paid", "shipped"]},
        "currency": {"type": "string"}, "total": {"type": "number", "minimum": 0}, "item_count": {"type": "integer"}, "is_gift": {"type": "boolean"},
        "notes": {"type": ["string", "null"]}, "created_at": text("date-time"), "updated_at": text("date-time"),
        "due_date": text("date"), "tags": {"type": "array", "items": {"type": "string"}},
    }});
    let args = Value::map();
    let rounds = 20_000u32;
    let start = std::time::Instant::now();
    let mut size = 0;
    for seed in 0..u64::from(rounds) {
        size += RuleFiller.fill(&slot(&tool, &schema, &args, seed)).as_map().map_or(0, gtm_world::Map::len);
    }
    let each = start.elapsed() / rounds;
    println!("a record of 20 fields: {:.2} µs", each.as_secs_f64() * 1e6);
    assert_eq!(size, 20 * rounds as usize);
    assert!(each < Duration::from_millis(1), "{each:?}");
}

#[test]
fn hostile_schemas_are_cheap() {
    let tool = ToolSpec { name: "x".into(), ..ToolSpec::default() };
    let args = Value::map();
    let wide: serde_json::Map<String, Json> =
        (0..5_000).map(|i| (format!("p{i}"), json!({"$ref": "#/$defs/node"}))).collect();
    let schema = json!({
        "$ref": "#/$defs/node",
        "$defs": {
            "node": {"type": "object", "properties": wide, "required": ["p0", "p1"], "oneOf": [{"$ref": "#/$defs/deep"}, {"not": {}}]},
            "deep": {"allOf": [{"$ref": "#/$defs/deep"}, {"$ref": "#/$defs/deep"}], "minItems": 1_000_000_000},
        },
    });
    let start = std::time::Instant::now();
    let _ = RuleFiller.fill(&slot(&tool, &schema, &args, 1));
    let long = json!({"type": "string", "minLength": 4_000_000_000u64, "pattern": "^(a{1000}){1000}$"});
    let _ = RuleFiller.fill(&slot(&tool, &long, &args, 1));
    let list = json!({"type": "array", "minItems": 4_000_000_000u64, "items": {"type": "array", "minItems": 1_000, "items": {}}});
    let _ = RuleFiller.fill(&slot(&tool, &list, &args, 1));
    assert!(start.elapsed() < Duration::from_secs(5), "took {:?}", start.elapsed());
}
