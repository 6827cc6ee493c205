//! Carrying out faults: which of them hit a call, and what they do to it.
//!
//! A decision depends on the session's seed, the fault's place in the list and how often it fitted
//! before, and on nothing else, so that a repeated or forked session meets the same faults.

use crate::digest;
use crate::fault::{Fault, Latency, RateLimit, Truncate};
use gtm_error::{Code, Error, Result};
use gtm_world::{ErrorKind, ToolError, Value};
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::sync::Arc;

/// Memory of one compiled `regex` of a fault, in bytes.
const REGEX_BYTES: usize = 1 << 20;

/// The compiled faults of a toolset or session.
#[derive(Debug, Default)]
pub(crate) struct Injector {
    faults: Vec<Compiled>,
}

#[derive(Debug)]
struct Compiled {
    name: String,
    conditions: Vec<(String, Condition)>,
    fault: Fault,
}

#[derive(Debug)]
enum Condition {
    Equals(Value),
    Matches(Regex),
}

/// How often a fault fitted and hit, within one session. Part of the session: forks carry it on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Count {
    /// Calls that fitted.
    seen: u64,
    /// Calls that were hit.
    hits: u64,
    /// The rate limit's window, and calls let through in it.
    window: u64,
    used: u64,
}

/// Counts by fault; empty as long as none fitted.
pub(crate) type Counts = Arc<Vec<Count>>;

/// What faults do to one call.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Names of the faults that take part.
    pub(crate) names: Vec<String>,
    /// Milliseconds to wait.
    pub(crate) delay_ms: u64,
    /// Fails the call.
    pub(crate) error: Option<ToolError>,
    /// Sent as `Retry-After`.
    pub(crate) retry_after_s: Option<u64>,
    /// The failed call takes effect all the same.
    pub(crate) commit: bool,
    /// Answer from so many versions back.
    pub(crate) stale: u64,
    /// Cuts of the reply.
    pub(crate) truncate: Vec<Truncate>,
}

impl Injector {
    /// # Errors
    /// [`Code::ToolsetInvalid`] with the JSON pointer of the fault.
    pub(crate) fn new(faults: &[Fault]) -> Result<Injector> {
        let faults = faults.iter().enumerate().map(|(at, fault)| Compiled::new(at, fault));
        Ok(Injector { faults: faults.collect::<Result<_>>()? })
    }

    /// The faults as written.
    pub(crate) fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter().map(|compiled| &compiled.fault)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// What the faults do to a call, counting it. `turn` is the number of the call in its session.
    pub(crate) fn plan(&self, tool: &str, args: &Value, seed: u64, turn: u64, counts: &mut Counts) -> Plan {
        let mut plan = Plan::default();
        for (at, compiled) in self.faults.iter().enumerate() {
            if !compiled.fits(tool, args) {
                continue;
            }
            let counts = Arc::make_mut(counts);
            counts.resize(self.faults.len().max(counts.len()), Count::default());
            compiled.apply(&mut counts[at], [seed, at as u64], turn, &mut plan);
        }
        plan
    }
}

