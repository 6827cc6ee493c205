//! Listing, filtering, searching, counting and adding up.

use super::{Effect, Family, Param, ParamRole, Plan, Reply, article, spaced, step, words};
use crate::domain::{Domain, Kindred, Member};
use crate::pack::{Action, Attribute, Kind, Range};
use gtm_world::behavior::{Op, Sort};
use serde_json::json;

/// Most categories that one list filters by.
const FILTERS: usize = 4;

pub(super) fn add(domain: &Domain, kindred: &Kindred, plans: &mut Vec<Plan>) {
    if !kindred.allows(Action::List) {
        return;
    }
    let name = &kindred.name;
    let nouns = spaced(&kindred.collection);
    let by = super::roles(kindred.entity.by.get(&Action::List));
    let plan = |key: String, family: Family, verb: &str, object: Vec<String>, about: String| Plan {
        key,
        family,
        verb: verb.to_owned(),
        object,
        about,
        params: Vec::new(),
        steps: Vec::new(),
        reply: Reply::Rows(name.clone(), "rows".into(), None),
        by: by.clone(),
        effect: Effect::Read,
    };
    let collection = &kindred.collection;
    let paged = Reply::Rows(name.clone(), "rows".into(), Some("total".into()));
    let categories: Vec<(&str, &Member)> =
        kindred.select(|m| m.is_category() && !m.attribute.secret).collect();
    let numbers: Vec<(&str, &Member)> =
        kindred.select(|m| m.is_number() && m.is_stored() && !m.optional && !m.attribute.secret).collect();
    let moments: Vec<(&str, &Member)> =
        kindred.select(|m| m.is_moment() && m.is_stored() && !m.optional).collect();

    let (params, rows) = full_list(kindred, &categories, &numbers, &moments);
    plans.push(Plan {
        params,
        steps: vec![Op::List(rows).into()],
        reply: paged.clone(),
        ..plan(
            format!("list {name}"),
            Family::List,
            kindred.verb(Action::List).unwrap_or("list"),
            words(collection),
            format!("Lists {nouns}, filtered, sorted and in pages."),
        )
    });

    let text: Vec<String> =
        kindred.select(|m| m.is_text() && m.is_stored()).map(|(name, _)| spaced(name)).take(4).collect();
    if !text.is_empty() {
        let mut rows = step::list(kindred);
        rows.search = Some("args.query".into());
        rows.limit = Some("default(args.limit, 10)".into());
        plans.push(Plan {
            params: vec![query(name), limit(10)],
            steps: vec![Op::List(rows).into()],
            ..plan(
                format!("search {name}"),
                Family::Search,
                "search",
                words(collection),
                format!("Finds {nouns} by words in their {}.", text.join(", ")),
            )
        });
    }

    for (attribute, member) in &categories {
        let role = ParamRole::Filter(name.clone(), (*attribute).to_owned());
        let mut rows = step::list(kindred);
        rows.equal.insert((*attribute).to_owned(), json!(format!("args.{attribute}")));
        let param = || Param::new(*attribute, plain(&member.attribute), true, role.clone());
        let object = || [words(collection), words("by"), words(attribute)].concat();
        let mut steps = Vec::new();
        if let Kind::Ref(target) = &member.attribute.kind
            && let Some(parent) = domain.entities.get(target)
        {
            steps.push(step::get(parent, format!("args.{attribute}"), attribute));
        }
        steps.push(Op::List(rows).into());
        plans.push(Plan {
            params: vec![param()],
            steps,
            ..plan(
                format!("list {name} by {attribute}"),
                Family::List,
                "list",
                object(),
                format!("Lists the {nouns} of one {}.", spaced(attribute)),
            )
        });
        let counted = format!("{collection}.filter(k, {collection}[k].{attribute} == args.{attribute})");
        plans.push(Plan {
            params: vec![param()],
            reply: Reply::Value(
                json!({(*attribute): format!("args.{attribute}"), "count": format!("size({counted})")}),
            ),
            ..plan(
                format!("count {name} by {attribute}"),
                Family::Aggregate,
                "count",
                object(),
                format!("Counts the {nouns} of one {}.", spaced(attribute)),
            )
        });
        plans.push(Plan {
            reply: Reply::Value(
                json!({"$bare": format!("{collection}.map(k, {collection}[k]).countBy('{attribute}')")}),
            ),
            ..plan(
                format!("count {name} per {attribute}"),
                Family::Aggregate,
                "count",
                [words(collection), words("per"), words(attribute)].concat(),
                format!("Counts {nouns} by {}.", spaced(attribute)),
            )
        });
    }

    for (attribute, member) in numbers.iter().take(4) {
        number_tools(kindred, attribute, member, &categories, &plan, plans);
    }
    for (attribute, member) in moments.iter().take(2) {
        let mut rows = step::list(kindred);
        let bound = |name: &str, role: ParamRole| Param::new(name, plain(&member.attribute), true, role);
        let (from, to) = (format!("{attribute}_from"), format!("{attribute}_to"));
        rows.filter = Some(format!("it.{attribute} >= args.{from} && it.{attribute} <= args.{to}"));
        rows.sort = Some(Sort { by: format!("'{attribute}'"), descending: None });
        let role = |f: fn(String, String) -> ParamRole| f(name.clone(), (*attribute).to_owned());
        plans.push(Plan {
            params: vec![bound(&from, role(ParamRole::Least)), bound(&to, role(ParamRole::Most))],
            steps: vec![
                step::require(
                    format!("args.{from} <= args.{to}"),
                    gtm_world::ErrorKind::InvalidArgument,
                    format!("{from} must not be after {to}"),
                ),
                Op::List(rows).into(),
            ],
            ..plan(
                format!("list {name} between {attribute}"),
                Family::List,
                "list",
                [words(collection), words("between")].concat(),
                format!("Lists {nouns} whose {} lies between two dates, oldest first.", spaced(attribute)),
            )
        });
        for (verb, descending) in [("latest", true), ("earliest", false)] {
            let mut rows = step::list(kindred);
            rows.sort =
                Some(Sort { by: format!("'{attribute}'"), descending: descending.then(|| "true".into()) });
            rows.limit = Some("default(args.limit, 5)".into());
            plans.push(Plan {
                params: vec![limit(5)],
                steps: vec![Op::List(rows).into()],
                ..plan(
                    format!("{verb} {name} {attribute}"),
                    Family::List,
                    "get",
                    [words(verb), words(collection)].concat(),
                    format!("Returns the {nouns} with the {verb} {}.", spaced(attribute)),
                )
            });
        }
    }

    plans.push(Plan {
        reply: Reply::Value(json!({"count": format!("size({collection})")})),
        ..plan(
            format!("count {name}"),
            Family::Aggregate,
            "count",
            words(collection),
            format!("Counts all {nouns}."),
        )
    });
    plans.push(Plan {
        reply: Reply::Value(json!({"$bare": format!("keys({collection})")})),
        ..plan(
            format!("ids {name}"),
            Family::List,
            "list",
            [words(name), words("ids")].concat(),
            format!("Returns the ids of all {nouns}."),
        )
    });
    if let Some(label) = kindred.label() {
        let value = format!("{collection}.map(k, {{'id': k, '{label}': {collection}[k].{label}}})");
        plans.push(Plan {
            reply: Reply::Value(json!({"$bare": value})),
            ..plan(
                format!("names {name}"),
                Family::List,
                "list",
                [words(name), words("names")].concat(),
                format!("Returns id and {} of every {}.", spaced(label), spaced(name)),
            )
        });
    }
    if !categories.is_empty() && !numbers.is_empty() {
        let (category, _) = categories[0];
        let (number, member) = numbers[0];
        let mut rows = step::list(kindred);
        rows.equal.insert(category.to_owned(), json!(format!("args.{category}")));
        rows.filter = Some(format!("it.{number} <= args.max_{number}"));
        rows.sort = Some(Sort { by: format!("'{number}'"), descending: None });
        let filter = ParamRole::Filter(name.clone(), category.to_owned());
        plans.push(Plan {
            params: vec![
                Param::new(category, plain(&categories[0].1.attribute), false, filter),
                Param::new(
                    format!("max_{number}"),
                    plain(&member.attribute),
                    true,
                    ParamRole::Most(name.clone(), number.to_owned()),
                ),
            ],
            steps: vec![Op::List(rows).into()],
            ..plan(
                format!("under {name}"),
                Family::Search,
                "find",
                [words(collection), words("under"), words(number)].concat(),
                format!("Finds {nouns} up to {} {}, least first.", article(number), spaced(number)),
            )
        });
    }
}

