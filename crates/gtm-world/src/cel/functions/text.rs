//! Functions on text. Positions and lengths count characters, as CEL has it.

use super::{Args, Section, rows};
use crate::Value;
use crate::cel::{Eval, json, ops};
use std::collections::BTreeMap;

pub(super) const SECTION: Section = Section {
    title: "Text",
    intro: "Positions and lengths count characters; a negative position counts from the end.",
    null_passes: true,
    rows: rows! {
        "startsWith(text, start) -> bool", "Whether the text starts so.", "'BK-1'.startsWith('BK')" => "true", starts_with;
        "endsWith(text, end) -> bool", "Whether the text ends so.", "'a.txt'.endsWith('.txt')" => "true", ends_with;
        "lower(text) -> text" ["lowerAscii"], "In lower case.", "'ÄB'.lower()" => r#""äb""#, |args| {
            let text = args.text(0)?.to_lowercase();
            args.make_text(text)
        };
        "upper(text) -> text" ["upperAscii"], "In upper case.", "upper('ab')" => r#""AB""#, |args| {
            let text = args.text(0)?.to_uppercase();
            args.make_text(text)
        };
        "title(text) -> text" ["capitalizeWords"], "Each word with a capital first letter.", "title('new york')" => r#""New York""#, title;
        "capitalize(text) -> text", "With a capital first letter.", "capitalize('paid in full')" => r#""Paid in full""#, capitalize;
        "trim(text) -> text", "Without white space at both ends.", "'  a b '.trim()" => r#""a b""#, |args| {
            let text = args.text(0)?.trim();
            args.make_text(text)
        };
        "split(text, separator?, limit?) -> list", "The parts between separators, at most `limit`; without a separator, the words.",
            "'a,b,c'.split(',')" => r#"["a","b","c"]"#, split;
        "lines(text) -> list", "The lines.", r"lines('a\nb')" => r#"["a","b"]"#, lines;
        "words(text) -> list", "The words: runs of letters and digits.", "words('Hello, big world!')" => r#"["Hello","big","world"]"#, words;
        "replace(text, part, replacement, limit?) -> text", "Every occurrence replaced, or the first `limit`.",
            "'a-b-c'.replace('-', '+')" => r#""a+b+c""#, replace;
        "substring(text, start, end?) -> text", "From `start` up to but without `end`; what lies outside the text is left out.",
            "'tacocat'.substring(0, 4)" => r#""taco""#, substring;
        "charAt(text, index) -> text", "The character there; empty outside the text.", "'abc'.charAt(-1)" => r#""c""#, char_at;
        "repeat(text, count) -> text", "The text so many times.", "'ab'.repeat(3)" => r#""ababab""#, repeat;
        "padLeft(text, width, fill?) -> text", "Filled up on the left, by default with blanks. A number is taken as text.",
            "padLeft(string(7), 3, '0')" => r#""007""#, |args| pad(args, true);
        "padRight(text, width, fill?) -> text", "Filled up on the right.", "padRight('ab', 4, '.')" => r#""ab..""#, |args| pad(args, false);
        "format(template, values...) -> text", "CEL's format: `%s` any value, `%d` an integer, `%f` or `%.2f` a decimal, `%e`, `%x`, `%b`, `%o`; `%%` is a percent sign. The values may also be one list.",
            "'%s costs %.2f'.format(['tea', 3.5])" => r#""tea costs 3.50""#, format;
        "similarity(a, b) -> number", "How alike two texts are, 0 to 1, by the groups of three letters they share; case and punctuation do not count. For look-ups by a name half remembered.",
            "similarity('New York', 'new-york')" => "1.0", similarity;
        "editDistance(a, b) -> int" ["levenshtein"], "Least number of characters to insert, delete or replace. Texts up to 1000 characters.",
            "editDistance('kitten', 'sitting')" => "3", edit_distance;
        "slug(text) -> text", "Lower case, letters and digits only, words joined by `-`.", "slug('Hello, World!')" => r#""hello-world""#, slug;
        "isDigits(text) -> bool", "Whether it is one or more of the digits 0 to 9.", "isDigits('0042')" => "true", |args| {
            all(args, |c| c.is_ascii_digit())
        };
        "isAlpha(text) -> bool", "Whether it is one or more letters.", "isAlpha('abc1')" => "false", |args| all(args, char::is_alphabetic);
        "isAlnum(text) -> bool", "Whether it is one or more letters and digits.", "isAlnum('abc1')" => "true", |args| all(args, char::is_alphanumeric);
        "isNumeric(text) -> bool", "Whether it reads as a number.", "isNumeric('-12.5e3')" => "true", |args| {
            Ok(super::number::read(args.text(0)?).is_some().into())
        };
        "isEmail(text) -> bool", "Whether it has the shape of an e-mail address.", "isEmail('ann@example.org')" => "true", is_email;
        "quote(text) -> text" ["strings.quote"], "As a JSON text, with quotes and escapes.", r#"quote('say "hi"')"# => r#""\"say \\\"hi\\\"\"""#, |args| {
            let mut out = String::new();
            args.text(0)?;
            json::write(args.get(0), &mut out, args.budget)?;
            Ok(out.into())
        };
        "truncate(text, length, ending?) -> text", "Cut to so many characters, the ending included.", "truncate('A long story', 9, '...')" => r#""A long...""#, truncate;
    },
};

