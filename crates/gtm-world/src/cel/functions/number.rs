//! Conversions and functions on numbers.

use super::{Args, Section, rows};
use crate::Value;
use crate::cel::ast::BinaryOp;
use crate::cel::ops::{self, finite};
use crate::cel::{Eval, calc, json};
use std::cmp::Ordering;

pub(super) const SECTION: Section = Section {
    title: "Conversions and numbers",
    intro: "Integers stay integers where the result is whole by nature. A result that is not finite is an error.",
    null_passes: false,
    rows: rows! {
        "int(x) -> int", "A number cut to an integer, or text that holds one; true is 1.", "int('42') + int(2.9)" => "44", int;
        "double(x) -> number" ["float", "number"], "A number as it is, or read from text.", "double('2.5')" => "2.5", double;
        "string(x) -> text" ["str"], "Text as it is, anything else as JSON.", "string([1, 'a'])" => r#""[1,\"a\"]""#, |args| {
            Ok(Value::Str(json::plain(args.get(0), args.budget)?))
        };
        "bool(x) -> bool", "From `true`/`false`, `yes`/`no`, `on`/`off`, `1`/`0` as text, or a number (0 is false); null is false.", "bool('yes')" => "true", bool;
        "type(x) -> text", "`null`, `boolean`, `integer`, `number`, `string`, `array` or `object`.", "type([])" => r#""array""#, |args| {
            Ok(Value::from(args.get(0).type_name()))
        };
        "isNumber(x) -> bool", "Whether it is a number.", "isNumber('5')" => "false", |args| Ok(args.get(0).as_f64().is_some().into());
        "isInteger(x) -> bool", "Whether it is a whole number.", "isInteger(3.0)" => "true", |args| {
            Ok(args.get(0).as_f64().is_some_and(|x| x.fract() == 0.0).into())
        };
        "isString(x) -> bool", "Whether it is text.", "isString('')" => "true", |args| Ok(args.get(0).as_str().is_some().into());
        "isList(x) -> bool", "Whether it is a list.", "isList({})" => "false", |args| Ok(args.get(0).as_list().is_some().into());
        "isObject(x) -> bool" ["isMap"], "Whether it is an object.", "isObject({})" => "true", |args| Ok(args.get(0).as_map().is_some().into());
        "abs(x) -> number" ["math.abs"], "Without its sign.", "abs(-3)" => "3", |args| match args.get(0) {
            Value::Int(i) if *i >= 0 => Ok(Value::Int(*i)),
            Value::Float(x) => Ok(Value::Float(x.abs())),
            other if other.as_f64().is_some() => ops::negate(other),
            _ => Err(args.wrong(0, "a number")),
        };
        "sign(x) -> int" ["math.sign"], "-1, 0 or 1.", "sign(-2.5)" => "-1", |args| {
            let x = args.number(0)?;
            Ok(Value::Int(i64::from(x > 0.0) - i64::from(x < 0.0)))
        };
        "min(values...) -> any" ["math.least"], "The least of the values, or of one list's items; nulls are left out. Null for none.", "min(3, 1.5, 2)" => "1.5", |args| extreme(args, Ordering::Less);
        "max(values...) -> any" ["math.greatest"], "The greatest of the values, or of one list's items; nulls are left out. Null for none.", "max([3, 7, 5])" => "7", |args| extreme(args, Ordering::Greater);
        "clamp(x, low, high) -> number", "`x`, but at least `low` and at most `high`.", "clamp(12, 0, 10)" => "10", |args| {
            let (x, low, high) = (args.number(0)?, args.number(1)?, args.number(2)?);
            Ok(args.get(if x < low { 1 } else if x > high { 2 } else { 0 }).clone())
        };
        "round(x, digits?) -> number" ["math.round"], "Rounded, halves away from zero: to an integer, or to so many decimals. `digits` may be negative.", "round(2.345, 2)" => "2.35", |args| round(args, f64::round);
        "ceil(x, digits?) -> number" ["math.ceil"], "Rounded up.", "ceil(2.1)" => "3", |args| round(args, f64::ceil);
        "floor(x, digits?) -> number" ["math.floor"], "Rounded down.", "floor(-2.1)" => "-3", |args| round(args, f64::floor);
        "trunc(x, digits?) -> number" ["math.trunc"], "Rounded towards zero.", "trunc(-2.9)" => "-2", |args| round(args, f64::trunc);
        "mod(a, b) -> number", "The remainder with the sign of `b`, unlike `%`.", "mod(-7, 3)" => "2", modulo;
        "intDiv(a, b) -> int", "The quotient rounded down.", "intDiv(7, 2)" => "3", |args| {
            let (a, b) = (args.int(0)?, args.int(1)?);
            let quotient = a.checked_div_euclid(b).ok_or_else(|| args.fail("division by zero"))?;
            Ok(Value::Int(if b < 0 && a.checked_rem_euclid(b) != Some(0) { quotient - 1 } else { quotient }))
        };
        "pow(x, exponent) -> number", "A power; of integers an integer where it fits.", "pow(2, 10)" => "1024", |args| {
            args.number(0)?;
            args.number(1)?;
            power(args.get(0), args.get(1))
        };
        "sqrt(x) -> number" ["math.sqrt"], "Square root.", "sqrt(2.25)" => "1.5", |args| real(args, f64::sqrt);
        "cbrt(x) -> number", "Cube root.", "round(cbrt(27), 9)" => "3.0", |args| real(args, f64::cbrt);
        "exp(x) -> number", "e to the power of x.", "exp(0)" => "1.0", |args| real(args, f64::exp);
        "ln(x) -> number", "Natural logarithm.", "ln(1)" => "0.0", |args| real(args, f64::ln);
        "log10(x) -> number", "Logarithm to base 10.", "log10(1000)" => "3.0", |args| real(args, f64::log10);
        "log2(x) -> number", "Logarithm to base 2.", "log2(8)" => "3.0", |args| real(args, f64::log2);
        "log(x, base?) -> number", "Logarithm to a base; natural without one.", "round(log(81, 3), 9)" => "4.0", |args| {
            let (x, base) = (args.number(0)?, if args.given(1).is_some() { args.number(1)? } else { std::f64::consts::E });
            finite(if args.given(1).is_some() { x.ln() / base.ln() } else { x.ln() })
        };
        "sin(x) -> number", "Sine of an angle in radians.", "sin(0)" => "0.0", |args| real(args, f64::sin);
        "cos(x) -> number", "Cosine.", "cos(0)" => "1.0", |args| real(args, f64::cos);
        "tan(x) -> number", "Tangent.", "tan(0)" => "0.0", |args| real(args, f64::tan);
        "asin(x) -> number", "Arc sine, in radians.", "asin(0)" => "0.0", |args| real(args, f64::asin);
        "acos(x) -> number", "Arc cosine.", "acos(1)" => "0.0", |args| real(args, f64::acos);
        "atan(x) -> number", "Arc tangent.", "atan(0)" => "0.0", |args| real(args, f64::atan);
        "atan2(y, x) -> number", "Angle of the point (x, y).", "atan2(0, 1)" => "0.0", |args| finite(args.number(0)?.atan2(args.number(1)?));
        "hypot(x, y) -> number", "Length of the hypotenuse.", "hypot(3, 4)" => "5.0", |args| finite(args.number(0)?.hypot(args.number(1)?));
        "radians(x) -> number", "Degrees as radians.", "round(radians(180), 4)" => "3.1416", |args| real(args, f64::to_radians);
        "degrees(x) -> number", "Radians as degrees.", "round(degrees(pi()))" => "180", |args| real(args, f64::to_degrees);
        "pi() -> number", "3.14159…", "floor(pi())" => "3", |_| Ok(Value::Float(std::f64::consts::PI));
        "gcd(a, b) -> int", "Greatest common divisor.", "gcd(12, 18)" => "6", |args| {
            let divisor = gcd(args.int(0)?.unsigned_abs(), args.int(1)?.unsigned_abs());
            i64::try_from(divisor).map(Value::Int).map_err(|_| args.fail("the result does not fit an integer"))
        };
        "lcm(a, b) -> int", "Least common multiple.", "lcm(4, 6)" => "12", |args| {
            let (a, b) = (args.int(0)?.unsigned_abs(), args.int(1)?.unsigned_abs());
            let multiple = if a == 0 || b == 0 { Some(0) } else { (a / gcd(a, b)).checked_mul(b) };
            let multiple = multiple.and_then(|multiple| i64::try_from(multiple).ok());
            multiple.map(Value::Int).ok_or_else(|| args.fail("the result does not fit an integer"))
        };
        "factorial(n) -> number", "n!, for n from 0 to 170; above 20 as a double.", "factorial(5)" => "120", |args| {
            let n = args.int(0)?;
            if !(0..=170).contains(&n) {
                return Err(args.fail("n must be from 0 to 170"));
            }
            let exact = (1..=n).try_fold(1i64, |product, i| product.checked_mul(i));
            exact.map_or_else(|| finite((1..=n).map(|i| i as f64).product()), |product| Ok(Value::Int(product)))
        };
        "isPrime(n) -> bool", "Whether it is a prime number.", "isPrime(97)" => "true", is_prime;
        "formatNumber(x, decimals?, thousands?, point?) -> text", "A number as people write it: decimals as given (by default as they are), a comma between thousands, or another text, and a point.",
            "formatNumber(1234567.891, 2)" => r#""1,234,567.89""#, format_number;
        "toBase(n, base) -> text", "An integer in base 2 to 36.", "toBase(255, 16)" => r#""ff""#, to_base;
        "fromBase(text, base) -> int", "An integer read in base 2 to 36.", "fromBase('ff', 16)" => "255", |args| {
            let (text, base) = (args.text(0)?, base(args)?);
            i64::from_str_radix(text, base).map(Value::Int).map_err(|_| args.fail("the text is no such number"))
        };
        "calc(text) -> number", "The value of an arithmetic expression given as text: `+ - * / % ^ **`, parentheses, `!`, functions such as `sqrt`, `sin`, `log`, `ln`, `abs`, `exp`, and `pi`, `e`. What does not parse is an error.",
            "calc('2 + 3 * (4 - 1)^2')" => "29", |args| {
            let text = args.text(0)?;
            args.pay(text.len().min(calc::MAX_CALC))?;
            calc::calc(text).map_err(|why| args.fail(why))
        };
        "coalesce(values...) -> any", "The first value that is not null.", "coalesce(null, nothing, 3)" => "3", |args| {
            Ok((0..args.len()).map(|at| args.get(at)).find(|value| !value.is_null()).cloned().unwrap_or_default())
        };
        "default(x, otherwise) -> any", "`x`, or `otherwise` if it is null.", "default(args.limit, 10)" => "10", |args| {
            Ok(args.given(0).unwrap_or(args.get(1)).clone())
        };
        "ifEmpty(x, otherwise) -> any", "`x`, or `otherwise` if it is null, empty text, an empty list or an empty object.", "ifEmpty('', 'none')" => r#""none""#, |args| {
            Ok(args.get(usize::from(empty(args.get(0)))).clone())
        };
        "isNull(x) -> bool", "Whether it is null or missing.", "isNull(args.x)" => "true", |args| Ok(args.get(0).is_null().into());
        "isEmpty(x) -> bool", "Whether it is null, empty text, an empty list or an empty object.", "isEmpty([])" => "true", |args| Ok(empty(args.get(0)).into());
    },
};

