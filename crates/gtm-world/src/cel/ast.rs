//! The compiled expression: a tree with functions resolved and constants folded.

use super::functions::Function;
use crate::{Str, Value};
use regex::Regex;

/// A node of an expression.
#[derive(Clone, Debug)]
pub enum Node {
    /// A constant; also a list or object of constants.
    Literal(Value),
    /// A variable, or a member of the state.
    Name(Str),
    /// `base.member`
    Select(Box<Node>, Str),
    /// `base[key]`
    Index(Box<Node>, Box<Node>),
    /// `[a, b]`
    List(Vec<Node>),
    /// `{key: value}`
    Map(Vec<(Node, Node)>),
    /// `!a`
    Not(Box<Node>),
    /// `-a`
    Neg(Box<Node>),
    /// `a + b` and the like, and relations.
    Binary(BinaryOp, Box<Node>, Box<Node>),
    /// `a && b && c`, two or more.
    And(Vec<Node>),
    /// `a || b || c`, two or more.
    Or(Vec<Node>),
    /// `condition ? then : otherwise`
    Conditional(Box<[Node; 3]>),
    /// `has(place)`: the place is a name, a selection or an index.
    Has(Box<Node>),
    /// A function of the library.
    Call(Box<Call>),
    /// A comprehension macro.
    Fold(Box<Fold>),
    /// `cel.bind(name, value, body)`
    Bind(Box<Bind>),
    /// `cel.try(value, otherwise)`: the second where the data does not fit the first.
    Try(Box<[Node; 2]>),
    /// `list.reduce(so_far, item, initial, body)`
    Reduce(Box<Reduce>),
}

/// Operators with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `in`
    In,
}

/// A call of a library function.
#[derive(Clone, Debug)]
pub struct Call {
    /// What is called.
    pub function: &'static Function,
    /// Arguments; a receiver is the first.
    pub args: Vec<Node>,
    /// The compiled pattern, where it is a literal.
    pub(super) regex: Option<Regex>,
}

/// A comprehension macro over a list or object.
#[derive(Clone, Debug)]
pub struct Fold {
    /// Which macro.
    pub kind: FoldKind,
    /// What is gone through.
    pub range: Node,
    /// Name for the index or key, in the forms with two variables.
    pub key: Option<Str>,
    /// Name for the item. Over an object it is the key, unless there are two variables.
    pub item: Str,
    /// Items for which this does not hold are left out.
    pub filter: Option<Node>,
    /// Evaluated per item.
    pub body: Node,
}

/// The comprehension macros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoldKind {
    /// The body holds for every item.
    All,
    /// The body holds for some item.
    Exists,
    /// The body holds for exactly one item.
    ExistsOne,
    /// List of the body's values.
    Map,
    /// List of the items for which the body holds.
    Filter,
    /// List of the items, ordered by the body's value.
    SortBy,
    /// Object with the same keys and the body's values.
    MapValues,
}

/// `cel.bind(name, value, body)`
#[derive(Clone, Debug)]
pub struct Bind {
    /// The variable.
    pub name: Str,
    /// Its value.
    pub value: Node,
    /// Evaluated with it.
    pub body: Node,
}

/// `list.reduce(so_far, item, initial, body)`
#[derive(Clone, Debug)]
pub struct Reduce {
    /// What is gone through.
    pub range: Node,
    /// Name for the value so far.
    pub so_far: Str,
    /// Name for the item; over an object, its key.
    pub item: Str,
    /// The value before the first item.
    pub initial: Node,
    /// The value after each item.
    pub body: Node,
}

impl Node {
    /// Whether `name` is used in the node other than as a macro's variable.
    pub(super) fn mentions(&self, name: &str) -> bool {
        let mut found = false;
        self.visit_free(&mut Vec::new(), &mut |free| found |= free == name);
        found
    }

    /// Calls `found` with each use of a name that no macro binds.
    pub(super) fn visit_free<'n>(&'n self, bound: &mut Vec<&'n str>, found: &mut impl FnMut(&'n str)) {
        match self {
            Node::Literal(_) => {}
            Node::Name(name) => {
                if !bound.contains(&&**name) {
                    found(name);
                }
            }
            Node::Select(a, _) | Node::Not(a) | Node::Neg(a) | Node::Has(a) => a.visit_free(bound, found),
            Node::Index(a, b) | Node::Binary(_, a, b) => {
                a.visit_free(bound, found);
                b.visit_free(bound, found);
            }
            Node::List(items) | Node::And(items) | Node::Or(items) => {
                items.iter().for_each(|item| item.visit_free(bound, found));
            }
            Node::Map(members) => members.iter().for_each(|(key, value)| {
                key.visit_free(bound, found);
                value.visit_free(bound, found);
            }),
            Node::Try(parts) => parts.iter().for_each(|part| part.visit_free(bound, found)),
            Node::Conditional(parts) => parts.iter().for_each(|part| part.visit_free(bound, found)),
            Node::Call(call) => call.args.iter().for_each(|arg| arg.visit_free(bound, found)),
            Node::Fold(fold) => {
                fold.range.visit_free(bound, found);
                let mark = bound.len();
                bound.extend(fold.key.as_deref());
                bound.push(&fold.item);
                if let Some(filter) = &fold.filter {
                    filter.visit_free(bound, found);
                }
                fold.body.visit_free(bound, found);
                bound.truncate(mark);
            }
            Node::Bind(bind) => {
                bind.value.visit_free(bound, found);
                bound.push(&bind.name);
                bind.body.visit_free(bound, found);
                bound.pop();
            }
            Node::Reduce(reduce) => {
                reduce.range.visit_free(bound, found);
                reduce.initial.visit_free(bound, found);
                bound.extend([&*reduce.so_far, &*reduce.item]);
                reduce.body.visit_free(bound, found);
                bound.truncate(bound.len() - 2);
            }
        }
    }
}
