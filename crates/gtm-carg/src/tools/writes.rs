//! Making, changing and removing records.

use super::operations::with_defaults;
use super::{Effect, Family, Param, ParamRole, Plan, Reply, article, spaced, step, words};
use crate::domain::{Domain, Kindred, Member};
use crate::pack::{Action, Attribute, Kind, Range};
use gtm_world::ErrorKind;
use gtm_world::behavior::{Op, Step};
use serde_json::{Map as JsonMap, Value as Json, json};

pub(super) fn add(domain: &Domain, kindred: &Kindred, plans: &mut Vec<Plan>) {
    if kindred.allows(Action::Create) {
        plans.push(create(domain, kindred));
        plans.extend(duplicate(domain, kindred));
    }
    if kindred.allows(Action::Update) {
        plans.extend(update(domain, kindred));
        for (attribute, member) in kindred.select(Member::is_mutable) {
            plans.push(set_one(domain, kindred, attribute, member));
            plans.extend(adjust(kindred, attribute, member));
            plans.extend(list_items(kindred, attribute, member));
        }
    }
    if kindred.allows(Action::Delete) {
        plans.push(delete(kindred));
        plans.extend(delete_where(kindred));
    }
}

fn plan(kindred: &Kindred, key: &str, family: Family, verb: &str, action: Action, about: String) -> Plan {
    let effect = match family {
        Family::Create => Effect::Create,
        Family::Delete => Effect::Delete,
        _ => Effect::Update,
    };
    Plan {
        key: format!("{key} {}", kindred.name),
        family,
        verb: verb.to_owned(),
        object: words(&kindred.name),
        about,
        params: vec![Param::id(kindred)],
        steps: Vec::new(),
        reply: Reply::Record(kindred.name.clone(), "it".into()),
        by: super::roles(kindred.entity.by.get(&action)),
        effect,
    }
}

/// Arguments for attributes: named as they are.
fn field(kindred: &Kindred, name: &str, member: &Member, required: bool) -> Param {
    Param::new(
        name,
        member.attribute.clone(),
        required,
        ParamRole::Field(kindred.name.clone(), name.to_owned()),
    )
}

/// Looks up the records that `ref` arguments point to, under the arguments' names.
pub(super) fn look_up(domain: &Domain, name: &str, attribute: &Attribute, optional: bool) -> Option<Step> {
    let Kind::Ref(target) = &attribute.kind else { return None };
    let parent = domain.entities.get(target).filter(|_| attribute.list.is_none())?;
    let get = step::get(parent, format!("args.{name}"), name);
    Some(if optional { step::when(format!("args.{name} != null"), get) } else { get })
}

/// The entity's own name for the record `it`, where steps use it.
pub(super) fn alias(kindred: &Kindred, steps: &[Step]) -> Option<Step> {
    crate::steps::variables(steps).contains(&kindred.name).then(|| step::bind(&kindred.name, "it"))
}

fn create(domain: &Domain, kindred: &Kindred) -> Plan {
    let noun = spaced(&kindred.name);
    let mut params = Vec::new();
    let mut steps = Vec::new();
    let mut set = JsonMap::new();
    for (name, member) in kindred.select(Member::is_stored) {
        let attribute = &member.attribute;
        if !member.is_given() {
            if let Some(default) = &attribute.default {
                set.insert(name.to_owned(), json!(default));
            }
            continue;
        }
        let optional = member.optional || attribute.default.is_some();
        params.push(field(kindred, name, member, !optional));
        steps.extend(look_up(domain, name, attribute, optional));
        if attribute.unique {
            let taken = format!("!{0}.exists(k, {0}[k].{name} == args.{name})", kindred.collection);
            steps.push(step::require(
                taken,
                ErrorKind::Conflict,
                format!("{} {} '{{args.{name}}}' already exists", capital(&noun), spaced(name)),
            ));
        }
        let value = match &attribute.default {
            Some(default) => format!("default(args.{name}, {default})"),
            None => format!("args.{name}"),
        };
        set.insert(name.to_owned(), json!(value));
    }
    let attributes = &kindred.entity.attributes;
    steps.extend(with_defaults(attributes, &kindred.entity.rules.create));
    steps.push(step::create(kindred, set));
    let created = with_defaults(attributes, &kindred.entity.rules.created);
    if !created.is_empty() {
        steps.extend(alias(kindred, &created));
        // Effects on other records bind `it`; the reply is about the new one.
        steps.push(step::bind("made", "it"));
        steps.extend(created.iter().cloned());
    }
    let var = if kindred.entity.rules.created.is_empty() { "it" } else { "made" };
    Plan {
        params,
        steps,
        reply: Reply::Record(kindred.name.clone(), var.into()),
        ..plan(
            kindred,
            "create",
            Family::Create,
            kindred.verb(Action::Create).unwrap_or("create"),
            Action::Create,
            format!("Creates {} {noun}. {}", article(&noun), kindred.entity.about),
        )
    }
}

