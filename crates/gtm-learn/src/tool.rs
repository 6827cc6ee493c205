//! Learning one tool: tell its outcomes apart, find what decides between them and what each replies.

use crate::atoms::{About, Atom, atoms};
use crate::case::{Case, Probe};
use crate::decide::{MENTIONED, Rule, Setting, decide, strangeness};
use crate::dispatch::{Dispatch, dispatch};
use crate::evidence::{Seen, ToolEvidence};
use crate::outcome::{Outcome, outcomes};
use crate::quote;
use crate::solve::{Found, Search, Target, part, worth};
use crate::style::{Style, Wrong, envelope};
use crate::words;
use gtm_tool::ToolSpec;
use gtm_world::behavior::{Derived, Op, Require, Step, Update};
use gtm_world::cel::Expr;
use gtm_world::{Behavior, ErrorKind, Value};
use serde_json::{Map as JsonMap, Value as Json, json};

/// Most cases of one error, and of successes, that are searched.
const MAX_ERRORS: usize = 30;
const MAX_SUCCESSES: usize = 100;
/// Groups in all of which a tool failed after which it is taken never to succeed.
const ALWAYS: usize = 2;
/// Most conditions that are together taken for the reason of such failures.
const MAX_REASONS: usize = 4;
/// Evaluations that the search for replies may spend on one tool.
const FUEL: u64 = 400_000;

/// What was learned of a tool.
#[derive(Clone, Debug)]
pub(crate) struct Learned {
    pub(crate) behavior: Behavior,
    /// Recorded calls looked at, and those that the behavior explains wholly.
    pub(crate) calls: usize,
    pub(crate) explained: usize,
}

/// The behavior that explains most of a tool's recorded calls.
pub(crate) fn learn(evidence: &ToolEvidence, style: &Style) -> Learned {
    let mut steps = Vec::new();
    let mut seen: Vec<&Seen> = evidence.seen.iter().collect();
    for wrong in Wrong::ALL {
        if let Some(reply) = style.reply(wrong, evidence) {
            steps.push(wrong.require(reply));
            seen.retain(|s| !(wrong.is(&s.call.check) && s.call.is_error));
        }
    }
    let styled = evidence.seen.len() - seen.len();
    let own_envelope = {
        let errors = || evidence.seen.iter().filter(|s| s.call.is_error).map(|s| s.call.reply.to_json());
        (errors().count() > 3).then(|| envelope(errors())).flatten()
    };
    let envelope = own_envelope.or_else(|| style.envelope.clone());
    let mut behavior = Behavior { unchecked: true, ..Behavior::default() };
    if let Some(error) = envelope {
        behavior.envelope = Some(gtm_world::behavior::Envelope { reply: None, error: Some(error) });
    }
    let seen = sample(seen);
    let calls = styled + seen.len();
    let mut explained = styled;
    if seen.is_empty() {
        if let Some(envelope) = &mut behavior.envelope {
            envelope.reply = style.success.clone();
        }
        steps.extend(style.lenience.step(evidence));
        steps.push(Step::from(Op::Derived(Derived::All)));
    } else {
        let mut chosen = vec![false; seen.len()];
        let checks = style.lenience.step(evidence);
        let mut chosen_by = None;
        if let Some(Dispatch { argument, choices }) = dispatch(&seen) {
            let mut choice = JsonMap::new();
            choice.insert("choice".into(), json!(quote::member("args", &argument)));
            steps.push(Step::from(Op::Let(choice)));
            for (value, calls) in choices {
                calls.iter().for_each(|at| chosen[*at] = true);
                let calls: Vec<&Seen> = calls.iter().map(|at| seen[*at]).collect();
                let own = Tool::new(evidence, &checks, &calls, FUEL / 8).learn(None);
                let condition = format!("choice == {}", quote::literal(&value));
                explained += own.explained.iter().filter(|hit| **hit).count();
                steps.extend(own.steps.into_iter().filter_map(|step| within(&condition, step)));
            }
            chosen_by = Some(argument);
        }
        let own = Tool::new(evidence, &checks, &seen, FUEL).learn(chosen_by.as_deref());
        explained += own.explained.iter().zip(&chosen).filter(|(hit, chosen)| **hit && !**chosen).count();
        steps.extend(own.steps);
    }
    behavior.steps = steps;
    behavior.note = Some(format!("explains {explained} of {calls} recorded calls"));
    Learned { behavior, calls, explained }
}

