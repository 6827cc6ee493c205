//! What the server counts, and its Prometheus text.
//!
//! Counting must cost nothing beside a call: atomics, and one map that is only read once a tool
//! has been seen. Labels never grow with input: routes are a fixed table, tools are capped, and
//! a name that no toolset has is not a label.

use gtm_world::ErrorKind;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// Tools that get a label of their own; the calls of all others are counted as `_other`.
const TOOLS: usize = 500;

/// Upper bounds of the duration histogram, in microseconds.
const BOUNDS_US: [u64; 14] =
    [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000, 50_000, 250_000, 1_000_000, 10_000_000];

/// How a call ended: success, or the kind of error the tool returned, or GTM's own error.
const OUTCOMES: [&str; 12] = [
    "ok",
    "invalid_argument",
    "unknown_tool",
    "not_found",
    "conflict",
    "permission_denied",
    "unauthenticated",
    "rate_limited",
    "unavailable",
    "timeout",
    "internal",
    "refused",
];

/// How a call ended, for [`Metrics::call`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    Ok,
    /// An error reply that carries no kind (a recorded or observed one) counts as internal.
    Error(Option<ErrorKind>),
    /// GTM did not make the call at all: no such session, over a limit.
    Refused,
}

impl Outcome {
    fn index(self) -> usize {
        let name = match self {
            Outcome::Ok => "ok",
            Outcome::Error(kind) => kind.unwrap_or(ErrorKind::Internal).name(),
            Outcome::Refused => "refused",
        };
        OUTCOMES.iter().position(|outcome| *outcome == name).unwrap_or(OUTCOMES.len() - 1)
    }
}

type PerOutcome = [AtomicU64; OUTCOMES.len()];

/// Everything counted since the start.
pub(crate) struct Metrics {
    /// Labels of `routes`, in its order.
    names: Vec<String>,
    /// Per route, one counter for each status from 100 to 599.
    routes: Vec<[AtomicU64; 500]>,
    tools: RwLock<BTreeMap<String, Arc<PerOutcome>>>,
    durations: [AtomicU64; BOUNDS_US.len() + 1],
    duration_us: AtomicU64,
    pub(crate) sessions_expired: AtomicU64,
    pub(crate) violations_arguments: AtomicU64,
    pub(crate) violations_reply: AtomicU64,
    pub(crate) panics: AtomicU64,
    pub(crate) connections: AtomicU64,
    pub(crate) connections_refused: AtomicU64,
}

/// Values that are read when asked for rather than counted.
pub(crate) struct Gauges {
    pub(crate) sessions: usize,
    pub(crate) in_flight: usize,
    /// Bugs that the simulators caught themselves.
    pub(crate) caught: u64,
    pub(crate) ready: bool,
}

impl Metrics {
    /// Counters for these routes; a route's place in the list is its number.
    pub(crate) fn new(routes: impl IntoIterator<Item = String>) -> Metrics {
        let names: Vec<String> = routes.into_iter().collect();
        let zero = || AtomicU64::new(0);
        Metrics {
            routes: names.iter().map(|_| std::array::from_fn(|_| zero())).collect(),
            names,
            tools: RwLock::default(),
            durations: std::array::from_fn(|_| zero()),
            duration_us: zero(),
            sessions_expired: zero(),
            violations_arguments: zero(),
            violations_reply: zero(),
            panics: zero(),
            connections: zero(),
            connections_refused: zero(),
        }
    }

    /// One request was answered.
    pub(crate) fn request(&self, route: usize, status: u16) {
        let slot = usize::from(status).checked_sub(100);
        if let Some(count) = self.routes.get(route).zip(slot).and_then(|(route, slot)| route.get(slot)) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// One call was made. `tool` must be the name of a tool that exists, or `_unknown`.
    pub(crate) fn call(&self, tool: &str, outcome: Outcome, took: Duration) {
        self.tool(tool)[outcome.index()].fetch_add(1, Relaxed);
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.iter().position(|bound| us <= *bound).unwrap_or(BOUNDS_US.len());
        self.durations[bucket].fetch_add(1, Relaxed);
        self.duration_us.fetch_add(us, Relaxed);
    }

    fn tool(&self, name: &str) -> Arc<PerOutcome> {
        if let Some(tool) = self.tools.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return tool.clone();
        }
        let mut tools = self.tools.write().unwrap_or_else(PoisonError::into_inner);
        let name = if tools.len() < TOOLS { name } else { "_other" };
        tools
            .entry(name.to_string())
            .or_insert_with(|| Arc::new(std::array::from_fn(|_| AtomicU64::new(0))))
            .clone()
    }