/// A copy of a record under a new id: only where nothing forbids equal members.
fn duplicate(domain: &Domain, kindred: &Kindred) -> Option<Plan> {
    let simple = kindred.entity.rules.create.is_empty() && kindred.entity.rules.created.is_empty();
    let unique = kindred.attributes.values().any(|m| m.attribute.unique);
    if !simple || unique || domain.entities.len() < 2 {
        return None;
    }
    let noun = spaced(&kindred.name);
    let mut set = JsonMap::new();
    for (name, member) in kindred.select(Member::is_stored) {
        let start = (!member.is_given()).then_some(member.attribute.default.as_ref()).flatten();
        let start = start.filter(|default| !default.contains("args."));
        set.insert(
            name.to_owned(),
            start.map_or_else(|| json!(format!("source.{name}")), |default| json!(default)),
        );
    }
    Some(Plan {
        steps: vec![
            step::get(kindred, format!("args.{}", kindred.name), "source"),
            step::create(kindred, set),
        ],
        ..plan(
            kindred,
            "copy",
            Family::Create,
            "duplicate",
            Action::Create,
            format!("Makes a new {noun} with the values of an existing one."),
        )
    })
}

fn update(domain: &Domain, kindred: &Kindred) -> Option<Plan> {
    let mutable: Vec<(&str, &Member)> = kindred.select(Member::is_mutable).collect();
    if mutable.is_empty() {
        return None;
    }
    let noun = spaced(&kindred.name);
    let id = format!("args.{}", kindred.name);
    let mut params = vec![Param::id(kindred)];
    let mut steps = vec![step::get(kindred, id.as_str(), "it")];
    let mut changes = Vec::new();
    for (name, member) in &mutable {
        params.push(field(kindred, name, member, false));
        steps.extend(look_up(domain, name, &member.attribute, true));
        if member.attribute.unique {
            let taken = format!(
                "!{0}.exists(k, k != string({id}) && {0}[k].{name} == args.{name})",
                kindred.collection
            );
            steps.push(step::when(
                format!("args.{name} != null"),
                step::require(
                    taken,
                    ErrorKind::Conflict,
                    format!("{} {} '{{args.{name}}}' already exists", capital(&noun), spaced(name)),
                ),
            ));
        }
        changes.push(format!("'{name}': args.{name}"));
    }
    // Rules may ask about arguments that cannot be changed; to them those are absent.
    let rules = &kindred.entity.rules.update;
    steps.extend(alias(kindred, rules));
    steps.extend(rules.iter().cloned());
    let merge = format!("{{{}}}", changes.join(", "));
    steps.push(
        Op::Update(gtm_world::behavior::Update { merge: Some(merge), ..step::update(kindred, Some(&id)) })
            .into(),
    );
    Some(Plan {
        params,
        steps,
        ..plan(
            kindred,
            "update",
            Family::Update,
            kindred.verb(Action::Update).unwrap_or("update"),
            Action::Update,
            format!("Changes {} {noun}; what is not given stays as it is.", article(&noun)),
        )
    })
}

/// One member, by a tool of its own.
fn set_one(domain: &Domain, kindred: &Kindred, name: &str, member: &Member) -> Plan {
    let (noun, what) = (spaced(&kindred.name), spaced(name));
    let id = format!("args.{}", kindred.name);
    let mut steps = vec![step::get(kindred, id.as_str(), "it")];
    steps.extend(look_up(domain, name, &member.attribute, false));
    let rules = &kindred.entity.rules.update;
    steps.extend(alias(kindred, rules));
    steps.extend(rules.iter().cloned());
    let mut update = step::update(kindred, Some(&id));
    update.set.insert(name.to_owned(), json!(format!("args.{name}")));
    steps.push(Op::Update(update).into());
    Plan {
        params: vec![Param::id(kindred), field(kindred, name, member, true)],
        steps,
        object: [words(&kindred.name), words(name)].concat(),
        ..plan(
            kindred,
            &format!("set {name}"),
            Family::Update,
            "set",
            Action::Update,
            format!("Sets the {what} of {} {noun}.", article(&noun)),
        )
    }
}

/// Raises or lowers a number, within its range.
fn adjust(kindred: &Kindred, name: &str, member: &Member) -> Option<Plan> {
    let (Kind::Int(range) | Kind::Number(range) | Kind::Money(range)) = &member.attribute.kind else {
        return None;
    };
    if !kindred.entity.rules.update.is_empty()
        || member.attribute.list.is_some()
        || member.optional
        || range.high <= range.low
    {
        return None;
    }
    let (noun, what) = (spaced(&kindred.name), spaced(name));
    let id = format!("args.{}", kindred.name);
    let span = range.high - range.low;
    let change = Attribute {
        kind: match &member.attribute.kind {
            Kind::Int(_) => {
                Kind::Int(Range { low: -(span / 4.0).ceil(), high: (span / 4.0).ceil(), ..*range })
            }
            _ => Kind::Number(Range {
                low: -span / 4.0,
                high: span / 4.0,
                decimals: range.decimals.or(Some(2)),
                absolute: false,
            }),
        },
        unit: member.attribute.unit.clone(),
        ..Attribute::default()
    };
    let (low, high) = (number(range.low), number(range.high));
    let mut update = step::update(kindred, Some(&id));
    update.set.insert(name.to_owned(), json!("changed"));
    Some(Plan {
        params: vec![Param::id(kindred), Param::new("change", change, true, ParamRole::Other)],
        steps: vec![
            step::get(kindred, id.as_str(), "it"),
            step::bind("changed", format!("round(it.{name} + args.change, 6)")),
            step::require(
                format!("changed >= {low} && changed <= {high}"),
                ErrorKind::InvalidArgument,
                format!("{what} would be {{changed}}; it must stay between {low} and {high}"),
            ),
            Op::Update(update).into(),
        ],
        object: [words(&kindred.name), words(name)].concat(),
        ..plan(
            kindred,
            &format!("adjust {name}"),
            Family::Update,
            "adjust",
            Action::Update,
            format!("Raises or lowers the {what} of {} {noun} by an amount.", article(&noun)),
        )
    })
}

