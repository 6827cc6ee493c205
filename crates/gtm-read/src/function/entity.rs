//! Which part of the state a tool is about.

use super::context::{Context, ID_WORDS};
use super::state_shape::{Collection, Kind, Scalar};
use super::tokens::{common, same_root};
use super::tool::{Returns, Tool};
use super::verbs::Verb;

/// Least score for a collection to be what a tool is about.
const ENOUGH: f64 = 2.8;

/// Whether `words` name what `stems` name: all of them are there, or are there written together
/// (`watch list` in `watchlist`).
pub(super) fn mentions(words: &[String], stems: &[String]) -> bool {
    if stems.is_empty() {
        return false;
    }
    if stems.iter().all(|stem| words.contains(stem)) {
        return true;
    }
    let joined = stems.concat();
    (1..=3).any(|n| words.windows(n).any(|window| window.concat() == joined))
}

/// The collection a tool is about.
pub(super) fn collection(ctx: &Context<'_>, tool: &Tool<'_>) -> Option<usize> {
    let mut best: Option<(f64, usize)> = None;
    for index in 0..ctx.shape.collections.len() {
        let score = score(ctx, tool, index);
        if score >= ENOUGH && best.is_none_or(|(most, _)| score > most) {
            best = Some((score, index));
        }
    }
    best.map(|(_, index)| index)
}

/// How much speaks for a tool being about a collection. Nothing does unless something names it: its
/// name in the tool's, its id among the parameters, its records in the reply.
fn score(ctx: &Context<'_>, tool: &Tool<'_>, index: usize) -> f64 {
    let c = ctx.collection(index);
    let changes = matches!(
        tool.action.verb,
        Verb::Update | Verb::Delete | Verb::Cancel | Verb::Mark | Verb::TurnOn | Verb::TurnOff
    );
    let (mut score, named) = by_name(tool, c);
    let nouns = &tool.action.nouns;
    let said = c.called(&tool.text_stems);
    if said {
        score += 0.9;
    }
    // Its ids among the parameters.
    let exact_id = tool.params.iter().any(|param| {
        let (what, idish) = without_id(&param.stems);
        c.id.as_deref() == Some(&param.name) || (idish && !what.is_empty() && what == c.stems)
    });
    // The collection's own name as a parameter: `symptom` where symptoms are kept.
    let plain = tool.params.iter().any(|param| param.required && c.is_called(&param.stems));
    let id_param = exact_id
        || plain
        || tool.params.iter().filter(|param| param.stems.first().is_none_or(|word| word != "new")).any(
            |param| {
                let (what, idish) = without_id(&param.stems);
                c.other_ids.contains(&param.name) || (idish && !what.is_empty() && c.called(&what))
            },
        );
    if id_param {
        score += 2.0;
    }
    // What is changed is what is identified, whatever else the name speaks of.
    if changes && exact_id {
        score += 3.5;
    }
    // Its members among parameters, in the name, and in the reply.
    let members = |stems: &[String]| c.members.iter().any(|member| member.stems == stems);
    let params = tool.params.iter().filter(|param| members(&param.stems)).count();
    score += (0.5 * params as f64).min(2.0);
    if params > 1 && params == tool.params.len() {
        score += 0.8;
    }
    let names_one =
        id_param || tool.params.is_empty() || tool.params.iter().any(|param| is_caller(&param.stems));
    let part = tool.action.reads()
        && names_one
        && tool.action.all_nouns.last().is_some_and(|head| {
            members(std::slice::from_ref(head)) && !c.stems.contains(head) && head != "id" && head != "name"
        });
    if part {
        score += 1.5;
    }
    let (mut replied, mut wrapped) = (0, false);
    if let Returns::Object(fields) | Returns::List(fields) = &tool.returns {
        let inner = fields.iter().flat_map(|field| &field.inner);
        replied = fields.iter().chain(inner).filter(|field| members(&field.stems)).count();
        wrapped = fields
            .iter()
            .any(|field| c.is_called(&field.stems) && matches!(field.kind.as_str(), "array" | "object"));
    }
    score += (0.3 * replied as f64).min(1.5);
    if wrapped && tool.action.reads() {
        score += 2.0;
    }
    // `book_flight` gives a `booking_id`: what is made is a booking.
    let made = tool.action.verb == Verb::Create && makes(tool, c);
    if made {
        score += 3.2;
    }
    // Whose password is changed is said by the token.
    let own_member = tool.action.verb == Verb::Update
        && tool.params.iter().any(|param| {
            param.stems.iter().any(|w| w == "token") && c.member(&param.name).is_some_and(|m| m.unique)
        })
        && nouns.last().is_some_and(|head| members(std::slice::from_ref(head)));
    if own_member {
        score += 3.0;
    }
    // Of a part that only one collection has there is no doubt.
    let only = |head: &String| {
        let has = |o: &&Collection| o.members.iter().any(|m| m.stems == std::slice::from_ref(head));
        ctx.shape.collections.iter().filter(has).count() == 1
    };
    if part && tool.action.all_nouns.last().is_some_and(only) {
        score += 1.5;
    }
    let evidence = match tool.action.verb {
        Verb::Create => named || made,
        _ if tool.action.reads() => {
            // `get_referrals_by_user(user_id)` is not about users.
            named || part || wrapped || plain || (id_param || said && params > 0) && !tool.action.plural
        }
        // Money is moved between whatever has a balance.
        Verb::Deposit | Verb::Withdraw => named || id_param || said,
        _ => named || id_param || own_member,
    };
    if !evidence {
        return 0.0;
    }
    // Where it is.
    match ctx.group_of(tool) {
        Some(group) if c.group.starts_with(group) || group.starts_with(&c.group) && !c.group.is_empty() => {
            score += 1.5
        }
        Some(_) if !c.group.is_empty() && c.parent.is_none() && is_own_api(ctx, tool) => score -= 6.0,
        _ => {}
    }
    if let Some(parent) = c.parent {
        score -= 0.6;
        // Where a call gives nothing but ids, the inner one is what the outer record is to have.
        let p = ctx.collection(parent);
        let id = |stems: &[String]| without_id(stems).1;
        if tool.action.verb == Verb::Update
            && tool.params.iter().filter(|param| param.required).all(|param| id(&param.stems))
            && tool.params.iter().any(|param| p.id.as_deref() == Some(&param.name))
        {
            score -= 6.0;
        }
    }
    if c.kind == Kind::Index {
        score -= 0.3;
    }
    // An empty list may as well be one of plain values.
    if c.rows == 0 && c.schema.is_none() && tool.action.verb != Verb::Create {
        score -= 0.2;
    }
    score
}