/// The behavior of tools of which nothing was recorded, as far as the others tell.
pub(crate) fn unseen(style: &Style) -> Option<Behavior> {
    let mut steps: Vec<Step> =
        Wrong::ALL.into_iter().filter_map(|wrong| Some(wrong.require(style.general(wrong)?))).collect();
    if steps.is_empty() && style.envelope.is_none() && style.success.is_none() {
        return None;
    }
    steps.extend(style.lenience.general());
    steps.push(Step::from(Op::Derived(Derived::All)));
    let envelope =
        gtm_world::behavior::Envelope { reply: style.success.clone(), error: style.envelope.clone() };
    let note = Some("of tools that no recording calls, by what others of the toolset have in common".into());
    Some(Behavior { steps, envelope: Some(envelope), unchecked: true, note, ..Behavior::default() })
}

/// A choice of cases, of every outcome some, from as many sessions as possible.
fn sample(seen: Vec<&Seen>) -> Vec<&Seen> {
    let outcomes = outcomes(seen.iter().map(|s| &s.call));
    let mut keep: Vec<usize> = Vec::new();
    for outcome in &outcomes {
        let most = if outcome.is_error { MAX_ERRORS } else { MAX_SUCCESSES };
        let stride = outcome.cases.len().div_ceil(most).max(1);
        keep.extend(outcome.cases.iter().step_by(stride));
    }
    keep.sort_unstable();
    keep.into_iter().map(|at| seen[at]).collect()
}

/// A step that is taken only in one choice. What is derived as a whole cannot be, and is left to what
/// follows the choices.
fn within(condition: &str, step: Step) -> Option<Step> {
    let when = match &step.when {
        Some(when) => format!("{condition} && ({when})"),
        None => condition.to_owned(),
    };
    (step.op != Op::Derived(Derived::All)).then_some(Step { when: Some(when), ..step })
}

struct Tool<'a> {
    /// Evaluations that one search may spend.
    fuel: u64,
    spec: &'a ToolSpec,
    seen: &'a [&'a Seen],
    /// Cases as they were before the call, and as they are after what is derived was done.
    before: Probe,
    after: Probe,
    outcomes: Vec<Outcome>,
    /// Parts of the state that the tool is not known to work on.
    foreign: Vec<String>,
    /// Refuses arguments that break the spec.
    checks: Option<Step>,
}

struct Steps {
    steps: Vec<Step>,
    /// By case, whether the whole reply is explained.
    explained: Vec<bool>,
}

