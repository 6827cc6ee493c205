//! Moves between states, operations across entities, and reports.

use super::writes::{alias, look_up};
use super::{Effect, Family, Param, ParamRole, Plan, Reply, article, spaced, step, words};
use crate::domain::{Domain, Kindred};
use crate::pack::{Attribute, Kind, Lifecycle, Move};
use gtm_world::ErrorKind;
use gtm_world::behavior::{Op, Step};
use indexmap::IndexMap;
use serde_json::json;

/// Moves of an entity, and what is asked about its states.
pub(super) fn moves(domain: &Domain, kindred: &Kindred, plans: &mut Vec<Plan>) {
    let Some(lifecycle) = &kindred.entity.lifecycle else { return };
    for (verb, mv) in &lifecycle.moves {
        plans.push(one_move(domain, kindred, lifecycle, verb, mv));
        if mv.steps.is_empty() && mv.takes.is_empty() && mv.set.is_empty() {
            plans.push(many_moves(kindred, lifecycle, verb, mv));
        }
    }
    let noun = spaced(&kindred.name);
    let id = format!("args.{}", kindred.name);
    let field = lifecycle.field();
    // What may be done next follows from the lifecycle alone.
    let table: serde_json::Map<String, serde_json::Value> = lifecycle
        .states
        .iter()
        .map(|state| {
            let next = lifecycle
                .moves
                .iter()
                .filter(|(_, mv)| mv.from.all().iter().any(|from| from == state || from == "any"));
            (state.clone(), next.map(|(verb, _)| verb.as_str()).collect())
        })
        .collect();
    plans.push(Plan {
        key: format!("next {}", kindred.name),
        family: Family::Read,
        verb: "get".into(),
        object: [words(&kindred.name), words("actions")].concat(),
        about: format!(
            "Tells what can be done with {} {noun} in its present {}.",
            article(&noun),
            spaced(field)
        ),
        params: vec![Param::id(kindred)],
        steps: vec![step::get(kindred, id.as_str(), "it"), step::bind("allowed", json!({"$value": table}))],
        reply: Reply::Value(
            json!({"id": id, field: format!("it.{field}"), "actions": format!("allowed[it.{field}]")}),
        ),
        by: Vec::new(),
        effect: Effect::Read,
    });
}

/// Condition and message that a record is where a move starts.
fn starts(lifecycle: &Lifecycle, noun: &str, id: &str, verb: &str, mv: &Move) -> Option<Step> {
    let from = mv.from.all();
    if from.iter().any(|from| from == "any") {
        return None;
    }
    let field = lifecycle.field();
    let that = match from {
        [only] => format!("it.{field} == '{only}'"),
        several => format!("it.{field} in ['{}']", several.join("', '")),
    };
    let message = format!(
        "Cannot {} {noun} {{{id}}}: it is {{it.{field}}}, not {}",
        spaced(verb),
        from.iter().map(|s| spaced(s)).collect::<Vec<_>>().join(" or ")
    );
    Some(step::require(that, ErrorKind::Conflict, message))
}

