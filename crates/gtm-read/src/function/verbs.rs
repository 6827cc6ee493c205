//! What a tool's name and description say it does.

use super::tokens::{base_forms, singular, words};
use gtm_tool::ToolSpec;

/// What kind of action a tool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// Reads one thing.
    Get,
    /// Reads many.
    List,
    /// Counts.
    Count,
    /// Says whether something holds.
    Check,
    /// Adds a record.
    Create,
    /// Changes members.
    Update,
    /// Removes a record.
    Delete,
    /// Calls off: a status where there is one, else a removal.
    Cancel,
    /// Moves a record or setting into the state the verb names: close, archive, lock.
    Mark,
    /// Switches on.
    TurnOn,
    /// Switches off.
    TurnOff,
    /// Begins a session of a user.
    Login,
    /// Ends it.
    Logout,
    /// Works something out from the arguments alone.
    Compute,
    /// Moves an amount from one record to another.
    Transfer,
    /// Raises an amount.
    Deposit,
    /// Lowers an amount.
    Withdraw,
    /// No known verb.
    Other,
}

use Verb::*;

/// Verbs that are verbs wherever they stand in a name.
const STRONG: &[(&str, Verb)] = &[
    ("get", Get),
    ("fetch", Get),
    ("retrieve", Get),
    ("read", Get),
    ("view", Get),
    ("show", Get),
    ("query", Get),
    ("lookup", Get),
    ("describe", Get),
    ("display", Get),
    ("inspect", Get),
    ("list", List),
    ("search", List),
    ("find", List),
    ("browse", List),
    ("enumerate", List),
    ("filter", List),
    ("count", Count),
    ("check", Check),
    ("verify", Check),
    ("validate", Check),
    ("create", Create),
    ("add", Create),
    ("insert", Create),
    ("register", Create),
    ("submit", Create),
    ("send", Create),
    ("update", Update),
    ("modify", Update),
    ("edit", Update),
    ("change", Update),
    ("set", Update),
    ("adjust", Update),
    ("rename", Update),
    ("reschedule", Update),
    ("delete", Delete),
    ("remove", Delete),
    ("erase", Delete),
    ("cancel", Cancel),
    ("revoke", Cancel),
    ("login", Login),
    ("authenticate", Login),
    ("logout", Logout),
    ("calculate", Compute),
    ("compute", Compute),
    ("convert", Compute),
    ("estimate", Compute),
    ("withdraw", Withdraw),
    ("deposit", Deposit),
];

/// Words that are verbs only at the start of a name, or in a description.
const WEAK: &[(&str, Verb)] = &[
    ("see", Get),
    ("obtain", Get),
    ("load", Get),
    ("pull", Get),
    ("ask", Get),
    ("all", List),
    ("book", Create),
    ("reserve", Create),
    ("place", Create),
    ("open", Create),
    ("post", Create),
    ("make", Create),
    ("schedule", Create),
    ("new", Create),
    ("order", Create),
    ("purchase", Create),
    ("buy", Create),
    ("request", Create),
    ("file", Create),
    ("record", Create),
    ("log", Create),
    ("save", Create),
    ("store", Create),
    ("write", Create),
    ("publish", Create),
    ("issue", Create),
    ("report", Create),
    ("apply", Create),
    ("enroll", Create),
    ("invite", Create),
    ("comment", Create),
    ("reply", Create),
    ("upload", Create),
    ("put", Update),
    ("increase", Update),
    ("decrease", Update),
    ("raise", Update),
    ("reduce", Update),
    ("lower", Update),
    ("fill", Update),
    ("patch", Update),
    ("alter", Update),
    ("amend", Update),
    ("configure", Update),
    ("replace", Update),
    ("move", Update),
    ("assign", Update),
    ("extend", Update),
    ("drop", Delete),
    ("destroy", Delete),
    ("discard", Delete),
    ("close", Mark),
    ("resolve", Mark),
    ("archive", Mark),
    ("unarchive", Mark),
    ("enable", Mark),
    ("disable", Mark),
    ("lock", Mark),
    ("unlock", Mark),
    ("activate", Mark),
    ("deactivate", Mark),
    ("complete", Mark),
    ("finish", Mark),
    ("approve", Mark),
    ("reject", Mark),
    ("decline", Mark),
    ("accept", Mark),
    ("confirm", Mark),
    ("pause", Mark),
    ("resume", Mark),
    ("suspend", Mark),
    ("block", Mark),
    ("unblock", Mark),
    ("freeze", Mark),
    ("unfreeze", Mark),
    ("mute", Mark),
    ("unmute", Mark),
    ("star", Mark),
    ("unstar", Mark),
    ("pin", Mark),
    ("unpin", Mark),
    ("flag", Mark),
    ("mark", Mark),
    ("dismiss", Mark),
    ("restore", Mark),
    ("reopen", Mark),
    ("return", Mark),
    ("exchange", Mark),
    ("refund", Mark),
    ("ship", Mark),
    ("start", Mark),
    ("stop", Mark),
    ("press", Mark),
    ("release", Mark),
    ("transfer", Transfer),
    ("pay", Transfer),
    ("fund", Deposit),
    ("recharge", Deposit),
    ("sum", Compute),
    ("multiply", Compute),
    ("subtract", Compute),
    ("divide", Compute),
    ("generate", Other),
    ("analyze", Other),
    ("recommend", Other),
    ("summarize", Other),
    ("translate", Other),
    ("play", Other),
    ("run", Other),
    ("execute", Other),
    ("contact", Other),
    ("download", Other),
    ("predict", Other),
    ("track", Get),
];

