//! `error_class`: what kind of failure a reply tells of, by its status and its words.

use crate::predictor::Prediction;
use gtm_world::ErrorKind;
use regex::RegexSet;
use serde_json::Value as Json;
use std::sync::LazyLock;

/// Classes of failure, coarser than [`ErrorKind`] where texts do not tell finer ones apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorClass {
    /// An argument is missing, too much, of the wrong type, or makes no sense.
    InvalidArgument,
    /// There is no such tool.
    UnknownTool,
    /// What the call refers to does not exist.
    NotFound,
    /// The call does not fit the present state.
    Conflict,
    /// The caller is not logged in, or not who it says.
    Unauthenticated,
    /// The caller may not do that.
    PermissionDenied,
    /// Too many calls.
    RateLimited,
    /// The service is down, slow or broken.
    Unavailable,
}

impl ErrorClass {
    /// Every class.
    pub const ALL: [ErrorClass; 8] = [
        ErrorClass::InvalidArgument,
        ErrorClass::UnknownTool,
        ErrorClass::NotFound,
        ErrorClass::Conflict,
        ErrorClass::Unauthenticated,
        ErrorClass::PermissionDenied,
        ErrorClass::RateLimited,
        ErrorClass::Unavailable,
    ];

    /// The name, such as `not_found`.
    pub fn name(self) -> &'static str {
        match self {
            ErrorClass::InvalidArgument => "invalid_argument",
            ErrorClass::UnknownTool => "unknown_tool",
            ErrorClass::NotFound => "not_found",
            ErrorClass::Conflict => "conflict",
            ErrorClass::Unauthenticated => "unauthenticated",
            ErrorClass::PermissionDenied => "permission_denied",
            ErrorClass::RateLimited => "rate_limited",
            ErrorClass::Unavailable => "unavailable",
        }
    }

    fn of_status(status: u16) -> Option<ErrorClass> {
        Some(match status {
            400 | 405 | 406 | 411 | 413..=415 | 422 => ErrorClass::InvalidArgument,
            401 => ErrorClass::Unauthenticated,
            403 => ErrorClass::PermissionDenied,
            404 | 410 => ErrorClass::NotFound,
            409 | 412 | 423 => ErrorClass::Conflict,
            429 => ErrorClass::RateLimited,
            408 | 500..=599 => ErrorClass::Unavailable,
            _ => return None,
        })
    }

    fn of_kind(kind: ErrorKind) -> ErrorClass {
        match kind {
            ErrorKind::InvalidArgument => ErrorClass::InvalidArgument,
            ErrorKind::UnknownTool => ErrorClass::UnknownTool,
            ErrorKind::NotFound => ErrorClass::NotFound,
            ErrorKind::Conflict => ErrorClass::Conflict,
            ErrorKind::PermissionDenied => ErrorClass::PermissionDenied,
            ErrorKind::Unauthenticated => ErrorClass::Unauthenticated,
            ErrorKind::RateLimited => ErrorClass::RateLimited,
            ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Internal => ErrorClass::Unavailable,
        }
    }
}

/// Phrases by class, in the order in which they are tried: what says more comes first.
const PHRASES: &[(ErrorClass, &str)] = &[
    (ErrorClass::RateLimited, r"rate.?limit|too many requests|quota"),
    (
        ErrorClass::UnknownTool,
        r"unknown[ _](tool|function|method)|(tool|function|method) \S+ (is )?(not found|unknown|does not exist|not available)|name '\w+' is not defined|no such (tool|function)|no tool",
    ),
    // What a runtime or a validator says of arguments.
    (
        ErrorClass::InvalidArgument,
        r"missing \d* ?(required|positional|argument|parameter)|missing required|unexpected (keyword|argument|parameter|property)|(argument|parameter)s? (is|are) (missing|required|unknown)|required (argument|parameter|property|field)|invalid[ _](argument|parameter|type|input|request|format|value)|(must|should) be (a|an|of|one|at|in|greater|less|positive|between|either|string|integer|number)\b|not supported between|unsupported operand|object (has no attribute|is not|does not support)|has no len|operand|can't multiply|please provide|(should|must) match|could not convert|invalid literal|unhashable|not enough values|expected \S+ (type|but|got)|does not match|validation (error|failed)|cannot be (empty|null|none)|can only concatenate|indices must be|argument of type|time data|keyerror|typeerror|valueerror",
    ),
    (
        ErrorClass::Unauthenticated,
        r"unauthenticated|not (authenticated|logged in|signed in)|no (user|one|account) is (currently )?(logged|signed) in|(log|sign)[- ]?in (first|required|to)|please (log|sign) in|(invalid|incorrect|wrong|bad|expired)( \w+)? (credential|password|token|api key)|(token|password|credential)s? (is|are|was|were)? ?(invalid|incorrect|wrong|expired)|authentication (failed|required)|unauthori[sz]ed",
    ),
    (
        ErrorClass::PermissionDenied,
        r"permission|forbidden|not (authori[sz]ed|allowed to|permitted)|access denied|does not belong to|not the owner",
    ),
    (
        ErrorClass::NotFound,
        r"not[ _]found|no such|(does|do|did)( not|n't) exist|not exist|(can ?not|can't|could not|unable to) (be found|find|locate)|not registered|no \w+( \w+)* (found|exists?|available)|unknown|not in the|no available|you have no|is not available|nonexistent|non-existent|no (account|user|order|record|card|result)s?\b",
    ),
    (
        ErrorClass::Conflict,
        r"already|insufficient|not enough|exceed|too (low|high|many|few)|non-\w+|conflict|duplicate|cannot (be )?\w+|can't|not (pending|delivered|active|open|allowed|eligible|unlocked|enabled|running|locked|connected|empty)|must (first|be \w+ (first|before))|before|only \w+|is full|expired|closed|frozen|turned off|is off|disabled|unavailable for",
    ),
    (
        ErrorClass::Unavailable,
        r"time(d)?[- ]?out|unavailable|internal (server )?error|service error|bad gateway|redirects",
    ),
    (
        ErrorClass::InvalidArgument,
        r"invalid|malformed|wrong|illegal|unsupported|incorrect|must|required|missing|expected",
    ),
];

