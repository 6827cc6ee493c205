//! What each step does, on small worlds.

use gtm_world::{
    Behaviors, Clock, ErrorKind, Filler, Library, Limits, Program, Slot, ToolError, Value, World,
};
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// Fills every declared member with its own name and seed, so that tests can see what was filled.
struct NamingFiller;

impl Filler for NamingFiller {
    fn fill(&self, slot: &Slot<'_>) -> Value {
        let Some(members) = slot.schema.get("properties").and_then(Json::as_object) else {
            return Value::from(format!("{}~{}", slot.path, slot.seed % 97));
        };
        let member = |name: &String, schema: &Json| match slot.known.and_then(|known| known.get(name)) {
            Some(value) => value.to_json(),
            None if schema["type"] == "integer" => json!(slot.seed % 97),
            None => json!(format!("{name} {}", slot.seed % 97)),
        };
        Value::from(Json::Object(members.iter().map(|(n, s)| (n.clone(), member(n, s))).collect()))
    }
}

struct Case {
    behaviors: Behaviors,
    world: World,
}

impl Case {
    fn new(open: bool, state: Json, behaviors: Json) -> Case {
        let behaviors = serde_json::from_value(behaviors).expect("behaviors parse");
        Case { behaviors, world: World::new(state.into(), 1, open, &Clock::default()).unwrap() }
    }

    fn program(&self, tool: &str) -> Program {
        let library = Arc::new(Library::new(&self.behaviors, Limits::default()).unwrap());
        Program::compile(tool, &self.behaviors.behaviors[tool], None, &library).unwrap()
    }

    fn run(&mut self, tool: &str, args: Json) -> Result<Json, ToolError> {
        let outcome = self.program(tool).run(&self.world, &args.into(), &NamingFiller)?;
        self.world = outcome.world;
        Ok(outcome.reply.to_json())
    }

    fn state(&self) -> Json {
        self.world.state().to_json()
    }
}

fn flights() -> Case {
    Case::new(
        false,
        json!({"flights": {"F1": {"seats": 3, "price": 100}, "F2": {"seats": 0, "price": 80.5}}}),
        json!({
            "collections": {"bookings": {"id": "booking_id", "ids": {"pattern": "BK-######"}}},
            "behaviors": {
                "book": {"steps": [
                    {"get": {"in": "flights", "id": "args.flight_id", "as": "flight"}},
                    {"require": {"that": "flight.seats >= args.passengers", "error": "conflict", "message": "Only {flight.seats} seats left"}},
                    {"create": {"in": "bookings", "set": {"flight_id": "args.flight_id", "status": "'confirmed'"}}},
                    {"update": {"in": "flights", "id": "args.flight_id", "set": {"seats": "it.seats - args.passengers"}, "as": "flight"}},
                    {"reply": {"id": "it.booking_id", "total": "flight.price * args.passengers", "text": {"$text": "{flight.seats} left"}}}
                ]},
                "cancel": {"steps": [{"delete": {"in": "bookings", "id": "args.id"}}, {"reply": "it"}]},
                "search": {"steps": [
                    {"list": {"in": "flights", "where": "it.seats > 0", "sort": {"by": "'-price'"}}},
                    {"compute": {"over": "flights", "sum": "it.price", "as": "sum"}},
                    {"reply": {"rows": "rows", "total": "total", "sum": "sum"}}
                ]}
            }
        }),
    )
}

#[test]
fn a_booking_changes_what_it_should() {
    let mut case = flights();
    let reply = case.run("book", json!({"flight_id": "F1", "passengers": 2})).unwrap();
    assert_eq!((&reply["total"], &reply["text"]), (&json!(200), &json!("1 left")));
    let id = reply["id"].as_str().unwrap();
    assert!(id.starts_with("BK-") && id.len() == 9, "{id}");
    assert_eq!(case.state()["flights"]["F1"]["seats"], 1);
    assert_eq!(case.state()["bookings"][id]["status"], "confirmed");
    assert_eq!(case.world.version(), 1);
    let removed = case.run("cancel", json!({"id": id})).unwrap();
    assert_eq!(removed["booking_id"], id);
    assert_eq!(case.run("cancel", json!({"id": id})).unwrap_err().kind, ErrorKind::NotFound);
}

