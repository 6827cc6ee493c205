//! Formulas, compiled: inputs to results.

use crate::pack::{Formula, Outputs, Pack};
use gtm_error::{Error, Result};
use gtm_world::cel::{Expr, Scope};
use gtm_world::{Budget, Limits, ToolError, Value};
use indexmap::IndexMap;

/// Name of the result of a formula that has only one.
pub const ONLY: &str = "value";

/// A compiled formula.
#[derive(Debug)]
pub struct Calculation {
    constants: Vec<(String, Value)>,
    steps: Vec<(String, Expr)>,
    outputs: Vec<(String, Expr)>,
    conditions: Vec<(Expr, String)>,
}

impl Calculation {
    /// Compiles a formula of a pack.
    ///
    /// # Errors
    /// [`gtm_error::Code::ExpressionInvalid`] with the JSON pointer inside the formula.
    pub fn new(pack: &Pack, formula: &Formula) -> Result<Calculation> {
        let parse = |text: &str, place: String| Expr::parse(text).map_err(|e: Error| e.at(place));
        let outputs = match &formula.out {
            Outputs::One(text) => vec![(ONLY.to_owned(), parse(text, "/out".into())?)],
            Outputs::Many(many) => named(many, "/out")?,
        };
        let mut conditions = Vec::new();
        for (at, condition) in formula.require.iter().enumerate() {
            let that = parse(&condition.that, format!("/require/{at}/that"))?;
            conditions.push((that, condition.message.clone()));
        }
        Ok(Calculation {
            constants: pack.constants.iter().map(|(name, json)| (name.clone(), json.into())).collect(),
            steps: named(&formula.bind, "/let")?,
            outputs,
            conditions,
        })
    }

    /// The results, by name.
    ///
    /// # Errors
    /// What an expression fails with; a condition that does not hold is an invalid argument.
    pub fn run(
        &self,
        inputs: &IndexMap<String, Value>,
    ) -> std::result::Result<IndexMap<String, Value>, ToolError> {
        let mut scope = Scope::new(Value::map(), 0);
        let budget = &mut Budget::new(&Limits::default());
        for (name, value) in self.constants.iter().map(|(name, value)| (name, value)).chain(inputs) {
            scope.push(name.as_str().into(), value.clone());
        }
        for (that, message) in &self.conditions {
            if that.eval(&scope, budget)? != Value::Bool(true) {
                return Err(ToolError::new(gtm_world::ErrorKind::InvalidArgument, message.clone()));
            }
        }
        for (name, expr) in &self.steps {
            let value = expr.eval(&scope, budget)?;
            scope.push(name.as_str().into(), value);
        }
        let mut results = IndexMap::new();
        for (name, expr) in &self.outputs {
            let value = expr.eval(&scope, budget)?;
            scope.push(name.as_str().into(), value.clone());
            results.insert(name.clone(), value);
        }
        Ok(results)
    }

    /// Names that the expressions use and nothing defines, with the part they are used in.
    pub fn unknown_names(&self, inputs: &[&str]) -> Vec<(String, String)> {
        let mut known: Vec<&str> = inputs.to_vec();
        known.extend(self.constants.iter().map(|(name, _)| name.as_str()));
        let mut unknown = Vec::new();
        let mut look = |expr: &Expr, part: &str, known: &[&str]| {
            for name in expr.free_names().into_iter().filter(|name| !known.contains(name)) {
                unknown.push((name.to_owned(), part.to_owned()));
            }
        };
        self.conditions.iter().for_each(|(that, _)| look(that, "require", &known));
        for (name, expr) in self.steps.iter().chain(&self.outputs) {
            look(expr, name, &known);
            known.push(name);
        }
        unknown
    }
}

fn named(expressions: &IndexMap<String, String>, place: &str) -> Result<Vec<(String, Expr)>> {
    expressions
        .iter()
        .map(|(name, text)| {
            Ok((name.clone(), Expr::parse(text).map_err(|e| e.at(format!("{place}/{name}")))?))
        })
        .collect()
}
