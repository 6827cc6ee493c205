//! The life of a record over every REST resource of the published specs beside the repository:
//! what is created can be read, changed, found in the list and deleted, and is gone then.
//!
//! Resources are found here by their paths alone, with no help from the reader under test.
//! `GTM_SHOW=40 cargo test -p gtm-sim --test rest_lifecycle -- --nocapture` prints failures.

#[path = "../../gtm-tool/tests/common/mod.rs"]
mod specs;

use gtm_read::RuleFiller;
use gtm_sim::{Call, Reply, Session, SessionOptions, Simulator, Toolset};
use gtm_tool::{Checker, Limits, ToolSpec, import};
use gtm_world::{ErrorKind, Filler, Slot, Value};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// Operations on an item's path and on its collection's.
#[derive(Default)]
struct Resource<'a> {
    item: BTreeMap<&'a str, &'a ToolSpec>,
    collection: BTreeMap<&'a str, &'a ToolSpec>,
}

/// What was tried and what held.
#[derive(Default, Debug)]
struct Score {
    tried: BTreeMap<&'static str, (usize, usize)>,
    failures: Vec<String>,
}

impl Score {
    fn note(&mut self, what: &'static str, held: bool, why: impl FnOnce() -> String) -> bool {
        let entry = self.tried.entry(what).or_default();
        entry.0 += 1;
        if held {
            entry.1 += 1;
        } else {
            self.failures.push(format!("{what}: {}", why()));
        }
        held
    }
}

fn plain(path: &str) -> String {
    path.trim_end_matches('/').trim_end_matches(".json").to_owned()
}

fn resources(tools: &[ToolSpec]) -> BTreeMap<(String, String), Resource<'_>> {
    let mut found: BTreeMap<(String, String), Resource<'_>> = BTreeMap::new();
    let http = || tools.iter().filter_map(|t| t.http.as_ref().map(|h| (t, h)));
    for (tool, http) in http() {
        let path = plain(&http.path);
        let Some((collection, item)) = path.rsplit_once('/') else { continue };
        // `/messages/{log}` is a collection where `/messages/{log}/{id}` is there too.
        let below = |other: &str| other.strip_prefix(&path).is_some_and(|rest| rest.starts_with("/{"));
        let deeper = tools.iter().filter_map(|t| t.http.as_ref()).any(|other| below(&plain(&other.path)));
        if !deeper
            && item.starts_with('{')
            && item.ends_with('}')
            && item.matches('{').count() == 1
            && !collection.ends_with('}')
        {
            let resource = found.entry((collection.to_owned(), item.to_owned())).or_default();
            resource.item.insert(&http.method, tool);
        }
    }
    for (tool, http) in http() {
        let path = plain(&http.path);
        for ((collection, _), resource) in &mut found {
            if *collection == path {
                resource.collection.insert(&http.method, tool);
            }
        }
    }
    // A record that can only be read has no life.
    found.retain(|_, r| {
        let told = r.collection.contains_key("POST") || r.collection.contains_key("GET") || r.item.len() > 1;
        r.item.contains_key("GET") && told
    });
    found
}

/// Arguments for a tool: made from its schema, with the path's parameters as given.
fn arguments(tool: &ToolSpec, given: &BTreeMap<String, Json>, seed: u64, all: bool) -> Json {
    let none = Value::map();
    let slot = Slot {
        tool: &tool.name,
        path: "args",
        schema: &tool.parameters,
        root: &tool.parameters,
        known: None,
        args: &none,
        now: 1_735_689_600,
        seed,
        rows: 2,
    };
    let mut args = match RuleFiller.fill(&slot).to_json() {
        Json::Object(args) => args,
        _ => Map::new(),
    };
    let http = tool.http.as_ref().expect("an HTTP tool");
    let required: Vec<&str> =
        tool.parameters["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    args.retain(|name, _| {
        let outside = http.params.iter().any(|p| p.argument == *name);
        required.contains(&name.as_str()) || (all && !outside)
    });
    for parameter in &http.params {
        if let Some(value) = given.get(&parameter.name) {
            args.insert(parameter.argument.clone(), typed(tool, &parameter.argument, value));
        }
    }
    Json::Object(args)
}

/// The value in the type that the tool wants it in.
fn typed(tool: &ToolSpec, argument: &str, value: &Json) -> Json {
    let schema = &tool.parameters["properties"][argument];
    let schema = gtm_tool::schema::resolve(&tool.parameters, schema);
    match (value, gtm_tool::schema::primary_type(&tool.parameters, schema)) {
        (Json::Number(n), Some("string")) => json!(n.to_string()),
        (Json::String(s), Some("integer" | "number")) => s.parse::<i64>().map_or(value.clone(), |n| json!(n)),
        _ => value.clone(),
    }
}

