//! What an action's verb does to a record: `cancel` sets `status` to `cancelled`.

use super::expr::quoted;
use super::schema::Node;
use super::stamps::now_for;
use crate::fill::Name;
use serde_json::{Map, Value as Json, json};

/// Verbs, and states that a record is in afterwards: the first that the record's schema allows.
const OUTCOMES: &[(&str, &str)] = &[
    ("cancel", "cancelled canceled cancelling cancel"),
    ("close", "closed"),
    ("open", "open opened active"),
    ("reopen", "open reopened active"),
    ("archive", "archived inactive"),
    ("unarchive", "active unarchived open"),
    ("activate", "active activated enabled"),
    ("deactivate", "inactive deactivated disabled"),
    ("enable", "enabled active"),
    ("disable", "disabled inactive"),
    ("approve", "approved accepted"),
    ("reject", "rejected declined denied"),
    ("accept", "accepted approved"),
    ("decline", "declined rejected"),
    ("complete", "completed complete done finished"),
    ("finish", "finished completed done"),
    ("start", "started running in_progress active"),
    ("stop", "stopped inactive stopping"),
    ("pause", "paused suspended"),
    ("resume", "active running resumed in_progress"),
    ("suspend", "suspended inactive"),
    ("unsuspend", "active"),
    ("publish", "published active live"),
    ("unpublish", "unpublished draft"),
    ("submit", "submitted pending in_review"),
    ("send", "sent sending"),
    ("ship", "shipped"),
    ("deliver", "delivered"),
    ("delivered", "delivered"),
    ("shipped", "shipped"),
    ("refund", "refunded"),
    ("pay", "paid"),
    ("capture", "captured succeeded"),
    ("void", "voided void"),
    ("confirm", "confirmed succeeded"),
    ("verify", "verified"),
    ("lock", "locked"),
    ("unlock", "unlocked active"),
    ("block", "blocked"),
    ("unblock", "active unblocked"),
    ("ban", "banned"),
    ("unban", "active"),
    ("restore", "active restored available"),
    ("delete", "deleted"),
    ("terminate", "terminated"),
    ("expire", "expired"),
    ("revoke", "revoked inactive"),
    ("fulfill", "fulfilled"),
    ("return", "returned"),
    ("resolve", "resolved closed"),
    ("assign", "assigned"),
    ("hold", "on_hold held"),
    ("release", "released active"),
    ("retry", "pending queued retrying"),
    ("restart", "running restarting active"),
    ("reboot", "running rebooting"),
    ("run", "running"),
    ("finalize", "finalized open"),
    ("mark_paid", "paid"),
    ("read", "read"),
    ("unread", "unread"),
    ("trash", "trashed"),
    ("untrash", "active"),
    ("abort", "aborted cancelled"),
    ("sign", "signed"),
    ("draft", "draft"),
    ("redeem", "redeemed"),
    ("claim", "claimed"),
    ("mute", "muted"),
    ("unmute", "unmuted"),
];

/// Verbs, and the flag that they raise or lower.
const FLAGS: &[(&str, &str, bool)] = &[
    ("star", "starred", true),
    ("unstar", "starred", false),
    ("like", "liked", true),
    ("unlike", "liked", false),
    ("pin", "pinned", true),
    ("unpin", "pinned", false),
    ("lock", "locked", true),
    ("unlock", "locked", false),
    ("archive", "archived", true),
    ("unarchive", "archived", false),
    ("enable", "enabled", true),
    ("disable", "enabled", false),
    ("enable", "disabled", false),
    ("disable", "disabled", true),
    ("activate", "active", true),
    ("deactivate", "active", false),
    ("publish", "published", true),
    ("unpublish", "published", false),
    ("block", "blocked", true),
    ("unblock", "blocked", false),
    ("complete", "completed", true),
    ("uncomplete", "completed", false),
    ("close", "closed", true),
    ("reopen", "closed", false),
    ("verify", "verified", true),
    ("mute", "muted", true),
    ("unmute", "muted", false),
    ("hide", "hidden", true),
    ("unhide", "hidden", false),
    ("flag", "flagged", true),
    ("unflag", "flagged", false),
    ("follow", "following", true),
    ("unfollow", "following", false),
    ("subscribe", "subscribed", true),
    ("unsubscribe", "subscribed", false),
    ("suspend", "suspended", true),
    ("unsuspend", "suspended", false),
    ("favorite", "favorite", true),
    ("unfavorite", "favorite", false),
    ("cancel", "cancelled", true),
    ("read", "read", true),
    ("unread", "read", false),
    ("approve", "approved", true),
    ("pause", "paused", true),
    ("resume", "paused", false),
    ("trash", "trashed", true),
    ("untrash", "trashed", false),
    ("bookmark", "bookmarked", true),
    ("restore", "deleted", false),
    ("revoke", "revoked", true),
];

