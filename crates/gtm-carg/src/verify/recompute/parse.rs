//! Expressions as trees: a parser of its own for the part of CEL that arithmetic needs.

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    Number(f64),
    Text(String),
    Word(bool),
    Null,
    Name(String),
    List(Vec<Expr>),
    Object(Vec<(Expr, Expr)>),
    Member(Box<Expr>, String),
    Index(Box<Expr>, Box<Expr>),
    /// A function; what stands before the dot is the first argument.
    Call(String, Vec<Expr>),
    Not(Box<Expr>),
    Minus(Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    Choice(Box<Expr>, Box<Expr>, Box<Expr>),
}

/// Levels of brackets and operators.
const MAX_DEPTH: usize = 64;
/// Operators, those that bind least first.
const OPERATORS: [&[&str]; 5] =
    [&["||"], &["&&"], &["==", "!=", "<=", ">=", "<", ">", "in"], &["+", "-"], &["*", "/", "%"]];

/// Parses an expression; `None` if it uses what is not understood here.
pub(super) fn parse(text: &str) -> Option<Expr> {
    let mut parser = Parser { rest: text, depth: 0 };
    let expr = parser.choice()?;
    parser.space();
    parser.rest.is_empty().then_some(expr)
}

struct Parser<'t> {
    rest: &'t str,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.space();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn choice(&mut self) -> Option<Expr> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let condition = self.binary(0)?;
        let expr = if self.eat("?") {
            let yes = self.choice()?;
            self.eat(":").then_some(())?;
            Expr::Choice(Box::new(condition), Box::new(yes), Box::new(self.choice()?))
        } else {
            condition
        };
        self.depth -= 1;
        Some(expr)
    }

    fn binary(&mut self, level: usize) -> Option<Expr> {
        let Some(operators) = OPERATORS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = self.operator(operators) {
            let right = self.binary(level + 1)?;
            left = Expr::Binary(operator, Box::new(left), Box::new(right));
        }
        Some(left)
    }

    fn operator(&mut self, among: &[&'static str]) -> Option<&'static str> {
        self.space();
        let found = among.iter().copied().find(|operator| self.rest.starts_with(operator))?;
        let after = &self.rest[found.len()..];
        if found == "in" && after.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return None;
        }
        self.rest = after;
        Some(found)
    }

    fn unary(&mut self) -> Option<Expr> {
        if self.eat("!") {
            return Some(Expr::Not(Box::new(self.unary()?)));
        }
        if self.eat("-") {
            return Some(Expr::Minus(Box::new(self.unary()?)));
        }
        let mut expr = self.atom()?;
        loop {
            if self.eat(".") {
                let name = self.word()?;
                expr = if self.eat("(") {
                    let mut arguments = self.list(")")?;
                    match &expr {
                        // `cel.bind` is a name with a dot in it.
                        Expr::Name(space) if space == "cel" || space == "math" => {}
                        _ => arguments.insert(0, expr),
                    }
                    Expr::Call(name.to_owned(), arguments)
                } else {
                    Expr::Member(Box::new(expr), name.to_owned())
                };
            } else if self.eat("[") {
                let index = self.choice()?;
                self.eat("]").then_some(())?;
                expr = Expr::Index(Box::new(expr), Box::new(index));
            } else {
                return Some(expr);
            }
        }
    }

    fn atom(&mut self) -> Option<Expr> {
        self.space();
        match self.rest.chars().next()? {
            '(' => {
                self.eat("(");
                let inner = self.choice()?;
                self.eat(")").then_some(inner)
            }
            '[' => {
                self.eat("[");
                Some(Expr::List(self.list("]")?))
            }
            '{' => {
                self.eat("{");
                self.object()
            }
            quote @ ('\'' | '"') => self.text(quote),
            '0'..='9' => self.number(),
            _ => {
                let name = self.word()?;
                Some(match name {
                    "true" => Expr::Word(true),
                    "false" => Expr::Word(false),
                    "null" => Expr::Null,
                    _ if self.eat("(") => Expr::Call(name.to_owned(), self.list(")")?),
                    _ => Expr::Name(name.to_owned()),
                })
            }
        }
    }

    fn list(&mut self, close: &str) -> Option<Vec<Expr>> {
        let mut items = Vec::new();
        while !self.eat(close) {
            if !items.is_empty() {
                self.eat(",").then_some(())?;
            }
            items.push(self.choice()?);
        }
        Some(items)
    }

    fn object(&mut self) -> Option<Expr> {
        let mut members = Vec::new();
        while !self.eat("}") {
            if !members.is_empty() {
                self.eat(",").then_some(())?;
            }
            let name = self.binary(0)?;
            self.eat(":").then_some(())?;
            members.push((name, self.choice()?));
        }
        Some(Expr::Object(members))
    }

    fn word(&mut self) -> Option<&'t str> {
        self.space();
        let end =
            self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    fn text(&mut self, quote: char) -> Option<Expr> {
        let inner = &self.rest[1..];
        let end = inner.find(quote)?;
        let word = &inner[..end];
        self.rest = &inner[end + 1..];
        // Escapes do not occur where numbers are made.
        (!word.contains('\\')).then(|| Expr::Text(word.to_owned()))
    }

    fn number(&mut self) -> Option<Expr> {
        let bytes = self.rest.as_bytes();
        let digits = |mut at: usize| {
            while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            at
        };
        let mut end = digits(0);
        if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
            end = digits(end + 1);
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits(end + 1 + sign);
            if exponent > end + 1 + sign {
                end = exponent;
            }
        }
        let (number, rest) = self.rest.split_at(end);
        self.rest = rest;
        if self.rest.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return None;
        }
        number.parse().ok().map(Expr::Number)
    }
}
