//! What specs say about tools and arguments, from nothing to too much.

use super::{Docs, Names};
use crate::domain::Domain;
use crate::pack::{Attribute, Kind};
use crate::rng::Rng;
use crate::tools::{Effect, Param, ParamRole, Plan};

/// The description of a tool.
pub(super) fn tool(plan: &Plan, names: &Names<'_>, rng: &mut Rng) -> String {
    let about = plan.about.trim();
    let first = about.split_inclusive(". ").next().unwrap_or(about).trim();
    match names.style().docs {
        Docs::None => String::new(),
        Docs::Terse => first.trim_end_matches('.').to_owned(),
        Docs::Plain => about.to_owned(),
        Docs::Chatty => {
            let mut text = about.to_owned();
            let mut say = |chance: f64, what: String| {
                if rng.chance(chance) {
                    text.push(' ');
                    text.push_str(&what);
                }
            };
            let opening = match plan.effect {
                Effect::Read => "This call is read-only.",
                Effect::Create => "Every call makes a new entry, also if it is repeated.",
                Effect::Update => "The change takes effect at once.",
                Effect::Delete => "This cannot be undone.",
            };
            say(0.7, opening.to_owned());
            let needed: Vec<String> = plan
                .params
                .iter()
                .filter(|p| p.required)
                .map(|p| format!("`{}`", names.argument(plan, p).join(".")))
                .collect();
            if !needed.is_empty() {
                say(0.5, format!("Requires {}.", needed.join(", ")));
            }
            if plan.params.iter().any(|p| matches!(p.role, ParamRole::Id(_))) {
                say(0.5, "Fails if the id is not known.".into());
            }
            if !plan.by.is_empty() && names.style().auth {
                say(0.9, format!("Only for {}.", plan.by.join(" or ")));
            }
            say(0.4, format!("Part of the {} API.", names.domain().pack.title));
            text
        }
    }
}

/// The description of an argument.
pub(super) fn argument(param: &Param, names: &Names<'_>, rng: &mut Rng) -> String {
    let domain = names.domain();
    let what = match &param.role {
        ParamRole::Id(entity) if param.attribute.list.is_some() => {
            format!("ids of the {}", collection_of(domain, entity))
        }
        ParamRole::Id(entity) => format!("id of the {}", spaced(entity)),
        ParamRole::Field(_, attribute) => meaning(attribute, &param.attribute, domain),
        ParamRole::Filter(_, attribute) if param.required => meaning(attribute, &param.attribute, domain),
        ParamRole::Filter(_, attribute) => format!("only those with this {}", spaced(attribute)),
        ParamRole::Least(_, attribute) => format!("least {}", spaced(attribute)),
        ParamRole::Most(_, attribute) => format!("greatest {}", spaced(attribute)),
        ParamRole::Query(_) => "words to search for".into(),
        ParamRole::SortBy => "what to sort by".into(),
        ParamRole::Order => "direction to sort in".into(),
        ParamRole::Limit => "most entries to return".into(),
        ParamRole::Offset if names.style().pages => "page to return, from 1".into(),
        ParamRole::Offset => "entries to skip".into(),
        ParamRole::Other => meaning(&param.name, &param.attribute, domain),
    };
    match names.style().docs {
        Docs::None => String::new(),
        Docs::Terse => {
            if rng.chance(0.5) {
                String::new()
            } else {
                what
            }
        }
        Docs::Plain => sentence(&with_unit(&what, &param.attribute)),
        Docs::Chatty => {
            let mut text = sentence(&with_unit(&what, &param.attribute));
            if let Kind::Enum(words) = &param.attribute.kind
                && param.role != ParamRole::SortBy
            {
                let words: Vec<&str> = words.iter().map(|(word, _)| word.as_str()).collect();
                text.push_str(&format!(" One of {}.", words.join(", ")));
            }
            if !param.required {
                match param.attribute.default.as_deref().and_then(super::schema::literal) {
                    Some(default) => text.push_str(&format!(" Defaults to {default}.")),
                    None if rng.chance(0.5) => text.push_str(" Optional."),
                    None => {}
                }
            }
            if let Kind::Code(pattern) = &param.attribute.kind {
                text.push_str(&format!(" Format {pattern}."));
            }
            text
        }
    }
}

fn meaning(name: &str, attribute: &Attribute, domain: &Domain) -> String {
    if !attribute.doc.is_empty() {
        return attribute.doc.clone();
    }
    match &attribute.kind {
        Kind::Ref(entity) if domain.entities.contains_key(entity) => format!("id of the {}", spaced(entity)),
        Kind::Bool(_) => format!("whether {}", spaced(name)),
        Kind::Date(_) => format!("{}, as YYYY-MM-DD", spaced(name)),
        Kind::Time(_) => format!("{}, ISO 8601", spaced(name)),
        _ => spaced(name),
    }
}

fn with_unit(what: &str, attribute: &Attribute) -> String {
    match &attribute.unit {
        Some(unit) if !what.contains(unit.as_str()) => format!("{what} in {unit}"),
        _ => what.to_owned(),
    }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", chars.as_str().trim_end_matches('.'))
}

fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

fn collection_of(domain: &Domain, entity: &str) -> String {
    domain.entities.get(entity).map_or_else(|| spaced(entity), |kindred| spaced(&kindred.collection))
}