impl Compiled {
    fn new(at: usize, fault: &Fault) -> Result<Compiled> {
        let invalid = |what: &str, place: &str| {
            Err(Error::new(Code::ToolsetInvalid, what).at(format!("/faults/{at}{place}")))
        };
        let mut effects = Vec::new();
        if let Some(latency) = &fault.latency {
            match (latency.ms, latency.min_ms, latency.max_ms) {
                (Some(_), None, None) => {}
                (None, Some(min), Some(max)) if min <= max => {}
                _ => return invalid("a latency is `ms`, or `min_ms` and a larger `max_ms`", "/latency"),
            }
            effects.push("latency");
        }
        effects.extend(fault.error.as_ref().map(|_| "error"));
        if let Some(limit) = &fault.rate_limit {
            if limit.per == 0 {
                return invalid("a window of no calls limits nothing", "/rate_limit/per");
            }
            effects.push("rate_limit");
        }
        effects.extend(fault.stale.map(|_| "stale"));
        if let Some(truncate) = &fault.truncate {
            if truncate.bytes.is_some() == truncate.items.is_some() {
                return invalid("a truncation is either `bytes` or `items`", "/truncate");
            }
            effects.push("truncate");
        }
        if effects.is_empty() {
            let expected = "one of `latency`, `error`, `rate_limit`, `stale`, `truncate`";
            return invalid("this fault has no effect", "").map_err(|e: Error| e.expected(expected));
        }
        if fault.on.probability.is_some_and(|p| !(0.0..=1.0).contains(&p)) {
            return invalid("a probability is between 0 and 1", "/on/probability");
        }
        if fault.on.every == Some(0) {
            return invalid("`every` counts from 1", "/on/every");
        }
        let conditions = fault.arguments.iter().map(|(name, wanted)| {
            let place = || format!("/faults/{at}/match/{}/regex", name.replace('~', "~0").replace('/', "~1"));
            Condition::new(wanted).map(|c| (name.clone(), c)).map_err(|e| e.at(place()))
        });
        let name = fault.name.clone().unwrap_or_else(|| format!("faults/{at} {}", effects.join("+")));
        Ok(Compiled { name, conditions: conditions.collect::<Result<_>>()?, fault: fault.clone() })
    }

    fn fits(&self, tool: &str, args: &Value) -> bool {
        self.fault.tool.as_deref().is_none_or(|pattern| glob(pattern, tool))
            && self
                .conditions
                .iter()
                .all(|(name, condition)| find(args, name).is_some_and(|v| condition.holds(v)))
    }

    fn apply(&self, count: &mut Count, [seed, at]: [u64; 2], turn: u64, plan: &mut Plan) {
        let on = &self.fault.on;
        count.seen += 1;
        let hit = on.nth.is_none_or(|n| count.seen == n)
            && on.every.is_none_or(|n| count.seen.is_multiple_of(n))
            && on.after.is_none_or(|n| count.seen > n)
            && on.times.is_none_or(|n| count.hits < n)
            && on.probability.is_none_or(|p| digest::unit(&[seed, at, count.seen]) < p);
        if !hit {
            return;
        }
        let error = self.fault.error.as_ref().map(|e| {
            let message = e.message.as_deref().unwrap_or(default_message(e.kind));
            (ToolError { status: e.status, ..ToolError::new(e.kind, message) }, e.retry_after_s)
        });
        let refused = self.fault.rate_limit.as_ref().filter(|limit| over(limit, turn, count)).map(|limit| {
            let message = limit.message.as_deref().unwrap_or(default_message(ErrorKind::RateLimited));
            (ToolError::new(ErrorKind::RateLimited, message), limit.retry_after_s)
        });
        let failure = error.or(refused);
        let Fault { latency, stale, truncate, .. } = &self.fault;
        if failure.is_none() && latency.is_none() && stale.is_none() && truncate.is_none() {
            return;
        }
        count.hits += 1;
        plan.names.push(self.name.clone());
        if let Some(latency) = latency {
            plan.delay_ms = plan.delay_ms.saturating_add(delay(latency, &[seed, at, count.seen, 1]));
        }
        // The first failure counts, as the first that a call runs into would.
        if let (None, Some((error, retry_after_s))) = (&plan.error, failure) {
            (plan.error, plan.retry_after_s, plan.commit) = (Some(error), retry_after_s, self.fault.commit);
        }
        plan.stale = plan.stale.max(stale.map_or(0, |s| s.versions));
        plan.truncate.extend(*truncate);
    }
}

impl Condition {
    fn new(wanted: &Json) -> Result<Condition> {
        let pattern =
            wanted.as_object().filter(|o| o.len() == 1).and_then(|o| o.get("regex")).and_then(Json::as_str);
        let Some(pattern) = pattern else { return Ok(Condition::Equals(Value::from(wanted))) };
        match RegexBuilder::new(pattern).size_limit(REGEX_BYTES).build() {
            Ok(regex) => Ok(Condition::Matches(regex)),
            Err(error) => {
                let message = error.to_string();
                let line = message.lines().last().unwrap_or_default();
                Err(Error::new(Code::ToolsetInvalid, format!("not a usable regular expression: {line}")))
            }
        }
    }