impl<'a> Tool<'a> {
    fn new(evidence: &'a ToolEvidence, checks: &Option<Step>, seen: &'a [&'a Seen], fuel: u64) -> Tool<'a> {
        let cases = |state: fn(&Seen) -> Value| {
            Probe::new(
                seen.iter().map(|s| Case::new(s.call.clone(), state(s), evidence.shape.clone())).collect(),
            )
        };
        let before = cases(|s| s.call.world.state().clone());
        let after = cases(|s| s.after.clone());
        let outcomes = outcomes(seen.iter().map(|s| &s.call));
        let state = seen.first().and_then(|s| s.call.world.state().as_map());
        let parts = state.into_iter().flat_map(|m| m.keys()).map(|name| name.to_string());
        let foreign = match evidence.roots.is_empty() {
            true => Vec::new(),
            false => parts.filter(|name| !evidence.roots.contains_key(name)).collect(),
        };
        Tool { fuel, spec: &evidence.spec, seen, before, after, outcomes, foreign, checks: checks.clone() }
    }

    /// By case, what it has in common with others: the group it was recorded in, or what was chosen.
    fn groups(&self, chosen_by: Option<&str>) -> Vec<usize> {
        let mut choices: Vec<&Value> = Vec::new();
        let mut group = |seen: &&'a Seen| {
            let Some(choice) = chosen_by.and_then(|name| seen.call.args.get(name)) else {
                return seen.call.group;
            };
            choices.iter().position(|known| *known == choice).unwrap_or_else(|| {
                choices.push(choice);
                choices.len() - 1
            })
        };
        self.seen.iter().map(&mut group).collect()
    }

    /// `chosen_by` is the argument that chooses among many tools in one: what is said here holds for choices
    /// that were never seen, so several have to agree on it.
    fn learn(&self, chosen_by: Option<&str>) -> Steps {
        let atoms = atoms(&self.before, &self.samples());
        let words: Vec<Vec<String>> = self.outcomes.iter().map(|o| self.words(o)).collect();
        let groups = self.groups(chosen_by);
        let setting = Setting {
            outcomes: &self.outcomes,
            words: &words,
            foreign: &self.foreign,
            groups: &groups,
            agreeing: if chosen_by.is_some() { 2 } else { 1 },
        };
        let (rules, decided) = decide(&self.before, &atoms, &setting);
        let mut out = Steps { steps: Vec::new(), explained: vec![false; self.seen.len()] };
        let last = self.outcomes.len() - 1;
        let mut replies: Vec<Option<Explained>> = vec![None; self.outcomes.len()];
        for (at, reply) in replies.iter_mut().enumerate() {
            if at == last || rules.iter().any(|rule| rule.outcome == at) {
                *reply = Some(self.reply(&self.outcomes[at]));
            }
        }
        for (at, rule) in rules.iter().enumerate() {
            let Some(reply) = &replies[rule.outcome] else { continue };
            let note = Some(rule.note());
            let condition = safe(&rule.condition);
            if self.outcomes[rule.outcome].is_error {
                out.steps.extend(reply.named());
                let require = Require {
                    that: Some(format!("!({condition})")),
                    error: Some(self.kind(&self.outcomes[rule.outcome], rule)),
                    reply: Some(reply.found.template.clone()),
                    ..Require::default()
                };
                out.steps.push(Step { note, ..Step::from(Op::Require(require)) });
            } else {
                let name = format!("case_{}", at + 1);
                let mut names = JsonMap::new();
                names.insert(name.clone(), json!(condition));
                out.steps.push(Step { note, ..Step::from(Op::Let(names)) });
                let when = |step: Step| Step { when: Some(name.clone()), ..step };
                out.steps.extend(reply.steps(Derived::Effects).into_iter().map(when));
            }
        }
        out.steps.extend(self.checks.clone());
        let usual = &self.outcomes[last];
        let reply = replies[last].take().unwrap_or_else(|| self.reply(usual));
        if usual.is_error {
            // It was never seen to succeed. What may have been in the way is what the error speaks of; where
            // several things may have been, all of them together.
            let holds = |atom: &&Atom| {
                atom.cost < 9
                    && atom.about == About::Relation
                    && (atom.text.ends_with(" == null") || atom.text.contains(" in "))
                    && !words[last].is_empty()
                    && strangeness(&atom.text, &words[last], true) <= MENTIONED
                    && usual.cases.iter().all(|case| self.before.holds(&atom.text, *case))
            };
            let reasons: Vec<String> =
                atoms.iter().filter(holds).take(MAX_REASONS).map(|atom| safe(&atom.text)).collect();
            let reason = (!reasons.is_empty()).then(|| format!("!({})", reasons.join(" && ")));
            let mut agreed: Vec<usize> = usual.cases.iter().map(|case| groups[*case]).collect();
            agreed.sort_unstable();
            agreed.dedup();
            let always = agreed.len() >= ALWAYS;
            if let Some(that) = reason.or(always.then(|| "false".into())) {
                out.steps.extend(reply.named());
                let require = Require {
                    that: Some(that),
                    error: Some(ErrorKind::Internal),
                    reply: Some(reply.found.template.clone()),
                    ..Require::default()
                };
                out.steps.push(Step::from(Op::Require(require)));
            }
            out.steps.push(Step::from(Op::Derived(Derived::All)));
        } else {
            let by_rules = self.derived_worth(usual);
            // What rules say is general; what was found has to be better to some degree.
            if by_rules > 0 && by_rules + usual.cases.len() as i64 / 4 >= reply.found.worth() {
                out.steps.push(Step::from(Op::Derived(Derived::All)));
            } else {
                out.steps.extend(self.found_only(&atoms, usual, &reply));
                out.steps.extend(reply.steps(self.derived(usual)));
            }
            replies[last] = Some(reply);
        }
        for (case, decided) in decided.iter().enumerate() {
            let outcome = &self.outcomes[*decided];
            let Some(at) = outcome.cases.iter().position(|c| *c == case) else { continue };
            out.explained[case] =
                replies[*decided].as_ref().is_some_and(|r| r.found.hits.get(at) == Some(&true));
        }
        out
    }

    /// Records that the reply is made of and that were there in every success: without them there is none.
    fn found_only(&self, atoms: &[Atom], usual: &Outcome, reply: &Explained) -> Option<Step> {
        let mut used = reply.found.template.to_string();
        used.extend(reply.named.iter().map(|(_, template)| template.to_string()));
        let missing = |atom: &&Atom| {
            atom.text.strip_suffix(" == null").is_some_and(|lookup| {
                let quoted = serde_json::Value::from(lookup).to_string();
                lookup.ends_with(']') && used.contains(quoted.trim_matches('"'))
            }) && !usual.cases.iter().any(|case| self.before.holds(&atom.text, *case))
        };
        let atom = atoms.iter().find(missing)?;
        let require = Require {
            that: Some(format!("!({})", safe(&atom.text))),
            error: Some(ErrorKind::NotFound),
            message: Some("not found".into()),
            ..Require::default()
        };
        Some(Step::from(Op::Require(require)))
    }

    /// What the replies are worth that the derived behavior gives.
    fn derived_worth(&self, usual: &Outcome) -> i64 {
        let part = |case: &usize| match self.seen[*case] {
            Seen { predicted_error: true, .. } => 0,
            seen => usize::from(part(&seen.predicted, &seen.call.reply)),
        };
        let parts: Vec<usize> = usual.cases.iter().map(part).collect();
        worth(parts.iter().filter(|part| **part == 100).count(), parts.iter().sum())
    }

    /// How far what is derived is to be believed: wholly, if it refuses nothing that the tool takes.
    fn derived(&self, usual: &Outcome) -> Derived {
        let valid = |case: &&usize| self.seen[**case].call.check.is_null();
        let refused =
            usual.cases.iter().filter(valid).filter(|case| self.seen[**case].predicted_error).count();
        if refused == 0 { Derived::Steps } else { Derived::Effects }
    }

    /// Cases of all outcomes in turn, so that the first few are of many kinds.
    fn samples(&self) -> Vec<usize> {
        let longest = self.outcomes.iter().map(|o| o.cases.len()).max().unwrap_or(0);
        (0..longest).flat_map(|i| self.outcomes.iter().filter_map(move |o| o.cases.get(i)).copied()).collect()
    }

    /// What an error speaks of.
    fn words(&self, outcome: &Outcome) -> Vec<String> {
        match outcome.cases.first().filter(|_| outcome.is_error) {
            Some(case) => words::stems(&self.seen[*case].call.reply.to_json().to_string()),
            None => Vec::new(),
        }
    }

    /// The best explanation of the replies of one outcome.
    fn reply(&self, outcome: &Outcome) -> Explained {
        let targets: Vec<Target> = outcome
            .cases
            .iter()
            .map(|case| Target { case: *case, value: self.seen[*case].call.reply.clone() })
            .collect();
        self.explained(&targets, outcome)
    }

    fn explained(&self, targets: &[Target], outcome: &Outcome) -> Explained {
        let search = |probe: &Probe, after: bool| {
            let search = Search::new(probe, self.fuel);
            let found = search.explain(targets, &self.spec.name, 0);
            Explained { found, named: search.named.take(), after }
        };
        let before = search(&self.before, false);
        let changes =
            || outcome.cases.iter().any(|c| *self.after.cases[*c].state() != *self.before.cases[*c].state());
        if outcome.is_error || before.found.is_full() || !changes() {
            return before;
        }
        let after = search(&self.after, true);
        if after.found.worth() > before.found.worth() { after } else { before }
    }

    fn kind(&self, outcome: &Outcome, rule: &Rule) -> ErrorKind {
        let text =
            outcome.cases.first().map(|c| self.seen[*c].call.reply.to_json().to_string().to_lowercase());
        let text = text.unwrap_or_default();
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if rule.condition.contains("check.") {
            ErrorKind::InvalidArgument
        } else if says(&["not found", "does not exist", "no such", "unknown"]) {
            ErrorKind::NotFound
        } else if says(&["log in", "logged in", "authenticat", "token"]) {
            ErrorKind::Unauthenticated
        } else if says(&["already", "insufficient", "exceed", "cannot"]) {
            ErrorKind::Conflict
        } else {
            ErrorKind::InvalidArgument
        }
    }
}

/// A condition that does not hold where the data does not fit it, and where the part of the state that it
/// speaks of is not known at all: what is not known is not absent.
fn safe(condition: &str) -> String {
    if !condition.contains(['(', '[', '.']) {
        return condition.to_owned();
    }
    let given = ["args", "check", "repeated", "choice"];
    let Ok(expr) = Expr::parse(condition) else { return "false".to_owned() };
    let names = expr.free_names();
    let parts = names.iter().filter(|name| !given.contains(*name));
    let known: String = parts.map(|name| format!("{name} != null && ")).collect();
    match known.is_empty() {
        true => format!("cel.try({condition}, false)"),
        false => format!("cel.try({known}({condition}), false)"),
    }
}

/// How the replies of one outcome are explained.
#[derive(Clone, Debug)]
struct Explained {
    found: Found,
    named: Vec<(String, Json)>,
    /// Whether by the state after what is derived was done.
    after: bool,
}

impl Explained {
    /// The named values that the reply refers to, by themselves or by way of others.
    fn named(&self) -> Option<Step> {
        let mut used = self.found.template.to_string();
        if let Some(patch) = &self.found.patch {
            used.extend(patch.set.iter().map(|(_, template)| template.to_string()));
        }
        let mut names: Vec<&(String, Json)> = Vec::new();
        for named in self.named.iter().rev().filter(|(name, _)| !name.is_empty()) {
            if mentions(&used, &named.0) {
                used.push_str(&named.1.to_string());
                names.push(named);
            }
        }
        (!names.is_empty()).then(|| Step::from(Op::Let(names.into_iter().rev().cloned().collect())))
    }

