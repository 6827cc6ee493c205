//! Which outcome a call has: a list of conditions, of which the first that holds decides.

use crate::atoms::{About, Atom};
use crate::case::Probe;
use crate::outcome::Outcome;
use crate::words;
use std::collections::HashMap;

/// Conditions that are combined in pairs.
const MAX_PAIRED: usize = 60;
/// Most rules of one tool.
const MAX_RULES: usize = 60;
/// Conditions kept that hold in the same cases.
const MAX_ALIKE: usize = 8;
/// Conditions that have to hold together where the evidence does not tell which of them decides, and how
/// much less likely than the likeliest they may be.
const MAX_JOINED: usize = 4;
const MAX_LESS: u32 = 4;
/// Other conditions that are told of.
const MAX_OTHERS: usize = 2;

/// Calls for which the condition holds have the outcome.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) outcome: usize,
    pub(crate) condition: String,
    /// Cases it explains, and cases it decides wrongly.
    pub(crate) right: usize,
    pub(crate) wrong: usize,
    /// Groups of the cases it explains.
    pub(crate) groups: usize,
    /// Other conditions that would decide these cases alike.
    pub(crate) others: Vec<String>,
}

impl Rule {
    /// The evidence, for the reader.
    pub(crate) fn note(&self) -> String {
        let plural = if self.groups == 1 { "" } else { "s" };
        let mut note = format!(
            "decides {} of {} calls rightly, of {} group{plural}",
            self.right,
            self.right + self.wrong,
            self.groups
        );
        if !self.others.is_empty() {
            note.push_str(&format!("; so would {}", self.others.join(", or ")));
        }
        note
    }
}

/// What rules are judged by, beside the cases themselves.
pub(crate) struct Setting<'a> {
    pub(crate) outcomes: &'a [Outcome],
    /// By outcome, what an error speaks of.
    pub(crate) words: &'a [Vec<String>],
    /// Parts of the state that the tool is not known to work on.
    pub(crate) foreign: &'a [String],
    /// By case, the group it belongs to: what groups agree on is no accident of one.
    pub(crate) groups: &'a [usize],
    /// Fewest groups that must agree on a rule.
    pub(crate) agreeing: usize,
}

/// Sets of cases as bits.
type Bits = Vec<u64>;

fn bits(n: usize, holds: impl Fn(usize) -> bool) -> Bits {
    let mut out = vec![0; n.div_ceil(64)];
    (0..n).filter(|i| holds(*i)).for_each(|i| out[i / 64] |= 1 << (i % 64));
    out
}

fn both(a: &Bits, b: &Bits) -> Bits {
    a.iter().zip(b).map(|(a, b)| a & b).collect()
}

fn count(a: &Bits) -> usize {
    a.iter().map(|word| word.count_ones() as usize).sum()
}

/// A condition with the cases in which it holds.
struct Tested {
    text: String,
    cost: u32,
    about: About,
    holds: Bits,
}

/// The rules for all outcomes but the last, which is what happens otherwise. Also gives the outcome
/// that the rules decide for each case.
pub(crate) fn decide(probe: &Probe, atoms: &[Atom], setting: &Setting<'_>) -> (Vec<Rule>, Vec<usize>) {
    let n = probe.cases.len();
    let last = setting.outcomes.len().saturating_sub(1);
    let mut class = vec![usize::MAX; n];
    for (at, outcome) in setting.outcomes.iter().enumerate() {
        outcome.cases.iter().for_each(|case| class[*case] = at);
    }
    let members = (0..last).map(|o| bits(n, |i| class[i] == o)).collect();
    let mut decision = Decision {
        setting,
        tested: test(probe, atoms, n),
        members,
        left: bits(n, |i| class[i] != usize::MAX),
    };
    let mut rules: Vec<Rule> = Vec::new();
    while rules.len() < MAX_RULES {
        let single = decision.single();
        let found = match single {
            Some(found) if found.wrong == 0 => Some(found),
            // A pair of conditions may tell better apart than one.
            single => [single, decision.pair()]
                .into_iter()
                .flatten()
                .max_by_key(|found| (found.gain, found.right, usize::MAX - found.wrong)),
        };
        let Some(found) = found else { break };
        let Condition { text, holds, others } = decision.condition(&found);
        decision.left.iter_mut().zip(&holds).for_each(|(left, holds)| *left &= !holds);
        let Candidate { outcome, right, wrong, groups, .. } = found;
        rules.push(Rule { outcome, condition: text, right, wrong, groups, others });
    }
    let mut decided = vec![last; n];
    for (i, decided) in decided.iter_mut().enumerate() {
        if let Some(rule) = rules.iter().find(|rule| probe.holds(&rule.condition, i)) {
            *decided = rule.outcome;
        }
    }
    (rules, decided)
}

