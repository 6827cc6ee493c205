//! Reading one record, several by id, or by something else that tells it.

use super::{Effect, Family, Param, ParamRole, Plan, Reply, article, spaced, step, words};
use crate::domain::{Domain, Kindred};
use crate::pack::{Action, Attribute, Kind};
use serde_json::json;

pub(super) fn add(domain: &Domain, kindred: &Kindred, plans: &mut Vec<Plan>) {
    if !kindred.allows(Action::Get) {
        return;
    }
    let name = &kindred.name;
    let noun = spaced(name);
    let by = super::roles(kindred.entity.by.get(&Action::Get));
    let id = format!("args.{name}");
    let plan = |key: &str, object: Vec<String>, about: String| Plan {
        key: format!("{key} {name}"),
        family: Family::Read,
        verb: kindred.verb(Action::Get).unwrap_or("get").to_owned(),
        object,
        about,
        params: vec![Param::id(kindred)],
        steps: vec![step::get(kindred, id.as_str(), "it")],
        reply: Reply::Record(name.clone(), "it".into()),
        by: by.clone(),
        effect: Effect::Read,
    };
    plans.push(plan("get", words(name), format!("Returns one {noun} by its id. {}", kindred.entity.about)));

    let many = Attribute { list: Some([1, 4]), ..Param::id(kindred).attribute };
    plans.push(Plan {
        verb: "get".into(),
        params: vec![Param::new("ids", many, true, ParamRole::Id(name.clone()))],
        steps: vec![step::bind(
            "found",
            format!("args.ids.filter(k, has({0}[k])).map(k, {0}[k])", kindred.collection),
        )],
        reply: Reply::Rows(name.clone(), "found".into(), None),
        ..plan(
            "get several",
            words(&kindred.collection),
            format!(
                "Returns several {} by their ids; unknown ids are left out.",
                spaced(&kindred.collection)
            ),
        )
    });

    plans.push(Plan {
        verb: "check".into(),
        params: vec![Param::id(kindred)],
        steps: Vec::new(),
        reply: Reply::Value(json!({"exists": format!("has({}[{id}])", kindred.collection)})),
        ..plan(
            "exists",
            [words(name), words("exists")].concat(),
            format!("Tells whether {} {noun} with this id exists.", article(&noun)),
        )
    });

    for (attribute, member) in
        kindred.select(|m| m.attribute.unique && m.is_stored() && m.attribute.list.is_none())
    {
        let role = ParamRole::Filter(name.clone(), attribute.to_owned());
        let get = gtm_world::behavior::Get {
            within: Some(kindred.collection.clone()),
            filter: Some(format!("it.{attribute} == args.{attribute}")),
            ..Default::default()
        };
        plans.push(Plan {
            verb: "find".into(),
            params: vec![Param::new(attribute, member.attribute.clone(), true, role)],
            steps: vec![gtm_world::behavior::Op::Get(get).into()],
            ..plan(
                &format!("by {attribute}"),
                [words(name), words("by"), words(attribute)].concat(),
                format!("Finds the {noun} with this {}.", spaced(attribute)),
            )
        });
    }

    // A record together with one that it refers to, as detail pages show it.
    for (attribute, member) in kindred.select(|m| m.is_stored() && m.attribute.list.is_none()) {
        let Kind::Ref(target) = &member.attribute.kind else { continue };
        let Some(parent) = domain.entities.get(target).filter(|parent| parent.name != *name) else {
            continue;
        };
        let look = gtm_world::behavior::Get {
            within: Some(parent.collection.clone()),
            id: Some(format!("it.{attribute}")),
            bind: Some("related".into()),
            optional: true,
            ..Default::default()
        };
        plans.push(Plan {
            steps: vec![step::get(kindred, id.as_str(), "it"), gtm_world::behavior::Op::Get(look).into()],
            reply: Reply::Value(json!({
                name.as_str(): {"$view": "it", "of": name},
                attribute: {"$view": "related", "of": target},
            })),
            ..plan(
                &format!("with {attribute}"),
                [words(name), words("with"), words(attribute)].concat(),
                format!("Returns one {noun} together with its {}.", spaced(attribute)),
            )
        });
        plans.push(Plan {
            steps: vec![
                step::get(kindred, id.as_str(), "it"),
                step::get(parent, format!("it.{attribute}"), "related"),
            ],
            reply: Reply::Record(target.clone(), "related".into()),
            ..plan(
                &format!("{attribute} of"),
                [words(attribute), words("of"), words(name)].concat(),
                format!("Returns the {} of {} {noun}.", spaced(attribute), article(&noun)),
            )
        });
    }

    // One member alone: tools that answer with a bare value.
    for (attribute, member) in kindred.select(|m| !m.attribute.secret && !m.attribute.unique).take(3) {
        if matches!(member.attribute.kind, Kind::Ref(_)) {
            continue;
        }
        plans.push(Plan {
            reply: Reply::Value(json!({"$attribute": attribute, "of": name, "var": "it"})),
            ..plan(
                &format!("{attribute} of"),
                [words(name), words(attribute)].concat(),
                format!("Returns the {} of {} {noun}.", spaced(attribute), article(&noun)),
            )
        });
    }
}
