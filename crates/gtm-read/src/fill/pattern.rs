//! Text for a regular expression, and matching of text against one, both bounded.
//!
//! JSON Schema's patterns are ECMA-262; they are rewritten into the dialect of `regex-syntax`
//! where the two differ. Look-around is dropped: it narrows, and text is generated without it.

use super::noise::Noise;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// Longest pattern looked at, in bytes.
const MAX_PATTERN: usize = 1_000;
/// Longest text generated or matched, in characters.
const MAX_TEXT: usize = 2_000;
/// Steps that matching may take.
const MATCH_FUEL: u32 = 20_000;
/// How often a repetition repeats beyond its least count: the first reach that gives a text of
/// the right length is taken.
const REACHES: &[usize] = &[6, 2, 0, 12, 30, 100, 400];

/// Text that matches the pattern with a length within the bounds; `None` if there is none to be
/// found or the pattern is beyond us.
pub(super) fn generate(pattern: &str, min: usize, max: Option<usize>, noise: Noise) -> Option<String> {
    let hir = parse(pattern)?;
    let fitted = [min, min.saturating_mul(3) / 2];
    let reaches = REACHES.iter().chain(fitted.iter().filter(|r| **r > 2 && **r <= MAX_TEXT));
    let varied = reaches.flat_map(|&reach| (0..4).map(move |turn| (reach, false, noise.item(turn))));
    // Lengths that chance did not meet are met by counting.
    let counted = (0..=max.unwrap_or(min.max(16)).min(300)).map(|reach| (reach, true, noise));
    varied.chain(counted).find_map(|(reach, exact, noise)| {
        let mut text = String::new();
        let mut writer = Writer { reach, exact, left: MAX_TEXT, out: &mut text };
        let whole = writer.write(&hir, noise, 0);
        let length = text.chars().count();
        (whole && length >= min && max.is_none_or(|m| length <= m)).then_some(text)
    })
}

/// Whether the text matches; `None` if the pattern is beyond us.
pub(super) fn matches(pattern: &str, text: &str) -> Option<bool> {
    let hir = parse(pattern)?;
    let text: Vec<char> = text.chars().take(MAX_TEXT + 1).collect();
    if text.len() > MAX_TEXT {
        return None;
    }
    let mut fuel = MATCH_FUEL;
    let found = (0..=text.len()).any(|start| at(&hir, &text, start, &mut fuel, 0, &mut |_, _| true));
    (found || fuel > 0).then_some(found)
}

fn parse(pattern: &str) -> Option<Hir> {
    if pattern.len() > MAX_PATTERN {
        return None;
    }
    ParserBuilder::new().nest_limit(40).build().parse(&translate(pattern)).ok()
}

/// ECMA-262 as `regex-syntax` writes it.
fn translate(pattern: &str) -> String {
    let chars: Vec<char> = pattern.chars().collect();
    let peek = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut in_class = false;
    let mut i = 0;
    while let Some(&c) = chars.get(i) {
        match c {
            '\\' => {
                let (text, used) = escape(peek(i + 1), in_class);
                match text {
                    Some(text) => out.push_str(text),
                    None => out.extend(['\\', peek(i + 1)]),
                }
                i += used;
                // `[\w-.]`: a hyphen after a class is itself.
                if in_class && text.is_some() && peek(i + 1) == '-' {
                    out.push_str("\\-");
                    i += 1;
                }
            }
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                if peek(i + 1) == '^' {
                    out.push('^');
                    i += 1;
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '[' | '&' | '~' if in_class => out.extend(['\\', c]),
            '{' if !in_class && !is_quantifier(&chars[i..]) => out.push_str("\\{"),
            '(' if !in_class && is_look_around(&chars[i..]) => i = group_end(&chars, i),
            _ => out.push(c),
        }
        i += 1;
    }
    out
}

/// What an escape becomes, if not itself, and how many further characters it used.
fn escape(c: char, in_class: bool) -> (Option<&'static str>, usize) {
    let text = match (c, in_class) {
        ('d', false) => "[0-9]",
        ('d', true) => "0-9",
        ('w', false) => "[A-Za-z0-9_]",
        ('w', true) => "A-Za-z0-9_",
        ('s', false) => "[ \\t\\n]",
        ('s', true) => " \\t\\n",
        ('Z' | 'z' | 'A' | 'G', false) => "",
        ('/', _) => "/",
        _ => return (None, 1),
    };
    (Some(text), 1)
}

fn is_quantifier(rest: &[char]) -> bool {
    let body: String = rest.iter().skip(1).take(16).take_while(|c| **c != '}').collect();
    body.starts_with(|c: char| c.is_ascii_digit())
        && body.chars().all(|c| c.is_ascii_digit() || c == ',')
        && rest.get(1 + body.len()) == Some(&'}')
}

fn is_look_around(rest: &[char]) -> bool {
    matches!(rest, ['(', '?', '=' | '!', ..] | ['(', '?', '<', '=' | '!', ..])
}

/// Index of the parenthesis that closes the group opened at `open`.
fn group_end(chars: &[char], open: usize) -> usize {
    let (mut depth, mut in_class, mut i) = (0usize, false, open);
    while let Some(&c) = chars.get(i) {
        match c {
            '\\' => i += 1,
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => depth += 1,
            ')' if !in_class => {
                depth -= 1;
                if depth == 0 {
                    return i;
                }
            }
            _ => {}
        }
        i += 1;
    }
    chars.len()
}

/// Text being written for an expression.
struct Writer<'o> {
    /// How often a repetition repeats beyond its least count.
    reach: usize,
    /// Exactly so often, rather than up to.
    exact: bool,
    left: usize,
    out: &'o mut String,
}