    fn holds(&self, value: &Value) -> bool {
        match self {
            Condition::Equals(wanted) => value == wanted,
            Condition::Matches(regex) => value.as_key().is_some_and(|text| regex.is_match(&text)),
        }
    }
}

/// The argument of this name or, with a leading `/`, at this JSON pointer.
fn find<'a>(args: &'a Value, name: &str) -> Option<&'a Value> {
    let Some(pointer) = name.strip_prefix('/') else { return args.get(name) };
    pointer.split('/').try_fold(args, |value, part| match value {
        Value::List(items) => part.parse::<usize>().ok().and_then(|at| items.get(at)),
        _ => value.get(&part.replace("~1", "/").replace("~0", "~")),
    })
}

fn over(limit: &RateLimit, turn: u64, count: &mut Count) -> bool {
    let window = turn / limit.per;
    if window != count.window {
        (count.window, count.used) = (window, 0);
    }
    if count.used >= limit.calls {
        return true;
    }
    count.used += 1;
    false
}

fn delay(latency: &Latency, parts: &[u64]) -> u64 {
    match (latency.ms, latency.min_ms, latency.max_ms) {
        (None, Some(min), Some(max)) => min + (digest::unit(parts) * (max - min + 1) as f64) as u64,
        (ms, ..) => ms.unwrap_or_default(),
    }
}

/// What the agent is told where nobody said what.
pub(crate) fn default_message(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidArgument => "invalid argument",
        ErrorKind::UnknownTool => "unknown tool",
        ErrorKind::NotFound => "not found",
        ErrorKind::Conflict => "conflict with the current state",
        ErrorKind::PermissionDenied => "permission denied",
        ErrorKind::Unauthenticated => "authentication required",
        ErrorKind::RateLimited => "too many requests, try again later",
        ErrorKind::Unavailable => "service temporarily unavailable",
        ErrorKind::Timeout => "the request timed out",
        ErrorKind::Internal => "internal error",
    }
}

