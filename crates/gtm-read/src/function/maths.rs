//! Elementary maths and units, by name: `add`, `mean`, `square_root`, `celsius_to_fahrenheit`.

use super::build::{behavior, bind, reply, require};
use super::expr;
use super::tokens::{singular, words};
use super::tool::{Param, Returns, Tool};
use super::verbs::Verb;
use gtm_world::ErrorKind;
use gtm_world::behavior::{Behavior, Step};
use serde_json::json;

/// A function of one list.
const OF_LIST: &[(&[&str], &str)] = &[
    (&["mean", "average", "avg"], "mean"),
    (&["median"], "median"),
    (&["mode"], "mode"),
    (&["sum", "total"], "sum"),
    (&["product"], "product"),
    (&["max", "maximum", "largest", "biggest"], "max"),
    (&["min", "minimum", "smallest"], "min"),
    (&["variance"], "populationVariance"),
    (&["deviation", "stdev", "stddev", "std"], "populationStdev"),
    (&["sort"], "sort"),
];

/// A function of one number.
const OF_ONE: &[(&[&str], &str)] = &[
    (&["sqrt", "root"], "sqrt"),
    (&["absolute", "abs"], "abs"),
    (&["factorial"], "factorial"),
    (&["ceil", "ceiling"], "ceil"),
    (&["floor"], "floor"),
    (&["exponential", "exp"], "exp"),
    (&["prime"], "isPrime"),
    (&["sine", "sin"], "sin"),
    (&["cosine", "cos"], "cos"),
    (&["tangent", "tan"], "tan"),
];

/// A function of two numbers, in the order in which they are given; `{a}` and `{b}` stand for them.
const OF_TWO: &[(&[&str], &str)] = &[
    (&["add", "addition", "plus", "sum"], "{a} + {b}"),
    (&["subtract", "subtraction", "minus", "difference"], "{a} - {b}"),
    (&["multiply", "multiplication", "times", "product"], "{a} * {b}"),
    (&["divide", "division", "quotient"], "{a} / {b}"),
    (&["power", "pow", "exponentiate", "exponentiation"], "pow({a}, {b})"),
    (&["percentage", "percent"], "{a} / {b} * 100"),
    (&["modulo", "mod", "modulus", "remainder"], "mod({a}, {b})"),
    (&["gcd"], "gcd({a}, {b})"),
    (&["lcm"], "lcm({a}, {b})"),
    (&["log", "logarithm"], "log({a}, {b})"),
    (&["hypotenuse"], "hypot({a}, {b})"),
    (&["max", "maximum"], "max({a}, {b})"),
    (&["min", "minimum"], "min({a}, {b})"),
];

/// What a maths tool computes, if it is one.
pub(super) fn read(tool: &Tool<'_>) -> Option<Behavior> {
    expression(tool).or_else(|| units(tool)).or_else(|| named(tool))
}

/// `calculate(expression)`
fn expression(tool: &Tool<'_>) -> Option<Behavior> {
    let [param] = tool.params.iter().filter(|p| p.required).collect::<Vec<_>>()[..] else { return None };
    let name = words(&tool.spec.name);
    let calculates = name.iter().any(|w| {
        matches!(w.as_str(), "calculate" | "calculator" | "calc" | "evaluate" | "compute" | "math" | "eval")
    });
    let is_text = param.kind.as_deref() == Some("string");
    let formula = param
        .stems
        .iter()
        .any(|w| matches!(w.as_str(), "expression" | "formula" | "equation" | "expr" | "calculation"));
    let arithmetic = tool.text.to_lowercase();
    let arithmetic = arithmetic.contains("arithmetic")
        || arithmetic.contains("mathematical")
        || arithmetic.contains("calculat")
        || calculates;
    if !is_text || !formula || !arithmetic {
        return None;
    }
    // 0.1 + 0.2 is 0.3 to anyone who asks a calculator.
    let value = format!("round(calc({}), 10)", param.expr());
    let mut steps = vec![bind("result", value)];
    steps.push(reply(match &tool.returns {
        Returns::Object(fields) => result_in(fields, "result")?,
        Returns::Single(field) if field.kind != "string" => json!("result"),
        _ => json!("string(result)"),
    }));
    Some(behavior(steps))
}

/// `gallon_to_liter(gallon)`, `convert_temperature(value, from_unit, to_unit)`
fn units(tool: &Tool<'_>) -> Option<Behavior> {
    let name: Vec<String> = words(&tool.spec.name).iter().map(|w| singular(w)).collect();
    if let [from, to] = name.split(|w| w == "to").collect::<Vec<_>>()[..] {
        let [param] = &tool.params[..] else { return None };
        let (from, to) = (from.last()?, to.first()?);
        if !param.is_number() || !known_unit(from) || !known_unit(to) {
            return None;
        }
        let value = format!("convert({}, {}, {})", param.expr(), expr::text(from), expr::text(to));
        return Some(answer(tool, Vec::new(), value));
    }
    let converts = tool.action.verb == Verb::Compute && tool.action.word == "convert"
        || name.iter().any(|w| w == "conversion" || w == "convert");
    let unit = |role: &[&str]| {
        tool.params.iter().find(|p| {
            p.stems.iter().any(|w| w == "unit") && p.stems.iter().any(|w| role.contains(&w.as_str()))
        })
    };
    let (from, to) = (unit(&["from", "in", "source", "input"])?, unit(&["to", "out", "target", "output"])?);
    let number = tool.params.iter().find(|p| p.is_number())?;
    let value = format!("convert({}, {}, {})", number.expr(), from.expr(), to.expr());
    converts.then(|| answer(tool, Vec::new(), value))
}