fn starts_with(args: &mut Args<'_>) -> Eval<Value> {
    Ok(args.text(0)?.starts_with(args.text(1)?).into())
}

fn ends_with(args: &mut Args<'_>) -> Eval<Value> {
    Ok(args.text(0)?.ends_with(args.text(1)?).into())
}

fn all(args: &mut Args<'_>, is: fn(char) -> bool) -> Eval<Value> {
    let text = args.text(0)?;
    Ok((!text.is_empty() && text.chars().all(is)).into())
}

fn title(args: &mut Args<'_>) -> Eval<Value> {
    let text = args.text(0)?;
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphanumeric() || c == '\'';
    }
    args.make_text(out)
}

fn capitalize(args: &mut Args<'_>) -> Eval<Value> {
    let mut rest = args.text(0)?.chars();
    let mut out: String = rest.next().into_iter().flat_map(char::to_uppercase).collect();
    out.push_str(rest.as_str());
    args.make_text(out)
}

/// A list of texts, paid for before it is built.
fn texts<'t>(args: &mut Args<'_>, parts: impl Iterator<Item = &'t str>) -> Eval<Value> {
    let mut out = Vec::new();
    for part in parts {
        args.reserve(part.len())?;
        out.push(Value::from(part));
    }
    Ok(out.into_iter().collect())
}

fn split(args: &mut Args<'_>) -> Eval<Value> {
    let text = args.text(0)?;
    let limit = match usize::try_from(args.int_or(2, -1)?) {
        Ok(0) => return Ok(Value::from_iter([])),
        limit => limit.unwrap_or(usize::MAX),
    };
    match args.text_or(1, "")? {
        "" if args.given(1).is_none() => texts(args, text.split_whitespace()),
        "" => {
            let mut buffer = [0; 4];
            let mut out = Vec::new();
            for c in text.chars().take(limit) {
                args.reserve(c.len_utf8())?;
                out.push(Value::from(&*c.encode_utf8(&mut buffer)));
            }
            Ok(out.into_iter().collect())
        }
        separator => texts(args, text.splitn(limit, separator)),
    }
}

fn lines(args: &mut Args<'_>) -> Eval<Value> {
    let text = args.text(0)?;
    texts(args, text.lines())
}

fn words(args: &mut Args<'_>) -> Eval<Value> {
    let text = args.text(0)?;
    texts(args, text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()))
}

fn replace(args: &mut Args<'_>) -> Eval<Value> {
    let (text, part, with) = (args.text(0)?, args.text(1)?, args.text(2)?);
    let limit = usize::try_from(args.int_or(3, -1)?).unwrap_or(usize::MAX);
    let count = text.matches(part).take(limit).count();
    args.reserve(text.len().saturating_add(count.saturating_mul(with.len())))?;
    Ok(Value::from(text.replacen(part, with, limit)))
}