impl Writer<'_> {
    /// Appends text for the expression; false if it ran out of room or cannot match.
    fn write(&mut self, hir: &Hir, noise: Noise, depth: u32) -> bool {
        if depth > 60 {
            return false;
        }
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => true,
            HirKind::Literal(literal) => {
                let Ok(text) = std::str::from_utf8(&literal.0) else { return false };
                self.out.push_str(text);
                self.spend(text.len())
            }
            HirKind::Class(class) => {
                let Some(c) = draw(class, noise) else { return false };
                self.out.push(c);
                self.spend(1)
            }
            HirKind::Capture(capture) => self.write(&capture.sub, noise, depth + 1),
            HirKind::Concat(parts) => {
                parts.iter().enumerate().all(|(i, part)| self.write(part, noise.item(i), depth + 1))
            }
            HirKind::Alternation(branches) => {
                let mut drawn = noise;
                let chosen = drawn.below(branches.len());
                branches.get(chosen).is_some_and(|b| self.write(b, noise.item(chosen), depth + 1))
            }
            HirKind::Repetition(repetition) => {
                let min = repetition.min as usize;
                let room = repetition
                    .max
                    .map_or(self.reach, |max| (max as usize).saturating_sub(min).min(self.reach));
                let mut drawn = noise;
                // An optional part stands as often as not; a run of characters tends to be longer.
                let extra = match room {
                    room if self.exact => room,
                    0 | 1 => drawn.below(room + 1),
                    room => room - drawn.below(room / 2 + 1),
                };
                (0..min.saturating_add(extra))
                    .all(|i| self.left > 0 && self.write(&repetition.sub, noise.item(i), depth + 1))
            }
        }
    }

    fn spend(&mut self, n: usize) -> bool {
        let enough = self.left >= n;
        self.left = self.left.saturating_sub(n);
        enough
    }
}

/// A character of the class: lower-case letters and digits where it has them.
fn draw(class: &Class, mut noise: Noise) -> Option<char> {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => class.iter().map(|r| (u32::from(r.start()), u32::from(r.end()))).collect(),
        Class::Bytes(class) => {
            class.iter().map(|r| (u32::from(r.start()), u32::from(r.end()).min(127))).collect()
        }
    };
    const TASTES: [(u32, u32); 5] = [(97, 122), (48, 57), (65, 90), (33, 126), (0, 0x0010_ffff)];
    // Letters and digits together, if the class has both: ids look like ids then.
    let within = |(low, high): (u32, u32)| -> Vec<(u32, u32)> {
        ranges.iter().map(|(a, b)| (*a.max(&low), *b.min(&high))).filter(|(a, b)| a <= b).collect()
    };
    let mut tastes: Vec<Vec<(u32, u32)>> =
        TASTES.iter().map(|t| within(*t)).filter(|r| !r.is_empty()).collect();
    if tastes.len() > 1 && noise.chance(35) && within(TASTES[1]).len() + within(TASTES[0]).len() > 1 {
        tastes.swap(0, 1);
    }
    let chosen = tastes.first()?;
    let (low, high) = *noise.pick(chosen)?;
    let drawn = noise.between(i64::from(low), i64::from(high));
    u32::try_from(drawn).ok().and_then(char::from_u32).or_else(|| char::from_u32(low))
}

type Continue<'a> = &'a mut dyn FnMut(usize, &mut u32) -> bool;

/// Whether the expression matches at `pos` so that `then` holds where it ends.
fn at(hir: &Hir, text: &[char], pos: usize, fuel: &mut u32, depth: u32, then: Continue<'_>) -> bool {
    if *fuel == 0 || depth > 300 {
        *fuel = 0;
        return false;
    }
    *fuel -= 1;
    match hir.kind() {
        HirKind::Empty => then(pos, fuel),
        HirKind::Literal(literal) => {
            let Ok(literal) = std::str::from_utf8(&literal.0) else { return false };
            let end = pos + literal.chars().count();
            text.get(pos..end).is_some_and(|t| t.iter().copied().eq(literal.chars())) && then(end, fuel)
        }
        HirKind::Class(class) => text.get(pos).is_some_and(|c| holds(class, *c)) && then(pos + 1, fuel),
        HirKind::Look(look) => look_holds(*look, text, pos) && then(pos, fuel),
        HirKind::Capture(capture) => at(&capture.sub, text, pos, fuel, depth + 1, then),
        HirKind::Concat(parts) => sequence(parts, text, pos, fuel, depth, then),
        HirKind::Alternation(branches) => {
            branches.iter().any(|branch| at(branch, text, pos, fuel, depth + 1, then))
        }
        HirKind::Repetition(repetition) => {
            let max = repetition.max.unwrap_or(u32::MAX);
            if let HirKind::Class(class) = repetition.sub.kind() {
                // By far the commonest repetition, without recursion for each character.
                let run = text.iter().skip(pos).take(max as usize).take_while(|c| holds(class, **c)).count();
                let min = repetition.min as usize;
                return run >= min && (min..=run).rev().any(|n| *fuel > 0 && then(pos + n, fuel));
            }
            repeat(&repetition.sub, repetition.min, max, text, pos, fuel, depth + 1, then)
        }
    }
}

