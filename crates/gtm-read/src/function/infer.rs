//! Collections that no state shows but the tools speak of: where notes can be created, read, listed
//! and deleted, there is a collection of notes.

use super::context::{Context, ID_WORDS};
use super::entity::{self, mentions, without_id};
use super::member::Member;
use super::state_shape::{Collection, Kind};
use super::tokens::stems;
use super::tool::{Field, Param, Returns, Tool};
use super::verbs::Verb;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

/// Parameters that steer a list rather than describe its records.
const STEERING: &[&str] = &[
    "limit", "offset", "page", "cursor", "sort", "order", "query", "search", "keyword", "filter", "per",
    "size", "max", "min", "start", "end", "after", "before", "since", "until", "fields", "include", "expand",
    "verbose", "format", "token",
];

/// Adds the collections that the tools imply to what the state shows, and tells empty ones what
/// their records have.
pub(super) fn extend(ctx: &mut Context<'_>) {
    let about: Vec<Option<usize>> = ctx.tools.iter().map(|tool| entity::collection(ctx, tool)).collect();
    for index in 0..ctx.shape.collections.len() {
        if ctx.collection(index).rows == 0 && ctx.collection(index).members.is_empty() {
            let tools: Vec<usize> =
                about.iter().enumerate().filter(|(_, a)| **a == Some(index)).map(|(at, _)| at).collect();
            let described = describe(ctx, &tools, &ctx.collection(index).stems.clone());
            if let Some((id, schema, members)) = described {
                let collection = &mut ctx.shape.collections[index];
                collection.members = members;
                if collection.id.is_none() && matches!(collection.kind, Kind::List | Kind::Map) {
                    collection.id = Some(id);
                }
                collection.schema = Some(schema);
            }
        }
    }
    for (stems, tools) in groups(ctx, &about) {
        if let Some((id, schema, members)) = describe(ctx, &tools, &stems) {
            // The state may have a place for them, though nothing is in it yet that looks like a record.
            let place = ctx
                .shape
                .groups
                .iter()
                .find(|(path, words)| path.len() <= 2 && *words == stems)
                .map(|(path, _)| path.clone());
            let name = ctx.shape.free_name(&plural(&stems), &[]);
            let path = place.unwrap_or_else(|| vec![name.clone()]);
            let group = if path.len() > 1 { super::tokens::stems(&path[0]) } else { Vec::new() };
            ctx.shape.collections.push(Collection {
                path,
                name,
                parent: None,
                group,
                stems,
                aliases: Vec::new(),
                kind: Kind::Map,
                id: Some(id),
                other_ids: Vec::new(),
                keys: BTreeSet::new(),
                members,
                rows: 0,
                schema: Some(schema),
            });
        }
    }
}

fn plural(stems: &[String]) -> String {
    let name = stems.join("_");
    match name.strip_suffix('y') {
        Some(base) if !base.ends_with(['a', 'e', 'o', 'u']) => format!("{base}ies"),
        _ if name.ends_with(['s', 'x', 'z']) || name.ends_with("ch") || name.ends_with("sh") => {
            format!("{name}es")
        }
        _ => format!("{name}s"),
    }
}

