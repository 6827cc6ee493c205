//! Which outcome a call has: a list of conditions, of which the first that holds decides.

use crate::atoms::Atom;
use crate::case::Probe;
use crate::outcome::Outcome;

/// Conditions that are combined in pairs.
const MAX_PAIRED: usize = 60;
/// Most rules of one tool.
const MAX_RULES: usize = 60;

/// Calls for which the condition holds have the outcome.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) outcome: usize,
    pub(crate) condition: String,
    /// Cases it explains, and cases it decides wrongly.
    pub(crate) right: usize,
    pub(crate) wrong: usize,
}

/// Sets of cases as bits.
type Bits = Vec<u64>;

fn bits(n: usize, holds: impl Fn(usize) -> bool) -> Bits {
    let mut out = vec![0; n.div_ceil(64)];
    (0..n).filter(|i| holds(*i)).for_each(|i| out[i / 64] |= 1 << (i % 64));
    out
}

fn count(a: &Bits, b: &Bits) -> usize {
    a.iter().zip(b).map(|(a, b)| (a & b).count_ones() as usize).sum()
}

/// A condition with the cases in which it holds.
struct Tested {
    text: String,
    cost: u32,
    holds: Bits,
}

/// The rules for all outcomes but the last, which is what happens otherwise. Also gives the outcome
/// that the rules decide for each case.
pub(crate) fn decide(
    probe: &Probe,
    outcomes: &[Outcome],
    atoms: &[Atom],
    words: &[Vec<String>],
) -> (Vec<Rule>, Vec<usize>) {
    let n = probe.cases.len();
    let last = outcomes.len().saturating_sub(1);
    let mut class = vec![usize::MAX; n];
    for (at, outcome) in outcomes.iter().enumerate() {
        outcome.cases.iter().for_each(|case| class[*case] = at);
    }
    let members: Vec<Bits> = (0..outcomes.len()).map(|o| bits(n, |i| class[i] == o)).collect();
    let tested = test(probe, atoms, n);
    let mut left = bits(n, |i| class[i] != usize::MAX);
    let mut rules: Vec<Rule> = Vec::new();
    while rules.len() < MAX_RULES {
        let single = best(&tested, &left, &members[..last], outcomes, words);
        let rule = match single {
            Some(found) if found.2 == 0 => Some(found),
            // A pair of conditions may tell better apart than one.
            single => {
                let paired = pairs(&tested, &left, &members[..last], outcomes, words);
                [single, paired]
                    .into_iter()
                    .flatten()
                    .max_by_key(|(_, right, wrong, gain, _)| (*gain, *right, usize::MAX - wrong))
            }
        };
        let Some((outcome, right, wrong, _, at)) = rule else { break };
        let (condition, holds) = at.of(&tested);
        left.iter_mut().zip(&holds).for_each(|(left, holds)| *left &= !holds);
        rules.push(Rule { outcome, condition, right, wrong });
    }
    let mut decided = vec![last; n];
    for (i, decided) in decided.iter_mut().enumerate() {
        if let Some(rule) = rules.iter().find(|rule| probe.holds(&rule.condition, i)) {
            *decided = rule.outcome;
        }
    }
    (rules, decided)
}

/// Which condition, or two.
enum At {
    One(usize),
    Two(usize, usize),
}

impl At {
    fn of(&self, tested: &[Tested]) -> (String, Bits) {
        match self {
            At::One(a) => (tested[*a].text.clone(), tested[*a].holds.clone()),
            At::Two(a, b) => {
                let (a, b) = (&tested[*a], &tested[*b]);
                let both = a.holds.iter().zip(&b.holds).map(|(a, b)| a & b).collect();
                (format!("({}) && ({})", a.text, b.text), both)
            }
        }
    }
}

/// Outcome, cases it explains, cases it gets wrong, gain, condition.
type Candidate = (usize, usize, usize, i64, At);

fn gain(right: usize, wrong: usize, cost: u32) -> i64 {
    6 * right as i64 - 24 * wrong as i64 - i64::from(cost)
}