fn empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Str(text) => text.is_empty(),
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}

/// A number in text, surrounded by blanks perhaps.
pub(super) fn read(text: &str) -> Option<Value> {
    let text = text.trim();
    // Rust also reads `inf` and `nan`, which are no JSON numbers.
    if !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) {
        return None;
    }
    match text.parse::<i64>() {
        Ok(i) => Some(Value::Int(i)),
        Err(_) => text.parse().ok().filter(|x: &f64| x.is_finite()).map(Value::Float),
    }
}

/// A double as an integer, if it fits.
fn whole(args: &Args<'_>, x: f64) -> Eval<Value> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if (-BEYOND..BEYOND).contains(&x) {
        Ok(Value::Int(x as i64))
    } else {
        Err(args.fail("the result does not fit an integer of 64 bits"))
    }
}

fn int(args: &mut Args<'_>) -> Eval<Value> {
    match args.get(0) {
        Value::Int(i) => Ok(Value::Int(*i)),
        Value::Float(x) => whole(args, x.trunc()),
        Value::Bool(b) => Ok(Value::Int(i64::from(*b))),
        Value::Str(text) => match read(text) {
            Some(Value::Int(i)) => Ok(Value::Int(i)),
            Some(Value::Float(x)) if x.fract() == 0.0 => whole(args, x),
            _ => Err(args.fail(format!("{:?} is not an integer", shortened(text)))),
        },
        _ => Err(args.wrong(0, "a number or text")),
    }
}

