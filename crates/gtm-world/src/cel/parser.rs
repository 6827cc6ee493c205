//! Tokens into a tree. Recursion is counted, and so is the depth of what is built: `a+a+a+…` makes a
//! deep tree without deep recursion here, but would recurse when evaluated.

use super::ast::{BinaryOp, Bind, Call, Fold, FoldKind, Node, Reduce};
use super::functions::{self, MAX_PATTERNS, Unresolved};
use super::lexer::{Lexer, Token, failure};
use super::{MAX_DEPTH, MAX_NODES};
use crate::{Map, Str, Value};
use gtm_error::{Error, Result};

/// A tree and its depth.
struct Tree {
    node: Node,
    depth: usize,
}

/// Parses one expression from a text.
pub(super) struct Parser<'t> {
    text: &'t str,
    lexer: Lexer<'t>,
    token: Token<'t>,
    /// Byte where `token` starts.
    start: usize,
    nesting: usize,
    nodes: usize,
    patterns: usize,
}

impl<'t> Parser<'t> {
    /// A parser standing on the first token at byte `at`.
    pub(super) fn new(text: &'t str, at: usize) -> Result<Self> {
        let mut lexer = Lexer::new(text, at);
        let (token, start) = lexer.next()?;
        Ok(Self { text, lexer, token, start, nesting: 0, nodes: 0, patterns: 0 })
    }

    /// The expression up to the end of the text.
    pub(super) fn whole(mut self) -> Result<Node> {
        let tree = self.expression()?;
        match self.token {
            Token::End => Ok(tree.node),
            _ => Err(self.unexpected("an operator or the end")),
        }
    }

    /// The expression up to a `}`, and the byte after that.
    pub(super) fn hole(mut self) -> Result<(Node, usize)> {
        let tree = self.expression()?;
        match self.token {
            Token::Mark("}") => Ok((tree.node, self.start + 1)),
            _ => Err(self.unexpected("an operator or `}`")),
        }
    }

    fn expression(&mut self) -> Result<Tree> {
        self.nesting += 1;
        if self.nesting > MAX_DEPTH {
            return Err(self.too_deep());
        }
        let mut tree = self.binary(0)?;
        if self.accept("?")? {
            let then = self.expression()?;
            self.expect(":")?;
            let otherwise = self.expression()?;
            let depth = tree.depth.max(then.depth).max(otherwise.depth);
            let parts = Box::new([tree.node, then.node, otherwise.node]);
            tree = self.build(Node::Conditional(parts), depth)?;
        }
        self.nesting -= 1;
        Ok(tree)
    }

    /// Operators of this level and above, by precedence climbing.
    fn binary(&mut self, level: u8) -> Result<Tree> {
        let mut left = self.unary()?;
        while let Some((op, own)) = self.operator().filter(|(_, own)| *own >= level) {
            self.advance()?;
            let right = self.binary(own + 1)?;
            left = match op {
                Operator::And | Operator::Or => self.junction(op, left, right)?,
                Operator::Binary(op) => {
                    let depth = left.depth.max(right.depth);
                    self.build(Node::Binary(op, Box::new(left.node), Box::new(right.node)), depth)?
                }
            };
        }
        Ok(left)
    }

    /// `a && b && c` is one node, so that chains cost no depth.
    fn junction(&mut self, op: Operator, left: Tree, right: Tree) -> Result<Tree> {
        match (op, left.node) {
            (Operator::And, Node::And(mut items)) => {
                items.push(right.node);
                let depth = left.depth.max(right.depth + 1);
                self.built(Node::And(items), depth)
            }
            (Operator::Or, Node::Or(mut items)) => {
                items.push(right.node);
                let depth = left.depth.max(right.depth + 1);
                self.built(Node::Or(items), depth)
            }
            (op, node) => {
                let items = vec![node, right.node];
                let node = if matches!(op, Operator::And) { Node::And(items) } else { Node::Or(items) };
                self.build(node, left.depth.max(right.depth))
            }
        }
    }

    fn operator(&self) -> Option<(Operator, u8)> {
        use BinaryOp::{Add, Div, Eq, Ge, Gt, In, Le, Lt, Mul, Ne, Rem, Sub};
        let (op, level) = match self.token {
            Token::Mark("||") => return Some((Operator::Or, 0)),
            Token::Mark("&&") => return Some((Operator::And, 1)),
            Token::Mark("==") => (Eq, 2),
            Token::Mark("!=") => (Ne, 2),
            Token::Mark("<") => (Lt, 2),
            Token::Mark("<=") => (Le, 2),
            Token::Mark(">") => (Gt, 2),
            Token::Mark(">=") => (Ge, 2),
            Token::Word("in") => (In, 2),
            Token::Mark("+") => (Add, 3),
            Token::Mark("-") => (Sub, 3),
            Token::Mark("*") => (Mul, 4),
            Token::Mark("/") => (Div, 4),
            Token::Mark("%") => (Rem, 4),
            _ => return None,
        };
        Some((Operator::Binary(op), level))
    }

