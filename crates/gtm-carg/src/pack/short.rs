//! The one-line form of an attribute.
//!
//! ```text
//! LINE  = ["list" [N..M] "of"] KIND [RANGE] [UNIT] {FLAG} ["=" DEFAULT] [";" MEANING]
//! KIND  = int A..B | number A..B | money A..B | percent A..B | bool [P] | enum a|b*3|c
//!       | word LEXICON | text GRAMMAR | ref ENTITY | code PATTERN
//!       | date A..B | time A..B | person | email | city | ... (Semantic)
//! FLAG  = log | normal | unique | readonly | fixed | secret
//! ```
//!
//! Bounds of dates and times are offsets from the session's clock (`-90d..30d`, `-4h..0h`) or ISO dates.
//! A default is a word of the `enum`, or an expression.

use super::attribute::{Attribute, Kind, Range, Semantic, Spread};

const KINDS: &str = "int, number, money, percent, bool, enum, word, text, ref, code, date, time";
const FLAGS: &str = "log, normal, unique, readonly, fixed, secret";

pub(super) fn parse(line: &str) -> Result<Attribute, String> {
    let (line, doc) = line.split_once(';').map_or((line, ""), |(line, doc)| (line, doc.trim()));
    let (line, default) = match line.split_once(" = ") {
        Some((line, default)) => (line, Some(default.trim())),
        None => (line, None),
    };
    let mut words = line.split_whitespace().peekable();
    let mut attribute = Attribute { doc: doc.to_owned(), ..Attribute::default() };
    if words.next_if_eq(&"list").is_some() {
        let size = words.next_if(|word| word.contains("..")).map(list_size).transpose()?;
        attribute.list = Some(size.unwrap_or([1, 4]));
        words
            .next_if_eq(&"of")
            .ok_or("`list` is followed by `of` and a kind, as in `list 1..5 of word dish`")?;
    }
    let kind = words.next().ok_or("the attribute is empty")?;
    let mut parameter =
        |what: &str| words.next().ok_or_else(|| format!("`{kind}` needs {what}")).map(str::to_owned);
    attribute.kind = match kind {
        "int" => Kind::Int(whole(&parameter("a range, as in `int 1..20`")?)?),
        "number" => Kind::Number(numbers(&parameter("a range, as in `number 0.1..30`")?)?),
        "money" => Kind::Money(numbers(&parameter("a range, as in `money 1..900 EUR`")?)?),
        "percent" => {
            attribute.unit = Some("%".into());
            Kind::Number(numbers(&parameter("a range, as in `percent 0..100`")?)?)
        }
        "enum" => Kind::Enum(choices(&parameter("words, as in `enum open|closed`")?)?),
        "word" => Kind::Word(parameter("a lexicon, as in `word brand`")?),
        "text" => Kind::Text(parameter("a grammar, as in `text complaint`")?),
        "ref" => Kind::Ref(parameter("an entity, as in `ref customer`")?),
        "code" => Kind::Code(parameter("a pattern, as in `code SKU-####`")?),
        "date" => Kind::Date(moments(&parameter("a range, as in `date -90d..0d`")?, 86_400.0)?),
        "time" => Kind::Time(moments(&parameter("a range, as in `time -48h..0h`")?, 1.0)?),
        "bool" => {
            let chance = words.next_if(|word| word.starts_with(|c: char| c.is_ascii_digit()));
            Kind::Bool(match chance {
                Some(text) => text
                    .parse()
                    .ok()
                    .filter(|p| (0.0..=1.0).contains(p))
                    .ok_or_else(|| format!("`{text}` is no probability between 0 and 1"))?,
                None => 0.5,
            })
        }
        other => match Semantic::ALL.iter().find(|(_, word, _)| *word == other) {
            Some((semantic, ..)) => Kind::Common(*semantic),
            None => {
                let common: Vec<&str> = Semantic::ALL.iter().map(|(_, word, _)| *word).collect();
                return Err(format!(
                    "`{other}` is no kind of value; kinds are {KINDS}, {}",
                    common.join(", ")
                ));
            }
        },
    };
    for word in words {
        match word {
            "log" => attribute.spread = Spread::Log,
            "normal" => attribute.spread = Spread::Normal,
            "unique" => attribute.unique = true,
            "readonly" => attribute.readonly = true,
            "fixed" => attribute.fixed = true,
            "secret" => attribute.secret = true,
            unit if attribute.unit.is_none() && takes_unit(&attribute.kind) => {
                attribute.unit = Some(unit.into())
            }
            other => return Err(format!("`{other}` is neither a unit in its place nor a flag ({FLAGS})")),
        }
    }
    if let Some(default) = default {
        attribute.default = Some(match &attribute.kind {
            Kind::Enum(words) if words.iter().any(|(word, _)| word == default) => format!("'{default}'"),
            _ => default.to_owned(),
        });
    }
    Ok(attribute)
}

