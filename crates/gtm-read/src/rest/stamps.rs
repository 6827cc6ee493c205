//! Members that record when something happened.

use super::schema::Node;
use crate::fill::Name;

/// Whether a member of this name says when the record was made.
pub(super) fn is_created(name: &Name) -> bool {
    matches!(
        name.joined(),
        "createdat"
            | "created"
            | "datecreated"
            | "createdon"
            | "createtime"
            | "creationdate"
            | "createddate"
            | "creationtime"
            | "createdtime"
            | "createddatetime"
            | "createdatutc"
            | "creationtimestamp"
            | "createdtimestamp"
            | "insertedat"
            | "addedat"
            | "dateadded"
            | "timecreated"
            | "createdtimeutc"
            | "addeddate"
            | "addedon"
            | "creationdatetime"
    )
}

/// Whether a member of this name says when the record was last changed.
pub(super) fn is_updated(name: &Name) -> bool {
    matches!(
        name.joined(),
        "updatedat"
            | "updated"
            | "dateupdated"
            | "updatedon"
            | "updatetime"
            | "updateddate"
            | "modified"
            | "modifiedat"
            | "lastmodified"
            | "datemodified"
            | "modifiedon"
            | "modifieddate"
            | "lastupdated"
            | "modificationdate"
            | "lastupdate"
            | "updatedtime"
            | "modifiedtime"
            | "lastmodifieddatetime"
            | "lastmodifieddate"
            | "lastmodifiedat"
            | "lastupdatedat"
            | "updateddatetime"
            | "lastmodifiedtime"
            | "lastupdatetime"
            | "updatedtimestamp"
            | "changedat"
            | "timeupdated"
            | "lastupdateddate"
            | "editedat"
            | "lastmodifiedon"
    )
}

/// The present in the form that a member wants; `None` if it holds no time.
pub(super) fn now_for(node: &Node<'_>) -> Option<&'static str> {
    let description = node.text("description").to_ascii_lowercase();
    let millis = description.contains("millisecond");
    match node.primary() {
        Some("integer" | "number") if millis => Some("nowUnix() * 1000"),
        Some("integer" | "number") => Some("nowUnix()"),
        Some("string") if !node.values().is_empty() || node.resolved().get("pattern").is_some() => None,
        Some("string") => match node.text("format") {
            "date" => Some("now().substring(0, 10)"),
            "date-time" | "datetime" | "" | "google-datetime" | "iso-datetime" | "timestamp" => {
                let other = ["yyyy", "unix", "epoch", "rfc 2822", "rfc2822", "mm/dd", "dd/mm"]
                    .iter()
                    .any(|m| description.contains(m));
                let short = node
                    .resolved()
                    .get("maxLength")
                    .and_then(serde_json::Value::as_u64)
                    .is_some_and(|m| m < 20);
                (!other && !short).then_some("now()")
            }
            _ => None,
        },
        _ => None,
    }
}

/// Members that a write sets to the present: of those for which `is` holds.
pub(super) fn stamps(record: &Node<'_>, is: fn(&Name) -> bool) -> Vec<(String, &'static str)> {
    let found = record.members().into_iter().filter(|(name, _)| is(&Name::new(name)));
    found.filter_map(|(name, node)| Some((name.to_owned(), now_for(&node)?))).collect()
}