    fn unary(&mut self) -> Result<Tree> {
        let mut prefixes = Vec::new();
        while let Token::Mark(mark @ ("!" | "-")) = self.token {
            if prefixes.len() == MAX_DEPTH {
                return Err(self.too_deep());
            }
            prefixes.push(mark);
            self.advance()?;
        }
        // The sign belongs to the literal: the least integer has no positive counterpart, and in
        // CEL `-5.abs()` is 5.
        let negative = match self.token {
            Token::Int(digits) if prefixes.last() == Some(&"-") => {
                let value = 0i64.checked_sub_unsigned(digits);
                Some(Value::Int(value.ok_or_else(|| self.fail(OUT_OF_RANGE).expected(IN_RANGE))?))
            }
            Token::Float(x) if prefixes.last() == Some(&"-") => Some(Value::Float(-x)),
            _ => None,
        };
        let primary = match negative {
            Some(value) => {
                prefixes.pop();
                self.advance()?;
                self.build(Node::Literal(value), 0)?
            }
            None => self.primary()?,
        };
        let mut tree = self.postfix(primary)?;
        for mark in prefixes.into_iter().rev() {
            let operand = Box::new(tree.node);
            tree =
                self.build(if mark == "-" { Node::Neg(operand) } else { Node::Not(operand) }, tree.depth)?;
        }
        Ok(tree)
    }

    fn primary(&mut self) -> Result<Tree> {
        let start = self.start;
        let value = match std::mem::replace(&mut self.token, Token::End) {
            Token::Int(digits) => {
                let value = i64::try_from(digits);
                Value::Int(value.map_err(|_| failure(self.text, start, OUT_OF_RANGE).expected(IN_RANGE))?)
            }
            Token::Float(x) => Value::Float(x),
            Token::Text(text) => Value::from(text),
            Token::Word("true") => Value::Bool(true),
            Token::Word("false") => Value::Bool(false),
            Token::Word("null") => Value::Null,
            Token::Word("in") => return Err(failure(self.text, start, "`in` needs a left side")),
            Token::Word(name) => {
                self.advance()?;
                return self.name_or_call(name, start);
            }
            Token::Mark("(") => {
                self.advance()?;
                let tree = self.expression()?;
                self.expect(")")?;
                return Ok(tree);
            }
            Token::Mark("[") => {
                self.advance()?;
                return self.list();
            }
            Token::Mark("{") => {
                self.advance()?;
                return self.map();
            }
            Token::Mark(".") => {
                // A leading dot means "not relative to a package"; there are no packages here.
                self.advance()?;
                let Token::Word(name) = self.token else { return Err(self.unexpected("a name")) };
                self.advance()?;
                return self.name_or_call(name, start);
            }
            token => {
                self.token = token;
                return Err(self.unexpected("a value"));
            }
        };
        self.advance()?;
        self.build(Node::Literal(value), 0)
    }

    /// A name that has just been read: a variable, or a function in front of its arguments.
    fn name_or_call(&mut self, name: &'t str, start: usize) -> Result<Tree> {
        if self.accept("(")? {
            let args = self.arguments()?;
            return self.call(name, None, args, start);
        }
        if self.token == Token::Mark("{") {
            return Err(self
                .fail(format!("`{name}{{…}}` messages are not supported"))
                .expected("an object such as {'a': 1}"));
        }
        self.build(Node::Name(name.into()), 0)
    }

    fn postfix(&mut self, mut tree: Tree) -> Result<Tree> {
        loop {
            if self.accept(".")? {
                let start = self.start;
                let (name, plain) = match self.token {
                    Token::Word(name) => (name, true),
                    Token::Quoted(name) => (name, false),
                    _ => return Err(self.unexpected("the name of a member")),
                };
                self.advance()?;
                tree = if plain && self.accept("(")? {
                    let args = self.arguments()?;
                    self.call(name, Some(tree), args, start)?
                } else {
                    self.build(Node::Select(Box::new(tree.node), name.into()), tree.depth)?
                };
            } else if self.accept("[")? {
                let key = self.expression()?;
                self.expect("]")?;
                let depth = tree.depth.max(key.depth);
                tree = self.build(Node::Index(Box::new(tree.node), Box::new(key.node)), depth)?;
            } else {
                return Ok(tree);
            }
        }
    }