/// Tools that speak of the same thing, where they together keep something: what one of them
/// creates or changes, another one reads or removes.
fn groups(ctx: &Context<'_>, about: &[Option<usize>]) -> Vec<(Vec<String>, Vec<usize>)> {
    let mut by_noun: BTreeMap<Vec<String>, Vec<usize>> = BTreeMap::new();
    let mut order: Vec<Vec<String>> = Vec::new();
    for (at, tool) in ctx.tools.iter().enumerate() {
        let keeps = matches!(
            tool.action.verb,
            Verb::Get
                | Verb::List
                | Verb::Create
                | Verb::Update
                | Verb::Delete
                | Verb::Cancel
                | Verb::Mark
                | Verb::Count
                | Verb::Check
        );
        let many = super::tokens::words(&tool.spec.name)
            .iter()
            .any(|word| matches!(word.as_str(), "batch" | "bulk"));
        if many
            || about[at].is_some()
            || !keeps
            || tool.action.nouns.is_empty()
            || super::maths::read(tool).is_some()
        {
            continue;
        }
        let nouns = tool.action.nouns.clone();
        if !by_noun.contains_key(&nouns) {
            order.push(nouns.clone());
        }
        by_noun.entry(nouns).or_default().push(at);
    }
    let mut out: Vec<(Vec<String>, Vec<usize>)> = Vec::new();
    let mut used: BTreeSet<usize> = BTreeSet::new();
    // Shorter names first: `note` before `note title`, which is about a part of a note.
    order.sort_by_key(Vec::len);
    // Tools by their first noun: only those can be about a part of the thing.
    let mut by_first: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, tool) in ctx.tools.iter().enumerate() {
        if let Some(first) = tool.action.nouns.first() {
            by_first.entry(first).or_default().push(at);
        }
    }
    for nouns in order {
        let mut tools: Vec<usize> = by_noun.get(&nouns).cloned().unwrap_or_default();
        tools.retain(|at| !used.contains(at));
        if tools.is_empty() {
            continue;
        }
        let related = nouns.first().and_then(|first| by_first.get(first.as_str())).into_iter().flatten();
        for (at, tool) in related.map(|at| (*at, &ctx.tools[*at])) {
            let part = tool.action.nouns.len() > nouns.len() && tool.action.nouns.starts_with(&nouns);
            let by_id = tool.params.iter().any(|param| {
                let (what, idish) = without_id(&param.stems);
                idish && what == nouns
            });
            if about[at].is_none()
                && !used.contains(&at)
                && !tools.contains(&at)
                && part
                && by_id
                && tool.action.verb != Verb::Create
            {
                tools.push(at);
            }
        }
        let has = |verbs: &[Verb]| tools.iter().any(|at| verbs.contains(&ctx.tools[*at].action.verb));
        let makes = has(&[Verb::Create]);
        let changes = has(&[Verb::Update, Verb::Delete, Verb::Cancel, Verb::Mark]);
        let reads = has(&[Verb::Get, Verb::List]);
        let lists = has(&[Verb::List]) && has(&[Verb::Get]) && tools.len() > 1;
        // Something must name single records, or nothing could be read back.
        let single = tools.iter().any(|at| key(&ctx.tools[*at], &nouns).is_some());
        if (makes && (reads || changes) || changes && reads && single || lists && single)
            && (single || has(&[Verb::List]))
        {
            used.extend(&tools);
            out.push((nouns, tools));
        }
    }
    out
}

/// The parameter that names one record of a thing.
fn key<'t>(tool: &'t Tool<'_>, nouns: &[String]) -> Option<&'t Param> {
    if !matches!(
        tool.action.verb,
        Verb::Get | Verb::Update | Verb::Delete | Verb::Cancel | Verb::Mark | Verb::Check
    ) {
        return None;
    }
    // What finds many records is not their id.
    if tool.action.plural && tool.action.verb == Verb::Get {
        return None;
    }
    let plain = |param: &&Param| {
        param.required
            && !param.is_list()
            && !param.is_object()
            && !param.is_bool()
            && param.kind.as_deref() != Some("number")
    };
    let params = || tool.params.iter().filter(plain);
    params()
        .find(|param| {
            let (what, idish) = without_id(&param.stems);
            idish && (what.is_empty() || mentions(nouns, &what) || mentions(&what, nouns))
        })
        .or_else(|| {
            params().find(|param| {
                param.stems == nouns
                    || matches!(
                        param.stems.last().map(String::as_str),
                        Some("name" | "title" | "path" | "key" | "url" | "uri")
                    )
            })
        })
        .or_else(|| {
            let mut all = params();
            let first = all.next()?;
            // An id of something else only says to what the record belongs.
            let foreign = without_id(&first.stems).1;
            (all.next().is_none()
                && matches!(tool.action.verb, Verb::Delete | Verb::Get)
                && !steers(&first.stems)
                && !foreign)
                .then_some(first)
        })
}

fn steers(stems: &[String]) -> bool {
    stems.iter().any(|word| STEERING.contains(&word.as_str()))
}

/// The id member, schema and members of the records that some tools speak of.
fn describe(ctx: &Context<'_>, tools: &[usize], nouns: &[String]) -> Option<(String, Json, Vec<Member>)> {
    let mut properties: Map<String, Json> = Map::new();
    let mut required: Vec<String> = Vec::new();
    let tools: Vec<&Tool<'_>> = tools.iter().map(|at| &ctx.tools[*at]).collect();
    // What a record looks like when read says most.
    for tool in &tools {
        if !matches!(tool.action.verb, Verb::Get | Verb::List | Verb::Create | Verb::Update) {
            continue;
        }
        for (field, schema) in record_fields(tool, nouns) {
            if tool.action.verb == Verb::Get && !required.contains(&field.name) {
                required.push(field.name.clone());
            }
            properties.entry(field.name.clone()).or_insert(schema);
        }
    }
    let keys: Vec<&Param> = tools.iter().filter_map(|tool| key(tool, nouns)).collect();
    let id = id_member(&properties, &keys, nouns);
    for tool in &tools {
        if !matches!(tool.action.verb, Verb::Create | Verb::Update) {
            continue;
        }
        for param in &tool.params {
            let secret =
                param.stems.iter().any(|w| matches!(w.as_str(), "token" | "apikey" | "credential" | "auth"));
            if secret {
                continue;
            }
            let is_key = keys.iter().any(|key| key.name == param.name) && param.name != id;
            let odd = steers(&param.stems) && tool.action.verb != Verb::Create;
            if is_key && tool.action.verb != Verb::Create
                || odd
                || param.is_object() && !param.fields.is_empty() && tool.action.verb == Verb::Update
            {
                continue;
            }
            properties.entry(param.name.clone()).or_insert_with(|| self_contained(&param.schema));
            if tool.action.verb == Verb::Create && param.required && !required.contains(&param.name) {
                required.push(param.name.clone());
            }
        }
    }
    if properties.is_empty() {
        return None;
    }
    let id_schema = keys.first().map_or_else(|| json!({"type": "string"}), |key| self_contained(&key.schema));
    if !properties.contains_key(&id) {
        let mut with_id = Map::new();
        with_id.insert(id.clone(), id_schema);
        with_id.append(&mut properties);
        properties = with_id;
    }
    if !required.contains(&id) {
        required.insert(0, id.clone());
    }
    let members = properties.iter().map(|(name, schema)| member(name, schema)).collect();
    let schema = json!({"type": "object", "properties": properties, "required": required});
    Some((id, schema, members))
}