/// The line for an attribute that was not written as one. Lists, defaults, units and meanings are left
/// to the long form.
pub(super) fn write(attribute: &Attribute) -> String {
    let range = |r: &Range| format!("{}..{}", r.low, r.high);
    let moments = |r: &Range, unit: &str| format!("{}{unit}..{}{unit}", r.low, r.high);
    let mut line = match &attribute.kind {
        Kind::Int(r) => format!("int {}", range(r)),
        Kind::Number(r) => format!("number {}", range(r)),
        Kind::Money(r) => format!("money {}", range(r)),
        Kind::Bool(p) => format!("bool {p}"),
        Kind::Word(name) => format!("word {name}"),
        Kind::Text(name) => format!("text {name}"),
        Kind::Ref(name) => format!("ref {name}"),
        Kind::Code(pattern) => format!("code {pattern}"),
        Kind::Date(r) => format!("date {}", moments(r, "d")),
        Kind::Time(r) => format!("time {}", moments(r, "s")),
        Kind::Common(semantic) => Semantic::ALL
            .iter()
            .find(|(s, ..)| s == semantic)
            .map(|(_, word, _)| (*word).to_owned())
            .unwrap_or_default(),
        Kind::Enum(_) | Kind::Fields(_) | Kind::Computed => String::new(),
    };
    let flags = [
        (attribute.spread == Spread::Log, " log"),
        (attribute.spread == Spread::Normal, " normal"),
        (attribute.unique, " unique"),
        (attribute.readonly, " readonly"),
        (attribute.fixed, " fixed"),
        (attribute.secret, " secret"),
    ];
    for (_, flag) in flags.iter().filter(|(set, _)| *set) {
        line.push_str(flag);
    }
    line
}

fn takes_unit(kind: &Kind) -> bool {
    matches!(kind, Kind::Int(_) | Kind::Number(_) | Kind::Money(_))
}

fn bounds(text: &str) -> Result<(&str, &str), String> {
    text.split_once("..").ok_or_else(|| format!("`{text}` is no range, as in `1..20`"))
}

fn numbers(text: &str) -> Result<Range, String> {
    let (low, high) = bounds(text)?;
    let number = |bound: &str| {
        bound
            .parse::<f64>()
            .ok()
            .filter(|x| x.is_finite())
            .ok_or_else(|| format!("`{bound}` is no number (in the range `{text}`)"))
    };
    let decimals = |bound: &str| match bound.contains(['e', 'E']) {
        true => None,
        false => Some(bound.split_once('.').map_or(0, |(_, digits)| digits.len().min(12) as u8)),
    };
    let range = Range {
        low: number(low)?,
        high: number(high)?,
        decimals: decimals(low).zip(decimals(high)).map(|(a, b)| a.max(b)),
        absolute: false,
    };
    ordered(range, text)
}

fn whole(text: &str) -> Result<Range, String> {
    let range = numbers(text)?;
    let is_whole = |x: f64| x.fract() == 0.0 && x.abs() < 9e15;
    match is_whole(range.low) && is_whole(range.high) {
        true => Ok(range),
        false => Err(format!("`{text}` is no range of whole numbers")),
    }
}

fn list_size(text: &str) -> Result<[u32; 2], String> {
    let range = whole(text)?;
    match range.low >= 0.0 && range.high <= 100.0 {
        true => Ok([range.low as u32, range.high as u32]),
        false => Err(format!("`{text}` is no size of a list: between 0 and 100")),
    }
}