    /// Expressions up to `close`; a comma may follow the last.
    fn sequence(&mut self, close: &'static str) -> Result<Vec<Tree>> {
        let mut items = Vec::new();
        while !self.accept(close)? {
            items.push(self.expression()?);
            if !self.accept(",")? {
                self.expect(close)?;
                break;
            }
        }
        Ok(items)
    }

    fn arguments(&mut self) -> Result<Vec<Tree>> {
        self.sequence(")")
    }

    fn list(&mut self) -> Result<Tree> {
        let (items, depth) = split(self.sequence("]")?);
        let constant: Option<Value> =
            items.iter().map(literal).collect::<Option<Vec<_>>>().map(Value::from_iter);
        self.build(constant.map_or(Node::List(items), Node::Literal), depth)
    }

    fn map(&mut self) -> Result<Tree> {
        let mut members = Vec::new();
        let mut depth = 0;
        while !self.accept("}")? {
            let key = self.expression()?;
            self.expect(":")?;
            let value = self.expression()?;
            depth = depth.max(key.depth).max(value.depth);
            members.push((key.node, value.node));
            if !self.accept(",")? {
                self.expect("}")?;
                break;
            }
        }
        let constant = members
            .iter()
            .map(|(key, value)| Some((literal(key)?.as_key()?, literal(value)?)))
            .collect::<Option<Map>>()
            .filter(|map| map.len() == members.len());
        self.build(constant.map_or(Node::Map(members), |map| Node::Literal(Value::Map(map))), depth)
    }

    /// A function or macro with its arguments; `start` is where its name stands.
    fn call(&mut self, name: &str, receiver: Option<Tree>, args: Vec<Tree>, start: usize) -> Result<Tree> {
        let mut full = name;
        let (receiver, receiver_depth) = receiver.map_or((None, 0), |tree| (Some(tree.node), tree.depth));
        let (mut args, mut depth) = split(args);
        depth = depth.max(receiver_depth);
        // `math.abs(x)`: the receiver is a namespace, not a value.
        let receiver = match receiver {
            Some(Node::Name(space)) if let Some(known) = functions::namespaced(&space, name) => {
                full = known;
                None
            }
            receiver => receiver,
        };
        let receiver = match receiver {
            None if name == "has" => return self.has(args, depth, start),
            None => None,
            Some(Node::Name(space)) if &*space == "cel" && name == "bind" => {
                return self.bind(args, depth, start);
            }
            Some(Node::Name(space)) if &*space == "cel" && name == "try" => {
                return match <[Node; 2]>::try_from(args) {
                    Ok(parts) => self.build(Node::Try(Box::new(parts)), depth),
                    Err(_) => Err(failure(self.text, start, "wrong arguments for `cel.try`")
                        .expected("cel.try(expression, otherwise)")),
                };
            }
            Some(range) if name == "reduce" => return self.reduce(range, args, depth, start),
            Some(range) => match comprehension(name, range, args) {
                Ok(fold) => return self.build(Node::Fold(Box::new(fold)), depth),
                Err((range, rest)) => {
                    if functions::is_macro(name) {
                        let usage = functions::macro_usage(name);
                        return Err(failure(self.text, start, format!("wrong arguments for `{name}`"))
                            .expected(usage));
                    }
                    args = rest;
                    Some(range)
                }
            },
        };
        args.splice(0..0, receiver);
        let function = functions::resolve(full, args.len()).map_err(|unresolved| {
            let Unresolved { message, expected } = unresolved;
            let error = failure(self.text, start, message);
            if expected.is_empty() { error } else { error.expected(expected) }
        })?;
        let pattern = function.pattern_argument().and_then(|at| args.get(at)).and_then(|node| match node {
            Node::Literal(Value::Str(pattern)) => Some(pattern),
            _ => None,
        });
        let mut regex = None;
        if let Some(pattern) = pattern {
            self.patterns += 1;
            if self.patterns > MAX_PATTERNS {
                return Err(failure(
                    self.text,
                    start,
                    format!("more than {MAX_PATTERNS} regular expressions"),
                ));
            }
            regex = Some(functions::compile_pattern(pattern).map_err(|why| failure(self.text, start, why))?);
        }
        self.build(Node::Call(Box::new(Call { function, args, regex })), depth)
    }

    fn has(&mut self, mut args: Vec<Node>, depth: usize, start: usize) -> Result<Tree> {
        match (args.pop(), args.is_empty()) {
            (Some(place @ (Node::Name(_) | Node::Select(..) | Node::Index(..))), true) => {
                self.build(Node::Has(Box::new(place)), depth)
            }
            _ => Err(failure(self.text, start, "`has` takes a place").expected("such as has(args.name)")),
        }
    }

