//! How usual names are, and how usual ones are made particular.
//!
//! A model that meets `status` in every second tool learns the word instead of learning to look. So the more packs
//! have a name, the seldomer it is taken as it is; else words of the domain, or words that real specs put before it,
//! come before it: `loan_status`, `payment_status`.

use crate::rng::Rng;
use crate::session::Field;
use crate::specs::Pool;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Share of sessions in which a name may stand as it is, whatever number of domains have it.
const USUAL: f64 = 0.003;
/// Most words kept that come before a word, and most specs looked at for them.
const MOST_BEFORE: usize = 400;
const MOST_APIS: usize = 4_000;

/// Names of the packs and of real specs.
#[derive(Debug, Default)]
pub struct Vocabulary {
    /// Share of the domains that have a name.
    shares: HashMap<String, f64>,
    /// What real specs put before a last word: `status` → `payment`, `sync`.
    before: HashMap<String, Vec<String>>,
}

impl Vocabulary {
    /// The vocabulary of packs and of what the specs at hand add.
    pub fn of(fields: &[Field], specs: &Pool) -> Vocabulary {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for field in fields {
            let mut names: BTreeSet<&str> = BTreeSet::new();
            for kindred in field.domain.entities.values().chain(field.domain.singletons.values()) {
                names.extend(kindred.attributes.keys().map(String::as_str));
            }
            for plan in &field.plans {
                names.extend(plan.params.iter().map(|param| param.name.as_str()));
            }
            names.into_iter().for_each(|name| *counts.entry(name).or_default() += 1);
        }
        let share = |count: usize| count as f64 / fields.len().max(1) as f64;
        let shares = counts.into_iter().map(|(name, count)| (name.to_owned(), share(count))).collect();
        let mut before: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for tool in specs.sample(MOST_APIS) {
            for property in gtm_tool::schema::properties(&tool.parameters, &tool.parameters) {
                add(property.name, &mut before);
            }
            if let Some(returns) = &tool.returns {
                gtm_tool::schema::properties(returns, returns).iter().for_each(|p| add(p.name, &mut before));
            }
        }
        let before = before.into_iter().map(|(last, words)| (last, words.into_iter().collect())).collect();
        Vocabulary { shares, before }
    }

    /// The words of a name, with others before them unless the name is rare. `own` are words of the thing that it is a
    /// name of; names of no pack are those of every API.
    pub(super) fn particular(
        &self,
        name: &str,
        parts: Vec<String>,
        own: &[String],
        rng: &mut Rng,
    ) -> Vec<String> {
        let share = self.shares.get(name).copied().unwrap_or(1.0);
        if rng.chance(USUAL / share.max(USUAL)) {
            return parts;
        }
        let real = parts.last().and_then(|last| self.before.get(last)).filter(|words| words.len() > 20);
        let mut first = match (real, rng.try_pick(own)) {
            (Some(real), Some(own)) => if rng.chance(0.5) { rng.pick(real) } else { own }.clone(),
            (Some(real), None) => rng.pick(real).clone(),
            (None, Some(own)) => own.clone(),
            (None, None) => return parts,
        };
        if parts.first() == Some(&first) {
            first = (*rng.pick(&["current", "given", "actual", "own", "main", "this"])).to_owned();
        }
        let mut named = vec![first];
        // Two words of the domain tell more apart than one: domains share many of theirs.
        if rng.chance(0.35)
            && let Some(second) = rng.try_pick(own)
            && !named.contains(second)
            && !parts.contains(second)
        {
            named.insert(0, second.clone());
        }
        named.extend(parts);
        named
    }
}

/// Notes the word before the last of a name.
fn add(name: &str, before: &mut BTreeMap<String, BTreeSet<String>>) {
    let mut words: Vec<String> = vec![String::new()];
    let mut low = false;
    for c in name.chars() {
        match c {
            'a'..='z' => {
                low = true;
                words.last_mut().into_iter().for_each(|word| word.push(c));
            }
            'A'..='Z' => {
                if low {
                    words.push(String::new());
                }
                low = false;
                words.last_mut().into_iter().for_each(|word| word.push(c.to_ascii_lowercase()));
            }
            _ => {
                low = false;
                words.push(String::new());
            }
        }
    }
    words.retain(|word| !word.is_empty());
    if let [.., first, last] = words.as_slice()
        && (3..=14).contains(&first.len())
        && (2..=14).contains(&last.len())
    {
        let known = before.entry(last.clone()).or_default();
        if known.len() < MOST_BEFORE {
            known.insert(first.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_before_the_last_are_found_in_any_case() {
        let mut before = BTreeMap::new();
        for name in ["paymentStatus", "order_status", "SyncStatus", "x-http-status", "status", "HTTPStatus"] {
            add(name, &mut before);
        }
        let found: Vec<&str> = before["status"].iter().map(String::as_str).collect();
        assert_eq!(found, ["http", "order", "payment", "sync"]);
    }

    #[test]
    fn usual_names_are_seldom_left_as_they_are() {
        let vocabulary = Vocabulary {
            shares: [("status".to_owned(), 0.8), ("brix".to_owned(), 0.003)].into(),
            ..Vocabulary::default()
        };
        let own = ["loan".to_owned(), "library".to_owned()];
        let plain = |name: &str| {
            let mut rng = Rng::new(1, &[name]);
            (0..10_000)
                .filter(|_| vocabulary.particular(name, vec![name.into()], &own, &mut rng).len() == 1)
                .count()
        };
        assert!(plain("status") < 100);
        assert_eq!(plain("brix"), 10_000);
    }
}