static SET: LazyLock<RegexSet> = LazyLock::new(|| {
    RegexSet::new(PHRASES.iter().map(|(_, phrase)| format!("(?i){phrase}")))
        .expect("the phrases are well-formed")
});

static STATUS: LazyLock<regex::Regex> = LazyLock::new(|| {
    regex::Regex::new(r"(?i)status[ _]?code['\x22]?[:= ]+(\d{3})").expect("the pattern is well-formed")
});

/// Longest text looked at, in bytes.
const MAX_TEXT: usize = 4_096;

/// What a real failure tells of itself: by the status where there is one, else by its words, else
/// by how the call was spoilt. `None` if none of them tells. `known` says if there is such a tool: if
/// so, a tool that the words miss is something that the call refers to.
pub fn of_reply(
    content: &Json,
    status: Option<u16>,
    mutation: Option<&str>,
    known: bool,
) -> Option<ErrorClass> {
    let by_status = status.and_then(ErrorClass::of_status);
    by_status.or_else(|| of_text(content, known)).or(match mutation {
        Some("missing" | "extra" | "type") => Some(ErrorClass::InvalidArgument),
        _ => (!known).then_some(ErrorClass::UnknownTool),
    })
}

/// What a predicted failure tells, by the same means; where its words tell nothing, what the
/// predictor itself meant.
pub(crate) fn of_prediction(prediction: &Prediction, has_status: bool, known: bool) -> Option<ErrorClass> {
    let by_status = prediction.status.filter(|_| has_status).and_then(ErrorClass::of_status);
    by_status.or_else(|| of_text(&prediction.content, known)).or(prediction.kind.map(ErrorClass::of_kind))
}

fn of_text(content: &Json, known: bool) -> Option<ErrorClass> {
    let mut text = String::new();
    collect(content, &mut text);
    let stated = STATUS.captures(&text).and_then(|found| found.get(1)?.as_str().parse().ok());
    stated.and_then(ErrorClass::of_status).or_else(|| {
        let first = SET.matches(&text).iter().next()?;
        match PHRASES.get(first)?.0 {
            ErrorClass::UnknownTool if known => Some(ErrorClass::NotFound),
            class => Some(class),
        }
    })
}

fn collect(content: &Json, text: &mut String) {
    if text.len() > MAX_TEXT {
        return;
    }
    match content {
        Json::String(part) => {
            let end =
                part.char_indices().map(|(at, _)| at).take_while(|at| *at <= MAX_TEXT).last().unwrap_or(0);
            text.push_str(if part.len() > MAX_TEXT { &part[..end] } else { part });
            text.push('\n');
        }
        Json::Array(items) => items.iter().for_each(|item| collect(item, text)),
        Json::Object(members) => members.values().for_each(|value| collect(value, text)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn failures_are_told_by_their_words() {
        use ErrorClass::*;
        for (text, class) in [
            ("f() missing 1 required positional argument: 'zip'", InvalidArgument),
            ("f() got an unexpected keyword argument 'x'", InvalidArgument),
            ("'<=' not supported between instances of 'NoneType' and 'int'", InvalidArgument),
            ("argument `size` must be an integer, not a string", InvalidArgument),
            ("name 'fly' is not defined", UnknownTool),
            ("unknown tool \"fly\"", UnknownTool),
            ("Error: order not found", NotFound),
            ("Unknown agent tool 'x'. This tool is not available.", NotFound),
            ("No user is currently logged in.", Unauthenticated),
            ("Wi-Fi is not enabled, unable to login", Conflict),
            ("cat: 'a.txt': No such file or directory", NotFound),
            ("The symptom does not exist.", NotFound),
            ("Error: non-pending order cannot be cancelled", Conflict),
            ("This appointment has already been registered.", Conflict),
            ("insufficient gift card balance", Conflict),
            ("The token is invalid.", Unauthenticated),
            ("User not authenticated", Unauthenticated),
            ("Request failed. status_code=503", Unavailable),
            ("Invalid ignition mode.", InvalidArgument),
        ] {
            assert_eq!(of_text(&json!({"error": text}), class != UnknownTool), Some(class), "{text}");
        }
        assert_eq!(of_text(&json!({"error": "Oops"}), true), None);
    }

    #[test]
    fn status_comes_before_words_and_words_before_the_mutation() {
        assert_eq!(
            of_reply(&json!({"message": "no such thing"}), Some(409), None, true),
            Some(ErrorClass::Conflict)
        );
        assert_eq!(of_reply(&json!("user not found"), None, Some("type"), true), Some(ErrorClass::NotFound));
        assert_eq!(of_reply(&json!("Oops"), None, Some("extra"), true), Some(ErrorClass::InvalidArgument));
        assert_eq!(of_reply(&json!("Oops"), None, Some("unknown"), true), None);
        assert_eq!(of_reply(&json!("Oops"), None, None, false), Some(ErrorClass::UnknownTool));
    }
}
