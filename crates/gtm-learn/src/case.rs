//! One recorded call with what was known when it was made, and expressions tried on it.

use crate::facts::Facts;
use crate::shape::Shape;
use gtm_world::cel::{self, Expr, Scope};
use gtm_world::{Budget, Limits, Value, World};
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

/// One recorded call.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Number of the group that its session belongs to: what holds in several is no accident of one.
    pub(crate) group: usize,
    pub(crate) args: Value,
    /// What is wrong with the arguments, by the spec.
    pub(crate) check: Value,
    /// Whether the same call has succeeded before in the session.
    pub(crate) repeated: bool,
    /// The world before the call, as far as it is known.
    pub(crate) world: World,
    pub(crate) reply: Value,
    pub(crate) is_error: bool,
}

/// A call prepared for the search.
pub(crate) struct Case {
    pub(crate) call: Call,
    scope: Scope,
    shape: Arc<Shape>,
    facts: OnceCell<Facts>,
}

impl Case {
    /// `state` is what expressions see: the state before the call, or after its effects.
    pub(crate) fn new(call: Call, state: Value, shape: Arc<Shape>) -> Case {
        let mut scope = Scope::new(state, call.world.now());
        scope.push("args".into(), call.args.clone());
        scope.push("check".into(), call.check.clone());
        scope.push("repeated".into(), Value::Bool(call.repeated));
        Case { call, scope, shape, facts: OnceCell::new() }
    }

    pub(crate) fn facts(&self) -> &Facts {
        self.facts
            .get_or_init(|| Facts::new(&self.call.args, &self.call.check, self.scope.state(), &self.shape))
    }

    pub(crate) fn state(&self) -> &Value {
        self.scope.state()
    }
}

/// The cases of one tool, and expressions compiled once for all of them.
pub(crate) struct Probe {
    pub(crate) cases: Vec<Case>,
    limits: Limits,
    compiled: RefCell<HashMap<Rc<str>, Option<Expr>>>,
    texts: RefCell<HashMap<String, Option<cel::Template>>>,
}

impl Probe {
    pub(crate) fn new(cases: Vec<Case>) -> Probe {
        // One expression of a search must not cost what a whole call may.
        let usual = Limits::default();
        let limits = Limits { fuel: usual.fuel.min(200_000), ..usual };
        Probe { cases, limits, compiled: RefCell::default(), texts: RefCell::default() }
    }

    /// The value of an expression in a case; `None` where it is faulty or fails.
    pub(crate) fn eval(&self, text: &str, case: usize) -> Option<Value> {
        let known = self.compiled.borrow().get(text).cloned();
        let expr = match known {
            Some(expr) => expr,
            None => {
                let expr = Expr::parse(text).ok();
                self.compiled.borrow_mut().insert(text.into(), expr.clone());
                expr
            }
        };
        expr?.eval(&self.cases[case].scope, &mut Budget::new(&self.limits)).ok()
    }

    /// Text with holes, in a case.
    pub(crate) fn render(&self, text: &str, case: usize) -> Option<String> {
        let known = self.texts.borrow().get(text).cloned();
        let template = match known {
            Some(template) => template,
            None => {
                let template = cel::Template::parse(text).ok();
                self.texts.borrow_mut().insert(text.into(), template.clone());
                template
            }
        };
        template?.render(&self.cases[case].scope, &mut Budget::new(&self.limits)).ok()
    }

    /// Whether a condition holds in a case. What fails does not hold.
    pub(crate) fn holds(&self, text: &str, case: usize) -> bool {
        matches!(self.eval(text, case), Some(Value::Bool(true)))
    }
}