fn sequence(
    parts: &[Hir],
    text: &[char],
    pos: usize,
    fuel: &mut u32,
    depth: u32,
    then: Continue<'_>,
) -> bool {
    match parts {
        [] => then(pos, fuel),
        [first, rest @ ..] => at(first, text, pos, fuel, depth + 1, &mut |end, fuel| {
            sequence(rest, text, end, fuel, depth + 1, then)
        }),
    }
}

#[expect(clippy::too_many_arguments, reason = "a matcher's state, spelled out once")]
fn repeat(
    sub: &Hir,
    min: u32,
    max: u32,
    text: &[char],
    pos: usize,
    fuel: &mut u32,
    depth: u32,
    then: Continue<'_>,
) -> bool {
    let more = max > 0
        && at(sub, text, pos, fuel, depth + 1, &mut |end, fuel| {
            // A turn that consumed nothing would repeat for ever.
            (end > pos || min > 0)
                && repeat(sub, min.saturating_sub(1), max - 1, text, end, fuel, depth + 2, then)
        });
    more || (min == 0 && then(pos, fuel))
}

fn holds(class: &Class, c: char) -> bool {
    match class {
        Class::Unicode(class) => class.iter().any(|r| r.start() <= c && c <= r.end()),
        Class::Bytes(class) => class.iter().any(|r| char::from(r.start()) <= c && c <= char::from(r.end())),
    }
}

fn look_holds(look: Look, text: &[char], pos: usize) -> bool {
    let word =
        |i: Option<usize>| i.and_then(|i| text.get(i)).is_some_and(|c| c.is_alphanumeric() || *c == '_');
    let boundary = word(pos.checked_sub(1)) != word(Some(pos));
    match look {
        Look::Start | Look::StartLF | Look::StartCRLF => pos == 0,
        Look::End | Look::EndLF | Look::EndCRLF => pos == text.len(),
        Look::WordAscii | Look::WordUnicode => boundary,
        Look::WordAsciiNegate | Look::WordUnicodeNegate => !boundary,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_text_matches() {
        for pattern in [
            r"^[A-Z]{3}-\d{4}$",
            r"^(cus|sub)_[a-zA-Z0-9]{14}$",
            r"^\d{4}-\d{2}-\d{2}T[\d:]+Z$",
            r"^[\w.-]+@[\w-.]+\.com$",
            r"[\u0020-\uD7FF\uE000-\uFFFD]*",
            r"^#?([a-f0-9]{6}|[a-f0-9]{3})$",
            r"^(?!aws)[a-z0-9]+(-[a-z]+)*$",
            r"^[[\]&&~]+$",
            r"^{[a-z]+}$",
            r"^https:\/\/[a-z]+\.example\.com\/$",
            r"\bword\b",
            r"^(([a-z]+)*)*$",
        ] {
            for seed in 0..20 {
                let text = generate(pattern, 0, None, Noise::new(seed))
                    .unwrap_or_else(|| panic!("nothing for {pattern}"));
                assert_eq!(matches(pattern, &text), Some(true), "{pattern} gave {text:?}");
            }
        }
    }

    #[test]
    fn length_bounds_hold() {
        for seed in 0..50 {
            let text = generate("^[a-z0-9]+$", 25, Some(30), Noise::new(seed)).expect("within reach");
            assert!((25..=30).contains(&text.len()));
        }
        for seed in 0..50 {
            assert_eq!(generate("^[0-9]+$", 12, Some(12), Noise::new(seed)).map(|t| t.len()), Some(12));
        }
        assert_eq!(generate("^a{3}$", 5, None, Noise::new(1)), None);
    }

    #[test]
    fn mismatches_are_seen() {
        assert_eq!(matches("^a+$", "aab"), Some(false));
        assert_eq!(matches("b", "aab"), Some(true));
        assert_eq!(matches("(", "x"), None);
    }

    #[test]
    fn hostile_patterns_end() {
        assert_ne!(matches("^(a+)+$", &"a".repeat(200)), Some(false));
        let _ = matches("^(a|a)*(a|a)*(a|a)*b$", &"a".repeat(1000));
        let _ = generate("((((a{1000}){1000}){1000}){1000})", 0, None, Noise::new(1));
        let _ = generate(&"(".repeat(900), 0, None, Noise::new(1));
        let _ = generate(&"[a-z]{500}".repeat(80), 0, None, Noise::new(1));
    }
}