/// The byte range of the characters `start..end`.
fn bytes_of(text: &str, start: usize, end: usize) -> std::ops::Range<usize> {
    let mut places = text.char_indices().map(|(at, _)| at).chain(std::iter::once(text.len()));
    let first = places.by_ref().nth(start).unwrap_or(text.len());
    let last = match end.saturating_sub(start) {
        0 => first,
        count => places.nth(count - 1).unwrap_or(text.len()),
    };
    first..last
}

/// A position that may count from the end, within 0 and `length`.
pub(super) fn clip(at: i64, length: usize) -> usize {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let at = if at < 0 { at.saturating_add(length) } else { at };
    usize::try_from(at.clamp(0, length)).unwrap_or(0)
}

fn substring(args: &mut Args<'_>) -> Eval<Value> {
    let text = args.text(0)?;
    let length = text.chars().count();
    let start = clip(args.int(1)?, length);
    let end = clip(args.int_or(2, i64::MAX)?, length);
    args.make_text(&text[bytes_of(text, start, end)])
}

fn char_at(args: &mut Args<'_>) -> Eval<Value> {
    let text = args.text(0)?;
    let length = text.chars().count();
    match crate::cel::eval::position(args.int(1)?, length) {
        Some(at) => args.make_text(&text[bytes_of(text, at, at + 1)]),
        None => Ok(Value::from("")),
    }
}

fn repeat(args: &mut Args<'_>) -> Eval<Value> {
    let text = args.text(0)?;
    let count = usize::try_from(args.int(1)?.max(0)).unwrap_or(usize::MAX);
    args.reserve(text.len().saturating_mul(count))?;
    Ok(Value::from(if text.is_empty() { String::new() } else { text.repeat(count) }))
}

fn pad(args: &mut Args<'_>, left: bool) -> Eval<Value> {
    let given = args.get(0);
    let text = if given.as_f64().is_some() { args.plain(given)? } else { args.text(0)?.into() };
    let width = usize::try_from(args.int(1)?.max(0)).unwrap_or(usize::MAX);
    let fill = args.text_or(2, " ")?;
    let missing = width.saturating_sub(text.chars().count());
    args.reserve(missing.saturating_mul(4).saturating_add(text.len()))?;
    let filling: String =
        if fill.is_empty() { String::new() } else { fill.chars().cycle().take(missing).collect() };
    Ok(Value::from(if left { filling + &text } else { text.to_string() + &filling }))
}

fn truncate(args: &mut Args<'_>) -> Eval<Value> {
    let text = args.text(0)?;
    let length = usize::try_from(args.int(1)?.max(0)).unwrap_or(usize::MAX);
    if text.chars().count() <= length {
        return Ok(args.get(0).clone());
    }
    let ending = args.text_or(2, "")?;
    let kept = length.saturating_sub(ending.chars().count());
    let kept = text[bytes_of(text, 0, kept)].to_owned();
    args.make_text(kept + ending)
}

/// Most decimals a format may ask for.
const MAX_DECIMALS: usize = 30;