/// Two-word verbs.
const PAIRS: &[(&str, &str, Verb)] = &[
    ("log", "in", Login),
    ("sign", "in", Login),
    ("log", "out", Logout),
    ("sign", "out", Logout),
    ("log", "off", Logout),
    ("sign", "up", Create),
    ("turn", "on", TurnOn),
    ("switch", "on", TurnOn),
    ("turn", "off", TurnOff),
    ("switch", "off", TurnOff),
    ("look", "up", Get),
    ("top", "up", Deposit),
    ("set", "up", Create),
    ("list", "all", List),
    ("get", "all", List),
    ("mark", "as", Mark),
];

/// Words that end the noun of a name and begin a qualifier.
const PREPOSITIONS: &[&str] = &[
    "by", "for", "with", "from", "in", "to", "of", "on", "at", "between", "under", "based", "via", "using",
    "into",
];

/// Words that say nothing about which thing is meant.
const FILLERS: &[&str] = &[
    "a",
    "an",
    "the",
    "all",
    "my",
    "your",
    "detail",
    "info",
    "information",
    "list",
    "data",
    "api",
    "tool",
    "new",
    "existing",
    "specific",
    "single",
    "one",
    "multiple",
    "some",
    "any",
    "current",
    "record",
    "item",
    "object",
    "entry",
    "by",
    "up",
];

/// A tool's name, read.
#[derive(Clone, Debug)]
pub(super) struct Action {
    /// What kind of action.
    pub(super) verb: Verb,
    /// The verb as written, in its base form.
    pub(super) word: String,
    /// Words before the verb: a class or server name, mostly.
    pub(super) prefix: Vec<String>,
    /// What is acted on: singular words between verb and qualifier, fillers left out.
    pub(super) nouns: Vec<String>,
    /// The same with fillers.
    pub(super) all_nouns: Vec<String>,
    /// Whether the noun was written in the plural, or the name says `all`.
    pub(super) plural: bool,
    /// The preposition after the noun, such as `to` in `add_song_to_playlist`.
    pub(super) preposition: Option<String>,
    /// Singular words after the preposition.
    pub(super) qualifier: Vec<String>,
}

