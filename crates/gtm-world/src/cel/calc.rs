//! Arithmetic given as text by an agent, as a pocket calculator reads it. A language of its own: `^` is
//! a power, and integers that grow too large become doubles rather than errors.

use super::ast::BinaryOp;
use super::functions::power;
use super::{Fault, ops};
use crate::{Budget, Limits, Value};

/// Longest text, in bytes.
pub(super) const MAX_CALC: usize = 1_000;
/// Deepest nesting of parentheses, functions and signs.
const MAX_NESTING: usize = 32;

/// The value of an arithmetic expression.
pub(super) fn calc(text: &str) -> Result<Value, String> {
    if text.len() > MAX_CALC {
        return Err(format!("the text has more than {MAX_CALC} characters"));
    }
    let mut reader = Reader { text, at: 0, nesting: 0 };
    let value = reader.sum()?;
    reader.skip_blank();
    if reader.at < text.len() { Err(reader.unexpected("an operator")) } else { Ok(value) }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    nesting: usize,
}

type Step<T> = Result<T, String>;

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn skip_blank(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Steps over one of the marks if it comes next.
    fn accept(&mut self, marks: &[&'static str]) -> Option<&'static str> {
        self.skip_blank();
        let mark = marks.iter().find(|mark| self.rest().starts_with(**mark))?;
        self.at += mark.len();
        Some(mark)
    }

    fn unexpected(&self, wanted: &str) -> String {
        match self.rest().chars().next() {
            Some(c) => {
                let column = self.text[..self.at].chars().count() + 1;
                format!("unexpected {c:?} at character {column}; expected {wanted}")
            }
            None => format!("the text ends; expected {wanted}"),
        }
    }

    fn sum(&mut self) -> Step<Value> {
        let mut value = self.product()?;
        while let Some(mark) = self.accept(&["+", "-", "−"]) {
            let right = self.product()?;
            value = combine(if mark == "+" { BinaryOp::Add } else { BinaryOp::Sub }, &value, &right)?;
        }
        Ok(value)
    }

    fn product(&mut self) -> Step<Value> {
        let mut value = self.signed()?;
        while let Some(mark) = self.accept(&["*", "×", "·", "/", "÷", "%"]) {
            let right = self.signed()?;
            let op = match mark {
                "/" | "÷" => BinaryOp::Div,
                "%" => BinaryOp::Rem,
                _ => BinaryOp::Mul,
            };
            value = combine(op, &value, &right)?;
        }
        Ok(value)
    }

    /// Signs bind weaker than powers: `-2^2` is -4.
    fn signed(&mut self) -> Step<Value> {
        let mut negative = false;
        while let Some(mark) = self.accept(&["-", "−", "+"]) {
            negative ^= mark != "+";
        }
        let value = self.power()?;
        if negative { combine(BinaryOp::Mul, &Value::Int(-1), &value) } else { Ok(value) }
    }

    fn power(&mut self) -> Step<Value> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(format!("nested deeper than {MAX_NESTING} levels"));
        }
        let mut value = self.operand()?;
        while self.accept(&["!"]).is_some() {
            value = function("factorial", &[value])?;
        }
        if self.accept(&["^", "**"]).is_some() {
            let exponent = self.signed()?;
            value = power(&value, &exponent).map_err(words)?;
        }
        self.nesting -= 1;
        Ok(value)
    }

    fn operand(&mut self) -> Step<Value> {
        if self.accept(&["("]).is_some() {
            let value = self.sum()?;
            return self.close().map(|()| value);
        }
        let rest = self.rest();
        match rest.bytes().next() {
            Some(b'0'..=b'9' | b'.') => self.number(),
            Some(b'a'..=b'z' | b'A'..=b'Z') => {
                let length = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
                self.at += length;
                self.name(&rest[..length])
            }
            _ if self.accept(&["π"]).is_some() => Ok(Value::Float(std::f64::consts::PI)),
            _ if self.accept(&["√"]).is_some() => {
                let value = self.power()?;
                function("sqrt", &[value])
            }
            _ => Err(self.unexpected("a number")),
        }
    }

    fn close(&mut self) -> Step<()> {
        self.accept(&[")"]).map(|_| ()).ok_or_else(|| self.unexpected("`)`"))
    }

    fn number(&mut self) -> Step<Value> {
        let bytes = self.rest().as_bytes();
        let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let mut length = digits(0);
        if bytes.get(length) == Some(&b'.') {
            length += 1 + digits(length + 1);
        }
        if matches!(bytes.get(length), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
            let exponent = bytes.get(length + 1 + sign..).map_or(0, |_| digits(length + 1 + sign));
            if exponent > 0 {
                length += 1 + sign + exponent;
            }
        }
        let literal = &self.rest()[..length];
        let value = match literal.parse() {
            Ok(i) => Value::Int(i),
            Err(_) => match literal.parse::<f64>() {
                Ok(x) if x.is_finite() => Value::Float(x),
                _ => return Err(self.unexpected("a number")),
            },
        };
        self.at += length;
        Ok(value)
    }

    /// A constant or a function.
    fn name(&mut self, name: &str) -> Step<Value> {
        let name = name.to_ascii_lowercase();
        if self.accept(&["("]).is_none() {
            return match name.as_str() {
                "pi" => Ok(Value::Float(std::f64::consts::PI)),
                "e" => Ok(Value::Float(std::f64::consts::E)),
                "tau" => Ok(Value::Float(std::f64::consts::TAU)),
                _ => Err(format!("unknown name `{name}`")),
            };
        }
        let mut values = Vec::new();
        if self.accept(&[")"]).is_none() {
            loop {
                values.push(self.sum()?);
                if self.accept(&[","]).is_none() {
                    break;
                }
            }
            self.close()?;
        }
        function(&name, &values)
    }
}

