//! Calculators: a formula for one case, for many, over a range, solved backwards.

use super::{Effect, Family, Param, ParamRole, Plan, Reply, spaced, step, words};
use crate::domain::Domain;
use crate::formula::ONLY;
use crate::pack::{Attribute, Formula, Kind, Outputs, Range, Units};
use crate::text::{Role, names, rename};
use gtm_world::ErrorKind;
use gtm_world::behavior::Step;
use serde_json::{Value as Json, json};

/// Halvings in a search for an input: enough for a double's precision over the ranges in use.
const HALVINGS: u32 = 48;

pub(super) fn add(domain: &Domain, plans: &mut Vec<Plan>) {
    for (name, formula) in &domain.pack.formulas {
        let calculator = Calculator { name, formula };
        plans.push(calculator.once());
        plans.extend(calculator.batch());
        plans.extend(calculator.sweep());
        plans.extend(calculator.compare());
        plans.extend(calculator.solve());
    }
}

struct Calculator<'p> {
    name: &'p str,
    formula: &'p Formula,
}

impl Calculator<'_> {
    fn plan(&self, key: &str, verb: &str, object: Vec<String>, about: String) -> Plan {
        Plan {
            key: format!("{key} {}", self.name),
            family: Family::Calculator,
            verb: verb.into(),
            object,
            about,
            params: Vec::new(),
            steps: Vec::new(),
            reply: Reply::Value(Json::Null),
            by: Vec::new(),
            effect: Effect::Read,
        }
    }

    fn inputs(&self) -> impl Iterator<Item = (&str, &Attribute, bool)> {
        self.formula.inputs.iter().map(|(name, attribute)| {
            let optional = name.ends_with('?') || attribute.default.is_some();
            (name.trim_end_matches('?'), attribute, !optional)
        })
    }

    fn params(&self) -> Vec<Param> {
        self.inputs()
            .map(|(name, attribute, required)| {
                Param::new(name, attribute.clone(), required, ParamRole::Other)
            })
            .collect()
    }

    /// An expression of the formula in which inputs are what `input` says.
    fn place(&self, text: &str, input: &dyn Fn(&str) -> String) -> String {
        rename(text, |name| {
            let (_, attribute, _) =
                self.inputs().find(|(input, ..)| *input == name.text && name.role == Role::Variable)?;
            let read = input(name.text);
            Some(match &attribute.default {
                Some(default) => format!("default({read}, {default})"),
                None => read,
            })
        })
    }

    /// Ranges and conditions, as steps.
    fn guards(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for condition in &self.formula.require {
            let message = crate::text::rewrite_holes(&condition.message, |hole| self.place(hole, &arg));
            steps.push(step::require(
                self.place(&condition.that, &arg),
                condition.error.unwrap_or(ErrorKind::InvalidArgument),
                message,
            ));
        }
        steps
    }

    /// The results of one case as members of an object: name and expression.
    fn results(&self, input: &dyn Fn(&str) -> String) -> Vec<(String, String)> {
        let outputs: Vec<(String, &String)> = match &self.formula.out {
            Outputs::One(text) => vec![(ONLY.to_owned(), text)],
            Outputs::Many(many) => many.iter().map(|(name, text)| (name.clone(), text)).collect(),
        };
        let mut values: Vec<(String, String)> = Vec::new();
        for (name, text) in &outputs {
            let mut expression = self.place(text, input);
            // Later results may use earlier ones; intermediate values are bound around.
            for (earlier, value) in values.iter().rev() {
                if uses(text, earlier) {
                    expression = format!("cel.bind({earlier}, {value}, {expression})");
                }
            }
            for (inner, value) in self.formula.bind.iter().rev() {
                if uses(&expression, inner) {
                    expression = format!("cel.bind({inner}, {}, {expression})", self.place(value, input));
                }
            }
            values.push((name.clone(), expression));
        }
        values
    }

    fn unit(&self, result: &str) -> Option<&str> {
        match self.formula.unit.as_ref()? {
            Units::One(unit) => Some(unit),
            Units::Many(units) => units.get(result).map(String::as_str),
        }
    }

    /// One case.
    fn once(&self) -> Plan {
        let results = self.results(&arg);
        let reply = match (&self.formula.out, results.as_slice()) {
            (Outputs::One(_), [(_, value)]) => {
                let mut reply = json!({"$bare": value, "name": self.name});
                if let Some(unit) = self.unit(ONLY) {
                    reply["unit"] = json!(unit);
                }
                reply
            }
            _ => Json::Object(results.into_iter().map(|(name, value)| (name, json!(value))).collect()),
        };
        Plan {
            params: self.params(),
            steps: self.guards(),
            reply: Reply::Value(reply),
            ..self.plan(
                "calculate",
                "calculate",
                words(self.name),
                format!("{} Source: {}.", self.formula.about, self.formula.source.trim_end_matches('.')),
            )
        }
    }

    /// Many cases in one call.
    fn batch(&self) -> Option<Plan> {
        if self.formula.inputs.len() > 5 || !self.formula.require.is_empty() {
            return None;
        }
        let case = |name: &str| format!("c.{name}");
        let results = self.results(&case);
        let fields = self.formula.inputs.clone();
        let attribute = Attribute { kind: Kind::Fields(fields), list: Some([1, 4]), ..Attribute::default() };
        let members: Vec<String> = results.iter().map(|(name, value)| format!("'{name}': {value}")).collect();
        let mut steps = Vec::new();
        steps.push(step::require(
            "size(args.cases) > 0",
            ErrorKind::InvalidArgument,
            "At least one case is needed",
        ));
        Some(Plan {
            params: vec![Param::new("cases", attribute, true, ParamRole::Other)],
            steps,
            reply: Reply::Value(json!({"$bare": format!("args.cases.map(c, {{{}}})", members.join(", "))})),
            ..self.plan(
                "batch",
                "calculate",
                [words(self.name), words("batch")].concat(),
                format!("{} For several cases at once.", self.formula.about),
            )
        })
    }

    /// The number that is varied or looked for: the first that is one.
    fn variable(&self) -> Option<(&str, &Attribute, Range)> {
        self.inputs().find_map(|(name, attribute, required)| match &attribute.kind {
            Kind::Number(range) | Kind::Money(range)
                if required && attribute.list.is_none() && range.high > range.low =>
            {
                Some((name, attribute, *range))
            }
            _ => None,
        })
    }

    /// One input varied in equal steps.
    fn sweep(&self) -> Option<Plan> {
        let (variable, attribute, _) = self.variable()?;
        let results = self.results(&|name| if name == variable { "x".into() } else { arg(name) });
        let bound = |name: &str| Param::new(name, attribute.clone(), true, ParamRole::Other);
        let points = Attribute {
            kind: Kind::Int(Range { low: 2.0, high: 12.0, decimals: Some(0), absolute: false }),
            default: Some("5".into()),
            ..Attribute::default()
        };
        let mut params: Vec<Param> = self.params().into_iter().filter(|p| p.name != variable).collect();
        let (from, to) = (format!("{variable}_from"), format!("{variable}_to"));
        params.push(bound(&from));
        params.push(bound(&to));
        params.push(Param::new("points", points, false, ParamRole::Other));
        let members: Vec<String> = results.iter().map(|(name, value)| format!("'{name}': {value}")).collect();
        let n = "default(args.points, 5)";
        let series = format!(
            "range({n}).map(i, cel.bind(x, args.{from} + (args.{to} - args.{from}) * i / ({n} - 1), {{'{variable}': x, {}}}))",
            members.join(", ")
        );
        let mut steps = Vec::new();
        steps.push(step::require(
            format!("args.{to} > args.{from}"),
            ErrorKind::InvalidArgument,
            format!("{to} must be above {from}"),
        ));
        for condition in &self.formula.require {
            if names(&condition.that).iter().any(|n| n.text == variable) {
                return None;
            }
            steps.push(step::require(
                self.place(&condition.that, &arg),
                condition.error.unwrap_or(ErrorKind::InvalidArgument),
                crate::text::rewrite_holes(&condition.message, |hole| self.place(hole, &arg)),
            ));
        }
        Some(Plan {
            params,
            steps,
            reply: Reply::Value(json!({"$bare": series})),
            ..self.plan(
                "sweep",
                "tabulate",
                [words(self.name), words("over"), words(variable)].concat(),
                format!("{} As a table over {}.", self.formula.about, spaced(variable)),
            )
        })
    }

    /// The change of the result when one input changes.
    fn compare(&self) -> Option<Plan> {
        let (Outputs::One(_), Some((variable, attribute, _))) = (&self.formula.out, self.variable()) else {
            return None;
        };
        let other = format!("new_{variable}");
        let before = self.results(&arg).remove(0).1;
        let after = self.results(&|name| arg(if name == variable { &other } else { name })).remove(0).1;
        let mut params = self.params();
        params.push(Param::new(&other, attribute.clone(), true, ParamRole::Other));
        let mut steps = self.guards();
        steps.push(step::bind("before", before));
        steps.push(step::bind("after", after));
        Some(Plan {
            params,
            steps,
            reply: Reply::Value(
                json!({"before": "before", "after": "after", "change": "after - before", "change_percent": "before == 0 ? null : round(100 * (after / before - 1), 3)"}),
            ),
            ..self.plan(
                "compare",
                "compare",
                [words(self.name), words("at"), words(variable)].concat(),
                format!("How the {} changes when {} changes.", spaced(self.name), spaced(variable)),
            )
        })
    }

    /// The input that gives a wanted result, by halving the range: for formulas that rise or fall with it.
    fn solve(&self) -> Option<Plan> {
        let (Outputs::One(_), Some((variable, _, range))) = (&self.formula.out, self.variable()) else {
            return None;
        };
        if self.formula.require.iter().any(|c| names(&c.that).iter().any(|n| n.text == variable)) {
            return None;
        }
        let at = |x: &str| {
            self.results(&|name| if name == variable { x.to_owned() } else { arg(name) }).remove(0).1
        };
        let (low, high) = (super::writes::number(range.low), super::writes::number(range.high));
        let target = Attribute {
            kind: Kind::Number(Range { low: -1e12, high: 1e12, decimals: None, absolute: false }),
            ..Attribute::default()
        };
        let mut params: Vec<Param> = self.params().into_iter().filter(|p| p.name != variable).collect();
        params.push(Param::new("target", target, true, ParamRole::Other));
        let mut steps = self.guards();
        steps.push(step::bind("at_low", at(&low)));
        steps.push(step::bind("at_high", at(&high)));
        steps.push(step::require(
            "min(at_low, at_high) <= args.target && args.target <= max(at_low, at_high)",
            ErrorKind::InvalidArgument,
            format!("No {} from {low} to {high} gives {{args.target}}; results range from {{min(at_low, at_high)}} to {{max(at_low, at_high)}}", spaced(variable)),
        ));
        let halve = format!(
            "range({HALVINGS}).reduce(s, i, {{'a': {low}, 'b': {high}}}, cel.bind(m, (s.a + s.b) / 2.0, (({}) < args.target) == (at_low < at_high) ? {{'a': m, 'b': s.b}} : {{'a': s.a, 'b': m}}))",
            at("m")
        );
        steps.push(step::bind("found", halve));
        Some(Plan {
            params,
            steps,
            reply: Reply::Value(
                json!({variable: "round((found.a + found.b) / 2.0, 6)", "target": "args.target"}),
            ),
            ..self.plan(
                "solve",
                "solve",
                [words(self.name), words("for"), words(variable)].concat(),
                format!("The {} at which the {} takes a wanted value.", spaced(variable), spaced(self.name)),
            )
        })
    }
}

fn arg(name: &str) -> String {
    format!("args.{name}")
}

fn uses(text: &str, variable: &str) -> bool {
    names(text).iter().any(|name| name.text == variable && name.role == Role::Variable)
}