/// Reads a tool's name, and its description where the name has no verb.
pub(super) fn action(tool: &ToolSpec, description: &str) -> Action {
    let name = words(tool.name.rsplit(['.', '/', ':']).next().unwrap_or(&tool.name));
    let (start, len, verb, word) = match in_name(&name) {
        Some(found) => found,
        None => match in_description(description) {
            // All of the name is noun then.
            Some((verb, word)) => (0, 0, verb, word),
            None => (0, 0, Other, String::new()),
        },
    };
    // A noun before the verb (`order_create`, `notes-add`) is the object when none follows.
    let rest = &name[(start + len).min(name.len())..];
    let prefix = &name[..start];
    let split = rest.iter().position(|word| PREPOSITIONS.contains(&word.as_str())).unwrap_or(rest.len());
    let (object, after) = rest.split_at(split);
    let object: Vec<String> =
        if object.iter().all(|w| FILLERS.contains(&singular(w).as_str())) && !prefix.is_empty() {
            prefix.iter().chain(object).cloned().collect()
        } else {
            object.to_vec()
        };
    // `comment(post_id, text)`: the verb is the noun as well.
    let object = if object.is_empty() && name.len() == 1 && verb != Other { name.clone() } else { object };
    let all_nouns: Vec<String> = object.iter().map(|word| singular(word)).collect();
    let nouns: Vec<String> =
        all_nouns.iter().filter(|word| !FILLERS.contains(&word.as_str())).cloned().collect();
    let plural = object.iter().any(|word| word == "all" || word == "list")
        || name.contains(&"all".to_owned())
        || object.last().is_some_and(|last| singular(last) != *last && last != "details" && last != "stats");
    Action {
        verb,
        word,
        prefix: prefix.iter().map(|word| singular(word)).collect(),
        nouns,
        all_nouns,
        plural,
        preposition: after.first().cloned(),
        qualifier: after
            .iter()
            .map(|word| singular(word))
            .filter(|word| !PREPOSITIONS.contains(&word.as_str()))
            .collect(),
    }
}

fn in_name(name: &[String]) -> Option<(usize, usize, Verb, String)> {
    for (at, pair) in name.windows(2).enumerate() {
        if let Some((a, b, verb)) = PAIRS.iter().find(|(a, b, _)| *a == pair[0] && *b == pair[1]) {
            // `list all` and `get all` keep their object right behind.
            return Some((
                at,
                2,
                *verb,
                format!("{a} {b}").replace("list all", "list").replace("get all", "get"),
            ));
        }
    }
    let known = |table: &[(&str, Verb)], word: &str| {
        table.iter().find(|(verb, _)| *verb == word).map(|(verb, kind)| (*kind, (*verb).to_owned()))
    };
    let first = name.first()?;
    if let Some((verb, word)) = known(STRONG, first).or_else(|| known(WEAK, first))
        && !(name.len() == 1 && verb == Other)
    {
        return Some((0, 1, verb, word));
    }
    name.iter()
        .enumerate()
        .take(5)
        .find_map(|(at, word)| known(STRONG, word).map(|(verb, word)| (at, 1, verb, word)))
}

fn in_description(description: &str) -> Option<(Verb, String)> {
    let table = || STRONG.iter().chain(WEAK);
    for word in words(description).iter().take(10) {
        for form in base_forms(word) {
            // Words that are mostly nouns in running text are no evidence in their bare form.
            let bare = form == *word && WEAK.iter().any(|(verb, _)| *verb == form);
            if let Some((verb, kind)) = table().find(|(verb, _)| *verb == form)
                && !(bare && words(description).first() != Some(word))
            {
                return Some((*kind, (*verb).to_owned()));
            }
        }
    }
    None
}

impl Action {
    /// Whether the action changes nothing.
    pub(super) fn reads(&self) -> bool {
        matches!(self.verb, Get | List | Count | Check | Compute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, description: &str) -> Action {
        action(&ToolSpec { name: name.into(), ..ToolSpec::default() }, description)
    }

    #[test]
    fn verbs_and_nouns_of_names() {
        let action = read("add_song_to_album", "");
        assert_eq!(
            (action.verb, action.nouns, action.qualifier),
            (Create, vec!["song".into()], vec!["album".into()])
        );
        let action = read("listAllInvoices", "");
        assert_eq!((action.verb, action.nouns, action.plural), (List, vec!["invoice".into()], true));
        let action = read("mail_get_login_status", "");
        assert_eq!((action.verb, action.nouns), (Get, vec!["login".into(), "status".into()]));
        assert_eq!(read("turn_off_heating", "").verb, TurnOff);
        let action = read("notes-add", "");
        assert_eq!((action.verb, action.nouns), (Create, vec!["note".into()]));
        let action = read("orderBook", "Places an order for a book.");
        assert_eq!((action.verb, action.word.as_str()), (Create, "order"));
    }

    #[test]
    fn a_verb_may_stand_in_the_description() {
        let action = read("Subscription", "This API registers a subscription.");
        assert_eq!((action.verb, action.nouns), (Create, vec!["subscription".into()]));
    }
}
