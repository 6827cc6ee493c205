//! What is known of a value besides its schema: judged by its name, its owner and its description.

use super::facets::{Facets, Types};
use super::kind::Kind;
use super::make::Spot;
use super::name::Name;
use super::noise::Noise;
use serde_json::Value as Json;

/// The kind of a member, where its owner or its description tell more than its name.
pub(super) fn in_context(kind: Kind, facets: &Facets<'_>, spot: Spot<'_>) -> Kind {
    match kind {
        // The state of an address is no status.
        Kind::Status if spot.name.last() == "state" => {
            let postal = spot.name.has(&["address", "billing", "shipping", "home", "mailing"])
                || spot.record.has(&[Kind::City, Kind::Zip, Kind::Street]);
            if postal { Kind::State } else { kind }
        }
        Kind::Code => match spot.record.noun.rsplit(' ').next().unwrap_or_default() {
            "country" | "nation" => Kind::CountryCode,
            "currency" => Kind::Currency,
            "language" => Kind::Language,
            "airport" => Kind::Airport,
            _ if spot.name.has(&["status", "response", "http"]) => Kind::HttpStatus,
            _ => kind,
        },
        // Chat and mail hold messages that are no report of success.
        Kind::Message if spot.depth > 1 || spot.row.is_some() => Kind::Remark,
        Kind::Plain if spot.owner.has(&["date", "dob", "birthday", "birthdate", "day"]) => {
            match spot.name.joined() {
                "d" => Kind::Day,
                "m" => Kind::Month,
                "y" => Kind::Year,
                _ => kind,
            }
        }
        Kind::Plain if !facets.description.is_empty() => described(facets.description).unwrap_or(kind),
        _ => kind,
    }
}

/// The kind that a description speaks of. Only its first words count: what follows is about other things.
pub(super) fn described(description: &str) -> Option<Kind> {
    const TELLING: &[(&str, Kind)] = &[
        ("email", Kind::Email),
        ("e-mail", Kind::Email),
        ("phone number", Kind::Phone),
        ("first name", Kind::FirstName),
        ("last name", Kind::LastName),
        ("url", Kind::Url),
        ("uri", Kind::Url),
        ("web address", Kind::Url),
        ("ip address", Kind::Ip),
        ("timestamp", Kind::Time),
        ("date", Kind::Time),
        ("time when", Kind::Time),
        ("currency code", Kind::Currency),
        ("country code", Kind::CountryCode),
        ("country", Kind::Country),
        ("city", Kind::City),
        ("percent", Kind::Percent),
        ("number of", Kind::Count),
        ("count of", Kind::Count),
        ("identifier", Kind::Id),
        ("unique id", Kind::Id),
        ("id of", Kind::Id),
        ("price", Kind::Money),
        ("amount", Kind::Money),
        ("whether", Kind::Flag),
        ("language", Kind::Language),
        ("description", Kind::Description),
        ("title of", Kind::Title),
        ("name of", Kind::Name),
    ];
    let end = description.char_indices().take_while(|(i, c)| *i < 48 && *c != '.' && *c != ',').count();
    let start: String = description.chars().take(end).collect();
    let words = Name::new(&start);
    TELLING
        .iter()
        .find(|(mark, _)| {
            let mut marks = mark.split([' ', '-']);
            match (marks.next(), marks.next()) {
                (Some(one), None) => words.words().any(|w| w == one || w.strip_suffix('s') == Some(one)),
                _ => super::codes::mentions(&start, &[mark]),
            }
        })
        .map(|(_, kind)| *kind)
}

/// Whether a nullable member is more likely null than not.
pub(super) fn is_absent(spot: Spot<'_>, kind: Kind, facets: &Facets<'_>) -> bool {
    let gone = spot.name.has(&[
        "deleted",
        "cancelled",
        "canceled",
        "archived",
        "closed",
        "completed",
        "ended",
        "expired",
        "revoked",
        "parent",
        "deactivated",
        "suspended",
        "blocked",
        "failed",
        "removed",
        "terminated",
        "refunded",
        "previous",
        "prev",
    ]);
    gone || matches!(kind, Kind::Fault | Kind::Cursor) || facets.default == Some(&Json::Null)
}

