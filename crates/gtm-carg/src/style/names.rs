//! Names in a style: of members, collections, arguments and tools.

use super::{IdArgument, Nesting, Pattern, Style, Vocabulary};
use crate::domain::{Domain, Kindred};
use crate::pack::{Kind, Pack};
use crate::rng::Rng;
use crate::tools::{Family, Param, ParamRole, Plan};
use std::collections::{HashMap, HashSet};

/// Words that APIs use for common verbs.
const VERBS: &[(&str, &[&str])] = &[
    ("get", &["get", "fetch", "retrieve", "read", "show", "view", "lookup", "describe", "load", "query"]),
    ("list", &["list", "get", "fetch", "browse", "query", "list_all", "enumerate", "get_all"]),
    ("search", &["search", "find", "lookup", "query", "search_for"]),
    ("find", &["find", "search", "lookup", "get", "locate"]),
    ("create", &["create", "add", "new", "register", "insert", "make", "post", "submit"]),
    ("update", &["update", "edit", "modify", "change", "patch", "alter", "revise"]),
    ("set", &["set", "update", "change", "assign", "put"]),
    ("adjust", &["adjust", "change", "shift", "increment", "bump"]),
    ("delete", &["delete", "remove", "destroy", "drop", "erase", "rm"]),
    ("purge", &["purge", "clear", "bulk_delete", "clean_up", "delete_all"]),
    ("duplicate", &["duplicate", "copy", "clone"]),
    ("count", &["count", "number_of", "count_all", "total"]),
    ("check", &["check", "verify", "test", "has"]),
    ("summarize", &["summarize", "stats", "get_statistics", "analyze", "describe"]),
    ("sum", &["sum", "total", "aggregate", "add_up"]),
    ("report", &["report", "get", "generate", "run_report", "compute", "show"]),
    ("calculate", &["calculate", "compute", "calc", "get", "evaluate", "estimate", "determine"]),
    ("tabulate", &["tabulate", "sweep", "table", "series", "plot_data"]),
    ("compare", &["compare", "diff", "contrast"]),
    ("solve", &["solve", "find", "goal_seek", "invert"]),
    ("start", &["start", "create", "init", "set_up", "launch", "begin"]),
    ("advance", &["advance", "step", "run", "tick", "progress", "proceed"]),
    ("read", &["read", "get", "status", "inspect", "poll"]),
    ("stop", &["stop", "end", "terminate", "delete", "cancel"]),
    ("forecast", &["forecast", "predict", "preview", "project"]),
    ("simulate", &["simulate", "run", "model", "run_simulation"]),
    ("configure", &["configure", "update", "set_up", "change_settings", "patch"]),
    ("toggle", &["toggle", "switch", "flip"]),
    ("increase", &["increase", "raise", "turn_up", "step_up"]),
    ("decrease", &["decrease", "lower", "turn_down", "reduce"]),
    ("reset", &["reset", "restore", "clear"]),
    ("add", &["add", "append", "push", "attach"]),
    ("remove", &["remove", "detach", "drop", "take_out"]),
];

/// Words that APIs use for common members and arguments.
const MEMBERS: &[(&str, &[&str])] = &[
    ("quantity", &["qty", "amount", "count", "units", "number"]),
    ("description", &["desc", "details", "summary", "text", "about"]),
    ("name", &["title", "label", "display_name", "full_name", "designation"]),
    ("title", &["name", "heading", "label", "subject"]),
    ("status", &["state", "phase", "stage", "current_status", "condition"]),
    ("note", &["notes", "comment", "remark", "memo", "annotation"]),
    ("notes", &["note", "comments", "remarks"]),
    ("reason", &["cause", "explanation", "justification", "why"]),
    ("price", &["cost", "amount", "rate", "value"]),
    ("amount", &["sum", "value", "total", "quantity"]),
    ("email", &["mail", "email_address", "e_mail", "contact_email"]),
    ("phone", &["phone_number", "tel", "telephone", "mobile", "contact_number"]),
    ("address", &["location", "addr", "street_address"]),
    ("start", &["begin", "from", "start_time", "starts_at"]),
    ("end", &["finish", "until", "to", "ends_at", "end_time"]),
    ("temperature", &["temp", "temperature_value", "t"]),
    ("pressure", &["press", "p", "pressure_value"]),
    ("weight", &["mass", "wt", "weight_value"]),
    ("category", &["type", "kind", "class", "group"]),
    ("kind", &["type", "category", "variety"]),
    ("type", &["kind", "category", "class"]),
    ("priority", &["urgency", "importance", "prio", "rank"]),
    ("duration", &["length", "period", "time_span"]),
    ("capacity", &["max_size", "limit", "cap", "size"]),
    ("balance", &["funds", "current_balance", "available"]),
    ("speed", &["velocity", "rate", "pace"]),
    ("level", &["grade", "tier", "degree"]),
    ("count", &["total", "number", "n", "quantity"]),
];

