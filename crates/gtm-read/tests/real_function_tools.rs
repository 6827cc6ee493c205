//! Reads real function-style toolsets without any state and uses what was read: what was created can
//! be read back, and what was deleted cannot.
//!
//! The tool specs are not part of this repository; without them the test is skipped and says so.

use gtm_read::{ReadInput, Reader, RuleFiller, RuleReader, Rung};
use gtm_tool::ToolSpec;
use gtm_world::behavior::{Behavior, Op};
use gtm_world::{Clock, ErrorKind, Library, Limits, Program, Value, World};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

/// Function-style tools of the file, by API.
fn toolsets(file: &str) -> Option<BTreeMap<String, Vec<ToolSpec>>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(file);
    let Ok(open) = std::fs::File::open(&path) else {
        println!("skipped: there is no {}", path.display());
        return None;
    };
    let mut sets: BTreeMap<String, Vec<ToolSpec>> = BTreeMap::new();
    gtm_tool::import_lines(BufReader::new(open), &gtm_tool::Limits::default(), |_, tool| {
        if let Ok(tool) = tool
            && tool.http.is_none()
        {
            let set = sets.entry(format!("{}/{}", tool.origin.provider, tool.origin.api)).or_default();
            if set.iter().all(|other| other.name != tool.name) {
                set.push(tool);
            }
        }
    })
    .expect("the file is readable");
    Some(sets)
}

/// A value that a schema allows, as plain as can be.
fn plain(schema: &Json, name: &str) -> Json {
    if let Some(first) = schema.get("enum").and_then(|e| e.get(0)) {
        return first.clone();
    }
    match gtm_tool::schema::primary_type(schema, schema) {
        Some("integer") => schema.get("minimum").cloned().unwrap_or(json!(3)),
        Some("number") => json!(1.5),
        Some("boolean") => json!(true),
        Some("array") => json!([]),
        Some("object") => json!({}),
        _ => json!(format!("{name} one")),
    }
}

fn arguments(tool: &ToolSpec) -> Map<String, Json> {
    let root = &tool.parameters;
    let properties = gtm_tool::schema::properties(root, root).into_iter().filter(|p| p.required);
    properties
        .map(|p| (p.name.to_owned(), plain(gtm_tool::schema::resolve(root, p.schema), p.name)))
        .collect()
}

/// The collection that a behavior creates in, or reads or removes one record of by an argument.
fn touched(behavior: &Behavior) -> Option<(&'static str, String, Option<String>)> {
    let argument = |id: &Option<String>| id.as_ref()?.strip_prefix("args.").map(str::to_owned);
    let mut read = None;
    for step in &behavior.steps {
        match &step.op {
            Op::Create(create) => return Some(("create", create.within.clone(), None)),
            Op::Delete(delete) => return Some(("delete", delete.within.clone()?, argument(&delete.id))),
            Op::Update(_) | Op::List(_) => return None,
            Op::Get(get) => read = Some(("get", get.within.clone()?, argument(&get.id))),
            _ => {}
        }
    }
    read
}

#[test]
fn what_real_tools_create_can_be_read_and_deleted() {
    // `GTM_TOOLS=tools.train.jsonl.zst` looks at many more.
    let file = std::env::var("GTM_TOOLS").unwrap_or_else(|_| "tools.dev.jsonl.zst".into());
    let Some(sets) = toolsets(&file) else { return };
    let (mut tools, mut rules, mut made, mut read_back, mut gone) = (0, 0, 0, 0, 0);
    for (name, set) in sets {
        let none = json!({});
        let reading = RuleReader.read(&ReadInput { tools: &set, initial_state: &none });
        tools += set.len();
        rules += reading.rungs.values().filter(|rung| **rung == Rung::Rules).count();
        let library =
            Arc::new(Library::new(&reading.behaviors, Limits::default()).expect("collections compile"));
        let program = |tool: &ToolSpec| {
            let behavior = &reading.behaviors.behaviors[&tool.name];
            Program::compile(&tool.name, behavior, tool.returns.as_ref(), &library)
                .expect("behaviors compile")
        };
        let roles: Vec<_> = set
            .iter()
            .filter_map(|tool| Some((tool, touched(&reading.behaviors.behaviors[&tool.name])?)))
            .collect();
        // Only what finds by the id itself is sure to mean the record just made.
        let id_of = |within: &str| reading.behaviors.collections.get(within).and_then(|c| c.id.clone());
        let find = |what: &str, within: &str| {
            roles
                .iter()
                .find(|(_, (w, c, id))| *w == what && c == within && id.is_some() && *id == id_of(within))
        };
        for (creator, (what, within, _)) in &roles {
            if *what != "create" {
                continue;
            }
            let world = World::new(Value::map(), 1, true, &Clock::default()).expect("a world");
            let args = Json::Object(arguments(creator));
            let Ok(outcome) = program(creator).run(&world, &Value::from(args.clone()), &RuleFiller) else {
                continue;
            };
            made += 1;
            let world = outcome.world;
            let path = reading
                .behaviors
                .collections
                .get(within)
                .and_then(|c| c.path.clone())
                .unwrap_or(within.clone());
            let state = world.state().to_json();
            let records = state.pointer(&format!("/{}", path.replace('.', "/"))).and_then(Json::as_object);
            let (id, record) = records.and_then(|r| r.iter().next_back()).expect("a record was made");
            let call = |tool: &ToolSpec, member: &str, world: &World| {
                let mut args = arguments(tool);
                args.insert(member.into(), record.get(member).cloned().unwrap_or(json!(id)));
                program(tool).run(world, &Value::from(Json::Object(args)), &RuleFiller)
            };
            let getter = find("get", within).and_then(|(tool, (_, _, id))| Some((*tool, id.clone()?)));
            if let Some((getter, member)) = &getter {
                let got = call(getter, member, &world);
                let got =
                    got.unwrap_or_else(|e| panic!("{name}: {} after {}: {e}", getter.name, creator.name));
                assert_eq!(got.world.state(), world.state(), "{name}: {} changes nothing", getter.name);
                read_back += 1;
            }
            if let Some((remover, (_, _, Some(member)))) = find("delete", within) {
                let removed = call(remover, member, &world);
                let removed = removed
                    .unwrap_or_else(|e| panic!("{name}: {} after {}: {e}", remover.name, creator.name));
                if let Some((getter, member)) = &getter {
                    let error =
                        call(getter, member, &removed.world).map(|o| o.reply.to_json()).map_err(|e| e.kind);
                    assert_eq!(
                        error,
                        Err(ErrorKind::NotFound),
                        "{name}: {} after {}",
                        getter.name,
                        remover.name
                    );
                }
                gone += 1;
            }
        }
    }
    println!("{tools} tools, {rules} read by rules; {made} created, {read_back} read back, {gone} deleted");
    assert!(rules * 20 > tools, "hardly any tool is read by rules");
    assert!(made > 0 && read_back > 0);
}
