//! What each parameter of a tool is, once it is known which collection the tool is about.

use super::context::{Context, ID_WORDS};
use super::entity::{mentions, without_id};
use super::expr;
use super::state_shape::{Collection, Kind};
use super::tokens::{common, within};
use super::tool::{Param, Tool};
use super::verbs::Verb;

/// What a parameter is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Role {
    /// The key or id of the record.
    Key,
    /// A member that finds the record: unique, or all that is given. Index into the members.
    Finds(usize),
    /// The value of a member. Index into the members.
    Member(usize),
    /// The value of a member that refers to a record which is named otherwise: the member, the
    /// collection it refers to and the member of that collection that is stored.
    Named(usize, usize, String),
    /// The key of the record of the collection that holds this one.
    Parent,
    /// Text to search for.
    Search,
    /// Most rows wanted.
    Limit,
    /// Rows to skip.
    Offset,
    /// Page number, from 1.
    Page,
    /// Member to sort by.
    Sort,
    /// Direction of sorting.
    Direction,
    /// Least value of a member.
    From(usize),
    /// Greatest value of a member.
    To(usize),
    /// An object of members to set.
    Payload,
    /// The name of a member to read or set.
    FieldName,
    /// The value for it.
    FieldValue,
    /// A token that says who is calling: the collection and member that hold it.
    Token(usize, String),
    /// A token that the state holds one of: an expression.
    Secret(String),
    /// The password of the record found by the key.
    Password,
    /// A record of another collection, by its key.
    Refers(usize),
    /// Nothing known.
    Unknown,
}

const SEARCH: &[&str] =
    &["query", "keyword", "search", "q", "text", "term", "pattern", "substring", "phrase", "needle"];
const PAYLOAD: &[&str] = &[
    "update",
    "data",
    "field",
    "change",
    "attribute",
    "property",
    "value",
    "patch",
    "detail",
    "info",
    "payload",
    "body",
    "param",
    "input",
    "object",
    "record",
    "content",
    "spec",
];
/// Words that say that a value is the one after the change.
const NEW: &[&str] = &["new", "updated", "target", "to", "desired", "modified", "revised", "changed"];

/// The roles of a tool's parameters, in their order.
pub(super) fn roles(ctx: &Context<'_>, tool: &Tool<'_>, index: usize) -> Vec<Role> {
    let c = ctx.collection(index);
    let mut roles: Vec<Role> = tool.params.iter().map(|param| first_look(ctx, tool, index, param)).collect();
    // The key: the best candidate, if any is good enough.
    let key = tool
        .params
        .iter()
        .enumerate()
        .filter(|(at, _)| matches!(roles[*at], Role::Unknown | Role::Member(_)))
        .map(|(at, param)| (key_score(ctx, tool, c, param), at))
        .filter(|(score, _)| score.0 > 0)
        .max_by_key(|(score, at)| (score.0, usize::MAX - at));
    if let Some(((_, role), at)) = key {
        roles[at] = role;
    }
    // Inside another record: that record's key.
    if let Some(parent) = c.parent {
        let p = ctx.collection(parent);
        let holder = tool
            .params
            .iter()
            .enumerate()
            .filter(|(at, _)| !matches!(roles[*at], Role::Key | Role::Token(..) | Role::Secret(_)))
            .map(|(at, param)| (key_score(ctx, tool, p, param).0, at))
            .filter(|(score, _)| *score >= 60)
            .max();
        if let Some((_, at)) = holder {
            roles[at] = Role::Parent;
        }
    }
    field_and_value(tool, &mut roles);
    if tool.action.verb == Verb::Update {
        before_and_after(c, tool, &mut roles);
    }
    for (at, param) in tool.params.iter().enumerate() {
        if roles[at] == Role::Unknown {
            roles[at] = refers(ctx, index, param);
        }
    }
    roles
}