/// What an action sets, and whether that is a guess.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Effect {
    pub set: Map<String, Json>,
    pub guess: bool,
}

/// What an action of this verb sets in a record. `undo` is for `DELETE /items/{id}/star`.
pub(super) fn effect(verb: &str, record: &Node<'_>, undo: bool) -> Effect {
    let verb_name = Name::new(verb);
    let verb = verb_name.words().collect::<Vec<_>>().join("_");
    let verb = if OUTCOMES.iter().any(|(v, _)| *v == verb) || FLAGS.iter().any(|(v, ..)| *v == verb) {
        verb
    } else {
        verb_name.first().to_owned()
    };
    let members = record.members();
    let mut out = Effect::default();
    if let Some((_, states)) = OUTCOMES.iter().find(|(v, _)| *v == verb && !undo) {
        set_status(states, &members, &mut out);
        set_times(states, &members, &mut out);
    }
    for (_, flag, up) in FLAGS.iter().filter(|(v, ..)| *v == verb) {
        let found = members.iter().find(|(n, node)| {
            let own = Name::new(n);
            let plain = own.joined().strip_prefix("is").unwrap_or(own.joined());
            node.primary() == Some("boolean") && plain == *flag
        });
        if let Some((name, _)) = found {
            out.set.insert((*name).to_owned(), json!(*up != undo));
        }
    }
    out
}

/// Sets the record's status to the first of the states that its schema allows.
fn set_status(states: &str, members: &[(&str, Node<'_>)], out: &mut Effect) {
    let is_status = |n: &str, node: &Node<'_>| {
        let name = Name::new(n);
        let known = ["status", "state", "lifecyclestate", "lifecyclestatus", "statuscode", "currentstatus"];
        let listed = matches!(name.last(), "status" | "state") && !node.values().is_empty();
        node.primary() == Some("string") && (known.contains(&name.joined()) || listed)
    };
    let Some((name, node)) = members.iter().find(|(n, node)| is_status(n, node)) else { return };
    let values = node.values();
    let allowed = |state: &str| values.iter().find(|v| Name::new(v).joined() == state.replace('_', ""));
    if let Some(value) = states.split(' ').find_map(allowed) {
        out.set.insert((*name).to_owned(), json!(quoted(value)));
    } else if values.is_empty() {
        let state = states.split(' ').next().unwrap_or_default();
        out.set.insert((*name).to_owned(), json!(quoted(state)));
        out.guess = true;
    }
}

/// Sets members such as `cancelled_at` to the present.
fn set_times(states: &str, members: &[(&str, Node<'_>)], out: &mut Effect) {
    for (name, node) in members {
        let own = Name::new(name);
        let tells = |state: &str| {
            let after = own.joined().strip_prefix(state);
            let before = own.joined().strip_suffix(state);
            after.is_some_and(|rest| matches!(rest, "at" | "on" | "date" | "time" | "datetime"))
                || before.is_some_and(|rest| matches!(rest, "date" | "time"))
        };
        if let (true, Some(now)) = (states.split(' ').any(tells), now_for(node)) {
            out.set.insert((*name).to_owned(), json!(now));
        }
    }
}

/// The state that a new record is most likely in, of those that its schema allows.
pub(super) fn initial_state(node: &Node<'_>) -> Option<String> {
    const FIRST: &[&str] = &[
        "draft",
        "new",
        "created",
        "pending",
        "open",
        "todo",
        "queued",
        "active",
        "submitted",
        "scheduled",
        "enabled",
        "available",
        "processing",
        "inprogress",
    ];
    let values = node.values();
    FIRST.iter().find_map(|f| values.iter().find(|v| Name::new(v).joined() == *f)).map(|v| (*v).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(verb: &str, members: Json, undo: bool) -> Json {
        let root = json!({"type": "object", "properties": members});
        Json::Object(effect(verb, &Node::of(&root), undo).set)
    }

    #[test]
    fn verbs_set_what_the_schema_has() {
        let status = json!({"status": {"type": "string", "enum": ["OPEN", "CANCELED"]}, "canceled_at": {"type": "string", "format": "date-time"}});
        assert_eq!(of("cancel", status, false), json!({"status": "'CANCELED'", "canceled_at": "now()"}));
        assert_eq!(
            of("archive", json!({"isArchived": {"type": "boolean"}}), false),
            json!({"isArchived": true})
        );
        assert_eq!(of("star", json!({"starred": {"type": "boolean"}}), true), json!({"starred": false}));
        assert_eq!(of("recalculate", json!({"status": {"type": "string"}}), false), json!({}));
        assert_eq!(of("close", json!({"state": {"type": "string"}}), false), json!({"state": "'closed'"}));
    }
}
