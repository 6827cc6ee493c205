//! File trees in the state: what a tree looks like, and where a call's path leads in it.

use super::build::{bind, require};
use super::context::Context;
use super::expr;
use super::tokens::stems;
use super::tool::{Param, Tool};
use gtm_world::ErrorKind;
use gtm_world::behavior::Step;
use serde_json::{Map, Value as Json, json};

/// How deep a tree is looked for in the state.
const DEPTH: usize = 4;

/// A tree of directories and files.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tree {
    /// The object that holds the top nodes, as an expression and as a place.
    pub(super) base: String,
    /// Words of the object around it.
    pub(super) group: Vec<String>,
    /// Member of a directory that holds what is in it; directories are plain objects if absent.
    pub(super) inner: Option<String>,
    /// Member of a file that holds its text; files are plain texts if absent.
    pub(super) content: Option<String>,
    /// Member that tells files from directories, and its values for them: directory, file.
    pub(super) kind: Option<(String, String, String)>,
    /// The current directory, a text in the state.
    pub(super) current: Option<String>,
}

/// The tree in a state, if there is one.
pub(super) fn find(state: &Json) -> Option<Tree> {
    // Nodes that say what they are come before objects that merely could be directories.
    let mut found = None;
    search(state, &mut Vec::new(), &typed, &mut found);
    if found.is_none() {
        search(state, &mut Vec::new(), &plain, &mut found);
    }
    let (mut tree, path): (Tree, Vec<String>) = found?;
    let around = path.split_last().map(|(_, around)| around.to_vec()).unwrap_or_default();
    tree.group = around.first().map(|name| stems(name)).unwrap_or_default();
    let holder = around.iter().try_fold(state, |at, name| at.get(name)).and_then(Json::as_object);
    let current = holder.into_iter().flatten().find(|(name, value)| {
        let words = stems(name);
        let joined = words.join(" ");
        value.is_string()
            && ((words.iter().any(|w| w == "current" || w == "working")
                && words.iter().any(|w| matches!(w.as_str(), "dir" | "directory" | "folder" | "path")))
                || joined == "cwd")
    });
    tree.current = current.map(|(name, _)| expr::state(&[around, vec![name.clone()]].concat()));
    Some(tree)
}

type Layout = dyn Fn(&[String], &Map<String, Json>) -> Option<Tree>;

fn search(value: &Json, path: &mut Vec<String>, layout: &Layout, found: &mut Option<(Tree, Vec<String>)>) {
    let Json::Object(map) = value else { return };
    if found.is_some() || path.len() > DEPTH {
        return;
    }
    if let Some(tree) = layout(path, map).filter(|_| !path.is_empty()) {
        *found = Some((tree, path.clone()));
        return;
    }
    for (name, inner) in map {
        path.push(name.clone());
        search(inner, path, layout, found);
        path.pop();
    }
}

/// The tree whose top nodes are the members of an object, where they say what they are.
fn typed(path: &[String], map: &Map<String, Json>) -> Option<Tree> {
    const INNER: &[&str] = &["contents", "children", "entries", "files", "nodes", "items"];
    const TYPES: &[&str] = &["type", "kind", "node_type"];
    let node = map.values().filter_map(Json::as_object).find_map(|node| {
        let inner = INNER.iter().find(|name| node.get(**name).is_some_and(Json::is_object))?;
        let kind = TYPES.iter().find(|name| node.get(**name).is_some_and(Json::is_string))?;
        Some((node, (*inner).to_owned(), (*kind).to_owned()))
    });
    let (node, inner, kind) = node?;
    let mut file = None;
    leaf(map, &inner, &kind, 0, &mut file);
    let directory = node.get(&kind).and_then(Json::as_str).unwrap_or("directory").to_owned();
    let (content, file) = file.unwrap_or_else(|| ("content".into(), "file".into()));
    Some(Tree {
        base: expr::state(path),
        group: Vec::new(),
        inner: Some(inner),
        content: Some(content),
        kind: Some((kind, directory, file)),
        current: None,
    })
}

/// The tree whose directories are plain objects and whose files are texts.
fn plain(path: &[String], map: &Map<String, Json>) -> Option<Tree> {
    let named = stems(path.last()?).join(" ");
    let is_root = matches!(
        named.as_str(),
        "root" | "file system" | "filesystem" | "fs" | "disk" | "drive" | "file tree"
    );
    let plain = map.values().all(|v| v.is_object() || v.is_string()) && map.values().any(Json::is_object);
    (is_root && plain).then(|| Tree {
        base: expr::state(path),
        group: Vec::new(),
        inner: None,
        content: None,
        kind: None,
        current: None,
    })
}

/// The member of a file that holds its text, and what its kind is called.
fn leaf(
    map: &Map<String, Json>,
    inner: &str,
    kind: &str,
    depth: usize,
    found: &mut Option<(String, String)>,
) {
    for node in map.values().filter_map(Json::as_object).take(50) {
        if found.is_some() || depth > 6 {
            return;
        }
        match node.get(inner) {
            Some(Json::Object(below)) => leaf(below, inner, kind, depth + 1, found),
            _ => {
                let text = ["content", "text", "data", "body"].iter().find(|name| node.contains_key(**name));
                let called = node.get(kind).and_then(Json::as_str);
                if let (Some(text), Some(called)) = (text, called) {
                    *found = Some(((*text).to_owned(), called.to_owned()));
                }
            }
        }
    }
}