fn first_look(ctx: &Context<'_>, tool: &Tool<'_>, index: usize, param: &Param) -> Role {
    let c = ctx.collection(index);
    if let Some(role) = credential(ctx, tool, index, param) {
        return role;
    }
    let exact = c.members.iter().position(|member| member.top() && member.name() == param.name);
    let reads = tool.action.reads();
    let words = &param.stems;
    let is = |list: &[&str]| words.iter().all(|word| list.contains(&word.as_str()));
    if exact.is_none() {
        if reads || tool.action.verb == Verb::Other {
            if is(&[
                "limit", "max", "maximum", "result", "count", "top", "n", "size", "page", "per", "number",
                "of", "num", "k", "amount",
            ]) && param.kind.as_deref() != Some("string")
                && !is(&["page"])
                && !is(&["page", "number"])
                && !is(&["number"])
                && !is(&["amount"])
            {
                return Role::Limit;
            }
            if is(&["offset", "skip", "start", "index"]) && param.is_number() {
                return Role::Offset;
            }
            if is(&["page", "number"]) && param.is_number() {
                return Role::Page;
            }
            if within(&["sort".into()], words) || is(&["order", "by"]) {
                return if is(&["sort", "order", "direction"]) && words.len() > 1 {
                    Role::Direction
                } else {
                    Role::Sort
                };
            }
            if is(&["order", "direction"]) && param.options.iter().any(|option| option.starts_with("asc")) {
                return Role::Direction;
            }
            if let Some(role) = range(c, param) {
                return role;
            }
            if words.iter().any(|word| SEARCH.contains(&word.as_str()))
                && !param.is_object()
                && !param.is_number()
            {
                return Role::Search;
            }
        }
        if param.is_object() {
            let known = param.fields.iter().filter(|field| c.member(field).is_some()).count();
            let named =
                words.iter().any(|word| PAYLOAD.contains(&word.as_str())) || mentions(&c.stems, words);
            let member = member_for(c, param).is_some();
            if (named && !member) || known * 2 > param.fields.len() && known > 0 {
                return Role::Payload;
            }
        }
    }
    if let Some((at, to, stored)) = named_reference(ctx, index, param) {
        return Role::Named(at, to, stored);
    }
    match exact.or_else(|| member_for(c, param)) {
        Some(at) => Role::Member(at),
        None => Role::Unknown,
    }
}

/// Tokens and passwords.
fn credential(ctx: &Context<'_>, tool: &Tool<'_>, index: usize, param: &Param) -> Option<Role> {
    let c = ctx.collection(index);
    let has = |word: &str| param.stems.iter().any(|stem| stem == word);
    if has("password") || has("pin") || has("passcode") {
        let own = c.member(&param.name).is_some();
        return (own && !matches!(tool.action.verb, Verb::Create | Verb::Update)).then_some(Role::Password);
    }
    if !(has("token") || has("session") || has("apikey") || (has("api") && has("key"))) {
        return None;
    }
    let same =
        |scalar: &&super::state_shape::Scalar| scalar.stems == param.stems && !scalar.value.is_object();
    if let Some(scalar) = ctx.scalars_in(&c.group).find(same).or_else(|| ctx.shape.scalars.iter().find(same))
    {
        return Some(Role::Secret(expr::state(&scalar.path)));
    }
    let holder = ctx.shape.collections.iter().position(|other| {
        other.parent.is_none() && other.members.iter().any(|m| m.top() && m.stems == param.stems && m.unique)
    })?;
    let member = ctx.collection(holder).members.iter().find(|m| m.top() && m.stems == param.stems)?;
    Some(Role::Token(holder, member.name().to_owned()))
}