fn member(name: &str, schema: &Json) -> Member {
    let mut member = Member::named(name);
    match gtm_tool::schema::primary_type(schema, schema) {
        Some("boolean") => member.first = json!(false),
        Some("array") => {
            member.first = json!([]);
            member.single = false;
        }
        Some("object") => member.single = false,
        _ => {}
    }
    let listed = schema.get("enum").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
    member.values.extend(listed.map(str::to_owned));
    if member.values.is_empty()
        && let Some(text) = schema.get("description").and_then(Json::as_str)
    {
        member.values.extend(super::tool::options_in(text));
    }
    member
}

/// The members of one record among what a tool returns, with their schemas.
fn record_fields<'t>(tool: &'t Tool<'_>, nouns: &[String]) -> Vec<(&'t Field, Json)> {
    let Some(root) = tool.spec.returns.as_ref() else { return Vec::new() };
    let at = |pointer: &str, name: &str| {
        let found = root.pointer(pointer).and_then(|p| p.get(name)).cloned().unwrap_or_else(|| json!({}));
        self_contained(&found)
    };
    match &tool.returns {
        Returns::Object(fields) => {
            // Wrapped: `{note: {...}}`, `{notes: [{...}]}`.
            let wrapped = fields.iter().find(|f| {
                !f.inner.is_empty()
                    && (mentions(&f.stems, nouns) || fields.len() == 1 || tool.action.verb == Verb::List)
            });
            if let Some(wrapper) = wrapped {
                let items = if wrapper.kind == "array" { "/items" } else { "" };
                let pointer = format!(
                    "/properties/{}{items}/properties",
                    wrapper.name.replace('~', "~0").replace('/', "~1")
                );
                return wrapper.inner.iter().map(|f| (f, at(&pointer, &f.name))).collect();
            }
            if matches!(tool.action.verb, Verb::List) {
                return Vec::new();
            }
            let told = |f: &&Field| {
                !matches!(
                    f.stems.join(" ").as_str(),
                    "success" | "message" | "error" | "ok" | "result" | "status message"
                )
            };
            let of_record = |f: &&Field| {
                tool.action.verb == Verb::Get
                    || f.stems.last().is_some_and(|w| w == "id")
                    || tool.params.iter().any(|p| p.name == f.name)
            };
            fields.iter().filter(told).filter(of_record).map(|f| (f, at("/properties", &f.name))).collect()
        }
        Returns::List(fields) => fields.iter().map(|f| (f, at("/items/properties", &f.name))).collect(),
        _ => Vec::new(),
    }
}

/// The member that holds the id: as replies call it, else as calls do.
fn id_member(properties: &Map<String, Json>, keys: &[&Param], nouns: &[String]) -> String {
    if let Some(key) = keys.iter().find(|key| properties.contains_key(&key.name)) {
        return key.name.clone();
    }
    let own = properties.keys().find(|name| {
        let words = stems(name);
        let (what, idish) = without_id(&words);
        idish
            && words.last().is_some_and(|w| ID_WORDS.contains(&w.as_str()))
            && (what.is_empty() || what == nouns)
    });
    if let Some(own) = own {
        return own.clone();
    }
    match keys.first() {
        Some(key) if !key.stems.iter().any(|w| w == "id") => key.name.clone(),
        Some(key) => key.name.clone(),
        None => "id".into(),
    }
}

/// A schema without references, which would point into another document.
fn self_contained(schema: &Json) -> Json {
    if schema.to_string().contains("\"$ref\"") {
        let mut out = Map::new();
        for keep in ["type", "description", "enum", "format"] {
            if let Some(value) = schema.get(keep) {
                out.insert(keep.into(), value.clone());
            }
        }
        return Json::Object(out);
    }
    schema.clone()
}