/// A condition, or two, for an outcome.
struct Candidate {
    outcome: usize,
    /// Cases it explains, and cases it gets wrong.
    right: usize,
    wrong: usize,
    groups: usize,
    gain: i64,
    first: usize,
    second: Option<usize>,
}

/// What a candidate comes to: the condition, the cases in which it holds, and what would have done as well.
struct Condition {
    text: String,
    holds: Bits,
    others: Vec<String>,
}

/// A list of rules in the making.
struct Decision<'a> {
    setting: &'a Setting<'a>,
    tested: Vec<Tested>,
    /// By outcome, its cases.
    members: Vec<Bits>,
    /// Cases that no rule decides yet.
    left: Bits,
}

impl Decision<'_> {
    /// What a condition of this cost is worth that holds in these cases; `None` if it is worth nothing.
    fn weigh(&self, held: &Bits, outcome: usize, cost: u32) -> Option<(usize, usize, usize, i64)> {
        let right_ones = both(held, &self.members[outcome]);
        let right = count(&right_ones);
        if right == 0 {
            return None;
        }
        let wrong = count(held) - right;
        let mut groups: Vec<usize> = Vec::new();
        for (case, group) in self.setting.groups.iter().enumerate() {
            if right_ones[case / 64] >> (case % 64) & 1 == 1 && !groups.contains(group) {
                groups.push(*group);
            }
        }
        // Cases of one group are much alike and say less than cases of several.
        let points = 8 * groups.len() as i64 + 2 * (right - groups.len()) as i64;
        let gain = points - 24 * wrong as i64 - i64::from(cost);
        (gain > 0).then_some((right, wrong, groups.len(), gain))
    }

    fn cost(&self, condition: &Tested, outcome: usize) -> u32 {
        let strange = strangeness(
            &condition.text,
            &self.setting.words[outcome],
            self.setting.outcomes[outcome].is_error,
        );
        condition.cost + strange + foreignness(condition, self.setting.foreign)
    }

    fn single(&self) -> Option<Candidate> {
        let mut best: Option<Candidate> = None;
        for (at, condition) in self.tested.iter().enumerate() {
            let held = both(&condition.holds, &self.left);
            if held.iter().all(|word| *word == 0) {
                continue;
            }
            for outcome in 0..self.members.len() {
                let cost = self.cost(condition, outcome);
                let Some((right, wrong, groups, gain)) = self.weigh(&held, outcome, cost) else { continue };
                // Another kind of success is no news; an error is.
                let enough = self.setting.outcomes[outcome].is_error || right > 1;
                let agreed = groups >= self.setting.agreeing || condition.text.contains("check");
                // That it is one value of many has to be seen again to be believed.
                let believed = condition.about != About::Datum || groups > 1;
                if enough && agreed && believed && best.as_ref().is_none_or(|b| gain > b.gain) {
                    best = Some(Candidate { outcome, right, wrong, groups, gain, first: at, second: None });
                }
            }
        }
        best
    }

    fn pair(&self) -> Option<Candidate> {
        let mut best: Option<Candidate> = None;
        let several = self.setting.groups.iter().any(|group| *group != self.setting.groups[0]);
        let agreeing = self.setting.agreeing.max(1 + usize::from(several));
        for (outcome, members) in self.members.iter().enumerate() {
            let mut useful: Vec<(usize, usize)> = self
                .tested
                .iter()
                .enumerate()
                .map(|(at, t)| (at, count(&both(&t.holds, members)).min(count(&both(&t.holds, &self.left)))))
                .filter(|(_, right)| *right > 0)
                .collect();
            useful.sort_by_key(|(at, right)| (std::cmp::Reverse(*right * 4), self.tested[*at].cost, *at));
            useful.truncate(MAX_PAIRED);
            for (i, (a, _)) in useful.iter().enumerate() {
                for (b, _) in &useful[i + 1..] {
                    let (x, y) = (&self.tested[*a], &self.tested[*b]);
                    let held = both(&both(&x.holds, &y.holds), &self.left);
                    let (first, second) = (self.cost(x, outcome), self.cost(y, outcome));
                    let cost = (first + y.cost).min(second + x.cost) + 2;
                    let Some((right, wrong, groups, gain)) = self.weigh(&held, outcome, cost) else {
                        continue;
                    };
                    if right > 1 && groups >= agreeing && best.as_ref().is_none_or(|best| gain > best.gain) {
                        best = Some(Candidate {
                            outcome,
                            right,
                            wrong,
                            groups,
                            gain,
                            first: *a,
                            second: Some(*b),
                        });
                    }
                }
            }
        }
        best
    }

    /// The condition of a candidate. Where several conditions on what arguments select explain the same errors,
    /// nothing tells which one decides: then what all of them say is refused, and no more.
    fn condition(&self, found: &Candidate) -> Condition {
        let first = &self.tested[found.first];
        let mut joined: Vec<&Tested> = vec![first];
        let mut others: Vec<&Tested> = Vec::new();
        match found.second {
            Some(second) => joined.push(&self.tested[second]),
            None => others = self.alike(found),
        }
        if first.about == About::Relation && self.setting.outcomes[found.outcome].is_error {
            let most = self.cost(first, found.outcome) + MAX_LESS;
            let likely = |t: &&Tested| t.about == About::Relation && self.cost(t, found.outcome) <= most;
            let (more, rest): (Vec<&Tested>, Vec<&Tested>) = others.into_iter().partition(likely);
            joined.extend(more.into_iter().take(MAX_JOINED - 1));
            others = rest;
        }
        let holds = joined.iter().fold(first.holds.clone(), |holds, t| both(&holds, &t.holds));
        let text = match joined.as_slice() {
            [one] => one.text.clone(),
            several => several.iter().map(|t| format!("({})", t.text)).collect::<Vec<_>>().join(" && "),
        };
        let others = others.into_iter().take(MAX_OTHERS).map(|t| t.text.clone()).collect();
        Condition { text, holds, others }
    }

    /// Other conditions that hold in the same of the cases left, the likeliest first.
    fn alike(&self, found: &Candidate) -> Vec<&Tested> {
        let first = &self.tested[found.first];
        let held = both(&first.holds, &self.left);
        let mut alike: Vec<&Tested> = self
            .tested
            .iter()
            .filter(|t| t.text != first.text && both(&t.holds, &self.left) == held)
            .collect();
        alike.sort_by_key(|t| self.cost(t, found.outcome));
        alike
    }
}