#[test]
fn a_failing_call_changes_nothing() {
    let mut case = flights();
    let before = case.state();
    let error = case.run("book", json!({"flight_id": "F2", "passengers": 1})).unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Conflict, "Only 0 seats left"));
    let error = case.run("book", json!({"flight_id": "F9", "passengers": 1})).unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::NotFound, "flight \"F9\" not found"));
    assert_eq!(case.state(), before);
    assert_eq!(case.world.version(), 0);
}

#[test]
fn lists_filter_sort_and_sum() {
    let reply = flights().run("search", json!({})).unwrap();
    assert_eq!(reply, json!({"rows": [{"seats": 3, "price": 100}], "total": 1, "sum": 180.5}));
}

fn pets(open: bool) -> Case {
    Case::new(
        open,
        json!({}),
        json!({
            "collections": {
                "pets": {"id": "id", "schema": {"type": "object", "required": ["id", "name"], "properties":
                    {"id": {"type": "integer"}, "name": {"type": "string"}, "tag": {"type": "string"}}}},
                "toys": {"id": "id", "schema": {"type": "object", "properties": {"id": {"type": "integer"}}}}
            },
            "behaviors": {
                "get": {"steps": [{"get": {"in": "pets", "id": "args.id"}}, {"reply": "it"}]},
                "list": {"steps": [{"list": {"in": "pets", "match": {"tag": "args.tag"}, "limit": "args.limit"}}, {"reply": {"rows": "rows", "total": "total"}}]},
                "find": {"steps": [{"list": {"in": "pets", "search": "args.q"}}, {"reply": "rows"}]},
                "add": {"steps": [{"create": {"in": "pets", "from": "args", "fill": "required"}}, {"reply": "it"}]},
                "delete": {"steps": [{"delete": {"in": "pets", "id": "args.id"}}]},
                "toys": {"steps": [{"list": {"in": "toys[args.pet]"}}, {"reply": "rows"}]}
            }
        }),
    )
}

#[test]
fn an_open_world_invents_once_and_agrees_with_itself() {
    let mut case = pets(true);
    let first = case.run("get", json!({"id": "41"})).unwrap();
    assert_eq!(first["id"], 41);
    assert_eq!(case.run("get", json!({"id": 41})).unwrap(), first);
    let listed = case.run("list", json!({})).unwrap();
    assert!(listed["rows"].as_array().unwrap().contains(&first));
    assert!(listed["total"].as_u64().unwrap() >= 4);
    assert_eq!(case.run("list", json!({})).unwrap(), listed);
    // Listed collections are known completely.
    assert_eq!(case.run("get", json!({"id": 999})).unwrap_err().kind, ErrorKind::NotFound);
}