/// How well a parameter fits as the key of a collection, and the role it then has.
fn key_score(ctx: &Context<'_>, tool: &Tool<'_>, c: &Collection, param: &Param) -> (u32, Role) {
    let none = (0, Role::Unknown);
    if param.is_list() || param.is_object() || param.is_bool() || param.kind.as_deref() == Some("number") {
        return none;
    }
    let finds = |name: &str| c.members.iter().position(|m| m.top() && m.name() == name).map(Role::Finds);
    if c.id.as_deref() == Some(param.name.as_str()) {
        return (100, Role::Key);
    }
    if param.stems.first().is_some_and(|first| NEW.contains(&first.as_str())) && param.stems.len() > 1 {
        return none;
    }
    let (what, idish) = without_id(&param.stems);
    // An id of something else only says to what many records belong.
    let foreign = tool.action.plural && !c.called(&what);
    if c.other_ids.contains(&param.name)
        && !foreign
        && let Some(role) = finds(&param.name)
    {
        return (if tool.action.verb == Verb::Create { 0 } else { 98 }, role);
    }
    let creating = tool.action.verb == Verb::Create && tool.params.len() > 1;
    if idish {
        if what.is_empty() {
            return (90, Role::Key);
        }
        if what == c.stems {
            return (96, Role::Key);
        }
        if mentions(&c.stems, &what) || c.called(&what) {
            let all = c.stems.last() == what.last() || c.is_called(&what);
            return if all && c.member(&param.name).is_none() { (80, Role::Key) } else { none };
        }
    }
    let (core, named) = match param.stems.split_last() {
        Some((last, rest)) if last == "name" || last == "title" => (rest.to_vec(), true),
        _ => (param.stems.clone(), false),
    };
    let own = c.is_called(&core) || (named && c.called(&core)) || (named && core.is_empty());
    // What is kept in lists or as single values has its members one level further down.
    let inner = matches!(c.kind, Kind::Lists | Kind::Index);
    if own && !param.is_number() {
        let member =
            c.members.iter().take(if inner { 0 } else { usize::MAX }).position(|m| {
                m.top() && m.single && (m.stems == param.stems || (named && m.name() == "name"))
            });
        if let Some(at) = member {
            if c.id.as_deref() == Some(c.members[at].name()) {
                return (85, Role::Key);
            }
            let any = tool.params.iter().any(|p| p.required);
            return if creating || !any { none } else { (70, Role::Finds(at)) };
        }
        if c.keyed_by_name() || (c.schema.is_some() && c.id.is_none()) {
            return (75, Role::Key);
        }
        if c.is_called(&core) && !creating {
            return (65, Role::Key);
        }
    }
    // What is kept under names and paths is kept under the first thing that a call gives.
    if c.kind == Kind::Index
        && param.required
        && tool.params.iter().find(|p| p.required).is_some_and(|p| p.name == param.name)
    {
        return (55, Role::Key);
    }
    // A unique member that all of the call hangs on: `email`, `title`.
    if let Some(at) = member_for(c, param)
        && c.members[at].unique
        && param.required
        && !tool.action.plural
        && !creating
        && tool.params.iter().filter(|p| p.required).count() == 1
        && tool.action.reads()
    {
        return (60, Role::Finds(at));
    }
    // The only thing given, and keys are all there is to find by.
    let only = tool.params.iter().filter(|p| p.required).count() == 1 && param.required;
    if only
        && c.rows > 0
        && c.kind != Kind::List
        && tool.action.reads()
        && (inner || member_for(c, param).is_none())
        && !tool.action.plural
        && looks_alike(c, param)
        && ctx.shape.collections.iter().all(|o| o.stems != without_id(&param.stems).0 || std::ptr::eq(o, c))
    {
        return (50, Role::Key);
    }
    // Lists kept under keys are found by the first thing that a call gives.
    let first = tool.params.iter().find(|p| p.required).is_some_and(|p| p.name == param.name);
    if c.kind == Kind::Lists
        && first
        && tool.action.reads()
        && (idish || param.kind.as_deref() == Some("string"))
        && c.rows > 0
    {
        return (40, Role::Key);
    }
    none
}

/// Whether a parameter's description speaks of what the collection's keys are.
fn looks_alike(c: &Collection, param: &Param) -> bool {
    let text = super::tokens::stems(&param.text);
    mentions(&text, &c.stems) || param.text.to_lowercase().contains("identif")
}

/// The member that a parameter gives, by name: the same words, after taking away the words of the
/// collection and those that say "new".
pub(super) fn member_for(c: &Collection, param: &Param) -> Option<usize> {
    let strip = |stems: &[String]| -> Vec<String> {
        let rest: Vec<String> = stems.iter().filter(|word| !NEW.contains(&word.as_str())).cloned().collect();
        if rest.is_empty() { stems.to_vec() } else { rest }
    };
    let bare = |stems: &[String]| -> Vec<String> {
        let rest: Vec<String> = strip(stems).into_iter().filter(|word| !c.stems.contains(word)).collect();
        if rest.is_empty() || rest.iter().all(|word| ID_WORDS.contains(&word.as_str())) {
            strip(stems)
        } else {
            rest
        }
    };
    let by = |test: &dyn Fn(&super::member::Member) -> bool| {
        // Members of the record itself come before those of objects in it.
        let found = |top: bool| c.members.iter().position(|m| m.top() == top && test(m));
        found(true).or_else(|| found(false))
    };
    let stripped = strip(&param.stems);
    by(&|m| m.stems == param.stems)
        .or_else(|| by(&|m| m.stems == stripped))
        .or_else(|| by(&|m| bare(&m.stems) == bare(&param.stems)))
        .or_else(|| {
            // `origin_city` gives the `origin`.
            const KINDS: &[&str] = &["city", "name", "code", "airport", "location", "value", "text", "date"];
            let core: Vec<String> =
                stripped.iter().filter(|word| !KINDS.contains(&word.as_str())).cloned().collect();
            (core.len() < stripped.len() && !core.is_empty()).then(|| by(&|m| m.single && m.stems == core))?
        })
}

