//! Expressions: [CEL](https://cel.dev) over [`Value`], with a budget.
//!
//! ```
//! use gtm_world::{Budget, Limits, Value, cel::{Expr, Scope}};
//!
//! let total = Expr::parse("args.items.map(i, i.price * i.count).sum() + 4.5")?;
//! let args = serde_json::json!({"items": [{"price": 10, "count": 2}, {"price": 3, "count": 1}]});
//! let mut scope = Scope::new(Value::map(), 0);
//! scope.push("args".into(), args.into());
//! assert_eq!(total.eval(&scope, &mut Budget::new(&Limits::default()))?, Value::Float(27.5));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Departures from CEL
//!
//! JSON has one kind of number, tools leave members out, and a simulator must not fall over either.
//!
//! - **Numbers mix.** Integers and doubles compare and combine freely. Integers stay integers, and an
//!   integer result beyond 64 bits is an error. `/` gives an integer when it divides exactly
//!   and a double otherwise: `6 / 2` is `3`, `7 / 2` is `3.5`. `%` has the sign of its left side. A
//!   double that is not finite is an error. `1u` is `1`.
//! - **Missing is null.** A missing member, a member of null, an unknown name and a list index out of
//!   range are null; `has(a.b)` tells a missing member from one that is null. Null counts as false in
//!   conditions and as the empty list or object wherever one is gone through. It is an error in
//!   arithmetic and in `<`.
//! - **Indices.** `list[-1]` is the last item. `object[7]` is the member `"7"`, since keys of JSON
//!   objects are text. Keys of object literals become text likewise.
//! - **Equality** of different types is false, not an error.
//! - **Names.** Only `true`, `false`, `null` and `in` are reserved; any word may follow a dot, and
//!   other keys may be written `` a.`x-y` ``. `has()` also takes `has(name)` and `has(a[key])`.
//! - **Left out**: bytes, messages, timestamps and durations as types (dates are ISO text, which
//!   compares as text), optionals. `type(x)` gives the name that JSON Schema uses.
//! - **Added**: macros with two variables, `sortBy(x, key)`, `reduce`, `cel.bind`, and the functions of
//!   `docs/functions.md`.
//!
//! # Bounds
//!
//! Text, nodes and depth of an expression are limited when it is parsed ([`MAX_TEXT`], [`MAX_NODES`],
//! [`MAX_DEPTH`]). Evaluation recurses at most as deep as the expression and the values in it; each
//! node evaluated, each item gone through and each byte built is paid from the [`Budget`] first. A value
//! that an expression has built is weighed before it leaves ([`weigh`]): it can be neither nested too
//! deeply nor, by sharing, larger than what the budget can walk.

mod ast;
mod calc;
mod eval;
mod functions;
mod json;
mod lexer;
mod ops;
mod parser;
mod scope;
mod template;

pub use ast::{BinaryOp, Bind, Call, Fold, FoldKind, Node, Reduce};
pub use eval::{eval_node, truth};
pub use functions::{Function, reference};
pub use json::weigh;
pub use scope::Scope;
pub use template::Template;

use crate::{Budget, ErrorKind, Exhausted, ToolError, Value};
use gtm_error::{Code, Error, Result};
use parser::Parser;
use std::sync::Arc;

/// Longest expression, in bytes.
pub const MAX_TEXT: usize = 8 << 10;
/// Most nodes in an expression.
pub const MAX_NODES: usize = 2_000;
/// Deepest nesting of an expression, counting brackets, operators and selections.
pub const MAX_DEPTH: usize = 64;
/// Longest message with holes, in bytes. Each hole is an expression with its own limits.
pub const MAX_TEMPLATE: usize = 64 << 10;

/// A compiled expression. Clones share it.
#[derive(Clone, Debug)]
pub struct Expr(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    text: String,
    node: Node,
}

impl Expr {
    /// Compiles an expression: parses it, resolves its functions and compiles literal patterns.
    pub fn parse(text: &str) -> Result<Expr> {
        if text.len() > MAX_TEXT {
            return Err(Error::new(
                Code::ExpressionInvalid,
                format!("the expression has {} bytes, more than {MAX_TEXT}", text.len()),
            ));
        }
        let node = Parser::new(text, 0)?.whole()?;
        Ok(Expr(Arc::new(Parts { text: text.to_owned(), node })))
    }

    /// The expression's value.
    ///
    /// Fails with [`ErrorKind::InvalidArgument`] where the data does not fit the expression, and with
    /// [`ErrorKind::Internal`] and [`Exhausted`]'s text where the budget runs out.
    pub fn eval(&self, scope: &Scope, budget: &mut Budget) -> std::result::Result<Value, ToolError> {
        eval_node(&self.0.node, scope, budget)
    }

    /// The tree.
    pub fn node(&self) -> &Node {
        &self.0.node
    }

    /// The text it was compiled from.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The names it takes from its scope, each once, in order of first use.
    pub fn free_names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.0.node.visit_free(&mut Vec::new(), &mut |name| {
            if !names.contains(&name) {
                names.push(name);
            }
        });
        names
    }
}

/// Why evaluation stopped. `&&` and `||` may outweigh bad data, but never an exhausted budget.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The budget ran out.
    Exhausted(Exhausted),
    /// The data does not fit the expression. Boxed: results are passed up through every node.
    Data(Box<str>),
}

impl Fault {
    fn data(message: impl Into<String>) -> Fault {
        Fault::Data(message.into().into_boxed_str())
    }
}

impl From<Exhausted> for Fault {
    fn from(exhausted: Exhausted) -> Self {
        Fault::Exhausted(exhausted)
    }
}

impl From<Fault> for ToolError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Exhausted(exhausted) => ToolError::new(ErrorKind::Internal, exhausted.to_string()),
            Fault::Data(message) => ToolError::new(ErrorKind::InvalidArgument, message),
        }
    }
}

/// Result of evaluating.
pub(crate) type Eval<T> = std::result::Result<T, Fault>;