/// Arguments of lists.
const ROLES: &[(&str, &[&str])] = &[
    ("limit", &["limit", "max_results", "page_size", "per_page", "top", "n", "size", "count", "take"]),
    ("offset", &["offset", "skip", "start", "from_index", "start_index"]),
    ("page", &["page", "page_number", "page_no", "p"]),
    ("query", &["query", "q", "search", "text", "keyword", "term", "search_term", "phrase", "keywords"]),
    ("sort_by", &["sort_by", "sort", "order_by", "sort_field", "orderBy"]),
    ("order", &["order", "direction", "sort_order", "dir", "sort_direction"]),
];

/// All names of one API in one style.
#[derive(Debug)]
pub struct Names<'d> {
    domain: &'d Domain,
    vocabulary: &'d Vocabulary,
    style: Style,
    members: HashMap<String, String>,
    collections: HashMap<String, String>,
}

impl<'d> Names<'d> {
    /// Settles all names. `scope` is put before the names of collections where several domains share a state.
    pub fn new(
        domain: &'d Domain,
        vocabulary: &'d Vocabulary,
        style: &Style,
        scope: Option<&str>,
        rng: &mut Rng,
    ) -> Names<'d> {
        let mut names = Names {
            domain,
            vocabulary,
            style: style.clone(),
            members: HashMap::new(),
            collections: HashMap::new(),
        };
        let mut taken: HashSet<String> = domain.constant_keys.clone();
        let id = vocabulary.particular("id", vec![style.id_member.into()], &names.own(), rng);
        let id = style.field_case.join(&id);
        taken.insert(id.clone());
        names.members.insert("id".into(), id);
        let mut all: Vec<(&str, &crate::pack::Attribute, &str)> = Vec::new();
        for kindred in domain.entities.values().chain(domain.singletons.values()) {
            all.extend(
                kindred.attributes.iter().map(|(n, m)| (n.as_str(), &m.attribute, kindred.name.as_str())),
            );
            for member in kindred.attributes.values() {
                if let Kind::Fields(fields) = &member.attribute.kind {
                    all.extend(
                        fields.iter().map(|(n, a)| (n.trim_end_matches('?'), a, kindred.name.as_str())),
                    );
                }
            }
        }
        for simulator in domain.pack.simulators.values() {
            for attributes in [&simulator.parameters, &simulator.controls, &simulator.state] {
                all.extend(attributes.iter().map(|(n, a)| (n.as_str(), a, "run")));
            }
        }
        for (name, attribute, owner) in all {
            if names.members.contains_key(name) {
                continue;
            }
            let mut styled = names.member_name(name, attribute, owner, rng);
            if taken.contains(&styled) {
                styled = style.field_case.join(&words(name));
            }
            while !taken.insert(styled.clone()) {
                styled.push('_');
            }
            names.members.insert(name.to_owned(), styled);
        }
        let tables = rng.weighted([70.0, 10.0, 10.0, 10.0].into_iter());
        let runs = domain.pack.simulators.keys().map(|name| format!("{name}{}", crate::tools::RUNS));
        let roots = domain
            .entities
            .values()
            .chain(domain.singletons.values())
            .map(|k| k.collection.clone())
            .chain(runs);
        for root in roots {
            let mut parts: Vec<String> = scope.into_iter().flat_map(words).collect();
            parts.extend(words(&root));
            match tables {
                1 if scope.is_none() => parts.push("table".into()),
                2 => parts.insert(0, "db".into()),
                3 if scope.is_none() => parts.insert(0, "all".into()),
                _ => {}
            }
            names.collections.insert(root, style.field_case.join(&parts));
        }
        names
    }

    /// The style.
    pub fn style(&self) -> &Style {
        &self.style
    }

    /// The domain.
    pub fn domain(&self) -> &'d Domain {
        self.domain
    }

    /// Words of the domain and of what there is in it.
    fn own(&self) -> Vec<String> {
        let things = self.domain.entities.keys().chain(self.domain.singletons.keys());
        let mut own: Vec<String> =
            words(&self.domain.pack.domain).into_iter().chain(things.flat_map(|name| words(name))).collect();
        own.retain(|word| word.len() > 2);
        own.sort();
        own.dedup();
        own
    }

    fn member_name(
        &self,
        name: &str,
        attribute: &crate::pack::Attribute,
        owner: &str,
        rng: &mut Rng,
    ) -> String {
        let mut parts = words(name);
        let style = &self.style;
        if let Kind::Ref(_) = attribute.kind {
            parts.extend(words(style.reference_suffix));
        } else if rng.chance(style.variety) {
            match rng.weighted([3.0, 2.0, 2.0, 1.5, 1.0, 1.0].into_iter()) {
                0 => {
                    if let Some(known) = synonym(MEMBERS, name) {
                        parts = words(*rng.pick(known));
                    } else if let Some(known) = parts.last().and_then(|last| synonym(MEMBERS, last)) {
                        let new = words(*rng.pick(known));
                        parts.truncate(parts.len() - 1);
                        parts.extend(new);
                    }
                }
                1 => {
                    let unit: String = attribute
                        .unit
                        .iter()
                        .flat_map(|u| u.chars())
                        .filter(char::is_ascii_alphabetic)
                        .collect();
                    match attribute.unit.as_deref() {
                        Some("°C") => parts.extend(["celsius".into()]),
                        Some("%") => {
                            parts.extend([if rng.chance(0.5) { "percent" } else { "pct" }.to_owned()])
                        }
                        Some("°") => parts.extend(["deg".into()]),
                        _ if !unit.is_empty() && unit.len() < 8 => parts.push(unit.to_lowercase()),
                        _ => parts.insert(0, owner.split('_').next_back().unwrap_or("").to_owned()),
                    }
                }
                2 => {
                    let own = words(owner);
                    if parts.first() != own.last() {
                        parts.splice(0..0, own.into_iter().next_back());
                    }
                }
                3 => parts = parts.iter().map(|word| shorten(word)).collect(),
                4 => match attribute.kind {
                    Kind::Bool(_) => parts.insert(0, (*rng.pick(&["is", "has", "flag"])).to_owned()),
                    Kind::Date(_) | Kind::Time(_) => {
                        parts.push((*rng.pick(&["date", "time", "ts", "timestamp"])).to_owned())
                    }
                    Kind::Int(_) | Kind::Number(_) | Kind::Money(_) => {
                        parts.push((*rng.pick(&["value", "val", "num", "figure"])).to_owned())
                    }
                    Kind::Enum(_) => parts.push((*rng.pick(&["code", "type", "flag", "option"])).to_owned()),
                    _ => parts.push((*rng.pick(&["text", "info", "str", "field"])).to_owned()),
                },
                _ => parts.insert(
                    0,
                    (*rng.pick(&["current", "the", "my", "x", "item", "entry", "base"])).to_owned(),
                ),
            }
            parts.dedup();
        }
        // A name that many domains have, and that the style has left as it is.
        if parts.join("_") == name {
            let own = [words(owner), words(&self.domain.pack.domain)].concat();
            parts = self.vocabulary.particular(name, parts, &own, rng);
            parts.dedup();
        }
        let styled = style.field_case.join(&parts);
        // A digit or nothing cannot start a name.
        if styled.starts_with(|c: char| c.is_ascii_alphabetic()) {
            styled
        } else {
            style.field_case.join(&words(name))
        }
    }

    /// The name of a member.
    pub fn member(&self, name: &str) -> String {
        match self.members.get(name) {
            Some(styled) => styled.clone(),
            None if self.domain.constant_keys.contains(name) => name.to_owned(),
            None => self.key(name),
        }
    }

    /// The name of a member of a reply that is no attribute.
    pub fn key(&self, name: &str) -> String {
        self.style.field_case.join(&words(name))
    }

    /// The name of a collection or singleton; `None` if it is neither.
    pub fn collection(&self, name: &str) -> Option<&str> {
        self.collections.get(name).map(String::as_str)
    }

    /// Where an argument is among the arguments of a tool.
    pub fn argument(&self, plan: &Plan, param: &Param) -> Vec<String> {
        let style = &self.style;
        let ids = plan.params.iter().filter(|p| matches!(p.role, ParamRole::Id(_))).count();
        let leaf = match &param.role {
            ParamRole::Id(entity) => {
                let many = param.attribute.list.is_some();
                let own = words(&param.name);
                let same = param.name == *entity || many || param.name == "run";
                match style.id_argument {
                    IdArgument::PlainId if ids == 1 && same => {
                        style.field_case.join(&[if many { "ids" } else { "id" }])
                    }
                    IdArgument::Entity if !many => style.field_case.join(&own),
                    _ if many => {
                        let base = if param.name == "ids" { words(entity) } else { own };
                        style.field_case.join(&[base, vec!["ids".into()]].concat())
                    }
                    // As attributes that refer to the same entity are called.
                    _ if style.reference_suffix.is_empty() => {
                        style.field_case.join(&[own, vec!["id".into()]].concat())
                    }
                    _ => style.field_case.join(&[own, words(style.reference_suffix)].concat()),
                }
            }
            ParamRole::Field(_, attribute) | ParamRole::Filter(_, attribute) => self.member(attribute),
            ParamRole::Least(_, attribute) | ParamRole::Most(_, attribute) => {
                // `min_price` or `price_from`: what stands around the attribute stays.
                let styled = words(&decase(&self.member(attribute)));
                let at = param.name.find(attribute.as_str());
                match at {
                    Some(at) => {
                        let (before, after) =
                            (words(&param.name[..at]), words(&param.name[at + attribute.len()..]));
                        style.field_case.join(&[before, styled, after].concat())
                    }
                    None => self.key(&param.name),
                }
            }
            ParamRole::Offset if style.pages => self.role_name("page", plan),
            ParamRole::Offset => self.role_name("offset", plan),
            ParamRole::Limit => self.role_name("limit", plan),
            ParamRole::Query(_) => self.role_name("query", plan),
            ParamRole::SortBy => self.role_name("sort_by", plan),
            ParamRole::Order => self.role_name("order", plan),
            ParamRole::Other => self.member(&param.name),
        };
        let is_field = matches!(param.role, ParamRole::Field(..));
        let is_filter =
            matches!(param.role, ParamRole::Filter(..) | ParamRole::Least(..) | ParamRole::Most(..));
        match style.nesting {
            Nesting::Body(name) if is_field && matches!(plan.family, Family::Create | Family::Update) => {
                vec![style.word(name), leaf]
            }
            Nesting::Entity if is_field && plan.family == Family::Create => match &param.role {
                ParamRole::Field(entity, _) => vec![style.field_case.join(&words(entity)), leaf],
                _ => vec![leaf],
            },
            Nesting::Filter(name) if is_filter && plan.family == Family::List && plan.params.len() > 3 => {
                vec![style.word(name), leaf]
            }
            _ => vec![leaf],
        }
    }

    fn role_name(&self, role: &str, plan: &Plan) -> String {
        let choices = synonym(ROLES, role).unwrap_or(&[]);
        let name = choices.get(self.choice(role, choices.len())).copied().unwrap_or(role);
        let parts = words(&decase(name));
        let mut rng = Rng::new(self.style.words, &["role", role, &plan.object.join(" ")]);
        let own: Vec<String> = [plan.object.clone(), words(&self.domain.pack.domain)].concat();
        self.style.field_case.join(&self.vocabulary.particular(role, parts, &own, &mut rng))
    }

    /// The name of a member of a reply that every API has, such as a count of rows.
    pub(super) fn reply_key(&self, name: &str, plan: &Plan) -> String {
        let mut rng = Rng::new(self.style.words, &["reply", name, &plan.object.join(" ")]);
        let own: Vec<String> = [plan.object.clone(), words(&self.domain.pack.domain)].concat();
        self.style.field_case.join(&self.vocabulary.particular("", words(name), &own, &mut rng))
    }

    /// The same choice for the same word throughout an API; the first, usual one most often.
    fn choice(&self, word: &str, among: usize) -> usize {
        let mut rng = Rng::new(self.style.words, &[word]);
        if rng.chance(0.45) { 0 } else { rng.below(among) }
    }

    /// The name of a tool.
    pub fn tool(&self, plan: &Plan) -> String {
        let style = &self.style;
        let verbs = synonym(VERBS, &plan.verb).unwrap_or(&[]);
        let verb = verbs.get(self.choice(&plan.verb, verbs.len())).copied().unwrap_or(&plan.verb);
        let verb = words(verb);
        let prefix: Vec<String> = style.prefix.iter().flat_map(|p| words(p)).collect();
        let object = &plan.object;
        match style.pattern {
            Pattern::VerbObject => style.tool_case.join(&[prefix, verb, object.clone()].concat()),
            Pattern::ObjectVerb => style.tool_case.join(&[prefix, object.clone(), verb].concat()),
            Pattern::Dotted | Pattern::Slashed => {
                let joint = if style.pattern == Pattern::Dotted { "." } else { "/" };
                let mut parts: Vec<String> = Vec::new();
                if !prefix.is_empty() {
                    parts.push(style.tool_case.join(&prefix));
                }
                if !object.is_empty() {
                    parts.push(style.tool_case.join(object));
                }
                parts.push(style.tool_case.join(&verb));
                parts.join(joint)
            }
        }
    }
}

