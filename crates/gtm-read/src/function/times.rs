//! The present time in the form that a member's values have.

use super::build::{behavior, reply};
use super::member::Member;
use super::tool::{Returns, Tool};
use gtm_world::behavior::Behavior;
use serde_json::json;

/// An expression for the present time, if the member holds times, in the form they have.
pub(super) fn now_like(member: &Member) -> Option<String> {
    const WORDS: &[&str] =
        &["time", "date", "timestamp", "stamp", "at", "created", "updated", "datetime", "on", "modified"];
    if !member.stems.iter().any(|word| WORDS.contains(&word.as_str())) {
        return None;
    }
    form_of(member.first.as_str()?).map(|form| match form {
        "" => "now()".to_owned(),
        form => format!("formatDate(now(), {})", super::expr::text(form)),
    })
}

/// Whether a member holds times that compare as text.
pub(super) fn is_time(member: &Member) -> bool {
    let words = ["time", "date", "timestamp", "datetime", "at", "created"];
    let named = member.stems.iter().any(|w| words.contains(&w.as_str()));
    named && member.first.as_str().and_then(form_of).is_some_and(|form| !form.starts_with("%m"))
}

/// The strftime form of a time as text; empty for RFC 3339.
pub(super) fn form_of(text: &str) -> Option<&'static str> {
    const FORMS: &[(&str, &str)] = &[
        ("dddd-dd-ddTdd:dd:ddZ", ""),
        ("dddd-dd-dd dd:dd:dd", "%Y-%m-%d %H:%M:%S"),
        ("dddd-dd-dd dd:dd", "%Y-%m-%d %H:%M"),
        ("dddd-dd-ddTdd:dd:dd", "%Y-%m-%dT%H:%M:%S"),
        ("dddd-dd-ddTdd:dd", "%Y-%m-%dT%H:%M"),
        ("dddd-dd-dd", "%Y-%m-%d"),
        ("dd/dd/dddd", "%m/%d/%Y"),
        ("dd:dd", "%H:%M"),
        ("dd:dd:dd", "%H:%M:%S"),
    ];
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { 'd' } else { c }).collect();
    FORMS.iter().find(|(pattern, _)| *pattern == shape).map(|(_, form)| *form)
}

/// Tools that tell the present time or date.
pub(super) fn clock(tool: &Tool<'_>) -> Option<Behavior> {
    let nouns: Vec<&str> = tool
        .action
        .all_nouns
        .iter()
        .map(String::as_str)
        .filter(|w| !matches!(*w, "current" | "the" | "now" | "system"))
        .collect();
    let now = tool.action.all_nouns.iter().any(|w| matches!(w.as_str(), "current" | "now" | "today"));
    let asks = match nouns[..] {
        ["time"] | ["datetime"] | ["date", "time"] | ["timestamp"] | ["time", "stamp"] => {
            now.then_some("time")
        }
        ["date"] => now.then_some("date"),
        ["today"] | ["today", "date"] | ["date", "today"] => Some("date"),
        _ => None,
    }?;
    if !tool.action.reads() || tool.params.iter().any(|p| p.required) {
        return None;
    }
    let said = match &tool.returns {
        Returns::Object(fields) => fields.first().map(|f| f.text.clone()).unwrap_or_default(),
        Returns::Single(field) => field.text.clone(),
        _ => String::new(),
    };
    let value = if let Some(at) = said.find('%') {
        let end = said[at..].find(['.', '\'', ')']).map_or(said.len(), |n| at + n);
        format!("formatDate(now(), {})", super::expr::text(said[at..end].trim()))
    } else if said.contains("AM/PM") {
        "formatDate(now(), \"%I:%M %p\")".into()
    } else if said.contains("YYYY-MM-DD HH:MM:SS") {
        "formatDate(now(), \"%Y-%m-%d %H:%M:%S\")".into()
    } else if asks == "date" {
        "today()".into()
    } else {
        "now()".into()
    };
    let template = match &tool.returns {
        Returns::Object(fields) => {
            let mut out = serde_json::Map::new();
            for (at, field) in fields.iter().enumerate() {
                out.insert(field.name.clone(), json!(if at == 0 { value.as_str() } else { "fill" }));
            }
            serde_json::Value::Object(out)
        }
        _ => json!(value),
    };
    Some(behavior(vec![reply(template)]))
}