/// Whether a creating tool makes records of this collection though its name does not say so.
fn makes(tool: &Tool<'_>, c: &Collection) -> bool {
    let verb = c.stems.iter().any(|stem| same_root(stem, &tool.action.word));
    let gives = match &tool.returns {
        Returns::Object(fields) => fields.iter().any(|field| {
            let (what, idish) = without_id(&field.stems);
            let given = tool.params.iter().any(|param| param.name == field.name);
            idish && !given && c.is_called(&what)
        }),
        _ => false,
    };
    gives || (verb && !tool.params.iter().any(|param| c.id.as_deref() == Some(&param.name)))
}

/// Whether a parameter says who is calling.
fn is_caller(stems: &[String]) -> bool {
    stems.iter().any(|word| matches!(word.as_str(), "token" | "user" | "account" | "customer" | "name"))
}

/// What the tool's name says for a collection, and whether it names it at all.
fn by_name(tool: &Tool<'_>, c: &Collection) -> (f64, bool) {
    let nouns = &tool.action.nouns;
    if mentions(nouns, &c.stems) {
        let place = if nouns.last().is_some_and(|head| c.stems.contains(head)) {
            1.5
        } else if nouns.first().is_some_and(|first| c.stems.contains(first)) {
            0.5
        } else {
            0.0
        };
        return (3.5 + 0.4 * c.stems.len() as f64 + place, true);
    }
    if c.called(nouns) {
        return (3.2, true);
    }
    if nouns.is_empty() && c.called(&tool.action.qualifier) {
        return (3.4, true);
    }
    if nouns.is_empty() && mentions(&tool.action.prefix, &c.stems) {
        return (3.0, true);
    }
    if c.called(&tool.action.qualifier) {
        return (1.2, !tool.action.reads());
    }
    (if common(&c.stems, nouns) > 0 { 0.8 } else { 0.0 }, false)
}

/// Whether the tool says itself which API it belongs to, and that API has a state of its own.
fn is_own_api(ctx: &Context<'_>, tool: &Tool<'_>) -> bool {
    let api = super::tokens::stems(&tool.spec.origin.api);
    ctx.shape.groups.iter().any(|(path, words)| path.len() == 1 && *words == api)
}

/// A name without the words of ids, and whether it had any.
pub(super) fn without_id(stems: &[String]) -> (Vec<String>, bool) {
    let rest: Vec<String> = stems.iter().filter(|word| !ID_WORDS.contains(&word.as_str())).cloned().collect();
    let idish = rest.len() < stems.len();
    (rest, idish)
}

/// The single value or plain list that a tool names.
pub(super) fn value<'s>(ctx: &Context<'_>, tool: &Tool<'_>, among: &'s [Scalar]) -> Option<&'s Scalar> {
    let words: Vec<String> = tool.action.all_nouns.iter().chain(&tool.action.qualifier).cloned().collect();
    let mut best: Option<(f64, &Scalar)> = None;
    let group = ctx.group_of(tool);
    for scalar in among {
        let mut score = 0.0;
        if mentions(&words, &scalar.stems) {
            score += 3.0 + scalar.stems.len() as f64;
            if scalar.stems.concat() == tool.action.nouns.concat()
                || scalar.stems.concat() == tool.action.all_nouns.concat()
            {
                score += 1.0;
            }
        } else {
            let core: Vec<String> =
                scalar.stems.iter().filter(|w| !STATES.contains(&w.as_str())).cloned().collect();
            if !core.is_empty() && core.len() < scalar.stems.len() && mentions(&words, &core) {
                score += 2.2 + core.len() as f64;
            }
        }
        if score == 0.0 {
            continue;
        }
        match group {
            Some(group) if scalar.group.starts_with(group) => score += 1.0,
            Some(_) if !scalar.group.is_empty() && is_own_api(ctx, tool) => continue,
            _ => {}
        }
        if best.is_none_or(|(most, _)| score > most) {
            best = Some((score, scalar));
        }
    }
    best.map(|(_, scalar)| scalar)
}

/// Words that say that something is a setting or a state, not which.
pub(super) const STATES: &[&str] =
    &["status", "state", "mode", "level", "setting", "enabled", "current", "value", "is", "flag", "on"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_written_together_are_the_same() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(mentions(&words("watchlist"), &words("watch list")));
        assert!(mentions(&words("credit card"), &words("card")));
        assert!(!mentions(&words("credit"), &words("credit card")));
    }
}