/// Units that are words of their own; a unit that another library does not know fails the call.
fn known_unit(word: &str) -> bool {
    const UNITS: &[&str] = &[
        "gallon",
        "liter",
        "litre",
        "celsius",
        "fahrenheit",
        "kelvin",
        "mile",
        "kilometer",
        "km",
        "meter",
        "metre",
        "foot",
        "feet",
        "inch",
        "yard",
        "pound",
        "lb",
        "kilogram",
        "kg",
        "gram",
        "ounce",
        "centimeter",
        "cm",
        "hour",
        "minute",
        "second",
        "day",
        "week",
    ];
    UNITS.contains(&word)
}

fn named(tool: &Tool<'_>) -> Option<Behavior> {
    let name: Vec<String> = words(&tool.spec.name).iter().map(|w| singular(w)).collect();
    // A tool about things rather than numbers is not maths, whatever it is called.
    let numbers: Vec<&Param> = tool.params.iter().filter(|p| p.is_number()).collect();
    let lists: Vec<&Param> = tool.params.iter().filter(|p| p.is_list() && of_numbers(p)).collect();
    if numbers.len() + lists.len() != tool.params.len() || name.len() > 5 || tool.params.is_empty() {
        return None;
    }
    let returns_number = match &tool.returns {
        Returns::Object(fields) => {
            fields.len() <= 2
                && fields
                    .iter()
                    .any(|f| matches!(f.kind.as_str(), "number" | "integer" | "boolean" | "array"))
        }
        Returns::Single(field) => field.kind != "string",
        Returns::List(_) | Returns::Unknown => true,
    };
    let find = |table: &[(&[&str], &'static str)]| {
        table.iter().find(|(names, _)| name.iter().any(|w| names.contains(&w.as_str()))).map(|(_, f)| *f)
    };
    if !returns_number {
        return None;
    }
    if let ([list], []) = (&lists[..], &numbers[..]) {
        let function = find(OF_LIST)?;
        let value = list.expr();
        let what = name.join(" ");
        let check = require(
            format!("size({value}) > 0"),
            ErrorKind::InvalidArgument,
            format!("Cannot compute the {what} of an empty list"),
        );
        return Some(answer(tool, vec![check], format!("{function}({value})")));
    }
    if !lists.is_empty() {
        return None;
    }
    let extra = |p: &&&Param| {
        p.stems.iter().any(|w| matches!(w.as_str(), "precision" | "decimal" | "digit" | "place"))
    };
    let digits = numbers.iter().find(extra).copied();
    let main: Vec<&Param> = numbers.iter().filter(|p| !extra(p)).copied().collect();
    let value = match main[..] {
        [x] if name.iter().any(|w| w == "round") => match digits {
            Some(digits) => {
                return Some(answer(
                    tool,
                    Vec::new(),
                    format!("round({}, default({}, 0))", x.expr(), digits.expr()),
                ));
            }
            None => format!("round({})", x.expr()),
        },
        [x] => format!("{}({})", find(OF_ONE)?, x.expr()),
        [a, b] => {
            let form = find(OF_TWO)?;
            let form = form.replace("{a}", &a.expr()).replace("{b}", &b.expr());
            let divides = form.contains(" / ");
            let mut steps = Vec::new();
            if divides {
                steps.push(require(
                    format!("{} != 0", b.expr()),
                    ErrorKind::InvalidArgument,
                    "Cannot divide by zero",
                ));
            }
            return Some(answer(tool, steps, form));
        }
        _ => return None,
    };
    Some(answer(tool, Vec::new(), value))
}

fn of_numbers(param: &Param) -> bool {
    let items = param.schema.get("items").and_then(|items| items.get("type")).and_then(|t| t.as_str());
    matches!(items, Some("number" | "integer") | None)
}

fn answer(tool: &Tool<'_>, mut steps: Vec<Step>, value: String) -> Behavior {
    steps.push(bind("result", value));
    let template = match &tool.returns {
        Returns::Object(fields) => {
            result_in(fields, "result").unwrap_or_else(|| json!({ "result": "result" }))
        }
        Returns::Unknown => json!({ "result": "result" }),
        _ => json!("result"),
    };
    steps.push(reply(template));
    behavior(steps)
}

/// The declared object with the result in its first number.
fn result_in(fields: &[super::tool::Field], value: &str) -> Option<serde_json::Value> {
    let main = fields
        .iter()
        .find(|f| matches!(f.kind.as_str(), "number" | "integer" | "array" | "boolean" | ""))
        .or(fields.first())?;
    let value = match main.kind.as_str() {
        "integer" => format!("int({value})"),
        "string" => format!("string({value})"),
        _ => value.to_owned(),
    };
    let mut out = serde_json::Map::new();
    for field in fields {
        out.insert(field.name.clone(), if field.name == main.name { json!(value) } else { json!("fill") });
    }
    Some(serde_json::Value::Object(out))
}