/// Whether an example is a real value rather than a placeholder.
pub(super) fn is_plausible(example: &Json) -> bool {
    match example {
        Json::Null => false,
        Json::String(text) => {
            let placeholder = matches!(
                text.as_str(),
                "" | "string" | "str" | "text" | "value" | "null" | "undefined" | "example"
            );
            let bracketed = text.starts_with('<') && text.ends_with('>');
            !placeholder && !bracketed
        }
        Json::Number(n) => n.as_f64() != Some(0.0),
        Json::Array(items) => !items.is_empty(),
        Json::Object(members) => !members.is_empty(),
        Json::Bool(_) => true,
    }
}

/// Whether values of this kind tell one thing from all others.
pub(super) fn is_id(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Id
            | Kind::Uuid
            | Kind::Token
            | Kind::Hash
            | Kind::Cursor
            | Kind::Reference
            | Kind::Sku
            | Kind::Code
    )
}

/// A text that serves as an id though its kind has few values: `oslo-481`, `ann.lee481@example.com`.
pub(super) fn unmistakable(text: &str, mut noise: Noise) -> String {
    let number = noise.between(100, 9_999);
    match text.split_once('@') {
        Some((user, domain)) => format!("{user}{number}@{domain}"),
        None => format!("{}-{number}", super::record::slug(text)),
    }
}

/// Whether rows of one list should differ in values of this kind even where an example is given.
pub(super) fn varies(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::Plain
            | Kind::Type
            | Kind::Status
            | Kind::Unit
            | Kind::Currency
            | Kind::Message
            | Kind::Version
            | Kind::Locale
            | Kind::Language
            | Kind::Level
            | Kind::Method
            | Kind::Mime
            | Kind::Extension
    )
}

/// True or false, as members of this name mostly are.
pub(super) fn truth(name: &Name, mut noise: Noise) -> bool {
    if name.has(&[
        "deleted",
        "archived",
        "deprecated",
        "locked",
        "blocked",
        "disabled",
        "more",
        "error",
        "truncated",
        "incomplete",
        "suspended",
        "banned",
        "hidden",
        "expired",
        "cancelled",
        "canceled",
        "draft",
        "spam",
        "readonly",
        "test",
        "fork",
        "failed",
        "redacted",
        "warning",
        "dry",
        "adult",
        "next",
        "partial",
        "timedout",
    ]) {
        return noise.chance(4);
    }
    if name.has(&[
        "success",
        "successful",
        "ok",
        "valid",
        "enabled",
        "active",
        "available",
        "verified",
        "exists",
        "found",
        "open",
        "is",
        "acknowledged",
        "accepted",
    ]) {
        return noise.chance(92);
    }
    noise.chance(55)
}

/// The type of a value of which the schema says nothing.
pub(super) fn untyped(name: &Name, kind: Kind, facets: &Facets<'_>) -> Types {
    match kind {
        Kind::Flag => Types::BOOL,
        Kind::Count
        | Kind::Quantity
        | Kind::Percent
        | Kind::Rating
        | Kind::Score
        | Kind::Ratio
        | Kind::Age
        | Kind::Temperature
        | Kind::Humidity
        | Kind::Speed
        | Kind::Pressure
        | Kind::Weight
        | Kind::Length
        | Kind::Pixels
        | Kind::Port
        | Kind::Page
        | Kind::Limit
        | Kind::Offset
        | Kind::Position
        | Kind::HttpStatus
        | Kind::Money
        | Kind::Lat
        | Kind::Lon
        | Kind::Year
        | Kind::Size => Types::NUM,
        Kind::Plain
            if name.has(&[
                "metadata",
                "data",
                "properties",
                "attributes",
                "settings",
                "options",
                "meta",
                "links",
                "object",
                "config",
                "params",
                "context",
                "extra",
                "payload",
            ]) =>
        {
            Types::MAP
        }
        Kind::Plain
            if name.last().ends_with('s') && facets.description.to_ascii_lowercase().contains("list") =>
        {
            Types::LIST
        }
        _ => Types::STR,
    }
}