    /// The effects and the reply of a success. Where what is derived refuses nothing that the real tool
    /// takes, its failures stand.
    fn steps(&self, derived: Derived) -> Vec<Step> {
        let note = Some(format!("explains {} of {} replies", self.found.count(), self.found.hits.len()));
        let reply = |template: Json| Step { note: note.clone(), ..Step::from(Op::Reply(template)) };
        let effects = || Step::from(Op::Derived(derived));
        let mut steps = Vec::new();
        if let Some(patch) = &self.found.patch
            && !self.after
            && is_place(&patch.place)
        {
            steps.extend(self.named());
            let mut answer = JsonMap::new();
            answer.insert("answer".into(), self.found.template.clone());
            steps.push(Step::from(Op::Let(answer)));
            steps.push(effects());
            let update = Update {
                at: Some(patch.place.clone()),
                value: Some(json!("answer")),
                bind: Some("changed".into()),
                ..Update::default()
            };
            steps.push(Step::from(Op::Update(update)));
            steps.push(reply(json!("answer")));
        } else if self.after {
            steps.push(effects());
            steps.extend(self.named());
            steps.push(reply(self.found.template.clone()));
        } else {
            steps.extend(self.named());
            let mut answer = JsonMap::new();
            answer.insert("answer".into(), self.found.template.clone());
            steps.push(Step::from(Op::Let(answer)));
            steps.push(effects());
            steps.push(reply(json!("answer")));
        }
        steps
    }
}

/// Whether a text mentions a name, and not just one that starts like it.
fn mentions(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| !text[at + name.len()..].starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether an expression is a place in the state, which can be changed.
fn is_place(text: &str) -> bool {
    !text.starts_with("find(") && !text.contains("first(keys(") && !text.starts_with("args")
}