fn words(fault: Fault) -> String {
    match fault {
        Fault::Data(message) => message.into(),
        Fault::Exhausted(exhausted) => exhausted.to_string(),
    }
}

/// An operation; in doubles where integers overflow.
fn combine(op: BinaryOp, left: &Value, right: &Value) -> Step<Value> {
    let mut budget = Budget::new(&Limits::default());
    let double = |value: &Value| Value::Float(value.as_f64().unwrap_or(f64::NAN));
    ops::arithmetic(op, left, right, &mut budget)
        .or_else(|_| ops::arithmetic(op, &double(left), &double(right), &mut budget))
        .map_err(words)
}

fn function(name: &str, values: &[Value]) -> Step<Value> {
    let x = values.first().and_then(Value::as_f64).ok_or_else(|| format!("`{name}` needs a number"))?;
    let y = values.get(1).and_then(Value::as_f64);
    let numbers = || values.iter().filter_map(Value::as_f64);
    let result = match (name, values.len()) {
        ("sqrt", 1) => x.sqrt(),
        ("cbrt", 1) => x.cbrt(),
        ("sin", 1) => x.sin(),
        ("cos", 1) => x.cos(),
        ("tan", 1) => x.tan(),
        ("asin" | "arcsin", 1) => x.asin(),
        ("acos" | "arccos", 1) => x.acos(),
        ("atan" | "arctan", 1) => x.atan(),
        ("sinh", 1) => x.sinh(),
        ("cosh", 1) => x.cosh(),
        ("tanh", 1) => x.tanh(),
        ("exp", 1) => x.exp(),
        ("ln", 1) => x.ln(),
        ("log", 1) | ("log10", 1) => x.log10(),
        ("log2", 1) => x.log2(),
        ("log", 2) => x.ln() / y.unwrap_or(f64::NAN).ln(),
        ("radians" | "rad", 1) => x.to_radians(),
        ("degrees" | "deg", 1) => x.to_degrees(),
        ("abs", 1) => return keep(&values[0], x.abs()),
        ("round", 1) => return keep(&values[0], x.round()),
        ("floor", 1) => return keep(&values[0], x.floor()),
        ("ceil", 1) => return keep(&values[0], x.ceil()),
        ("pow", 2) => return power(&values[0], &values[1]).map_err(words),
        ("mod", 2) => return combine(BinaryOp::Rem, &values[0], &values[1]),
        ("min", 1..) => return keep(&values[0], numbers().fold(x, f64::min)),
        ("max", 1..) => return keep(&values[0], numbers().fold(x, f64::max)),
        ("factorial" | "fact", 1) if x.fract() == 0.0 && (0.0..=170.0).contains(&x) => {
            return keep(&Value::Int(0), (1..=x as i64).map(|i| i as f64).product());
        }
        ("factorial" | "fact", 1) => return Err("a factorial needs a whole number from 0 to 170".into()),
        _ => return Err(format!("unknown function `{name}` of {} values", values.len())),
    };
    if result.is_finite() { Ok(Value::Float(result)) } else { Err(format!("`{name}` is not defined here")) }
}

/// A result as an integer where the argument was one and it is exact.
fn keep(argument: &Value, result: f64) -> Step<Value> {
    let value = Value::Float(result);
    Ok(match (argument, value.as_i64()) {
        (Value::Int(_), Some(i)) => Value::Int(i),
        _ if result.is_finite() => value,
        _ => return Err("the result is not a finite number".into()),
    })
}

#[cfg(test)]
mod tests {
    use super::calc;
    use crate::Value;

    fn check(text: &str, expected: &str) {
        let value = calc(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        assert_eq!(value.to_json().to_string(), expected, "{text}");
    }

    #[test]
    fn calculates_as_people_expect() {
        for (text, expected) in [
            ("2 + 2", "4"),
            ("7/2", "3.5"),
            ("(1 + 2) * 3 - -4", "13"),
            ("2^3^2", "512"),
            ("-2^2", "-4"),
            ("2**-1", "0.5"),
            ("10 % 4", "2"),
            ("5!", "120"),
            ("sqrt(16) + abs(-3)", "7.0"),
            ("log(100) + ln(e)", "3.0"),
            ("max(1, 7, 3)", "7"),
            ("2 × 3 ÷ 4", "1.5"),
            ("1e3 + .5", "1000.5"),
            ("9223372036854775807 + 1", "9.223372036854776e+18"),
            ("sin(0) + cos(0)", "1.0"),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn refuses_what_is_no_arithmetic() {
        for text in
            ["", "2 +", "(1", "1 2", "import os", "1/0", "sqrt(-1)", "nope(2)", "2..3", "0x10", "171!"]
        {
            assert!(calc(text).is_err(), "{text}");
        }
        let deep = "(".repeat(900);
        assert!(calc(&deep).unwrap_err().contains("nested"));
        assert!(calc(&"-".repeat(999)).is_err());
        assert_eq!(calc("1e999").ok(), None::<Value>);
    }
}