fn synonym(table: &[(&str, &'static [&'static str])], word: &str) -> Option<&'static [&'static str]> {
    table.iter().find(|(known, _)| *known == word).map(|(_, synonyms)| *synonyms)
}

fn words(name: &str) -> Vec<String> {
    name.split(['_', ' ', '-']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// `unitPrice` → `unit_price`.
fn decase(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for (at, c) in name.chars().enumerate() {
        if c.is_ascii_uppercase() && at > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// A word as programmers shorten it: without inner vowels, if it is long.
fn shorten(word: &str) -> String {
    if word.len() < 6 {
        return word.to_owned();
    }
    let mut chars = word.chars();
    let first: String = chars.next().into_iter().collect();
    let rest: String = chars.filter(|c| !"aeiou".contains(*c)).collect();
    if rest.len() < 2 { word.to_owned() } else { first + &rest }
}

/// Words that the names of an API's tools may start with.
pub fn api_words(pack: &Pack) -> Vec<String> {
    let initials: String = pack.domain.split('_').filter_map(|word| word.chars().next()).collect();
    let mut api = vec![pack.domain.clone(), pack.area.clone()];
    if initials.len() > 1 {
        api.push(initials);
    }
    if let Some(first) = pack.domain.split('_').next() {
        api.push(first.to_owned());
        api.push(format!("{first}_api"));
        api.push(format!("my_{first}"));
    }
    api
}

impl Kindred {
    /// Words for it, `order line`.
    pub fn noun(&self) -> String {
        self.name.replace('_', " ")
    }
}