fn double(args: &mut Args<'_>) -> Eval<Value> {
    match args.get(0) {
        Value::Int(i) => Ok(Value::Float(*i as f64)),
        Value::Float(x) => Ok(Value::Float(*x)),
        Value::Bool(b) => Ok(Value::Float(f64::from(u8::from(*b)))),
        Value::Str(text) => match read(text).and_then(|number| number.as_f64()) {
            Some(x) => Ok(Value::Float(x)),
            None => Err(args.fail(format!("{:?} is not a number", shortened(text)))),
        },
        _ => Err(args.wrong(0, "a number or text")),
    }
}

/// The start of a text, for messages.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

fn bool(args: &mut Args<'_>) -> Eval<Value> {
    let value = match args.get(0) {
        Value::Null => Some(false),
        Value::Bool(b) => Some(*b),
        Value::Int(i) => Some(*i != 0),
        Value::Float(x) => Some(*x != 0.0),
        Value::Str(text) if text.len() <= 8 => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
            "false" | "f" | "no" | "n" | "off" | "0" | "" => Some(false),
            _ => None,
        },
        _ => None,
    };
    value.map(Value::Bool).ok_or_else(|| args.fail("neither true nor false"))
}

fn extreme(args: &mut Args<'_>, wanted: Ordering) -> Eval<Value> {
    let values: Vec<&Value> = match (args.len(), args.get(0)) {
        (1, Value::List(_) | Value::Map(_) | Value::Null) => args.items(0)?,
        (count, _) => (0..count).map(|at| args.get(at)).collect(),
    };
    let mut best: Option<&Value> = None;
    for value in values.into_iter().filter(|value| !value.is_null()) {
        // Comparing the first with itself finds values that have no order.
        if ops::compare(value, best.unwrap_or(value), args.budget)? == wanted || best.is_none() {
            best = Some(value);
        }
    }
    Ok(best.cloned().unwrap_or_default())
}