/// The id that a reply shows, by the name of the path's parameter.
fn shown_id(reply: &Json, parameter: &str, depth: usize) -> Option<Json> {
    let flat =
        |s: &str| s.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let wanted = flat(parameter);
    match reply {
        Json::Object(members) => {
            let scalar = |v: &&Json| v.is_string() || v.is_i64() || v.is_u64();
            let named = |names: &[&str]| {
                names.iter().find_map(|n| {
                    members.iter().find(|(k, v)| flat(k) == *n && scalar(v)).map(|(_, v)| v.clone())
                })
            };
            let suffixes: Vec<&str> =
                ["name", "slug", "key", "code", "number", "sid", "uuid", "guid", "uid", "username", "email"]
                    .into_iter()
                    .filter(|s| wanted.ends_with(s))
                    .collect();
            let own =
                members.iter().find(|(k, v)| scalar(v) && (flat(k).ends_with("id") || flat(k) == "number"));
            named(&[&wanted])
                .or_else(|| named(&["id"]))
                .or_else(|| if wanted == "id" { own.map(|(_, v)| v.clone()) } else { None })
                .or_else(|| named(&suffixes))
                .or_else(|| named(&["uuid", "guid", "uid", "sid", "identifier", "key", "name"]))
                .or_else(|| {
                    if depth > 0 {
                        members
                            .values()
                            .filter(|v| v.is_object() || v.is_array())
                            .find_map(|v| shown_id(v, parameter, depth - 1))
                    } else {
                        None
                    }
                })
        }
        Json::Array(items) if depth > 0 => items.first().and_then(|item| shown_id(item, parameter, depth)),
        Json::String(_) | Json::Number(_) if depth > 0 => Some(reply.clone()),
        _ => None,
    }
}

/// Whether a list in the reply has a row of this id.
fn contains(reply: &Json, id: &Json, parameter: &str) -> bool {
    let text = |v: &Json| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    match reply {
        Json::Object(members) => members.values().any(|v| contains(v, id, parameter)),
        Json::Array(items) => items
            .iter()
            .any(|item| shown_id(item, parameter, 2).is_some_and(|shown| text(&shown) == text(id))),
        _ => false,
    }
}

/// Members that were sent and are shown with another value.
/// Members that hold the id or name the parents are not sent to be changed.
fn unlike(sent: &Json, shown: &Json, given: &BTreeMap<String, Json>) -> Option<String> {
    let (sent, shown) = (sent.as_object()?, shown.as_object()?);
    sent.iter().find_map(|(name, value)| {
        let other = shown.get(name)?;
        if given.values().any(|id| id == other || id == value) {
            return None;
        }
        let alike = value.is_string() == other.is_string() && value.is_boolean() == other.is_boolean();
        let comparable = alike
            && !value.is_object()
            && !value.is_array()
            && !value.is_null()
            && !other.is_object()
            && !other.is_array();
        (comparable && other != value).then(|| format!("{name}: sent {value}, shown {other}"))
    })
}

struct Life<'a> {
    simulator: &'a Simulator,
    session: Session,
    score: &'a mut Score,
    place: String,
}

