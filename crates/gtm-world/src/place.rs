//! Places: paths into the state that steps read and write.

use crate::cel::{self, Expr, Node, Scope};
use crate::{Budget, Str, ToolError, Value};
use gtm_error::{Code, Error, Result};
use std::sync::Arc;

/// A compiled path into the state. Each segment is a fixed name or an expression.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    segments: Vec<Segment>,
}

#[derive(Clone, Debug)]
enum Segment {
    Key(Str),
    Expr(Node),
}

/// A place with all its keys known.
pub(crate) type Path = Vec<Str>;

impl Place {
    /// Compiles a path such as `users[args.id].cart`. The first name is a member of the state, or
    /// what `alias` makes of it.
    pub(crate) fn parse(text: &str, mut alias: impl FnMut(&str) -> Option<Place>) -> Result<Place> {
        let expr = Expr::parse(text)?;
        let mut segments = Vec::new();
        let mut node = expr.node();
        loop {
            match node {
                Node::Select(inner, key) => {
                    segments.push(Segment::Key(key.clone()));
                    node = inner;
                }
                Node::Index(inner, key) => {
                    segments.push(match &**key {
                        Node::Literal(value) => match value.as_key() {
                            Some(key) => Segment::Key(key),
                            None => return Err(not_a_place(text)),
                        },
                        other => Segment::Expr(other.clone()),
                    });
                    node = inner;
                }
                Node::Name(name) => {
                    segments.reverse();
                    if let Some(mut place) = alias(name) {
                        place.segments.extend(segments);
                        return Ok(place);
                    }
                    if &**name == "args" {
                        return Err(not_a_place(text));
                    }
                    if &**name != "state" {
                        segments.insert(0, Segment::Key(name.clone()));
                    }
                    return Ok(Place { segments });
                }
                _ => return Err(not_a_place(text)),
            }
        }
    }

    /// A place of one name.
    pub(crate) fn member(name: &str) -> Place {
        Place { segments: vec![Segment::Key(name.into())] }
    }

    /// Evaluates the keys.
    pub(crate) fn resolve(
        &self,
        scope: &mut Scope,
        budget: &mut Budget,
    ) -> std::result::Result<Path, ToolError> {
        self.segments
            .iter()
            .map(|segment| match segment {
                Segment::Key(key) => Ok(key.clone()),
                Segment::Expr(node) => {
                    let key = cel::eval_node(node, scope, budget)?;
                    // A null key finds nothing; the empty text would find a member named "".
                    Ok(key.as_key().unwrap_or_else(|| "\u{0}".into()))
                }
            })
            .collect()
    }
}

fn not_a_place(text: &str) -> Error {
    Error::new(Code::BehaviorInvalid, format!("`{text}` is not a place in the state"))
        .expected("a path that starts with a member of the state, such as users[args.user_id].cart")
}

/// What is at a path. Lists are indexed by position.
pub(crate) fn read<'a>(root: &'a Value, path: &[Str]) -> Option<&'a Value> {
    path.iter().try_fold(root, |value, key| match value {
        Value::Map(map) => map.get(key),
        Value::List(list) => list.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

/// What is at a path, to change in place. With `make`, missing members and nulls on the way become
/// objects; scalars and list positions that do not exist are never overwritten.
pub(crate) fn write<'a>(root: &'a mut Value, path: &[Str], make: bool) -> Option<&'a mut Value> {
    path.iter().try_fold(root, |value, key| {
        if make && value.is_null() {
            *value = Value::map();
        }
        match value {
            Value::Map(map) => {
                if make && !map.contains_key(key) {
                    map.insert(key.clone(), Value::Null);
                }
                map.get_mut(key)
            }
            Value::List(list) => {
                let at = key.parse::<usize>().ok()?;
                Arc::make_mut(list).get_mut(at)
            }
            _ => None,
        }
    })
}

/// Removes what is at a path and returns it.
pub(crate) fn remove(root: &mut Value, path: &[Str]) -> Option<Value> {
    let (last, parents) = path.split_last()?;
    read(root, path)?;
    match write(root, parents, false)? {
        Value::Map(map) => map.remove(last),
        Value::List(list) => {
            let at = last.parse::<usize>().ok()?;
            (at < list.len()).then(|| Arc::make_mut(list).remove(at))
        }
        _ => None,
    }
}

/// The path as a JSON pointer (RFC 6901), which also names a collection in the books.
pub(crate) fn pointer(path: &[Str]) -> String {
    let mut out = String::new();
    for key in path {
        out.push('/');
        out.push_str(&key.replace('~', "~0").replace('/', "~1"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn path(keys: &[&str]) -> Path {
        keys.iter().map(|k| Str::from(*k)).collect()
    }

    #[test]
    fn reads_writes_and_removes_through_objects_and_lists() {
        let mut root = Value::from(json!({"a": {"b": [1, {"c": 2}]}}));
        let before = root.clone();
        assert_eq!(read(&root, &path(&["a", "b", "1", "c"])), Some(&Value::Int(2)));
        *write(&mut root, &path(&["a", "b", "1", "c"]), false).unwrap() = Value::Int(3);
        assert_eq!(remove(&mut root, &path(&["a", "b", "0"])), Some(Value::Int(1)));
        assert_eq!(root.to_json(), json!({"a": {"b": [{"c": 3}]}}));
        assert_eq!(before.to_json(), json!({"a": {"b": [1, {"c": 2}]}}));
    }

    #[test]
    fn making_a_path_never_overwrites_scalars() {
        let mut root = Value::from(json!({"n": 1}));
        assert!(write(&mut root, &path(&["n", "x"]), true).is_none());
        *write(&mut root, &path(&["new", "deep"]), true).unwrap() = Value::Int(1);
        assert_eq!(root.to_json(), json!({"n": 1, "new": {"deep": 1}}));
    }
}
