//! Simulators, compiled: one expression that takes a state one step further.
//!
//! Rates are integrated with the classic fourth-order Runge-Kutta method, which for smooth processes at
//! the steps that packs use is exact to more digits than replies show; processes in discrete steps say
//! their next state themselves. The same text runs in the checks and in the tools.

use crate::pack::{Pack, Simulator};
use crate::text::{Role, rename};
use gtm_error::{Error, Result};
use gtm_world::cel::{Expr, Scope};
use gtm_world::{Budget, Limits, Map, ToolError, Value};
use indexmap::IndexMap;

/// How variables are written: state variables as members of a frame (`s`, `s2`, ...), parameters and
/// controls as members of something that stays.
pub struct Naming<'n> {
    /// The member that holds a variable.
    pub member: &'n dyn Fn(&str) -> String,
    /// What holds parameters and controls.
    pub fixed: &'n str,
    /// The member that counts time.
    pub time: &'n str,
}

impl Naming<'_> {
    fn write(&self, simulator: &Simulator, expression: &str, frame: &str) -> String {
        rename(expression, |name| {
            if name.role != Role::Variable {
                return None;
            }
            let fixed =
                |name: &str| simulator.parameters.contains_key(name) || simulator.controls.contains_key(name);
            match name.text {
                _ if simulator.bind.contains_key(name.text) => None,
                "t" => Some(format!("{frame}.{}", self.time)),
                "dt" => Some(number(simulator.dt.step)),
                state if simulator.state.contains_key(state) => {
                    Some(format!("{frame}.{}", (self.member)(state)))
                }
                other if fixed(other) => Some(format!("{}.{}", self.fixed, (self.member)(other))),
                _ => None,
            }
        })
    }

    /// An expression over the state `frame` in which the simulator's intermediate values have names.
    pub fn reading(&self, simulator: &Simulator, expression: &str, frame: &str) -> String {
        let mut text = self.write(simulator, expression, frame);
        // Only what is used, directly or through another, is bound; the last binds innermost.
        let mut used = used_names(expression);
        for (name, value) in simulator.bind.iter().rev() {
            if used.iter().any(|u| u == name) {
                used.extend(used_names(value));
                text = format!("cel.bind({name}, {}, {text})", self.write(simulator, value, frame));
            }
        }
        text
    }

    /// The state after one step from the state `s`.
    pub fn step(&self, simulator: &Simulator) -> String {
        let dt = number(simulator.dt.step);
        let later = |frame: &str, by: &str| format!("'{}': {frame}.{} + {by}", self.time, self.time);
        let object = |members: Vec<String>| format!("{{{}}}", members.join(", "));
        if simulator.rates.is_empty() {
            let members = simulator.state.keys().map(|name| {
                let member = (self.member)(name);
                match simulator.next.get(name) {
                    Some(next) => format!("'{member}': {}", self.write(simulator, next, "s")),
                    None => format!("'{member}': s.{member}"),
                }
            });
            let members: Vec<String> = members.chain([later("s", &dt)]).collect();
            return self.bound(simulator, "s", object(members));
        }
        let rates = |frame: &str| {
            let members = simulator.rates.iter().map(|(name, rate)| {
                format!("'{}': {}", (self.member)(name), self.write(simulator, rate, frame))
            });
            self.bound(simulator, frame, object(members.collect()))
        };
        let state = |change: &dyn Fn(&str) -> String, by: &str| {
            let members = simulator.state.keys().map(|name| {
                let member = (self.member)(name);
                match simulator.rates.contains_key(name) {
                    true => format!("'{member}': s.{member} + {}", change(&member)),
                    false => format!("'{member}': s.{member}"),
                }
            });
            object(members.chain([later("s", by)]).collect())
        };
        let half = number(simulator.dt.step / 2.0);
        let end = state(
            &|m| format!("{} * (k1.{m} + 2 * k2.{m} + 2 * k3.{m} + k4.{m})", number(simulator.dt.step / 6.0)),
            &dt,
        );
        [
            ("k4", rates("s4")),
            ("s4", state(&|m| format!("{dt} * k3.{m}"), &dt)),
            ("k3", rates("s3")),
            ("s3", state(&|m| format!("{half} * k2.{m}"), &half)),
            ("k2", rates("s2")),
            ("s2", state(&|m| format!("{half} * k1.{m}"), &half)),
            ("k1", rates("s")),
        ]
        .into_iter()
        .fold(end, |body, (name, value)| format!("cel.bind({name}, {value}, {body})"))
    }

    /// `body` with all intermediate values bound.
    fn bound(&self, simulator: &Simulator, frame: &str, body: String) -> String {
        simulator.bind.iter().rev().fold(body, |body, (name, value)| {
            format!("cel.bind({name}, {}, {body})", self.write(simulator, value, frame))
        })
    }
}

fn used_names(expression: &str) -> Vec<String> {
    crate::text::names(expression).into_iter().map(|name| name.text.to_owned()).collect()
}