/// Every condition and its contrary, each set of cases under its cheapest conditions.
fn test(probe: &Probe, atoms: &[Atom], n: usize) -> Vec<Tested> {
    let mut seen: HashMap<Bits, usize> = HashMap::new();
    let mut out: Vec<Tested> = Vec::new();
    let all = bits(n, |_| true);
    for atom in atoms {
        let holds = bits(n, |i| probe.holds(&atom.text, i));
        let contrary: Bits = holds.iter().zip(&all).map(|(h, all)| !h & all).collect();
        let mut add = |text: String, cost: u32, holds: Bits| {
            let known = seen.entry(holds.clone()).or_default();
            // Conditions that agree so far may differ later; a few of the likeliest are kept.
            if *known < MAX_ALIKE && holds.iter().any(|word| *word != 0) {
                *known += 1;
                out.push(Tested { text, cost, about: atom.about, holds });
            }
        };
        add(atom.text.clone(), atom.cost, holds);
        if atom.about != About::Datum {
            add(negated(&atom.text), atom.cost + 1, contrary);
        }
    }
    out
}

fn negated(text: &str) -> String {
    match text.strip_prefix('!') {
        Some(rest) if !rest.starts_with('=') && !rest.contains("&&") && !rest.contains("||") => {
            rest.to_owned()
        }
        _ => match text.rsplit_once(" == ") {
            Some((a, b)) if !text.contains("&&") && !text.contains("(i,") => format!("{a} != {b}"),
            _ => format!("!({text})"),
        },
    }
}

/// Errors say what is wrong: a condition on something that the message does not mention is stranger than one that
/// it does, and one that names the very value that the message names is least so.
pub(crate) fn strangeness(condition: &str, words: &[String], is_error: bool) -> u32 {
    if !is_error || words.is_empty() {
        return 2;
    }
    let mentioned = |text: &str| words::parts(text).any(|p| p.len() > 2 && words.contains(&words::stem(p)));
    let mut quoted = condition.rsplit(" == ").next().into_iter().chain(condition.rsplit(" != ").next());
    match mentioned(condition) {
        _ if quoted.any(|literal| literal.starts_with('"') && mentioned(literal)) => 0,
        true => MENTIONED,
        false => 5,
    }
}

/// Strangeness of a condition on something that the message mentions.
pub(crate) const MENTIONED: u32 = 3;

/// A condition on a part of the state that the tool has nothing to do with is stranger, too.
fn foreignness(condition: &Tested, foreign: &[String]) -> u32 {
    let about_state = matches!(condition.about, About::Relation | About::State);
    let mentions = |name: &String| {
        let place = format!("{name}.");
        condition.text.starts_with(&place)
            || [" ", "(", "!"].iter().any(|before| condition.text.contains(&format!("{before}{place}")))
    };
    u32::from(about_state && foreign.iter().any(mentions)) * 3
}
