//! Single things: reading them, setting what may be set, moving them between states.

use super::operations::{one_move, with_defaults};
use super::{Effect, Family, Param, ParamRole, Plan, Reply, spaced, step, words};
use crate::domain::{Domain, Kindred, Member};
use crate::pack::{Action, Kind};
use gtm_world::ErrorKind;
use gtm_world::behavior::{Op, Update};
use serde_json::json;

pub(super) fn add(domain: &Domain, kindred: &Kindred, plans: &mut Vec<Plan>) {
    let name = &kindred.name;
    let noun = spaced(name);
    let plan = |key: String, verb: &str, object: Vec<String>, about: String, effect: Effect| Plan {
        key,
        family: Family::Device,
        verb: verb.to_owned(),
        object,
        about,
        params: Vec::new(),
        steps: vec![step::bind("it", kindred.collection.as_str())],
        reply: Reply::Record(name.clone(), "it".into()),
        by: super::roles(kindred.entity.by.get(&if effect == Effect::Read {
            Action::Get
        } else {
            Action::Update
        })),
        effect,
    };
    plans.push(plan(
        format!("get {name}"),
        kindred.verb(Action::Get).unwrap_or("get"),
        [words(name), words("status")].concat(),
        format!("Returns the present state of the {noun}. {}", kindred.entity.about),
        Effect::Read,
    ));
    for (attribute, _) in kindred.select(|m| !m.attribute.secret).take(6) {
        plans.push(Plan {
            reply: Reply::Value(json!({"$attribute": attribute, "of": name, "var": "it"})),
            ..plan(
                format!("{attribute} of {name}"),
                "get",
                [words(name), words(attribute)].concat(),
                format!("Returns the {} of the {noun}.", spaced(attribute)),
                Effect::Read,
            )
        });
    }
    let mutable: Vec<(&str, &Member)> = kindred.select(Member::is_mutable).collect();
    let rules = with_defaults(&kindred.entity.attributes, &kindred.entity.rules.update);
    // A rule asks about arguments by name; in a tool that does not have one it is null, as if not given.
    let field = |attribute: &str, member: &Member, required: bool| {
        let attribute_of = crate::pack::Attribute { default: None, ..member.attribute.clone() };
        Param::new(attribute, attribute_of, required, ParamRole::Field(name.clone(), attribute.to_owned()))
    };
    let changed = |update: Update| {
        let mut steps = vec![step::bind("it", kindred.collection.as_str())];
        steps.extend(kindred.entity.rules.update.iter().cloned());
        steps.push(Op::Update(update).into());
        steps
    };
    if !mutable.is_empty() && kindred.allows(Action::Update) {
        let changes: Vec<String> = mutable.iter().map(|(a, _)| format!("'{a}': args.{a}")).collect();
        let update =
            Update { merge: Some(format!("{{{}}}", changes.join(", "))), ..step::update(kindred, None) };
        plans.push(Plan {
            params: mutable.iter().map(|(a, m)| field(a, m, false)).collect(),
            steps: changed(update),
            ..plan(
                format!("update {name}"),
                kindred.verb(Action::Update).unwrap_or("configure"),
                words(name),
                format!("Changes settings of the {noun}; what is not given stays as it is."),
                Effect::Update,
            )
        });
        for (attribute, member) in &mutable {
            let mut update = step::update(kindred, None);
            update.set.insert((*attribute).to_owned(), json!(format!("args.{attribute}")));
            plans.push(Plan {
                params: vec![field(attribute, member, true)],
                steps: changed(update),
                ..plan(
                    format!("set {attribute} of {name}"),
                    "set",
                    [words(name), words(attribute)].concat(),
                    format!("Sets the {} of the {noun}.", spaced(attribute)),
                    Effect::Update,
                )
            });
            if matches!(member.attribute.kind, Kind::Bool(_)) && rules.is_empty() {
                let mut update = step::update(kindred, None);
                update.set.insert((*attribute).to_owned(), json!(format!("!it.{attribute}")));
                plans.push(Plan {
                    steps: changed(update),
                    ..plan(
                        format!("toggle {attribute} of {name}"),
                        "toggle",
                        [words(name), words(attribute)].concat(),
                        format!("Switches the {} of the {noun} on or off.", spaced(attribute)),
                        Effect::Update,
                    )
                });
            }
            if let (Kind::Int(range) | Kind::Number(range), true) =
                (&member.attribute.kind, rules.is_empty() && !member.optional)
                && member.attribute.list.is_none()
            {
                let (low, high) = (super::writes::number(range.low), super::writes::number(range.high));
                let by = crate::pack::Attribute {
                    kind: Kind::Number(crate::pack::Range {
                        low: 0.0,
                        high: (range.high - range.low) / 4.0,
                        decimals: range.decimals,
                        absolute: false,
                    }),
                    unit: member.attribute.unit.clone(),
                    ..Default::default()
                };
                for (verb, sign) in [("increase", "+"), ("decrease", "-")] {
                    let mut update = step::update(kindred, None);
                    update.set.insert((*attribute).to_owned(), json!("changed"));
                    plans.push(Plan {
                        params: vec![Param::new("amount", by.clone(), true, ParamRole::Other)],
                        steps: vec![
                            step::bind("it", kindred.collection.as_str()),
                            step::bind("changed", format!("round(it.{attribute} {sign} args.amount, 6)")),
                            step::require(
                                format!("changed >= {low} && changed <= {high}"),
                                ErrorKind::InvalidArgument,
                                format!(
                                    "{} would be {{changed}}; it must stay between {low} and {high}",
                                    spaced(attribute)
                                ),
                            ),
                            Op::Update(update).into(),
                        ],
                        ..plan(
                            format!("{verb} {attribute} of {name}"),
                            verb,
                            [words(name), words(attribute)].concat(),
                            format!(
                                "{}s the {} of the {noun} by an amount.",
                                super::writes::capital(verb),
                                spaced(attribute)
                            ),
                            Effect::Update,
                        )
                    });
                }
            }
        }
        // Back to what the pack says the start is.
        let usual: Vec<(&str, String)> =
            mutable.iter().filter_map(|(a, m)| Some((*a, m.attribute.default.clone()?))).collect();
        if usual.len() > 1 && rules.is_empty() {
            let mut update = step::update(kindred, None);
            update.set.extend(usual.iter().map(|(a, default)| ((*a).to_owned(), json!(default))));
            plans.push(Plan {
                steps: changed(update),
                ..plan(
                    format!("reset {name}"),
                    "reset",
                    [words(name), words("settings")].concat(),
                    format!("Puts the settings of the {noun} back to their defaults."),
                    Effect::Update,
                )
            });
        }
    }
    if let Some(lifecycle) = &kindred.entity.lifecycle {
        plans.extend(lifecycle.moves.iter().map(|(verb, mv)| one_move(domain, kindred, lifecycle, verb, mv)));
    }
}
