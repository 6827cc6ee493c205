//! Tools that are many tools: an argument chooses which, and what happens depends on it.

use crate::evidence::Seen;
use crate::outcome::kind_of_success;
use gtm_world::Value;

/// Fewest successes from which a choice is recognised, and most choices.
const MIN_CALLS: usize = 8;
const MAX_CHOICES: usize = 80;

/// The argument that chooses, and the calls of each choice.
pub(crate) struct Dispatch {
    pub(crate) argument: String,
    pub(crate) choices: Vec<(Value, Vec<usize>)>,
}

/// The argument by which the successes fall into kinds, if there is one.
pub(crate) fn dispatch(seen: &[&Seen]) -> Option<Dispatch> {
    let good: Vec<usize> = (0..seen.len()).filter(|i| !seen[*i].call.is_error).collect();
    if good.len() < MIN_CALLS {
        return None;
    }
    let kinds: Vec<String> = seen.iter().map(|s| kind_of_success(&s.call)).collect();
    let together = commonest(good.iter().map(|i| &kinds[*i]));
    let mut names: Vec<&str> = Vec::new();
    for call in good.iter().map(|i| &seen[*i].call) {
        for name in call.args.as_map().into_iter().flat_map(|m| m.keys()) {
            if !names.contains(&&**name) {
                names.push(name);
            }
        }
    }
    let choices = names.into_iter().filter_map(|name| {
        let choices = choices(seen, name)?;
        let apart: usize = choices
            .iter()
            .map(|(_, calls)| {
                commonest(calls.iter().filter(|i| !seen[**i].call.is_error).map(|i| &kinds[*i]))
            })
            .sum();
        // Each choice must tell something that the whole does not, and be more than a name for a call.
        let telling = (apart - together.min(apart)) * 10 >= good.len() * 3;
        let recurring = choices.len() * 3 <= good.len() * 2;
        (telling && recurring).then(|| (apart, Dispatch { argument: name.to_owned(), choices }))
    });
    choices.max_by_key(|(apart, _)| *apart).map(|(_, dispatch)| dispatch)
}

/// The calls by the value of an argument; values that were never accepted are no choice.
fn choices(seen: &[&Seen], name: &str) -> Option<Vec<(Value, Vec<usize>)>> {
    let mut choices: Vec<(Value, Vec<usize>)> = Vec::new();
    for (at, call) in seen.iter().map(|s| &s.call).enumerate() {
        let Some(value @ Value::Str(_)) = call.args.get(name) else { continue };
        match choices.iter().position(|(known, _)| known == value) {
            Some(known) => choices[known].1.push(at),
            None if choices.len() > 4 * MAX_CHOICES => return None,
            None => choices.push((value.clone(), vec![at])),
        }
    }
    choices.retain(|(_, calls)| calls.iter().any(|at| !seen[*at].call.is_error) || calls.len() > 2);
    (choices.len() > 1 && choices.len() <= MAX_CHOICES).then_some(choices)
}

/// How often the commonest of some texts occurs.
fn commonest<'a>(texts: impl Iterator<Item = &'a String>) -> usize {
    let mut counts: Vec<(&String, usize)> = Vec::new();
    for text in texts {
        match counts.iter_mut().find(|(known, _)| *known == text) {
            Some((_, count)) => *count += 1,
            None => counts.push((text, 1)),
        }
    }
    counts.into_iter().map(|(_, count)| count).max().unwrap_or(0)
}