#[test]
fn deleted_records_stay_deleted() {
    let mut case = pets(true);
    case.run("get", json!({"id": 5})).unwrap();
    assert_eq!(case.run("delete", json!({"id": 5})).unwrap(), Json::Null);
    assert_eq!(case.run("get", json!({"id": 5})).unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(case.run("delete", json!({"id": 6})).unwrap(), Json::Null, "an unseen record may exist");
    assert_eq!(case.run("get", json!({"id": 6})).unwrap_err().kind, ErrorKind::NotFound);
}

#[test]
fn filters_and_limits_hold_for_every_invented_row() {
    let reply = pets(true).run("list", json!({"tag": "cat", "limit": 1})).unwrap();
    assert_eq!(reply["rows"].as_array().unwrap().len(), 1);
    assert!(reply["total"].as_u64().unwrap() >= 2);
    assert_eq!(reply["rows"][0]["tag"], "cat");
    let rows = pets(true).run("find", json!({"q": "Rex"})).unwrap();
    assert!(!rows.as_array().unwrap().is_empty());
    assert!(rows.as_array().unwrap().iter().all(|row| row.to_string().contains("Rex")));
}

#[test]
fn what_belongs_to_a_created_record_starts_empty() {
    let mut case = pets(true);
    let made = case.run("add", json!({"name": "Rex"})).unwrap();
    assert_eq!(made["name"], "Rex");
    assert_eq!(case.run("toys", json!({"pet": made["id"]})).unwrap(), json!([]));
    assert_ne!(case.run("toys", json!({"pet": 12345})).unwrap(), json!([]));
}

#[test]
fn a_closed_world_invents_nothing() {
    let mut case = pets(false);
    assert_eq!(case.run("get", json!({"id": 5})).unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(case.run("list", json!({})).unwrap(), json!({"rows": [], "total": 0}));
    let made = case.run("add", json!({"name": "Rex"})).unwrap();
    assert_eq!(case.run("list", json!({})).unwrap()["rows"], json!([made]));
}

#[test]
fn ids_follow_the_style_that_is_there() {
    let next = |records: Json| {
        let mut case = Case::new(
            false,
            json!({"things": records}),
            json!({"collections": {"things": {"id": "id"}}, "behaviors": {"add": {"steps": [{"create": {"in": "things"}}, {"reply": "it.id"}]}}}),
        );
        case.run("add", json!({})).unwrap()
    };
    assert_eq!(next(json!({"7": {"id": 7}})), 8);
    assert_eq!(next(json!({"7": {}})), "8");
    assert_eq!(next(json!([{"id": 3}])), 4);
    // Counted on: a short number, one filled up with zeros, a dense run of them.
    assert_eq!(next(json!({"USR100": {}})), "USR101");
    assert_eq!(next(json!({"n9": {}})), "n10");
    assert_eq!(next(json!({"INV-00042": {}})), "INV-00043");
    assert_eq!(next(json!([{"id": "T1000"}, {"id": "T1001"}, {"id": "T1003"}])), "T1004");
    // Drawn at random: a long number, numbers that jump.
    for records in [json!({"W2378156": {}}), json!({"A1000": {}, "A8231": {}})] {
        let id = next(records.clone());
        let last = records.as_object().unwrap().keys().next_back().unwrap().clone();
        let id = id.as_str().unwrap();
        assert!(id.starts_with(&last[..1]) && id.len() == last.len(), "{id} after {last}");
    }
}

#[test]
fn ids_of_a_short_pattern_do_not_run_out() {
    let mut case = Case::new(
        false,
        json!({"things": {}}),
        json!({"collections": {"things": {"id": "id", "ids": {"pattern": "T#"}}},
               "behaviors": {"add": {"steps": [{"create": {"in": "things"}}, {"reply": "it.id"}]}}}),
    );
    let ids: std::collections::BTreeSet<String> =
        (0..150).map(|_| case.run("add", json!({})).unwrap().as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 150);
    assert!(ids.iter().all(|id| id.starts_with('T') && id.len() <= 4), "{ids:?}");
}

#[test]
fn nested_places_and_lists_are_reached() {
    let mut case = Case::new(
        false,
        json!({"users": {"u1": {"cart": [{"id": 1, "qty": 2}]}}, "volume": 3}),
        json!({"behaviors": {
            "qty": {"steps": [{"update": {"in": "users[args.user].cart", "id": "args.item", "set": {"qty": "it.qty + 1"}}}, {"reply": "users[args.user].cart"}]},
            "add": {"steps": [{"create": {"in": "users[args.user].cart", "set": {"id": "args.item", "qty": 1}}}, {"reply": "size(users[args.user].cart)"}]},
            "louder": {"steps": [{"update": {"at": "volume", "value": "volume + 1"}}, {"reply": "volume"}]},
            "drop": {"steps": [{"delete": {"at": "users[args.user].cart"}}]}
        }}),
    );
    assert_eq!(case.run("qty", json!({"user": "u1", "item": 1})).unwrap(), json!([{"id": 1, "qty": 3}]));
    assert_eq!(case.run("add", json!({"user": "u1", "item": 9})).unwrap(), 2);
    assert_eq!(case.run("louder", json!({})).unwrap(), 4);
    case.run("drop", json!({"user": "u1"})).unwrap();
    assert_eq!(case.state(), json!({"users": {"u1": {}}, "volume": 4}));
}

#[test]
fn envelopes_wrap_replies_and_errors() {
    let mut case = Case::new(
        false,
        json!({}),
        json!({"envelope": {"reply": {"output": "reply", "exception": null}, "error": {"output": null, "exception": "error.message"}},
               "behaviors": {"fail": {"steps": [{"require": {"that": "false", "message": "no {args.what}"}}]}, "ok": {"steps": [{"reply": 1}]}}}),
    );
    assert_eq!(case.run("ok", json!({})).unwrap(), json!({"output": 1, "exception": null}));
    let args = json!({"what": "luck"});
    let error = case.run("fail", args.clone()).unwrap_err();
    let rendered = case.program("fail").render_error(&error, &args.into()).unwrap();
    assert_eq!(rendered.to_json(), json!({"output": null, "exception": "no luck"}));
}

#[test]
fn invented_values_are_named_in_the_outcome() {
    let case = pets(true);
    let run = |tool: &str, world: &World, args: Json| {
        case.program(tool).run(world, &args.into(), &NamingFiller).unwrap()
    };
    let first = run("get", &case.world, json!({"id": 1}));
    assert_eq!(first.invented, [""]);
    let again = run("get", &first.world, json!({"id": 1}));
    assert_eq!(again.invented, [""]);
    let made = run("add", &again.world, json!({"name": "Rex"}));
    assert!(made.invented.is_empty(), "{:?}", made.invented);
}

#[test]
fn hostile_behaviors_end_with_an_error_and_no_change() {
    let deep = format!("{}1{}", "[".repeat(60), "]".repeat(60));
    let hostile = [
        json!([{"let": {"x": "range(1000000000000)"}}]),
        json!([{"let": {"x": "range(2000).map(a, range(2000).map(b, range(2000)))"}}]),
        json!([{"let": {"a": "range(50000)", "b": "[a, a]"}}, {"reply": {"r": ["a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a"]}}]),
        json!([{"let": {"x": "'x'.repeat(1000000000)"}}]),
        json!([{"update": {"at": "deep", "upsert": true, "value": deep}}]),
    ];
    for steps in hostile {
        let mut case =
            Case::new(false, json!({"a": 1}), json!({"behaviors": {"bad": {"steps": steps.clone()}}}));
        let error = case.run("bad", json!({})).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Internal, "{steps}: {error}");
        assert_eq!(case.state(), json!({"a": 1}));
    }
}

#[test]
fn the_state_cannot_grow_beyond_its_limit() {
    let behaviors: Behaviors =
        serde_json::from_value(json!({"collections": {"logs": {"ids": {"integer": 1}}}, "behaviors": {
        "log": {"steps": [{"create": {"in": "logs", "set": {"text": "args.text"}}}]},
        "clear": {"steps": [{"update": {"at": "logs", "value": {"$value": {}}}}]}}}))
        .unwrap();
    let limits = Limits { state_bytes: 20_000, ..Limits::default() };
    let library = Arc::new(Library::new(&behaviors, limits).unwrap());
    let program = |tool: &str| Program::compile(tool, &behaviors.behaviors[tool], None, &library).unwrap();
    let mut world = World::new(Value::map(), 1, false, &Clock::default()).unwrap();
    let args = Value::from(json!({"text": "x".repeat(1_000)}));
    let mut stored = 0;
    let error = loop {
        match program("log").run(&world, &args, &NamingFiller) {
            Ok(outcome) => world = outcome.world,
            Err(error) => break error,
        }
        stored += 1;
        assert!(stored < 100);
    };
    assert!(stored >= 10, "{stored}");
    assert!(error.message.contains("limits.state_bytes"), "{error}");
    world = program("clear").run(&world, &args, &NamingFiller).unwrap().world;
    assert!(program("log").run(&world, &args, &NamingFiller).is_ok());
}

#[test]
fn faults_in_behaviors_are_named_with_their_place() {
    let bad = [
        (json!([{"get": {"in": "pets"}}]), "/behaviors/t/steps/0/get"),
        (json!([{"require": {"that": "1 +"}}]), "/behaviors/t/steps/0/require/that"),
        (json!([{"reply": {"a": {"$nope": 1}}}]), "/behaviors/t/steps/0/reply/a/$nope"),
        (json!([{"update": {"at": "args.x", "value": 1}}]), "/behaviors/t/steps/0/update/at"),
        (json!([{"compute": {"over": "x", "as": "y"}}]), "/behaviors/t/steps/0/compute"),
    ];
    for (steps, place) in bad {
        let behavior = serde_json::from_value(json!({"steps": steps})).unwrap();
        let library = Arc::new(Library::new(&Behaviors::default(), Limits::default()).unwrap());
        let error = Program::compile("t", &behavior, None, &library).unwrap_err();
        assert!(error.place().is_some_and(|p| p.starts_with(place)), "{error}");
    }
    let parses = |json: Json| serde_json::from_value::<gtm_world::Behavior>(json).is_ok();
    assert!(!parses(json!({"steps": [{"get": {"at": "a"}, "reply": 1}]})));
    assert!(!parses(json!({"steps": [{"fetch": 1}]})));
}

/// The published JSON Schema is the one the types make. `GTM_BLESS=1` writes it anew.
#[test]
fn the_published_schema_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/behavior.schema.json");
    let schema = serde_json::to_string_pretty(&gtm_world::behavior::json_schema()).unwrap() + "\n";
    if std::env::var_os("GTM_BLESS").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert!(published == schema, "docs/behavior.schema.json is stale; run the tests with GTM_BLESS=1");
}