/// `min_price`, `start_date`, `created_after`.
fn range(c: &Collection, param: &Param) -> Option<Role> {
    const LOW: &[&str] = &["min", "minimum", "start", "from", "after", "since", "earliest", "lowest"];
    const HIGH: &[&str] = &["max", "maximum", "end", "until", "before", "to", "latest", "highest"];
    let low = param.stems.iter().any(|word| LOW.contains(&word.as_str()));
    let high = param.stems.iter().any(|word| HIGH.contains(&word.as_str()));
    if low == high {
        return None;
    }
    let rest: Vec<String> = param
        .stems
        .iter()
        .filter(|word| !LOW.contains(&word.as_str()) && !HIGH.contains(&word.as_str()))
        .cloned()
        .collect();
    if c.members.iter().any(|m| m.stems == param.stems) {
        return None;
    }
    const TIMES: &[&str] = &["date", "time", "timestamp", "day", "datetime", "stamp"];
    let timely = |stems: &[String]| stems.iter().any(|word| TIMES.contains(&word.as_str()) || word == "at");
    let at = c
        .members
        .iter()
        .position(|m| m.single && m.stems == rest)
        .or_else(|| {
            c.members
                .iter()
                .position(|m| m.single && !rest.is_empty() && common(&rest, &m.stems) == rest.len())
        })
        .or_else(|| {
            (rest.is_empty() || timely(&rest))
                .then(|| c.members.iter().position(|m| m.single && timely(&m.stems)))?
        })?;
    Some(if low { Role::From(at) } else { Role::To(at) })
}

/// `sender_name` where records have a `sender_id` that refers to a user.
fn named_reference(ctx: &Context<'_>, index: usize, param: &Param) -> Option<(usize, usize, String)> {
    let c = ctx.collection(index);
    let (last, role) = param.stems.split_last()?;
    if last != "name" || role.is_empty() {
        return None;
    }
    c.members.iter().enumerate().filter(|(_, m)| m.top()).find_map(|(at, member)| {
        let (who, idish) = without_id(&member.stems);
        let reference = ctx.reference(index, &member.path)?;
        let stored = reference.by.clone()?;
        let target = ctx.collection(reference.to);
        (idish && who == role && target.keyed_by_name()).then_some((at, reference.to, stored))
    })
}

/// `field` and `value`, as in `update_event(event_id, field, new_value)`.
fn field_and_value(tool: &Tool<'_>, roles: &mut [Role]) {
    let called = |param: &Param, names: &[&str]| {
        let words: Vec<&str> = param
            .stems
            .iter()
            .map(String::as_str)
            .filter(|word| !NEW.contains(word) && *word != "name")
            .collect();
        words.len() == 1 && names.contains(&words[0])
    };
    let field = tool
        .params
        .iter()
        .position(|p| called(p, &["field", "attribute", "property", "column"]) && !p.is_object());
    let Some(field) = field.filter(|at| matches!(roles[*at], Role::Unknown | Role::Payload)) else { return };
    match tool.params.iter().position(|p| called(p, &["value"])) {
        Some(value) => {
            roles[field] = Role::FieldName;
            roles[value] = Role::FieldValue;
        }
        None if tool.action.reads() && !tool.params[field].is_list() => roles[field] = Role::FieldName,
        None => {}
    }
}

/// `from_time` and `to_time`, `old_name` and `new_name`: the first finds, the second is set.
fn before_and_after(c: &Collection, tool: &Tool<'_>, roles: &mut [Role]) {
    const BEFORE: &[&str] = &["from", "old", "original", "current", "previous", "existing"];
    for (at, param) in tool.params.iter().enumerate() {
        let Some((first, rest)) = param.stems.split_first() else { continue };
        if !BEFORE.contains(&first.as_str()) || rest.is_empty() {
            continue;
        }
        let after = tool.params.iter().position(|other| {
            other.stems.split_first().is_some_and(|(word, same)| NEW.contains(&word.as_str()) && same == rest)
        });
        let member = c.members.iter().position(|m| m.single && m.stems == rest);
        if let (Some(after), Some(member)) = (after, member) {
            roles[at] = Role::Finds(member);
            roles[after] = Role::Member(member);
        }
    }
}

/// The other collection that a parameter names a record of.
fn refers(ctx: &Context<'_>, index: usize, param: &Param) -> Role {
    if param.is_list() || param.is_object() || param.is_bool() {
        return Role::Unknown;
    }
    let (what, idish) = without_id(&param.stems);
    let (core, named) = match param.stems.split_last() {
        Some((last, rest)) if last == "name" && !rest.is_empty() => (rest.to_vec(), true),
        _ => (what, false),
    };
    let own = &ctx.collection(index).group;
    let found = ctx.shape.collections.iter().enumerate().find(|(at, other)| {
        *at != index
            && other.parent.is_none()
            && other.rows > 0
            && (other.group == *own || other.group.is_empty())
            && (other.id.as_deref() == Some(&param.name)
                || (!core.is_empty()
                    && other.is_called(&core)
                    && (idish || (named && other.keyed_by_name()))))
    });
    found.map_or(Role::Unknown, |(at, _)| Role::Refers(at))
}