/// Also for singletons, which have no id.
pub(super) fn one_move(
    domain: &Domain,
    kindred: &Kindred,
    lifecycle: &Lifecycle,
    verb: &str,
    mv: &Move,
) -> Plan {
    let noun = spaced(&kindred.name);
    let single = domain.singletons.contains_key(&kindred.name);
    let id = format!("args.{}", kindred.name);
    let mut params = if single { Vec::new() } else { vec![Param::id(kindred)] };
    let mut steps = match single {
        true => vec![step::bind("it", kindred.collection.as_str())],
        false => vec![step::get(kindred, id.as_str(), "it")],
    };
    let shown = if single { format!("'{noun}'") } else { id.clone() };
    steps.extend(starts(lifecycle, if single { "the" } else { &noun }, &shown, verb, mv));
    takes(domain, &mv.takes, &mut params, &mut steps);
    if !single {
        steps.extend(alias(kindred, &mv.steps));
    }
    steps.extend(with_defaults(&mv.takes, &mv.steps));
    let mut update = step::update(kindred, (!single).then_some(&id));
    update.set.insert(lifecycle.field().to_owned(), json!(format!("'{}'", mv.to)));
    update.set.extend(mv.set.iter().map(|(name, template)| (name.clone(), template.clone())));
    steps.extend(with_defaults(&mv.takes, &[Op::Update(update).into()]));
    Plan {
        key: format!("move {} {verb}", kindred.name),
        family: if single { Family::Device } else { Family::Transition },
        verb: verb.to_owned(),
        object: words(&kindred.name),
        about: match mv.about.is_empty() {
            true => format!("Moves {} {noun} to {}.", article(&noun), spaced(&mv.to)),
            false => mv.about.clone(),
        },
        params,
        steps,
        reply: Reply::Record(kindred.name.clone(), "it".into()),
        by: super::roles(mv.by.as_ref()),
        effect: Effect::Update,
    }
}

/// A move of several records at once: those that cannot move stay.
fn many_moves(kindred: &Kindred, lifecycle: &Lifecycle, verb: &str, mv: &Move) -> Plan {
    let (field, collection) = (lifecycle.field(), &kindred.collection);
    let nouns = spaced(collection);
    let from = mv.from.all();
    let fits = match from.iter().any(|from| from == "any") {
        true => format!("has({collection}[k])"),
        false => format!("has({collection}[k]) && {collection}[k].{field} in ['{}']", from.join("', '")),
    };
    let many =
        Attribute { list: Some([1, 4]), kind: Kind::Ref(kindred.name.clone()), ..Attribute::default() };
    Plan {
        key: format!("move several {} {verb}", kindred.name),
        family: Family::Transition,
        verb: verb.to_owned(),
        object: words(collection),
        about: format!(
            "{} several {nouns} at once; those that cannot be moved to {} are listed as skipped.",
            super::writes::capital(&spaced(verb)),
            spaced(&mv.to)
        ),
        params: vec![Param::new("ids", many, true, ParamRole::Id(kindred.name.clone()))],
        steps: vec![
            step::bind("moved", format!("args.ids.map(i, string(i)).filter(k, {fits})")),
            Op::Update(gtm_world::behavior::Update {
                at: Some(collection.clone()),
                value: Some(json!(format!(
                    "{collection}.transformMap(k, r, k in moved ? r.withMember('{field}', '{}') : r)",
                    mv.to
                ))),
                bind: Some("after".into()),
                ..Default::default()
            })
            .into(),
        ],
        reply: Reply::Value(
            json!({"moved": "moved", "skipped": "args.ids.filter(k, !(string(k) in moved))"}),
        ),
        by: super::roles(mv.by.as_ref()),
        effect: Effect::Update,
    }
}

/// Arguments that an operation or move takes, and the steps that look up what they refer to.
pub(super) fn takes(
    domain: &Domain,
    takes: &IndexMap<String, Attribute>,
    params: &mut Vec<Param>,
    steps: &mut Vec<Step>,
) {
    for (name, attribute) in takes {
        let plain = name.trim_end_matches('?');
        let optional = name.ends_with('?') || attribute.default.is_some();
        let role = match (&attribute.kind, attribute.list) {
            (Kind::Ref(entity), _) => ParamRole::Id(entity.clone()),
            _ => ParamRole::Other,
        };
        steps.extend(look_up(domain, plain, attribute, optional));
        params.push(Param::new(plain, attribute.clone(), !optional, role));
    }
}

/// An expression in which arguments that have a default are read with it.
pub(super) fn with_default(takes: &IndexMap<String, Attribute>, text: &str) -> String {
    crate::text::replace_arguments(text, |name| {
        let (_, attribute) = takes.iter().find(|(known, _)| known.trim_end_matches('?') == name)?;
        attribute.default.as_ref().map(|default| format!("default(args.{name}, {default})"))
    })
}