fn format(args: &mut Args<'_>) -> Eval<Value> {
    // `format(1234.5, 2)` formats a number; see the section on numbers.
    let template = args.text(0)?;
    let values: Vec<&Value> = match (args.len(), args.get(1)) {
        (2, Value::List(_)) => args.items(1)?,
        (count, _) => (1..count).map(|at| args.get(at)).collect(),
    };
    let mut values = values.into_iter();
    let mut out = String::new();
    let mut rest = template;
    while let Some(percent) = rest.find('%') {
        out.push_str(&rest[..percent]);
        rest = &rest[percent + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let mut decimals = 6;
        if let Some(after) = rest.strip_prefix('.') {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            decimals = after[..digits].parse::<usize>().unwrap_or(MAX_DECIMALS).min(MAX_DECIMALS);
            rest = &after[digits..];
        }
        let Some(verb) = rest.chars().next() else { return Err(args.fail("the template ends after `%`")) };
        rest = &rest[verb.len_utf8()..];
        let Some(value) = values.next() else {
            return Err(args.fail("fewer values than `%` in the template"));
        };
        args.reserve(400)?;
        match (verb, value.as_i64(), value.as_f64()) {
            ('s', ..) => json::write_plain(value, &mut out, args.budget)?,
            ('d', Some(i), _) => out.push_str(&i.to_string()),
            ('x', Some(i), _) => out.push_str(&format!("{i:x}")),
            ('X', Some(i), _) => out.push_str(&format!("{i:X}")),
            ('o', Some(i), _) => out.push_str(&format!("{i:o}")),
            ('b', Some(i), _) => out.push_str(&format!("{i:b}")),
            ('f', _, Some(x)) => out.push_str(&format!("{x:.decimals$}")),
            ('e', _, Some(x)) => out.push_str(&format!("{x:.decimals$e}")),
            ('d' | 'x' | 'X' | 'o' | 'b' | 'f' | 'e', ..) => {
                return Err(args.fail(format!("%{verb} cannot show {}", ops::kind(value))));
            }
            _ => {
                return Err(args.fail(format!("unknown directive %{verb}; use %s, %d, %f, %e, %x, %o or %b")));
            }
        }
    }
    out.push_str(rest);
    args.make_text(out)
}

/// Longest text that `similarity` and `editDistance` look at, in characters.
const MAX_COMPARED: usize = 1_000;

fn similarity(args: &mut Args<'_>) -> Eval<Value> {
    let (a, b) = (args.text(0)?, args.text_or(1, "")?);
    args.pay(a.len().min(4 * MAX_COMPARED) + b.len().min(4 * MAX_COMPARED))?;
    let (a, b) = (trigrams(a), trigrams(b));
    let total: usize = a.values().sum::<usize>() + b.values().sum::<usize>();
    if total == 0 {
        return Ok(Value::Float(0.0));
    }
    let shared: usize = a.iter().map(|(gram, count)| (*count).min(b.get(gram).copied().unwrap_or(0))).sum();
    Ok(Value::Float((2 * shared) as f64 / total as f64))
}

/// How often each group of three letters occurs, words padded so that their ends count.
fn trigrams(text: &str) -> BTreeMap<[char; 3], usize> {
    let folded: Vec<char> = text.chars().take(MAX_COMPARED).flat_map(char::to_lowercase).collect();
    let mut grams = BTreeMap::new();
    for word in folded.split(|c| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let padded: Vec<char> = [' ', ' '].into_iter().chain(word.iter().copied()).chain([' ']).collect();
        for gram in padded.windows(3) {
            if let Ok(gram) = <[char; 3]>::try_from(gram) {
                *grams.entry(gram).or_default() += 1;
            }
        }
    }
    grams
}

fn edit_distance(args: &mut Args<'_>) -> Eval<Value> {
    let (a, b) = (args.text(0)?, args.text(1)?);
    let (long, other) = (a.chars().count(), b.chars().count());
    if long.max(other) > MAX_COMPARED {
        return Err(args.fail(format!("a text has more than {MAX_COMPARED} characters")));
    }
    args.pay(long * other / 8)?;
    Ok(Value::Int(i64::try_from(edits(a, b)).unwrap_or(i64::MAX)))
}

/// Levenshtein distance; takes time in the product of both lengths.
pub(super) fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

fn slug(args: &mut Args<'_>) -> Eval<Value> {
    let text = args.text(0)?;
    let mut out = String::with_capacity(text.len());
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push('-');
        }
        out.extend(word.chars().flat_map(char::to_lowercase));
    }
    args.make_text(out)
}

fn is_email(args: &mut Args<'_>) -> Eval<Value> {
    let text = args.text(0)?;
    let plain = |part: &str, extra: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || extra.contains(c))
    };
    let shaped = text.len() <= 254
        && text.split_once('@').is_some_and(|(user, host)| {
            plain(user, ".!#$%&'*+/=?^_`{|}~-")
                && host.contains('.')
                && host
                    .split('.')
                    .all(|label| plain(label, "-") && !label.starts_with('-') && !label.ends_with('-'))
        });
    Ok(shaped.into())
}