    /// The Prometheus text exposition (version 0.0.4).
    pub(crate) fn text(&self, gauges: &Gauges) -> String {
        let mut out = Text(String::with_capacity(4096));
        out.head("gtm_http_requests_total", "counter", "HTTP requests answered, by route and status.");
        for (name, statuses) in self.names.iter().zip(&self.routes) {
            for (status, count) in statuses.iter().enumerate() {
                out.count(
                    "gtm_http_requests_total",
                    &[("route", name), ("status", &(status + 100).to_string())],
                    count,
                );
            }
        }
        out.head("gtm_tool_calls_total", "counter", "Calls of simulated tools, by tool and outcome.");
        for (tool, outcomes) in self.tools.read().unwrap_or_else(PoisonError::into_inner).iter() {
            for (outcome, count) in OUTCOMES.iter().zip(outcomes.iter()) {
                out.count("gtm_tool_calls_total", &[("tool", tool), ("outcome", outcome)], count);
            }
        }
        self.durations(&mut out);
        for (name, kind, help, value) in [
            ("gtm_sessions_active", "gauge", "Sessions held now.", gauges.sessions as u64),
            (
                "gtm_sessions_expired_total",
                "counter",
                "Sessions removed for idleness.",
                self.sessions_expired.load(Relaxed),
            ),
            (
                "gtm_http_requests_in_flight",
                "gauge",
                "Requests being worked on now.",
                gauges.in_flight as u64,
            ),
            ("gtm_http_connections", "gauge", "Connections open now.", self.connections.load(Relaxed)),
            (
                "gtm_http_connections_failed_total",
                "counter",
                "Connections that could not be accepted.",
                self.connections_refused.load(Relaxed),
            ),
            (
                "gtm_panics_total",
                "counter",
                "Bugs caught; each cost one request.",
                self.panics.load(Relaxed) + gauges.caught,
            ),
            ("gtm_ready", "gauge", "Whether new work is taken.", u64::from(gauges.ready)),
        ] {
            out.head(name, kind, help);
            let _ = writeln!(out.0, "{name} {value}");
        }
        out.head(
            "gtm_schema_violations_total",
            "counter",
            "Arguments refused by the check, and replies that broke their declared schema.",
        );
        for (stage, count) in [("arguments", &self.violations_arguments), ("reply", &self.violations_reply)] {
            let _ =
                writeln!(out.0, "gtm_schema_violations_total{{stage=\"{stage}\"}} {}", count.load(Relaxed));
        }
        out.0
    }

    fn durations(&self, out: &mut Text) {
        let name = "gtm_tool_call_duration_seconds";
        out.head(name, "histogram", "Time the simulator took for a call, without waits asked for by faults.");
        let mut total = 0;
        for (index, count) in self.durations.iter().enumerate() {
            total += count.load(Relaxed);
            let bound = BOUNDS_US.get(index).map_or("+Inf".to_string(), |us| (*us as f64 / 1e6).to_string());
            let _ = writeln!(out.0, "{name}_bucket{{le=\"{bound}\"}} {total}");
        }
        let _ = writeln!(out.0, "{name}_sum {}", self.duration_us.load(Relaxed) as f64 / 1e6);
        let _ = writeln!(out.0, "{name}_count {total}");
    }
}

struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// A labelled count, unless it is zero.
    fn count(&mut self, name: &str, labels: &[(&str, &str)], count: &AtomicU64) {
        let count = count.load(Relaxed);
        if count == 0 {
            return;
        }
        let _ = write!(self.0, "{name}{{");
        for (index, (label, value)) in labels.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            // What the format escapes, after what would drive a terminal.
            let value = gtm_error::printable(value).replace('\\', "\\\\").replace('"', "\\\"");
            let _ = write!(self.0, "{comma}{label}=\"{value}\"");
        }
        let _ = writeln!(self.0, "}} {count}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gauges() -> Gauges {
        Gauges { sessions: 2, in_flight: 1, caught: 0, ready: true }
    }

    #[test]
    fn labels_are_escaped_and_capped() {
        let metrics = Metrics::new(["/x".to_string()]);
        metrics.call("a\"\n\u{1b}b", Outcome::Ok, Duration::from_micros(7));
        for i in 0..2 * TOOLS {
            metrics.call(&format!("t{i}"), Outcome::Error(Some(ErrorKind::NotFound)), Duration::ZERO);
        }
        let text = metrics.text(&gauges());
        assert!(text.contains(r#"gtm_tool_calls_total{tool="a\"\\n\\u{1b}b",outcome="ok"} 1"#), "{text}");
        assert!(text.contains(r#"gtm_tool_calls_total{tool="_other",outcome="not_found"} 501"#));
        assert!(!text.contains("\u{1b}"));
        assert!(text.lines().filter(|l| l.starts_with("gtm_tool_calls_total")).count() <= TOOLS + 1);
    }

    #[test]
    fn the_histogram_adds_up() {
        let metrics = Metrics::new(["/x".to_string()]);
        for us in [1, 5, 6, 100_000_000] {
            metrics.call("t", Outcome::Ok, Duration::from_micros(us));
        }
        let text = metrics.text(&gauges());
        assert!(text.contains("_bucket{le=\"0.000005\"} 2"));
        assert!(text.contains("_bucket{le=\"0.00001\"} 3"));
        assert!(text.contains("_bucket{le=\"+Inf\"} 4") && text.contains("_count 4"));
    }

    #[test]
    fn statuses_are_counted_by_route() {
        let metrics = Metrics::new(["/x".to_string(), "/y".to_string()]);
        metrics.request(1, 404);
        metrics.request(1, 404);
        metrics.request(7, 200);
        metrics.request(0, 999);
        let text = metrics.text(&gauges());
        assert!(text.contains("gtm_http_requests_total{route=\"/y\",status=\"404\"} 2"));
        assert_eq!(text.matches("gtm_http_requests_total{").count(), 1);
    }
}