impl Tree {
    /// Whether a tool belongs to the tree: its API is the tree's, or there is no other state.
    pub(super) fn owns(&self, ctx: &Context<'_>, tool: &Tool<'_>) -> bool {
        self.group.is_empty() || ctx.group_of(tool).is_none_or(|group| group == self.group)
    }

    /// Binds `cwd`, the names that lead to the current directory.
    pub(super) fn here(&self) -> Step {
        match &self.current {
            Some(current) => bind("cwd", format!("split(string({current}), \"/\").filter(s, s != \"\")")),
            None => bind("cwd", "[]"),
        }
    }

    /// Names that an argument leads to, seen from the current directory.
    pub(super) fn names(param: &Param) -> String {
        let value = format!("string(default({}, \"\"))", param.expr());
        format!(
            "{value} == \"..\" ? take(cwd, max(size(cwd) - 1, 0)) : \
             (startsWith({value}, \"/\") ? [] : cwd) + split({value}, \"/\").filter(s, s != \"\" && s != \".\")"
        )
    }

    /// What leads from the base to the inside of a directory, given the names.
    pub(super) fn inside(&self, names: &str) -> String {
        match &self.inner {
            Some(inner) => format!("flatten({names}.map(s, [s, {}]))", expr::text(inner)),
            None => names.to_owned(),
        }
    }

    /// What leads from the base to a node itself.
    pub(super) fn node(&self, names: &str) -> String {
        match &self.inner {
            Some(_) => {
                format!("({}) + [last({names})]", self.inside(&format!("take({names}, size({names}) - 1)")))
            }
            None => names.to_owned(),
        }
    }

    /// Binds, for an argument that names something that must be there: `NAME` the names, `NAME_at` the
    /// way to it, `NAME_node` the node itself.
    pub(super) fn existing(&self, param: &Param, name: &str) -> Vec<Step> {
        let message = format!("{{{}}}: No such file or directory", param.expr());
        let mut steps = self.pointed(param, name);
        steps.push(bind(&format!("{name}_node"), format!("getPath({}, {name}_at)", self.base)));
        steps.push(require(format!("{name}_node != null"), ErrorKind::NotFound, message));
        steps
    }

    /// Binds the names and the way, without asking whether anything is there.
    pub(super) fn pointed(&self, param: &Param, name: &str) -> Vec<Step> {
        vec![
            bind(name, Self::names(param)),
            require(
                format!("size({name}) > 0"),
                ErrorKind::NotFound,
                format!("'{{{}}}': No such file or directory", param.expr()),
            ),
            bind(&format!("{name}_at"), self.node(name)),
        ]
    }

    /// Whether a node is a directory.
    pub(super) fn is_directory(&self, node: &str) -> String {
        match &self.inner {
            Some(inner) => format!("isObject({})", expr::select(node, inner)),
            None => format!("isObject({node})"),
        }
    }

    /// The text of a file.
    pub(super) fn text(&self, node: &str) -> String {
        match &self.content {
            Some(content) => format!("string(default({}, \"\"))", expr::select(node, content)),
            None => format!("string({node})"),
        }
    }

    /// A new directory, as an expression.
    pub(super) fn new_directory(&self) -> String {
        match (&self.inner, &self.kind) {
            (Some(inner), Some((kind, directory, _))) => {
                format!("{{{}: {}, {}: {{}}}}", expr::text(kind), expr::text(directory), expr::text(inner))
            }
            _ => "{}".into(),
        }
    }

    /// A new file with a text, as an expression.
    pub(super) fn new_file(&self, text: &str) -> String {
        match (&self.content, &self.kind) {
            (Some(content), Some((kind, _, file))) => {
                format!("{{{}: {}, {}: {text}}}", expr::text(kind), expr::text(file), expr::text(content))
            }
            _ => text.to_owned(),
        }
    }

    /// Assigns the whole tree. Trees share what did not change, so this costs the way only.
    pub(super) fn assign(&self, value: String) -> Step {
        super::build::assign(&self.base, json!(value))
    }

    /// The tree without a node: `tree` is the tree as an expression, `name` what [`Tree::existing`] bound.
    pub(super) fn without(&self, tree: &str, name: &str) -> String {
        let up = format!("({})", self.inside(&format!("take({name}, size({name}) - 1)")));
        format!("setPath({tree}, {up}, omit(getPath({tree}, {up}), [last({name})]))")
    }

    /// Paths of everything below `container`, some levels deep.
    pub(super) fn paths(&self, container: &str, prefix: &str, levels: usize) -> String {
        let (k, p) = (format!("k{levels}"), format!("p{levels}"));
        let node = format!("{container}[{k}]");
        let below = match &self.inner {
            Some(inner) => expr::select(&node, inner),
            None => node,
        };
        let deeper = if levels > 1 {
            let inner = self.paths("c", &p, levels - 1);
            format!("[{p}] + (isObject({below}) ? cel.bind(c, {below}, {inner}) : [])")
        } else {
            format!("[{p}]")
        };
        format!("flatten(keys({container}).map({k}, cel.bind({p}, {prefix} + \"/\" + {k}, {deeper})))")
    }
}