fn real(args: &mut Args<'_>, f: fn(f64) -> f64) -> Eval<Value> {
    let y = f(args.number(0)?);
    if y.is_finite() { Ok(Value::Float(y)) } else { Err(args.fail("not defined for this number")) }
}

fn round(args: &mut Args<'_>, f: fn(f64) -> f64) -> Eval<Value> {
    let x = args.number(0)?;
    match (args.get(0), args.given(1)) {
        (Value::Int(i), None) => Ok(Value::Int(*i)),
        (_, None) => whole(args, f(x)),
        (given, Some(_)) => {
            let digits = args.int(1)?.clamp(-30, 30);
            if matches!(given, Value::Int(_)) && digits >= 0 {
                return Ok(given.clone());
            }
            let rounded = Value::Float(decimals(x, digits, f));
            let as_int = matches!(given, Value::Int(_)).then(|| rounded.as_i64()).flatten();
            Ok(as_int.map_or(rounded, Value::Int))
        }
    }
}

/// `x` rounded by `f` at a decimal. 1.005 is stored as 1.00499…, yet people expect 1.01, so a number
/// within rounding error of a whole or a half counts as that.
pub(super) fn decimals(x: f64, digits: i64, f: fn(f64) -> f64) -> f64 {
    let scale = 10f64.powi(i32::try_from(digits.abs()).unwrap_or(30));
    let scaled = if digits >= 0 { x * scale } else { x / scale };
    if !scaled.is_finite() || scaled.abs() >= 4.5e15 {
        return x;
    }
    let half = (scaled * 2.0).round() / 2.0;
    let tolerance = (scaled.abs() * 2.0 * f64::EPSILON).min(1e-4);
    let whole = f(if (scaled - half).abs() <= tolerance { half } else { scaled });
    if digits >= 0 { whole / scale } else { whole * scale }
}

fn modulo(args: &mut Args<'_>) -> Eval<Value> {
    args.number(0)?;
    args.number(1)?;
    let rest = ops::arithmetic(BinaryOp::Rem, args.get(0), args.get(1), args.budget)?;
    let (b, r) = (args.number(1)?, rest.as_f64().unwrap_or(0.0));
    if r != 0.0 && (r < 0.0) != (b < 0.0) {
        return ops::arithmetic(BinaryOp::Add, &rest, args.get(1), args.budget);
    }
    Ok(rest)
}