    fn bind(&mut self, args: Vec<Node>, depth: usize, start: usize) -> Result<Tree> {
        match <[Node; 3]>::try_from(args) {
            Ok([Node::Name(name), value, body]) => {
                self.build(Node::Bind(Box::new(Bind { name, value, body })), depth)
            }
            _ => Err(failure(self.text, start, "wrong arguments for `cel.bind`")
                .expected("cel.bind(name, value, expression)")),
        }
    }

    fn reduce(&mut self, range: Node, args: Vec<Node>, depth: usize, start: usize) -> Result<Tree> {
        match <[Node; 4]>::try_from(args) {
            Ok([Node::Name(so_far), Node::Name(item), initial, body]) => {
                let reduce = Reduce { range, so_far, item, initial, body };
                self.build(Node::Reduce(Box::new(reduce)), depth)
            }
            _ => Err(failure(self.text, start, "wrong arguments for `reduce`")
                .expected(functions::macro_usage("reduce"))),
        }
    }

    /// A node one level above parts of this depth.
    fn build(&mut self, node: Node, below: usize) -> Result<Tree> {
        self.built(node, below + 1)
    }

    /// Counts a node of this depth.
    fn built(&mut self, node: Node, depth: usize) -> Result<Tree> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(self.fail(format!("the expression has more than {MAX_NODES} parts")));
        }
        if depth > MAX_DEPTH {
            return Err(self.too_deep());
        }
        Ok(Tree { node, depth })
    }

    fn advance(&mut self) -> Result<()> {
        (self.token, self.start) = self.lexer.next()?;
        Ok(())
    }

    /// Steps over `mark` if it stands here.
    fn accept(&mut self, mark: &'static str) -> Result<bool> {
        let here = matches!(self.token, Token::Mark(m) if m == mark);
        if here {
            self.advance()?;
        }
        Ok(here)
    }

    fn expect(&mut self, mark: &'static str) -> Result<()> {
        if self.accept(mark)? { Ok(()) } else { Err(self.unexpected(&format!("`{mark}`"))) }
    }

    fn fail(&self, message: impl Into<String>) -> Error {
        failure(self.text, self.start, message)
    }

    fn unexpected(&self, expected: &str) -> Error {
        self.fail(format!("unexpected {}", self.token.describe())).expected(expected)
    }

    fn too_deep(&self) -> Error {
        self.fail(format!("the expression is nested deeper than {MAX_DEPTH} levels"))
            .expected("parts bound to names with `let` first")
    }
}

const OUT_OF_RANGE: &str = "number out of range";
const IN_RANGE: &str = "an integer of 64 bits";

#[derive(Clone, Copy)]
enum Operator {
    And,
    Or,
    Binary(BinaryOp),
}

fn literal(node: &Node) -> Option<Value> {
    match node {
        Node::Literal(value) => Some(value.clone()),
        _ => None,
    }
}

/// The nodes, and the depth of the deepest.
fn split(trees: Vec<Tree>) -> (Vec<Node>, usize) {
    let depth = trees.iter().map(|tree| tree.depth).max().unwrap_or(0);
    (trees.into_iter().map(|tree| tree.node).collect(), depth)
}

/// A macro call as a comprehension, or its parts back if it is none.
fn comprehension(name: &str, range: Node, args: Vec<Node>) -> std::result::Result<Fold, (Node, Vec<Node>)> {
    let kind = match (name, args.len()) {
        ("all", 2 | 3) => FoldKind::All,
        ("exists", 2 | 3) => FoldKind::Exists,
        ("exists_one" | "existsOne", 2 | 3) => FoldKind::ExistsOne,
        ("filter", 2) => FoldKind::Filter,
        ("map", 2 | 3) | ("transformList", 3 | 4) => FoldKind::Map,
        ("transformMap", 3 | 4) => FoldKind::MapValues,
        // `rows.sortBy(field, direction)` with two variables is the function.
        ("sortBy", 2) if matches!(&args[0], Node::Name(item) if args[1].mentions(item)) => FoldKind::SortBy,
        _ => return Err((range, args)),
    };
    let two_names = name.starts_with("transform") || (args.len() == 3 && name != "map");
    let names = 1 + usize::from(two_names);
    let mut variables = Vec::with_capacity(names);
    for arg in &args[..names] {
        match arg {
            Node::Name(variable) => variables.push(variable.clone()),
            _ => return Err((range, args)),
        }
    }
    let mut rest = args.into_iter().skip(names);
    let (first, second) = (rest.next(), rest.next());
    let (filter, body) = match (first, second) {
        (filter, Some(body)) => (filter, body),
        (Some(body), None) => (None, body),
        (None, None) => return Err((range, Vec::new())),
    };
    let item: Option<Str> = variables.pop();
    let Some(item) = item else { return Err((range, Vec::new())) };
    Ok(Fold { kind, range, key: variables.pop(), item, filter, body })
}