/// Steps in which arguments that have a default are read with it.
pub(super) fn with_defaults(takes: &IndexMap<String, Attribute>, steps: &[Step]) -> Vec<Step> {
    let rewrite = |text: &str| with_default(takes, text);
    steps
        .iter()
        .map(|step| {
            let mut step = step.clone();
            crate::steps::visit(&mut step, &mut |part| {
                use crate::steps::Part;
                match part {
                    Part::Expr(text) | Part::Place(text) | Part::Within(text) => *text = rewrite(text),
                    Part::Message(text) => *text = crate::text::rewrite_holes(text, rewrite),
                    _ => {}
                }
            });
            step
        })
        .collect()
}

/// Operations and reports.
pub(super) fn add(domain: &Domain, plans: &mut Vec<Plan>) {
    for (name, operation) in &domain.pack.operations {
        let (mut params, mut steps) = (Vec::new(), Vec::new());
        takes(domain, &operation.takes, &mut params, &mut steps);
        let mut own = with_defaults(&operation.takes, &operation.steps);
        let reply = match own.pop() {
            Some(Step { when: None, op: Op::Reply(template), .. }) => Reply::Value(template),
            last => {
                own.extend(last);
                Reply::Value(json!({"$bare": "it"}))
            }
        };
        let writes = own.iter().any(|s| matches!(s.op, Op::Create(_) | Op::Update(_) | Op::Delete(_)));
        steps.extend(own);
        let mut split = words(name);
        let verb = split.remove(0);
        plans.push(Plan {
            key: format!("operation {name}"),
            family: Family::Operation,
            verb,
            object: split,
            about: operation.about.clone(),
            params,
            steps,
            reply,
            by: super::roles(operation.by.as_ref()),
            effect: if writes { Effect::Update } else { Effect::Read },
        });
    }
    for (name, report) in &domain.pack.reports {
        let (mut params, mut steps) = (Vec::new(), Vec::new());
        takes(domain, &report.takes, &mut params, &mut steps);
        let collection = &report.over;
        let rewrite = |text: &str, it: &str| {
            let text = with_default(&report.takes, text);
            crate::text::rename(&text, |name| {
                (name.text == "it" && name.role == crate::text::Role::Variable).then(|| it.to_owned())
            })
        };
        let all = format!("{collection}.map(k, {collection}[k])");
        let rows = match &report.filter {
            Some(filter) => format!("{all}.filter(r, {})", rewrite(filter, "r")),
            None => all,
        };
        steps.push(step::bind("rows", rows));
        let reply = match &report.by {
            None => json!(
                report
                    .measures
                    .iter()
                    .map(|(name, text)| (name.clone(), json!(rewrite(text, "it"))))
                    .collect::<serde_json::Map<_, _>>()
            ),
            Some(by) => {
                let by = rewrite(by, "r");
                let group = by.rsplit_once('.').map_or("group", |(_, name)| name);
                let group = if group.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                    group
                } else {
                    "group"
                };
                steps.push(step::bind("all_rows", "rows"));
                let measures: Vec<String> = report
                    .measures
                    .iter()
                    .map(|(name, text)| format!("'{name}': {}", rewrite(text, "it")))
                    .collect();
                let value = format!(
                    "all_rows.map(r, {by}).distinct().map(g, cel.bind(rows, all_rows.filter(r, {by} == g), {{'{group}': g, {}}}))",
                    measures.join(", ")
                );
                json!({"$bare": value})
            }
        };
        plans.push(Plan {
            key: format!("report {name}"),
            family: Family::Report,
            verb: "report".into(),
            object: words(name),
            about: report.about.clone(),
            params,
            steps,
            reply: Reply::Value(reply),
            by: Vec::new(),
            effect: Effect::Read,
        });
    }
}