/// A number as CEL reads it: never an integer, since those divide differently.
fn number(x: f64) -> String {
    format!("{x:?}")
}

/// A simulator ready to run.
#[derive(Debug)]
pub struct Process {
    constants: Vec<(String, Value)>,
    start: Vec<(String, Expr)>,
    step: Expr,
    outputs: Vec<(String, Expr)>,
    state: Vec<String>,
}

impl Process {
    /// Compiles a simulator of a pack.
    ///
    /// # Errors
    /// [`gtm_error::Code::ExpressionInvalid`] with the JSON pointer inside the simulator.
    pub fn new(pack: &Pack, simulator: &Simulator) -> Result<Process> {
        // Faults are looked for in the text as written first, where their places mean something.
        for (section, expressions) in [
            ("let", &simulator.bind),
            ("rates", &simulator.rates),
            ("next", &simulator.next),
            ("outputs", &simulator.outputs),
            ("alarms", &simulator.alarms),
        ] {
            for (name, text) in expressions {
                Expr::parse(text).map_err(|e: Error| e.at(format!("/{section}/{name}")))?;
            }
        }
        let naming = Naming { member: &str::to_owned, fixed: "p", time: "t" };
        let mut start = Vec::new();
        for (section, attributes) in [
            ("parameters", &simulator.parameters),
            ("controls", &simulator.controls),
            ("state", &simulator.state),
        ] {
            for (name, attribute) in attributes {
                if let Some(default) = &attribute.default {
                    let expr = Expr::parse(default).map_err(|e| e.at(format!("/{section}/{name}")))?;
                    start.push((name.clone(), expr));
                }
            }
        }
        let readings = simulator.outputs.iter().chain(&simulator.alarms);
        Ok(Process {
            constants: pack.constants.iter().map(|(name, json)| (name.clone(), json.into())).collect(),
            start,
            step: Expr::parse(&naming.step(simulator)).map_err(|e| e.at(step_place(simulator)))?,
            outputs: readings
                .map(|(name, text)| Ok((name.clone(), Expr::parse(&naming.reading(simulator, text, "s"))?)))
                .collect::<Result<_>>()?,
            state: simulator.state.keys().cloned().collect(),
        })
    }

    /// State variables, outputs and alarms after `steps` steps from `inputs` (parameters, controls,
    /// state; defaults where left out).
    ///
    /// # Errors
    /// What an expression fails with.
    pub fn run(
        &self,
        inputs: &IndexMap<String, Value>,
        steps: u32,
    ) -> std::result::Result<IndexMap<String, Value>, ToolError> {
        let limits = Limits { fuel: 200_000_000, call_bytes: 1 << 30, ..Limits::default() };
        let budget = &mut Budget::new(&limits);
        let mut known = Scope::new(Value::map(), 0);
        for (name, value) in self.constants.iter().map(|(n, v)| (n, v)).chain(inputs) {
            known.push(name.as_str().into(), value.clone());
        }
        let mut all: IndexMap<String, Value> = inputs.clone();
        for (name, default) in &self.start {
            if !inputs.contains_key(name) {
                let value = default.eval(&known, budget)?;
                known.push(name.as_str().into(), value.clone());
                all.insert(name.clone(), value);
            }
        }
        let mut state = Map::new();
        let mut fixed = Map::new();
        state.insert("t", Value::Float(0.0));
        for (name, value) in all {
            let to = if self.state.contains(&name) { &mut state } else { &mut fixed };
            to.insert(name, value);
        }
        let mut scope = Scope::new(Value::map(), 0);
        for (name, value) in &self.constants {
            scope.push(name.as_str().into(), value.clone());
        }
        scope.push("p".into(), Value::Map(fixed));
        let mark = scope.mark();
        scope.push("s".into(), Value::Map(state));
        for _ in 0..steps {
            let next = self.step.eval(&scope, budget)?;
            scope.truncate(mark);
            scope.push("s".into(), next);
        }
        let mut results: IndexMap<String, Value> = IndexMap::new();
        if let Some(Value::Map(state)) = scope.lookup("s") {
            results.extend(state.iter().map(|(name, value)| (name.to_string(), value.clone())));
        }
        for (name, expr) in &self.outputs {
            results.insert(name.clone(), expr.eval(&scope, budget)?);
        }
        Ok(results)
    }

    /// The names that no parameter, control, state variable, intermediate value or constant has.
    pub fn unknown_names(&self) -> Vec<String> {
        let known = |name: &str| {
            matches!(name, "s" | "p") || self.constants.iter().any(|(constant, _)| constant == name)
        };
        let mut unknown: Vec<String> = Vec::new();
        for expr in self.outputs.iter().map(|(_, expr)| expr).chain([&self.step]) {
            unknown.extend(expr.free_names().into_iter().filter(|name| !known(name)).map(str::to_owned));
        }
        unknown.sort_unstable();
        unknown.dedup();
        unknown
    }
}

fn step_place(simulator: &Simulator) -> &'static str {
    if simulator.rates.is_empty() { "/next" } else { "/rates" }
}