/// Adds to a list within a record, or takes away from it.
fn list_items(kindred: &Kindred, name: &str, member: &Member) -> Vec<Plan> {
    if member.attribute.list.is_none() || !kindred.entity.rules.update.is_empty() {
        return Vec::new();
    }
    let (noun, what) = (spaced(&kindred.name), spaced(name));
    let id = format!("args.{}", kindred.name);
    let item = Attribute { list: None, default: None, ..member.attribute.clone() };
    let tool = |key: &str, verb: &str, guard: Step, value: &str, about: String| {
        let mut update = step::update(kindred, Some(&id));
        update.set.insert(name.to_owned(), json!(value));
        Plan {
            params: vec![Param::id(kindred), Param::new("item", item.clone(), true, ParamRole::Other)],
            steps: vec![step::get(kindred, id.as_str(), "it"), guard, Op::Update(update).into()],
            object: [words(&kindred.name), words(name)].concat(),
            ..plan(kindred, &format!("{key} {name}"), Family::Update, verb, Action::Update, about)
        }
    };
    let there = format!("contains(it.{name}, args.item)");
    let absent = step::require(
        format!("!{there}"),
        ErrorKind::Conflict,
        format!("{{args.item}} is already among the {what}"),
    );
    let present =
        step::require(there.clone(), ErrorKind::NotFound, format!("{{args.item}} is not among the {what}"));
    vec![
        tool(
            "add to",
            "add",
            absent,
            &format!("default(it.{name}, []).withItem(args.item)"),
            format!("Adds to the {what} of {} {noun}.", article(&noun)),
        ),
        tool(
            "remove from",
            "remove",
            present,
            &format!("it.{name}.without(args.item)"),
            format!("Removes from the {what} of {} {noun}.", article(&noun)),
        ),
    ]
}

fn delete(kindred: &Kindred) -> Plan {
    let noun = spaced(&kindred.name);
    let id = format!("args.{}", kindred.name);
    let rules = &kindred.entity.rules.delete;
    let mut steps = Vec::new();
    if !rules.is_empty() {
        steps.push(step::get(kindred, id.as_str(), "it"));
        steps.extend(alias(kindred, rules));
        steps.extend(rules.iter().cloned());
    }
    steps.push(step::delete(kindred, id.as_str()));
    Plan {
        steps,
        reply: Reply::Done(kindred.name.clone(), "deleted".into(), id),
        ..plan(
            kindred,
            "delete",
            Family::Delete,
            kindred.verb(Action::Delete).unwrap_or("delete"),
            Action::Delete,
            format!("Removes {} {noun} for good.", article(&noun)),
        )
    }
}

/// Removes all records in one state: only where removing one has no rules.
fn delete_where(kindred: &Kindred) -> Option<Plan> {
    let field = kindred.entity.lifecycle.as_ref()?.field();
    if !kindred.entity.rules.delete.is_empty() {
        return None;
    }
    let (nouns, collection) = (spaced(&kindred.collection), &kindred.collection);
    let member = kindred.attributes.get(field)?;
    let kept = format!("{collection}.transformMap(k, r, r.{field} != args.{field}, r)");
    let value: Json = json!(kept);
    Some(Plan {
        params: vec![Param::new(
            field,
            Attribute { readonly: false, default: None, ..member.attribute.clone() },
            true,
            ParamRole::Filter(kindred.name.clone(), field.to_owned()),
        )],
        steps: vec![
            step::bind("before", format!("size({collection})")),
            Op::Update(gtm_world::behavior::Update {
                at: Some(collection.clone()),
                value: Some(value),
                bind: Some("left".into()),
                ..Default::default()
            })
            .into(),
        ],
        object: [words(collection), words("by"), words(field)].concat(),
        reply: Reply::Value(json!({"deleted": "before - size(left)", "remaining": "size(left)"})),
        ..plan(
            kindred,
            "delete where",
            Family::Delete,
            "purge",
            Action::Delete,
            format!("Removes all {nouns} that are in one state."),
        )
    })
}

pub(super) fn number(x: f64) -> String {
    if x.fract() == 0.0 && x.abs() < 1e15 { format!("{}", x as i64) } else { format!("{x:?}") }
}

pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
