//! What specs say about tools and arguments, from nothing to too much.

use super::{Docs, Names};
use crate::domain::Domain;
use crate::pack::{Attribute, Kind};
use crate::rng::Rng;
use crate::tools::{Effect, Param, ParamRole, Plan};

/// Ways to say what an argument is, `{}` being what it is about. An API keeps to one of them.
type Sayings = [&'static str; 4];
const ID: Sayings = ["id of the {}", "the ID of the {}", "{} identifier", "unique identifier of the {}"];
const IDS: Sayings =
    ["ids of the {}", "the IDs of the {}", "list of identifiers of {}", "IDs of the {} to act on"];
const FILTER: Sayings =
    ["only those with this {}", "filter by {}", "{} to filter by", "return only entries with this {}"];
const LEAST: Sayings = ["least {}", "minimum {}", "lower bound of the {}", "minimum value of {}"];
const MOST: Sayings = ["greatest {}", "maximum {}", "upper bound of the {}", "maximum value of {}"];
const QUERY: Sayings = ["words to search for", "search query", "text to search for", "keywords"];
const SORT: Sayings =
    ["what to sort by", "field to sort by", "sort field", "the field that results are sorted by"];
const ORDER: Sayings =
    ["direction to sort in", "sort order", "sort direction", "ascending or descending order"];
const LIMIT: Sayings = [
    "most entries to return",
    "maximum number of results",
    "the number of items to return",
    "max results per call",
];
const PAGE: Sayings =
    ["page to return, from 1", "page number", "the page of results, starting at 1", "page of results"];
const OFFSET: Sayings =
    ["entries to skip", "number of items to skip", "offset of the first result", "how many results to skip"];

fn said(seed: u64, sayings: &Sayings, about: &str) -> String {
    sayings[(seed % sayings.len() as u64) as usize].replace("{}", about)
}

/// Verbs that start descriptions without an article after them.
const VERBS: [&str; 8] = ["Returns", "Lists", "Counts", "Finds", "Removes", "Sets", "Adds", "Changes"];
/// Words that follow a verb.
const AFTER_VERB: [&str; 12] =
    ["a", "an", "the", "all", "one", "several", "up", "what", "whether", "how", "where", "out"];

/// A description in the voice of an API: telling what the tool does, or what to do.
fn voiced(about: &str, seed: u64) -> String {
    let mut words = about.splitn(3, ' ');
    let (Some(verb), Some(next)) = (words.next(), words.next()) else { return about.to_owned() };
    let is_verb = VERBS.contains(&verb)
        || verb.ends_with('s') && verb.starts_with(char::is_uppercase) && AFTER_VERB.contains(&next);
    let plain = match verb {
        _ if seed >> 8 & 3 < 2 || !is_verb => return about.to_owned(),
        "Returns" => if seed >> 8 & 3 == 2 { "Get" } else { "Retrieve" }.to_owned(),
        "Tells" if next == "whether" => "Check".to_owned(),
        _ => match verb.strip_suffix("ies") {
            Some(stem) => format!("{stem}y"),
            None if ["shes", "ches", "sses", "xes"].iter().any(|end| verb.ends_with(end)) => {
                verb[..verb.len() - 2].to_owned()
            }
            None => verb[..verb.len() - 1].to_owned(),
        },
    };
    format!("{plain}{}", &about[verb.len()..])
}

/// The description of a tool.
pub(super) fn tool(plan: &Plan, names: &Names<'_>, rng: &mut Rng) -> String {
    let about = &voiced(plan.about.trim(), names.style().words);
    let first = about.split_inclusive(". ").next().unwrap_or(about).trim();
    match names.style().docs {
        Docs::None => String::new(),
        Docs::Terse => first.trim_end_matches('.').to_owned(),
        Docs::Plain => about.clone(),
        Docs::Chatty => {
            let mut text = about.clone();
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
    let words = names.style().words;
    let what = match &param.role {
        ParamRole::Id(entity) if param.attribute.list.is_some() => {
            said(words, &IDS, &collection_of(domain, entity))
        }
        ParamRole::Id(entity) => said(words, &ID, &spaced(entity)),
        ParamRole::Field(_, attribute) => meaning(attribute, &param.attribute, domain),
        ParamRole::Filter(_, attribute) if param.required => meaning(attribute, &param.attribute, domain),
        ParamRole::Filter(_, attribute) => said(words, &FILTER, &spaced(attribute)),
        ParamRole::Least(_, attribute) => said(words, &LEAST, &spaced(attribute)),
        ParamRole::Most(_, attribute) => said(words, &MOST, &spaced(attribute)),
        ParamRole::Query(_) => said(words, &QUERY, ""),
        ParamRole::SortBy => said(words, &SORT, ""),
        ParamRole::Order => said(words, &ORDER, ""),
        ParamRole::Limit => said(words, &LIMIT, ""),
        ParamRole::Offset if names.style().pages => said(words, &PAGE, ""),
        ParamRole::Offset => said(words, &OFFSET, ""),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_tell_or_ask() {
        let ask = |text| voiced(text, 3 << 8);
        assert_eq!(voiced("Returns one order.", 0), "Returns one order.");
        assert_eq!(ask("Returns one order."), "Retrieve one order.");
        assert_eq!(ask("Carries a load."), "Carry a load.");
        assert_eq!(ask("Switches the lamp on."), "Switch the lamp on.");
        assert_eq!(ask("Tells whether an order exists."), "Check whether an order exists.");
        for other in
            ["Least, greatest and mean dose.", "Holdings of a trader.", "Emergency release", "Status"]
        {
            assert_eq!(ask(other), other);
        }
    }
}
