//! Arguments that a reply repeats.

use super::name::Name;
use gtm_world::Value;

/// The call's arguments, by normalised name.
pub(super) struct Echo<'a> {
    args: Vec<(Name, &'a str, &'a Value)>,
    /// The only argument that is an id, if there is exactly one.
    id: Option<&'a Value>,
}

/// Names that mean something else in each object, so that an argument of such a name is echoed
/// only at the reply's top level.
const GENERIC: &[&str] = &[
    "id",
    "name",
    "type",
    "status",
    "state",
    "title",
    "description",
    "value",
    "key",
    "code",
    "url",
    "date",
    "time",
    "label",
    "text",
    "content",
    "message",
    "count",
    "total",
    "kind",
    "data",
    "result",
    "results",
    "items",
    "index",
    "order",
    "sort",
    "filter",
    "fields",
    "page",
    "limit",
    "offset",
    "size",
    "tags",
    "properties",
    "metadata",
];

/// Arguments that say how many rows to give.
const LIMITS: &[&str] = &[
    "limit",
    "perpage",
    "pagesize",
    "maxresults",
    "size",
    "count",
    "top",
    "first",
    "take",
    "num",
    "n",
    "rows",
    "numresults",
    "maxrecords",
    "resultsperpage",
    "pagelimit",
    "maxitems",
    "numberofresults",
    "limitto",
    "itemsperpage",
    "topk",
    "topn",
    "k",
    "max",
    "batchsize",
];

impl<'a> Echo<'a> {
    pub(super) fn new(args: &'a Value) -> Self {
        let args: Vec<(Name, &str, &Value)> = args
            .as_map()
            .into_iter()
            .flat_map(|map| map.iter())
            .filter(|(_, value)| !value.is_null())
            .take(64)
            .map(|(name, value)| (Name::new(name), &**name, value))
            .collect();
        let mut ids = args.iter().filter(|(name, _, value)| {
            matches!(name.last(), "id" | "uuid" | "guid") && matches!(value, Value::Str(_) | Value::Int(_))
        });
        let id = match (ids.next(), ids.next()) {
            (Some((.., id)), None) => Some(*id),
            _ => None,
        };
        Echo { args, id }
    }

    /// Whether there is nothing to repeat.
    pub(super) fn is_empty(&self) -> bool {
        self.args.is_empty()
    }

    /// The argument that a member repeats. `owner` is the name of the object it is in; `depth` is
    /// 1 for members of the reply itself; `row` says that the object is one of several.
    pub(super) fn of(&self, member: &Name, owner: &Name, depth: u32, row: bool) -> Option<&'a Value> {
        if self.args.is_empty() {
            return None;
        }
        let joined = member.joined();
        let generic = GENERIC.contains(&joined);
        if !(generic && (depth > 1 || row))
            && let Some((.., value)) = self.args.iter().find(|(name, ..)| name.joined() == joined)
        {
            return Some(value);
        }
        if matches!(member.last(), "id" | "uuid") && member.len() == 1 && !row {
            // `user: {id}` for `user_id`; the reply's own id for the only id given.
            let owned = self.args.iter().find(|(name, ..)| {
                name.len() > 1
                    && matches!(name.last(), "id" | "uuid")
                    && !owner.joined().is_empty()
                    && name.head(1) == owner.joined()
            });
            if let Some((.., value)) = owned {
                return Some(value);
            }
            if depth <= 1 {
                return self.id;
            }
        }
        None
    }

    /// How many rows the call asks for.
    pub(super) fn limit(&self) -> Option<usize> {
        LIMITS.iter().find_map(|limit| {
            let (.., value) = self.args.iter().find(|(name, ..)| name.joined() == *limit)?;
            value.as_i64().or_else(|| value.as_str()?.parse().ok()).and_then(|n| usize::try_from(n).ok())
        })
    }

    /// Arguments that may be shown as what the call was about: short scalars that are no secret.
    pub(super) fn scalars(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.args
            .iter()
            .filter(|(name, _, value)| {
                let scalar = match value {
                    Value::Str(text) => text.len() <= 200,
                    Value::Int(_) | Value::Float(_) | Value::Bool(_) => true,
                    _ => false,
                };
                scalar && !name.has(&["password", "token", "secret", "key", "apikey", "pin", "cvv"])
            })
            .map(|(_, name, value)| (*name, *value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_agree_across_styles() {
        let args = Value::from(json!({"cityName": "Oslo", "user_id": 7, "limit": 2, "status": "open"}));
        let echo = Echo::new(&args);
        let of = |member: &str, owner: &str, depth, row| {
            echo.of(&Name::new(member), &Name::new(owner), depth, row).map(Value::to_json)
        };
        assert_eq!(of("city_name", "", 3, true), Some(json!("Oslo")));
        assert_eq!(of("id", "user", 2, false), Some(json!(7)));
        assert_eq!(of("id", "", 1, false), Some(json!(7)));
        assert_eq!(of("id", "users", 2, true), None);
        assert_eq!(of("status", "", 1, false), Some(json!("open")));
        assert_eq!(of("status", "job", 2, false), None);
        assert_eq!(echo.limit(), Some(2));
    }
}