/// Every condition and its contrary, each set of cases once under its cheapest condition.
fn test(probe: &Probe, atoms: &[Atom], n: usize) -> Vec<Tested> {
    let mut seen: std::collections::HashMap<Bits, usize> = std::collections::HashMap::new();
    let mut out: Vec<Tested> = Vec::new();
    for atom in atoms {
        let holds = bits(n, |i| probe.holds(&atom.text, i));
        let contrary: Bits = {
            let all = bits(n, |_| true);
            holds.iter().zip(&all).map(|(h, all)| !h & all).collect()
        };
        let negated = match atom.text.strip_prefix('!') {
            Some(rest) if !rest.starts_with('=') && !rest.contains("&&") && !rest.contains("||") => {
                rest.to_owned()
            }
            _ => match atom.text.rsplit_once(" == ") {
                Some((a, b)) if !atom.text.contains("&&") && !atom.text.contains("(i,") => {
                    format!("{a} != {b}")
                }
                _ => format!("!({})", atom.text),
            },
        };
        for (text, cost, holds) in [(atom.text.clone(), atom.cost, holds), (negated, atom.cost + 1, contrary)]
        {
            if holds.iter().all(|word| *word == 0) {
                continue;
            }
            match seen.get(&holds) {
                // Conditions that agree so far may differ later; two of the likeliest are kept.
                Some(count) if *count >= 4 => {}
                count => {
                    let count = count.copied().unwrap_or(0);
                    seen.insert(holds.clone(), count + 1);
                    out.push(Tested { text, cost, holds });
                }
            }
        }
    }
    out
}

fn best(
    tested: &[Tested],
    left: &Bits,
    members: &[Bits],
    outcomes: &[Outcome],
    words: &[Vec<String>],
) -> Option<Candidate> {
    let mut best: Option<Candidate> = None;
    for (at, condition) in tested.iter().enumerate() {
        let held: Bits = condition.holds.iter().zip(left).map(|(a, b)| a & b).collect();
        let all: usize = held.iter().map(|w| w.count_ones() as usize).sum();
        if all == 0 {
            continue;
        }
        for (outcome, members) in members.iter().enumerate() {
            let right = count(&held, members);
            if right == 0 {
                continue;
            }
            let cost =
                condition.cost + strangeness(&condition.text, &words[outcome], outcomes[outcome].is_error);
            let gain = gain(right, all - right, cost);
            // Another kind of success is no news; an error is.
            let enough = outcomes[outcome].is_error || right > 1;
            if gain > 0 && enough && best.as_ref().is_none_or(|b| gain > b.3) {
                best = Some((outcome, right, all - right, gain, At::One(at)));
            }
        }
    }
    best
}

fn pairs(
    tested: &[Tested],
    left: &Bits,
    members: &[Bits],
    outcomes: &[Outcome],
    words: &[Vec<String>],
) -> Option<Candidate> {
    let mut best: Option<Candidate> = None;
    for (outcome, members) in members.iter().enumerate() {
        let mut useful: Vec<(usize, usize)> = tested
            .iter()
            .enumerate()
            .map(|(at, t)| (at, count(&t.holds, members).min(count(&t.holds, left))))
            .filter(|(_, right)| *right > 0)
            .collect();
        useful.sort_by_key(|(at, right)| (std::cmp::Reverse(*right * 4), tested[*at].cost, *at));
        useful.truncate(MAX_PAIRED);
        for (i, (a, _)) in useful.iter().enumerate() {
            for (b, _) in &useful[i + 1..] {
                let (x, y) = (&tested[*a], &tested[*b]);
                let (mut all, mut right) = (0, 0);
                for w in 0..left.len() {
                    let held = x.holds[w] & y.holds[w] & left[w];
                    all += held.count_ones() as usize;
                    right += (held & members[w]).count_ones() as usize;
                }
                if right < 2 {
                    continue;
                }
                let strange = |text: &str| strangeness(text, &words[outcome], outcomes[outcome].is_error);
                let cost = x.cost + y.cost + 2 + strange(&x.text).min(strange(&y.text));
                let gain = gain(right, all - right, cost);
                if gain > 0 && best.as_ref().is_none_or(|b| gain > b.3) {
                    best = Some((outcome, right, all - right, gain, At::Two(*a, *b)));
                }
            }
        }
    }
    best
}

/// Errors say what is wrong: a condition about something that the message does not mention is stranger.
pub(crate) fn strangeness(condition: &str, words: &[String], is_error: bool) -> u32 {
    if !is_error || words.is_empty() {
        return 0;
    }
    let mentioned = words.iter().any(|word| {
        let mut parts = condition.split(|c: char| !c.is_alphanumeric());
        parts.any(|part| part.len() > 2 && super::words::stem(part) == *word)
    });
    u32::from(!mentioned) * 2
}