/// A power of two numbers.
pub(in crate::cel) fn power(x: &Value, exponent: &Value) -> Eval<Value> {
    if let (Value::Int(x), Value::Int(exponent)) = (x, exponent)
        && let Ok(exponent) = u32::try_from(*exponent)
        && let Some(power) = x.checked_pow(exponent)
    {
        return Ok(Value::Int(power));
    }
    finite(x.as_f64().unwrap_or(f64::NAN).powf(exponent.as_f64().unwrap_or(f64::NAN)))
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn is_prime(args: &mut Args<'_>) -> Eval<Value> {
    let Ok(n) = u64::try_from(args.int(0)?) else { return Ok(Value::Bool(false)) };
    // These witnesses decide Miller-Rabin for every 64-bit number.
    const WITNESSES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
    if n < 2 || WITNESSES.iter().any(|p| n % p == 0) {
        return Ok(WITNESSES.contains(&n).into());
    }
    args.pay(500)?;
    Ok(WITNESSES.iter().all(|witness| is_probable_prime(n, *witness)).into())
}

/// Miller-Rabin with one witness, for odd `n`.
fn is_probable_prime(n: u64, witness: u64) -> bool {
    let times = |a: u64, b: u64| (u128::from(a) * u128::from(b) % u128::from(n)) as u64;
    let twos = (n - 1).trailing_zeros();
    let (mut x, mut base, mut left) = (1, witness, (n - 1) >> twos);
    while left > 0 {
        if left & 1 == 1 {
            x = times(x, base);
        }
        base = times(base, base);
        left >>= 1;
    }
    if x == 1 || x == n - 1 {
        return true;
    }
    (1..twos).any(|_| {
        x = times(x, x);
        x == n - 1
    })
}

fn format_number(args: &mut Args<'_>) -> Eval<Value> {
    let x = args.number(0)?;
    let digits = match args.given(1) {
        None => match args.get(0) {
            Value::Int(i) => i.to_string(),
            _ => x.to_string(),
        },
        Some(_) => {
            let digits = args.int(1)?.clamp(0, 30);
            match args.get(0) {
                Value::Int(i) if digits == 0 => i.to_string(),
                _ => format!("{:.*}", digits as usize, decimals(x, digits, f64::round)),
            }
        }
    };
    let (thousands, point) = (args.text_or(2, ",")?, args.text_or(3, ".")?);
    args.reserve(digits.len().saturating_mul(1 + thousands.len()).saturating_add(point.len()))?;
    let (sign, digits) = digits.strip_prefix('-').map_or(("", &*digits), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut out = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            out.push_str(thousands);
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push_str(point);
        out.push_str(fraction);
    }
    Ok(out.into())
}

fn base(args: &Args<'_>) -> Eval<u32> {
    let base = u32::try_from(args.int(1)?).ok().filter(|base| (2..=36).contains(base));
    base.ok_or_else(|| args.fail("base must be from 2 to 36"))
}

fn to_base(args: &mut Args<'_>) -> Eval<Value> {
    let (n, base) = (args.int(0)?, base(args)?);
    let mut left = n.unsigned_abs();
    let mut digits = Vec::new();
    loop {
        digits.extend(char::from_digit((left % u64::from(base)) as u32, base));
        left /= u64::from(base);
        if left == 0 {
            break;
        }
    }
    digits.extend((n < 0).then_some('-'));
    args.make_text(digits.into_iter().rev().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_decimals_as_written() {
        for (x, digits, expected) in [
            (1.005, 2, 1.01),
            (2.675, 2, 2.68),
            (-1.005, 2, -1.01),
            (0.1 + 0.2, 1, 0.3),
            (1.4999, 0, 1.0),
            (1e300, 2, 1e300),
            (1234.5, -2, 1200.0),
        ] {
            assert_eq!(decimals(x, digits, f64::round), expected, "{x} to {digits}");
        }
        assert_eq!(decimals(2.3, 1, f64::floor), 2.3);
        assert_eq!(decimals(1.1, 1, f64::ceil), 1.1);
    }

    #[test]
    fn finds_primes_and_is_not_fooled() {
        let is_prime = |n: i64| {
            let expr = crate::cel::Expr::parse(&format!("isPrime({n})")).expect("parses");
            let scope = crate::cel::Scope::new(Value::map(), 0);
            expr.eval(&scope, &mut crate::Budget::new(&crate::Limits::default()))
        };
        let slow = |n: i64| n > 1 && (2..n).all(|d| n % d > 0);
        for n in -3..2_000 {
            assert_eq!(is_prime(n), Ok(slow(n).into()), "{n}");
        }
        // Composites that pass Miller-Rabin for the first four and the first seven primes.
        for (n, prime) in
            [(3_215_031_751, false), (341_550_071_728_321, false), ((1 << 61) - 1, true), (i64::MAX, false)]
        {
            assert_eq!(is_prime(n), Ok(prime.into()), "{n}");
        }
    }

    #[test]
    fn reads_numbers_and_nothing_else() {
        assert_eq!(read(" 42 "), Some(Value::Int(42)));
        assert_eq!(read("-1.5e3"), Some(Value::Float(-1500.0)));
        for text in ["", "inf", "NaN", "1e999", "0x10", "1_000", "1,5", "--1"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
