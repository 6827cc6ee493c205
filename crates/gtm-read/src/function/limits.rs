//! What parameters' descriptions say about their values: lists of values, ranges, formats of dates.

use super::build::{require, require_when};
use super::expr;
use super::tokens::{phrase, sentence};
use super::tool::{Param, Tool};
use gtm_world::ErrorKind;
use gtm_world::behavior::Step;

/// Checks in the order of the parameters.
pub(super) fn checks(tool: &Tool<'_>) -> Vec<Step> {
    tool.params.iter().flat_map(|param| [options(param), range(param), date(param)]).flatten().collect()
}

fn step(param: &Param, test: String, message: String) -> Step {
    if param.required {
        require(test, ErrorKind::InvalidArgument, message)
    } else {
        require_when(format!("{} != null", param.expr()), test, ErrorKind::InvalidArgument, message)
    }
}

/// Values that only the description says are the only ones. They are compared without regard to case.
fn options(param: &Param) -> Option<Step> {
    if param.checked || param.options.is_empty() || !is_text(param) {
        return None;
    }
    let value = param.expr();
    let listed = expr::texts(param.options.iter().map(String::as_str));
    let lower: Vec<String> = param.options.iter().map(|option| option.to_lowercase()).collect();
    let lower = expr::texts(lower.iter().map(String::as_str));
    let test = format!("{value} in {listed} || lower(string({value})) in {lower}");
    let all = expr::message(&param.options.join(", "));
    let message = format!("Invalid {} '{{{value}}}'. Must be one of: {all}", phrase(&param.stems));
    Some(step(param, test, message))
}

fn range(param: &Param) -> Option<Step> {
    if !param.is_number() || param.schema.get("minimum").is_some() || param.schema.get("maximum").is_some() {
        return None;
    }
    let (low, high) = between(&param.text)?;
    let value = param.expr();
    let message = format!("{} must be between {low} and {high}", sentence(&phrase(&param.stems)));
    Some(step(param, format!("{value} >= {low} && {value} <= {high}"), message))
}

/// "between 0 (not pressed) and 1", "from 1 to 5".
fn between(text: &str) -> Option<(f64, f64)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let number = |word: &str| word.trim_end_matches([',', '.', ';', ')', '%']).parse::<f64>().ok();
    words.iter().enumerate().find_map(|(at, word)| {
        let link = match word.trim_start_matches('(').to_ascii_lowercase().as_str() {
            "between" => "and",
            "from" => "to",
            _ => return None,
        };
        let low = number(words.get(at + 1)?)?;
        // A remark in brackets may follow the first number.
        let rest = &words[at + 2..];
        let skip =
            if rest.first()?.starts_with('(') { rest.iter().position(|w| w.ends_with(')'))? + 1 } else { 0 };
        let high = number(rest.get(skip + 1).filter(|_| rest.get(skip) == Some(&link))?)?;
        (low < high).then_some((low, high))
    })
}

/// A format as programs read it (`%Y-%m-%d`) is one that they fail over.
fn date(param: &Param) -> Option<Step> {
    if !is_text(param) || param.schema.get("format").is_some() || param.schema.get("pattern").is_some() {
        return None;
    }
    let form = strptime(&param.text)?;
    let mut pattern = String::from("^");
    let mut chars = form.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            // Only `-`, `:`, `/`, blanks and `T` get here, none of which means anything in a pattern.
            pattern.push(c);
            continue;
        }
        pattern.push_str(match chars.next()? {
            'Y' => "\\d{4}",
            'm' => "(0?[1-9]|1[0-2])",
            'd' => "(0?[1-9]|[12]\\d|3[01])",
            'H' => "([01]?\\d|2[0-3])",
            'M' | 'S' => "[0-5]?\\d",
            _ => return None,
        });
    }
    pattern.push('$');
    let value = param.expr();
    let message = format!("time data '{{{value}}}' does not match format '{}'", expr::message(form));
    Some(step(param, format!("matches(string({value}), {})", expr::text(&pattern)), message))
}

/// The `%Y-%m-%d %H:%M:%S` in a text.
pub(super) fn strptime(text: &str) -> Option<&str> {
    let start = text.find('%')?;
    let part = &text[start..];
    let end = part
        .char_indices()
        .find(|(at, c)| {
            let directive = c.is_ascii_alphabetic() && part[..*at].ends_with('%');
            !directive && !matches!(c, '%' | '-' | ':' | '/' | ' ' | 'T')
        })
        .map_or(part.len(), |(at, _)| at);
    let form = part[..end].trim_end_matches([' ', '-', ':', '/', 'T', '%']);
    (form.len() >= 5).then_some(form)
}

fn is_text(param: &Param) -> bool {
    matches!(param.kind.as_deref(), Some("string") | None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_and_ranges_are_found_in_prose() {
        assert_eq!(strptime("The time. Format: %Y-%m-%d %H:%M:%S"), Some("%Y-%m-%d %H:%M:%S"));
        assert_eq!(strptime("Format be like %Y-%m-%d."), Some("%Y-%m-%d"));
        assert_eq!(strptime("50% of all"), None);
        assert_eq!(between("Position, between 0 (not pressed) and 1 (fully pressed)."), Some((0.0, 1.0)));
        assert_eq!(between("Priority, from 1 to 5."), Some((1.0, 5.0)));
        assert_eq!(between("Time between two stops and 1 more"), None);
    }
}