/// The list that takes every filter, sorts and pages.
fn full_list(
    kindred: &Kindred,
    categories: &[(&str, &Member)],
    numbers: &[(&str, &Member)],
    moments: &[(&str, &Member)],
) -> (Vec<Param>, gtm_world::behavior::ListRows) {
    let name = &kindred.name;
    let mut rows = step::list(kindred);
    let mut params = Vec::new();
    for (attribute, member) in categories.iter().take(FILTERS) {
        let role = ParamRole::Filter(name.clone(), (*attribute).to_owned());
        rows.equal.insert((*attribute).to_owned(), json!(format!("args.{attribute}")));
        params.push(Param::new(*attribute, plain(&member.attribute), false, role));
    }
    let mut conditions = Vec::new();
    for (attribute, member) in numbers.iter().take(1).chain(moments.iter().take(1)) {
        let [least, most] = if member.is_number() {
            ["min_", "max_"].map(|p| format!("{p}{attribute}"))
        } else {
            ["_from", "_to"].map(|s| format!("{attribute}{s}"))
        };
        conditions.push(format!("(args.{least} == null || it.{attribute} >= args.{least})"));
        conditions.push(format!("(args.{most} == null || it.{attribute} <= args.{most})"));
        let role = |f: fn(String, String) -> ParamRole| f(name.clone(), (*attribute).to_owned());
        params.push(Param::new(least, plain(&member.attribute), false, role(ParamRole::Least)));
        params.push(Param::new(most, plain(&member.attribute), false, role(ParamRole::Most)));
    }
    if !conditions.is_empty() {
        rows.filter = Some(conditions.join(" && "));
    }
    let sortable: Vec<(String, f64)> = kindred
        .select(|m| {
            m.is_stored()
                && !m.attribute.secret
                && m.attribute.list.is_none()
                && !matches!(m.attribute.kind, Kind::Fields(_))
        })
        .map(|(name, _)| (name.to_owned(), 1.0))
        .collect();
    if sortable.len() > 1 {
        params.push(Param::new(
            "sort_by",
            Attribute { kind: Kind::Enum(sortable), ..Attribute::default() },
            false,
            ParamRole::SortBy,
        ));
        let directions = vec![("asc".to_owned(), 1.0), ("desc".to_owned(), 1.0)];
        params.push(Param::new(
            "order",
            Attribute { kind: Kind::Enum(directions), ..Attribute::default() },
            false,
            ParamRole::Order,
        ));
        rows.sort = Some(Sort { by: "args.sort_by".into(), descending: Some("args.order".into()) });
    }
    params.push(limit(20));
    let range = Range { low: 0.0, high: 1_000.0, decimals: Some(0), absolute: false };
    params.push(Param::new(
        "offset",
        Attribute { kind: Kind::Int(range), ..Attribute::default() },
        false,
        ParamRole::Offset,
    ));
    rows.limit = Some("default(args.limit, 20)".into());
    rows.offset = Some("default(args.offset, 0)".into());
    (params, rows)
}