/// A range of dates or times. `unit` is how many seconds the result counts in.
fn moments(text: &str, unit: f64) -> Result<Range, String> {
    let (low, high) = bounds(text)?;
    let moment = |bound: &str| -> Result<(f64, bool), String> {
        if let Some(seconds) = iso_date(bound) {
            return Ok((seconds / unit, true));
        }
        let wrong = || format!("`{bound}` is neither an offset such as `-90d`, `36h`, `2w`, `1y` nor a date");
        let split = bound.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(bound.len());
        let count: f64 = bound[..split].parse().map_err(|_| wrong())?;
        let seconds = match &bound[split..] {
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3_600.0,
            "d" | "" => 86_400.0,
            "w" => 604_800.0,
            "mo" => 2_592_000.0,
            "y" => 31_536_000.0,
            _ => return Err(wrong()),
        };
        Ok((count * seconds / unit, false))
    };
    let ((low, fixed_low), (high, fixed_high)) = (moment(low)?, moment(high)?);
    if fixed_low != fixed_high {
        return Err(format!("`{text}` mixes an offset with a date"));
    }
    ordered(Range { low, high, decimals: Some(0), absolute: fixed_low }, text)
}

/// Seconds since 1970 of a date `2024-03-05`.
fn iso_date(text: &str) -> Option<f64> {
    let mut parts = text.splitn(3, '-');
    let year: i64 = parts.next().filter(|y| y.len() == 4)?.parse().ok()?;
    let month: i64 = parts.next()?.parse().ok().filter(|m| (1..=12).contains(m))?;
    let day: i64 = parts.next()?.parse().ok().filter(|d| (1..=31).contains(d))?;
    Some((crate::text::days_from_civil(year, month, day) * 86_400) as f64)
}

fn ordered(range: Range, text: &str) -> Result<Range, String> {
    match range.low <= range.high {
        true => Ok(range),
        false => Err(format!("the range `{text}` ends before it starts")),
    }
}

fn choices(text: &str) -> Result<Vec<(String, f64)>, String> {
    let mut words: Vec<(String, f64)> = Vec::new();
    for choice in text.split('|') {
        let (word, weight) = match choice.rsplit_once('*') {
            Some((word, weight)) => match weight.parse::<f64>() {
                Ok(weight) if weight > 0.0 && weight.is_finite() => (word, weight),
                _ => return Err(format!("`{weight}` is no weight (in `{choice}`)")),
            },
            None => (choice, 1.0),
        };
        if word.is_empty() || words.iter().any(|(seen, _)| seen == word) {
            return Err(format!("`{text}` has an empty or repeated word"));
        }
        words.push((word.to_owned(), weight));
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines() {
        let price = parse("money 1..900.00 EUR log = 20; list price").unwrap();
        assert_eq!(
            price.kind,
            Kind::Money(Range { low: 1.0, high: 900.0, decimals: Some(2), absolute: false })
        );
        assert_eq!((price.unit.as_deref(), price.spread), (Some("EUR"), Spread::Log));
        assert_eq!((price.default.as_deref(), price.doc.as_str()), (Some("20"), "list price"));
        let state = parse("enum open*3|closed readonly = open").unwrap();
        assert_eq!(state.kind, Kind::Enum(vec![("open".into(), 3.0), ("closed".into(), 1.0)]));
        assert!(state.readonly && state.default.as_deref() == Some("'open'"));
        let list = parse("list 1..5 of word dish").unwrap();
        assert_eq!((list.kind, list.list), (Kind::Word("dish".into()), Some([1, 5])));
        let due = parse("date -2w..1y").unwrap();
        assert!(matches!(due.kind, Kind::Date(r) if (r.low, r.high, r.absolute) == (-14.0, 365.0, false)));
        let born = parse("date 1970-01-02..2000-01-01").unwrap();
        assert!(matches!(born.kind, Kind::Date(r) if (r.low, r.high, r.absolute) == (1.0, 10_957.0, true)));
    }

    #[test]
    fn says_what_is_wrong() {
        for (line, part) in [
            ("integer 1..2", "no kind of value"),
            ("int 1.5..2", "whole numbers"),
            ("money 5..1 EUR", "ends before it starts"),
            ("enum a|a", "repeated"),
            ("ref", "needs an entity"),
            ("email 3", "neither a unit"),
            ("date x..2", "neither an offset"),
            ("list word dish", "followed by `of`"),
            ("", "empty"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(part), "{line}: {error}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for line in
            ["int 1..20 unique", "number 0.5..2 log", "bool 0.25", "ref customer fixed", "email secret"]
        {
            let attribute = parse(line).unwrap();
            assert_eq!(parse(&write(&attribute)).unwrap().kind, attribute.kind);
        }
    }
}