/// Cuts a reply short.
pub(crate) fn truncate(content: Json, how: &Truncate) -> Json {
    if let Some(items) = how.items {
        return match content {
            Json::Array(mut list) => {
                list.truncate(items);
                Json::Array(list)
            }
            Json::Object(mut members) => {
                members.values_mut().filter_map(Json::as_array_mut).for_each(|list| list.truncate(items));
                Json::Object(members)
            }
            other => other,
        };
    }
    let Some(bytes) = how.bytes else { return content };
    let text = match content {
        Json::String(text) => text,
        other => other.to_string(),
    };
    let end = (0..=bytes.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    Json::String(text[..end].to_owned())
}

/// Whether a name fits a pattern of `*` and `?`. Linear in practice: only the last star is retried.
fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, n));
            p += 1;
        } else if pattern.get(p).is_some_and(|&c| c == '?' || c == name[n]) {
            (p, n) = (p + 1, n + 1);
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            (p, n) = (at + 1, from + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn injector(faults: Json) -> Injector {
        let faults: Vec<Fault> = serde_json::from_value(faults).unwrap();
        Injector::new(&faults).unwrap()
    }

    /// Which of `calls` calls fail.
    fn failing(faults: Json, calls: u64) -> Vec<u64> {
        let injector = injector(faults);
        let mut counts = Counts::default();
        let failed = |n: &u64| injector.plan("t", &Value::map(), 7, n - 1, &mut counts).error.is_some();
        (1..=calls).filter(failed).collect()
    }

    #[test]
    fn conditions_choose_calls() {
        assert_eq!(failing(json!([{"on": {"nth": 3}, "error": {}}]), 9), [3]);
        assert_eq!(failing(json!([{"on": {"every": 3}, "error": {}}]), 9), [3, 6, 9]);
        assert_eq!(failing(json!([{"on": {"after": 7}, "error": {}}]), 9), [8, 9]);
        assert_eq!(failing(json!([{"on": {"times": 2}, "error": {}}]), 9), [1, 2]);
        assert_eq!(failing(json!([{"on": {"every": 2, "after": 3, "times": 1}, "error": {}}]), 9), [4]);
        let hits = failing(json!([{"on": {"probability": 0.25}, "error": {}}]), 4_000).len();
        assert!((900..1_100).contains(&hits), "{hits}");
        assert_eq!(failing(json!([{"on": {"probability": 0.0}, "error": {}}]), 100), [0u64; 0]);
        assert_eq!(failing(json!([{"on": {"probability": 1.0}, "error": {}}]), 3), [1, 2, 3]);
    }

    #[test]
    fn rate_limits_count_in_windows_of_calls() {
        let faults = json!([{"rate_limit": {"calls": 2, "per": 5, "retry_after_s": 3}}]);
        assert_eq!(failing(faults, 12), [3, 4, 5, 8, 9, 10]);
    }

    #[test]
    fn matches_tools_and_arguments() {
        let injector = injector(json!([
            {"tool": "get_*", "match": {"id": 7, "/a/0": {"regex": "^x"}}, "error": {"kind": "timeout"}}
        ]));
        let fails = |tool: &str, args: Json| {
            injector.plan(tool, &Value::from(args), 1, 0, &mut Counts::default()).error.is_some()
        };
        assert!(fails("get_user", json!({"id": 7, "a": ["xyz"]})));
        assert!(fails("get_user", json!({"id": 7.0, "a": ["xyz"]})));
        assert!(!fails("get_user", json!({"id": 8, "a": ["xyz"]})));
        assert!(!fails("get_user", json!({"id": 7, "a": ["ax"]})));
        assert!(!fails("get_user", json!({"id": 7})));
        assert!(!fails("list_users", json!({"id": 7, "a": ["xyz"]})));
    }

    #[test]
    fn faults_compose_in_order() {
        let injector = injector(json!([
            {"latency": {"ms": 10}},
            {"error": {"kind": "timeout"}, "commit": true},
            {"error": {"kind": "internal"}},
            {"latency": {"min_ms": 5, "max_ms": 6}, "name": "slow"}
        ]));
        let plan = injector.plan("t", &Value::map(), 1, 0, &mut Counts::default());
        assert_eq!(plan.error.map(|e| e.kind), Some(ErrorKind::Timeout));
        assert!(plan.commit && (15..=16).contains(&plan.delay_ms));
        assert_eq!(plan.names, ["faults/0 latency", "faults/1 error", "faults/2 error", "slow"]);
    }

    #[test]
    fn truncation_respects_characters_and_lists() {
        let cut = |content: Json, how: Json| truncate(content, &serde_json::from_value(how).unwrap());
        assert_eq!(cut(json!({"a": "ü"}), json!({"bytes": 7})), json!("{\"a\":\""));
        assert_eq!(cut(json!("long text"), json!({"bytes": 4})), json!("long"));
        assert_eq!(cut(json!([1, 2, 3]), json!({"items": 1})), json!([1]));
        assert_eq!(
            cut(json!({"rows": [1, 2, 3], "n": 3}), json!({"items": 2})),
            json!({"rows": [1, 2], "n": 3})
        );
    }

    #[test]
    fn globs() {
        for (pattern, name, fits) in [
            ("*", "", true),
            ("get_*", "get_user", true),
            ("*user*", "get_user_by_id", true),
            ("get_?", "get_ab", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
        ] {
            assert_eq!(glob(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn faults_that_make_no_sense_are_refused_with_their_place() {
        for (fault, place) in [
            (json!({"tool": "x"}), "/faults/0"),
            (json!({"error": {}, "on": {"probability": 1.5}}), "/faults/0/on/probability"),
            (json!({"error": {}, "on": {"every": 0}}), "/faults/0/on/every"),
            (json!({"latency": {"min_ms": 9, "max_ms": 1}}), "/faults/0/latency"),
            (json!({"truncate": {}}), "/faults/0/truncate"),
            (json!({"error": {}, "match": {"id": {"regex": "("}}}), "/faults/0/match/id/regex"),
        ] {
            let fault: Fault = serde_json::from_value(fault).unwrap();
            let error = Injector::new(&[fault]).unwrap_err();
            assert_eq!(error.code(), Code::ToolsetInvalid);
            assert_eq!(error.place(), Some(place), "{error}");
        }
    }
}
