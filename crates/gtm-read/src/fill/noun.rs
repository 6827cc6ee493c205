//! What a tool or an object is about, as a singular noun.

use super::name::Name;

/// Words of a tool's name that say what is done, not to what.
const VERBS: &[&str] = &[
    "get",
    "list",
    "create",
    "update",
    "delete",
    "add",
    "remove",
    "set",
    "fetch",
    "retrieve",
    "search",
    "find",
    "read",
    "show",
    "make",
    "post",
    "put",
    "patch",
    "query",
    "lookup",
    "check",
    "send",
    "upload",
    "download",
    "view",
    "describe",
    "browse",
    "cancel",
    "run",
    "execute",
    "generate",
    "calculate",
    "compute",
    "convert",
    "validate",
    "verify",
    "insert",
    "edit",
    "modify",
    "replace",
    "start",
    "stop",
    "enable",
    "disable",
    "submit",
    "book",
    "api",
    "v1",
    "v2",
    "v3",
    "by",
    "for",
    "of",
    "the",
    "all",
    "with",
    "from",
    "to",
    "in",
    "on",
    "a",
    "an",
    "and",
    "is",
    "new",
    "my",
    "id",
    "ids",
    "using",
    "me",
    "random",
    "latest",
    "current",
    "batch",
    "bulk",
    "multiple",
    "many",
    "one",
    "or",
    "upsert",
    "manage",
    "do",
];

/// Words that wrap without meaning.
const WRAPPERS: &[&str] = &[
    "data",
    "result",
    "results",
    "response",
    "item",
    "items",
    "value",
    "values",
    "attributes",
    "properties",
    "object",
    "dto",
    "model",
    "schema",
    "entity",
    "record",
    "records",
    "rows",
    "row",
    "entries",
    "entry",
    "list",
    "collection",
    "page",
    "paged",
    "paginated",
    "payload",
    "body",
    "details",
    "detail",
    "info",
    "output",
    "meta",
    "metadata",
    "content",
    "contents",
    "hits",
    "embedded",
    "resource",
    "resources",
    "base",
    "full",
    "summary",
    "read",
    "view",
    "type",
    "inline",
    "envelope",
    "success",
    "array",
    "response200",
    "schema200",
];

/// A singular noun for an object of this name, words joined by spaces; empty if the name only wraps.
pub(super) fn singular(name: &Name) -> String {
    about(name, &[WRAPPERS], 2)
}

/// What a tool is about, by its name.
pub(super) fn of_tool(name: &str) -> String {
    about(&Name::new(name), &[VERBS, WRAPPERS], 2)
}

fn about(name: &Name, without: &[&[&str]], most: usize) -> String {
    let words: Vec<&str> = name
        .words()
        .filter(|w| {
            w.len() > 1
                && !w.starts_with(|c: char| c.is_ascii_digit())
                && !without.iter().any(|set| set.contains(w))
        })
        .collect();
    let from = words.len().saturating_sub(most);
    let mut out = String::new();
    for (i, word) in words.iter().enumerate().skip(from) {
        if i > from {
            out.push(' ');
        }
        if i + 1 == words.len() { out.push_str(&crate::words::singular(word)) } else { out.push_str(word) }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_of_names() {
        for (tool, noun) in [
            ("getGiftCardDetails", "gift card"),
            ("list_pets", "pet"),
            ("searchUsersByName", "users name"),
            ("GET_v1_categories", "category"),
        ] {
            assert_eq!(of_tool(tool), noun);
        }
        assert_eq!(singular(&Name::new("PaginatedOrderList")), "order");
        assert_eq!(singular(&Name::new("data")), "");
        assert_eq!(singular(&Name::new("addresses")), "address");
    }
}