/// What is asked about one number of all records.
fn number_tools(
    kindred: &Kindred,
    attribute: &str,
    member: &Member,
    categories: &[(&str, &Member)],
    plan: &impl Fn(String, Family, &str, Vec<String>, String) -> Plan,
    plans: &mut Vec<Plan>,
) {
    let (name, collection) = (&kindred.name, &kindred.collection);
    let (nouns, what) = (spaced(collection), spaced(attribute));
    for (verb, descending) in [("highest", true), ("lowest", false)] {
        let mut rows = step::list(kindred);
        rows.sort =
            Some(Sort { by: format!("'{attribute}'"), descending: descending.then(|| "true".into()) });
        rows.limit = Some("default(args.limit, 3)".into());
        plans.push(Plan {
            params: vec![limit(3)],
            steps: vec![Op::List(rows).into()],
            ..plan(
                format!("{verb} {name} {attribute}"),
                Family::List,
                "get",
                [words(collection), words("with"), words(verb), words(attribute)].concat(),
                format!("Returns the {nouns} with the {verb} {what}."),
            )
        });
    }
    let values = format!("{collection}.map(k, {collection}[k].{attribute})");
    plans.push(Plan {
        reply: Reply::Value(json!({
            "count": format!("size({collection})"),
            "min": format!("{values}.min()"),
            "max": format!("{values}.max()"),
            "mean": format!("size({collection}) == 0 ? null : round({values}.mean(), 4)"),
            "median": format!("{values}.median()"),
        })),
        ..plan(
            format!("stats {name} {attribute}"),
            Family::Aggregate,
            "summarize",
            [words(name), words(attribute)].concat(),
            format!("Least, greatest, mean and median {what} of all {nouns}."),
        )
    });
    plans.push(Plan {
        params: vec![Param::new("threshold", plain(&member.attribute), true, ParamRole::Least(name.clone(), attribute.to_owned()))],
        reply: Reply::Value(json!({"count": format!("size({collection}.filter(k, {collection}[k].{attribute} > args.threshold))"), "of": format!("size({collection})")})),
        ..plan(format!("above {name} {attribute}"), Family::Aggregate, "count", [words(collection), words("above"), words(attribute)].concat(), format!("Counts the {nouns} whose {what} is above a threshold."))
    });
    for (category, grouped) in categories.iter().take(2) {
        if matches!(grouped.attribute.kind, Kind::Bool(_)) {
            continue;
        }
        let groups = format!("{collection}.map(k, {collection}[k].{category}).distinct()");
        let of_group = format!(
            "{collection}.filter(k, {collection}[k].{category} == g).map(k, {collection}[k].{attribute})"
        );
        let value = format!(
            "{groups}.map(g, {{'{category}': g, 'total': round({of_group}.sum(), 4), 'count': size({of_group})}})"
        );
        plans.push(Plan {
            reply: Reply::Value(json!({"$bare": value})),
            ..plan(
                format!("sum {name} {attribute} per {category}"),
                Family::Aggregate,
                "sum",
                [words(attribute), words("by"), words(category)].concat(),
                format!("Adds up {what} over {nouns} by {}.", spaced(category)),
            )
        });
    }
}

fn limit(usual: i64) -> Param {
    let range =
        Range { low: 1.0, high: if usual < 10 { 20.0 } else { 100.0 }, decimals: Some(0), absolute: false };
    let attribute =
        Attribute { kind: Kind::Int(range), default: Some(usual.to_string()), ..Attribute::default() };
    Param::new("limit", attribute, false, ParamRole::Limit)
}

fn query(entity: &str) -> Param {
    let attribute = Attribute { kind: Kind::Common(crate::pack::Semantic::Sentence), ..Attribute::default() };
    Param::new("query", attribute, true, ParamRole::Query(entity.to_owned()))
}

/// The attribute as an argument that asks about it: no default, no flags.
fn plain(attribute: &Attribute) -> Attribute {
    Attribute {
        kind: attribute.kind.clone(),
        unit: attribute.unit.clone(),
        spread: attribute.spread,
        doc: attribute.doc.clone(),
        ..Attribute::default()
    }
}