impl Life<'_> {
    fn call(&mut self, what: &'static str, tool: &ToolSpec, args: &Json) -> Option<Reply> {
        let reply = self.simulator.call(&mut self.session, &Call::new(&tool.name, args.clone()));
        let place = &self.place;
        let refused =
            reply.error.as_ref().is_some_and(|e| e.kind == ErrorKind::InvalidArgument && !e.path.is_empty());
        if refused {
            self.score.note("arguments accepted", false, || {
                format!("{place} {} {args}: {:?}", tool.name, reply.error)
            });
            return None;
        }
        self.score.note("arguments accepted", true, String::new);
        self.score.note("reply valid", reply.provenance.valid, || {
            format!("{place} {} {} -> {}", tool.name, violation(tool, &reply.content), short(&reply.content))
        });
        let ok = self.score.note(what, !reply.is_error, || {
            format!("{place} {} {}: {:?}", tool.name, short(args), reply.error)
        });
        ok.then_some(reply)
    }

    fn live(&mut self, resource: &Resource<'_>, item: &str, parents: &BTreeMap<String, Json>) {
        let parameter = item.trim_matches(['{', '}']);
        let get = resource.item["GET"];
        let place = self.place.clone();
        let mut sent = Json::Null;
        let id = if let Some(create) = resource.collection.get("POST") {
            sent = arguments(create, parents, 11, true);
            let Some(made) = self.call("create", create, &sent) else { return };
            let id = shown_id(&made.content, parameter, 3).or_else(|| shown_id(&sent, parameter, 1));
            if !self
                .score
                .note("create shows the id", id.is_some(), || format!("{place} {}", short(&made.content)))
            {
                return;
            }
            id
        } else if let Some(list) = resource.collection.get("GET") {
            let args = arguments(list, parents, 11, false);
            let Some(rows) = self.call("list", list, &args) else { return };
            shown_id(&rows.content, parameter, 4)
        } else {
            None
        };
        let id = match id {
            Some(id) => id,
            // Nothing shows one: an open world knows whatever is asked for first.
            None => match arguments(get, parents, 11, false).get(parameter) {
                Some(id) => id.clone(),
                None => return,
            },
        };
        let mut given = parents.clone();
        given.insert(parameter.to_owned(), id.clone());
        let read = arguments(get, &given, 11, false);
        let Some(found) = self.call("get", get, &read) else { return };
        let differs = unlike(&sent, &found.content, &given);
        self.score.note("get shows what was created", differs.is_none(), || {
            format!("{place} {}", differs.unwrap_or_default())
        });
        if let Some(change) = resource.item.get("PATCH").or(resource.item.get("PUT")) {
            let args = arguments(change, &given, 23, true);
            if self.call("update", change, &args).is_some()
                && let Some(found) = self.call("get after update", get, &read)
            {
                let differs = unlike(&args, &found.content, &given);
                self.score.note("get shows what was changed", differs.is_none(), || {
                    format!("{place} {} after {}", differs.unwrap_or_default(), short(&args))
                });
            }
        }
        let list = resource.collection.get("GET");
        // Filters that must be given are given as the record has them.
        let list_args = list.map(|list| {
            let mut args = arguments(list, parents, 11, false);
            for (name, value) in args.as_object_mut().into_iter().flatten() {
                if let Some(own) = sent.get(name).filter(|v| v.is_string() || v.is_number()) {
                    *value = own.clone();
                }
            }
            args
        });
        if let (Some(list), Some(args)) = (list, &list_args)
            && let Some(rows) = self.call("list", list, args)
        {
            self.score.note("list holds it", contains(&rows.content, &id, parameter), || {
                format!("{place} {id} in {}", short(&rows.content))
            });
        }
        if let Some(delete) = resource.item.get("DELETE") {
            let args = arguments(delete, &given, 11, false);
            if self.call("delete", delete, &args).is_some() {
                let gone = self.simulator.call(&mut self.session, &Call::new(&get.name, read.clone()));
                let not_found = gone.error.as_ref().is_some_and(|e| e.kind == ErrorKind::NotFound);
                self.score.note("get fails after delete", not_found, || {
                    format!("{place} {} -> {}", get.name, short(&gone.content))
                });
                let again = self.simulator.call(&mut self.session, &Call::new(&delete.name, args));
                self.score.note("delete twice fails", again.is_error, || place.clone());
                if let (Some(list), Some(args)) = (list, &list_args)
                    && let Some(rows) = self.call("list", list, args)
                {
                    self.score.note("list lost it", !contains(&rows.content, &id, parameter), || {
                        format!("{place} {id} in {}", short(&rows.content))
                    });
                }
            }
        }
    }
}

/// What a reply breaks of its tool's declared returns.
fn violation(tool: &ToolSpec, reply: &Json) -> String {
    let checker = tool.returns.as_ref().map(|r| Checker::new(r, &Limits::default()));
    match checker {
        Some(Ok(checker)) => checker
            .check(reply)
            .err()
            .map_or_else(String::new, |v| format!("[{} {}: {}]", v.path, v.keyword, v.message)),
        _ => String::new(),
    }
}

fn short(json: &Json) -> String {
    json.to_string().chars().take(260).collect()
}

#[test]
fn records_live_as_their_operations_say() {
    let Some(files) = specs::unpack("raw-specs.tar.zst") else { return };
    let mut score = Score::default();
    let (mut documents, mut found) = (0, 0);
    for (name, bytes) in files.iter().filter(|(name, _)| name.contains("openapi/")) {
        let Ok(imported) = import(bytes, &Limits::default()) else { continue };
        let resources = resources(&imported.tools);
        if resources.is_empty() {
            continue;
        }
        documents += 1;
        found += resources.len();
        let simulator = match Simulator::new(Toolset::from_tools(name.as_str(), imported.tools.clone())) {
            Ok(simulator) => simulator,
            Err(error) => panic!("{name}: {error}"),
        };
        for ((collection, item), resource) in &resources {
            let session = simulator.open(SessionOptions::default()).expect("a session");
            let place = format!("{} {collection}/{item}", name.rsplit('/').next().unwrap_or(name));
            // Parents of any id: an open world has them.
            let sample = arguments(resource.item["GET"], &BTreeMap::new(), 7, false);
            let parents = collection
                .split('/')
                .filter(|s| s.starts_with('{'))
                .map(|s| s.trim_matches(['{', '}']).to_owned())
                .filter_map(|name| Some((name.clone(), sample.get(&name)?.clone())))
                .collect();
            Life { simulator: &simulator, session, score: &mut score, place }.live(resource, item, &parents);
        }
    }
    println!("{documents} documents with {found} resources");
    let (mut tried, mut held) = (0, 0);
    for (what, (all, good)) in &score.tried {
        println!("  {what:28} {good:5} of {all:5} ({:.1} %)", 100.0 * *good as f64 / *all as f64);
        tried += all;
        held += good;
    }
    let show = std::env::var("GTM_SHOW").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    score.failures.sort();
    for failure in score.failures.iter().take(show) {
        println!("  {failure}");
    }
    assert!(found >= 300, "only {found} resources");
    assert!(held as f64 >= 0.99 * tried as f64, "{held} of {tried}");
}
