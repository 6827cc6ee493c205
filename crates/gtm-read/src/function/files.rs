//! Tools over a file tree: listing, reading, writing, moving, searching.

use super::build::{assign, behavior, bind, reply, require, require_when};
use super::context::Context;
use super::reply::{self as shape, Sources};
use super::tokens::words;
use super::tool::{Param, Returns, Tool};
use super::tree::Tree;
use super::verbs::Verb;
use gtm_world::ErrorKind;
use gtm_world::behavior::{Behavior, Step};
use serde_json::json;

/// What a tool does with files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    List,
    Enter,
    Where,
    Read,
    NewFile,
    NewDirectory,
    Remove,
    Move,
    Copy,
    Write,
    Append,
    Match,
    Find,
    Count,
    Sort,
    Tail,
    Head,
    Diff,
    Size,
}

/// Names that shells have given to what they do.
const SHELL: &[(&str, Act)] = &[
    ("ls", Act::List),
    ("dir", Act::List),
    ("cd", Act::Enter),
    ("chdir", Act::Enter),
    ("pwd", Act::Where),
    ("cat", Act::Read),
    ("touch", Act::NewFile),
    ("mkdir", Act::NewDirectory),
    ("rm", Act::Remove),
    ("rmdir", Act::Remove),
    ("unlink", Act::Remove),
    ("mv", Act::Move),
    ("cp", Act::Copy),
    ("echo", Act::Write),
    ("grep", Act::Match),
    ("find", Act::Find),
    ("wc", Act::Count),
    ("sort", Act::Sort),
    ("tail", Act::Tail),
    ("head", Act::Head),
    ("diff", Act::Diff),
    ("du", Act::Size),
];

/// What a tool does, if it is about files.
pub(super) fn read(ctx: &Context<'_>, tree: &Tree, tool: &Tool<'_>) -> Option<Behavior> {
    if !tree.owns(ctx, tool) {
        return None;
    }
    let act = act(tool)?;
    let mut steps = vec![tree.here()];
    let texts: Vec<&Param> =
        tool.params.iter().filter(|p| matches!(p.kind.as_deref(), Some("string") | None)).collect();
    let named =
        |names: &[&str]| texts.iter().copied().find(|p| p.stems.iter().any(|w| names.contains(&w.as_str())));
    let path = || {
        named(&["file", "path", "folder", "directory", "dir", "filename", "source", "src"])
            .or_else(|| texts.first().copied())
    };
    let mut sources = Sources { done: Some("Done".into()), ..Sources::default() };
    let result = match act {
        Act::List => {
            steps.push(bind("at", "cwd"));
            if let Some(param) = path() {
                steps.push(bind("at", format!("{} == null ? cwd : ({})", param.expr(), Tree::names(param))));
            }
            steps.push(bind("found", format!("getPath({}, {})", tree.base, tree.inside("at"))));
            steps.push(require("isObject(found)", ErrorKind::NotFound, "No such directory"));
            let all = tool.params.iter().find(|p| {
                p.is_bool() && p.stems.iter().any(|w| matches!(w.as_str(), "a" | "all" | "hidden"))
            });
            steps.push(match all {
                Some(all) => {
                    let shown = format!("default({}, false) == true || !startsWith(k, \".\")", all.expr());
                    bind("rows", format!("keys(found).filter(k, {shown})"))
                }
                None => bind("rows", "keys(found)"),
            });
            "rows".to_owned()
        }
        Act::Enter => {
            let current = tree.current.clone()?;
            let param = path()?;
            steps.push(bind("to", Tree::names(param)));
            let inside = format!("isObject(getPath({}, {}))", tree.base, tree.inside("to"));
            let message = format!("cd: '{{{}}}': No such file or directory", param.expr());
            steps.push(require(inside, ErrorKind::NotFound, message));
            steps.push(assign(&current, "\"/\" + join(to, \"/\")"));
            "size(to) > 0 ? last(to) : \"/\"".to_owned()
        }
        Act::Where => "\"/\" + join(cwd, \"/\")".to_owned(),
        Act::Read | Act::Count | Act::Sort | Act::Tail | Act::Head | Act::Match => {
            let param = path()?;
            file(tree, param, "file", &mut steps);
            if act == Act::Count
                && let Some(mode) = texts.iter().find(|p| p.name != param.name)
            {
                let value = mode.expr();
                let known = format!("{value} in [\"l\", \"w\", \"c\"]");
                let message = format!("Invalid mode '{{{value}}}'");
                steps.push(require_when(
                    format!("{value} != null"),
                    known,
                    ErrorKind::InvalidArgument,
                    message,
                ));
            }
            part_of_text(tool, act, &texts, param, &mut sources)?
        }
        Act::Diff => {
            let [a, b] = texts[..] else { return None };
            file(tree, a, "a", &mut steps);
            steps.push(bind("old", "text"));
            file(tree, b, "b", &mut steps);
            let pairs = "zip(lines(old), lines(text)).filter(p, p[0] != p[1])";
            format!("join({pairs}.map(p, \"- \" + p[0] + \"\\n+ \" + p[1]), \"\\n\")")
        }
        Act::NewFile | Act::NewDirectory => {
            let param = path()?;
            steps.extend(tree.pointed(param, "file"));
            steps.extend(in_directory(tree, param, "file"));
            let message = format!("'{{{}}}' already exists", param.expr());
            steps.push(require(
                format!("getPath({}, file_at) == null", tree.base),
                ErrorKind::Conflict,
                message,
            ));
            let content = named(&["content", "text", "data"])
                .map_or_else(|| "\"\"".into(), |p| format!("default({}, \"\")", p.expr()));
            let node = if act == Act::NewFile { tree.new_file(&content) } else { tree.new_directory() };
            steps.push(tree.assign(format!("setPath({}, file_at, {node})", tree.base)));
            sources.done = Some(format!("'{{{}}}' created", param.expr()));
            return Some(finish(ctx, tool, steps, &sources, None));
        }
        Act::Remove => {
            let param = path()?;
            steps.extend(tree.existing(param, "file"));
            steps.push(tree.assign(tree.without(&tree.base, "file")));
            sources.done = Some(format!("'{{{}}}' removed", param.expr()));
            return Some(finish(ctx, tool, steps, &sources, None));
        }
        Act::Move | Act::Copy => {
            let from = named(&["source", "src", "from", "old"]).or_else(|| texts.first().copied())?;
            let to = texts.iter().copied().find(|p| p.name != from.name)?;
            relocate(tree, act, from, to, &mut steps);
            let verb = if act == Act::Move { "moved" } else { "copied" };
            sources.done =
                Some(format!("'{{{}}}' {verb} to '{{join(skip(goal, size(cwd)), \"/\")}}'", from.expr()));
            return Some(finish(ctx, tool, steps, &sources, None));
        }
        Act::Write | Act::Append => {
            let content = named(&["content", "text", "data", "body", "line"])?;
            let param = texts.iter().copied().find(|p| p.name != content.name)?;
            write(tree, act, content, param, &mut steps);
            sources.done = Some(format!("Written to '{{{}}}'", param.expr()));
            return Some(finish(ctx, tool, steps, &sources, None));
        }
        Act::Find => {
            let place = named(&["path", "directory", "folder", "dir"]);
            let name = texts.iter().copied().find(|p| place.is_none_or(|place| place.name != p.name));
            steps.push(bind(
                "at",
                place.map_or_else(
                    || "cwd".into(),
                    |p| format!("{} == null ? cwd : ({})", p.expr(), Tree::names(p)),
                ),
            ));
            steps.push(bind("found", format!("getPath({}, {})", tree.base, tree.inside("at"))));
            steps.push(require("isObject(found)", ErrorKind::NotFound, "No such directory"));
            let prefix =
                place.map_or_else(|| "\".\"".into(), |p| format!("string(default({}, \".\"))", p.expr()));
            steps.push(bind("prefix", prefix));
            let all = tree.paths("found", "prefix", 4);
            match name {
                Some(name) => {
                    let value = name.expr();
                    let none = format!("{value} == null || {value} == \"None\"");
                    format!("{all}.filter(p, {none} || contains(last(split(p, \"/\")), string({value})))")
                }
                None => all,
            }
        }
        Act::Size => {
            steps.push(bind("found", format!("getPath({}, {})", tree.base, tree.inside("cwd"))));
            "string(size(toJson(found))) + \" bytes\"".to_owned()
        }
    };
    Some(finish(ctx, tool, steps, &sources, Some(result)))
}

fn act(tool: &Tool<'_>) -> Option<Act> {
    let name = words(tool.spec.name.rsplit(['.', '/', ':']).next()?);
    if let [only] = name.as_slice()
        && let Some((_, act)) = SHELL.iter().find(|(word, _)| word == only)
    {
        return Some(*act);
    }
    let has = |list: &[&str]| name.iter().any(|w| list.contains(&w.as_str()));
    let directory = has(&["directory", "directories", "folder", "folders", "dir", "dirs"]);
    if !directory && !has(&["file", "files", "document", "documents"]) {
        return None;
    }
    let first = name.first()?.as_str();
    Some(match (first, tool.action.verb) {
        ("change" | "enter" | "navigate" | "open", _) if directory => Act::Enter,
        ("move" | "rename", _) => Act::Move,
        ("copy" | "duplicate", _) => Act::Copy,
        ("append", _) => Act::Append,
        ("write" | "save" | "edit" | "update" | "overwrite", _) if !directory => Act::Write,
        (_, Verb::Get) if directory && has(&["current", "working"]) => Act::Where,
        ("search" | "find", _) => Act::Find,
        ("list", _) => Act::List,
        (_, Verb::Get | Verb::List) if directory => Act::List,
        (_, Verb::Get) => Act::Read,
        (_, Verb::Delete) => Act::Remove,
        ("create" | "make" | "new" | "add", _) if directory => Act::NewDirectory,
        ("create" | "make" | "new" | "add", _) => Act::NewFile,
        _ => return None,
    })
}

/// Binds `text`, the text of a file that must be there.
fn file(tree: &Tree, param: &Param, name: &str, steps: &mut Vec<Step>) {
    steps.extend(tree.existing(param, name));
    let node = format!("{name}_node");
    let message = format!("{{{}}}: Is a directory", param.expr());
    steps.push(require(format!("!{}", tree.is_directory(&node)), ErrorKind::InvalidArgument, message));
    steps.push(bind("text", tree.text(&node)));
}

/// What is shown of a text.
fn part_of_text(
    tool: &Tool<'_>,
    act: Act,
    texts: &[&Param],
    path: &Param,
    sources: &mut Sources<'_>,
) -> Option<String> {
    let number = tool
        .params
        .iter()
        .find(|p| p.is_number())
        .map_or_else(|| "10".into(), |p| format!("default({}, 10)", p.expr()));
    let other = texts.iter().find(|p| p.name != path.name);
    Some(match act {
        Act::Read => "text".into(),
        Act::Sort => "join(sort(lines(text)), \"\\n\")".into(),
        Act::Tail => format!("join(skip(lines(text), max(size(lines(text)) - {number}, 0)), \"\\n\")"),
        Act::Head => format!("join(take(lines(text), {number}), \"\\n\")"),
        Act::Match => format!("lines(text).filter(l, contains(l, string({})))", other?.expr()),
        Act::Count => {
            let mode = other.map_or_else(|| "\"l\"".into(), |p| format!("default({}, \"l\")", p.expr()));
            sources.known.push((
                vec!["type".into()],
                format!("{{\"l\": \"lines\", \"w\": \"words\", \"c\": \"characters\"}}[{mode}]"),
            ));
            format!(
                "{mode} == \"w\" ? size(split(text)) : ({mode} == \"c\" ? size(text) : size(lines(text)))"
            )
        }
        _ => return None,
    })
}

/// The directory around a new node must be there.
fn in_directory(tree: &Tree, param: &Param, name: &str) -> Vec<Step> {
    let up = tree.inside(&format!("take({name}, size({name}) - 1)"));
    let message = format!("'{{{}}}': No such file or directory", param.expr());
    vec![require(format!("isObject(getPath({}, {up}))", tree.base), ErrorKind::NotFound, message)]
}

/// Moves or copies: into a directory if the destination is one, else to that name.
fn relocate(tree: &Tree, act: Act, from: &Param, to: &Param, steps: &mut Vec<Step>) {
    steps.extend(tree.existing(from, "file"));
    steps.push(bind("into", Tree::names(to)));
    let is_directory = format!("isObject(getPath({}, {}))", tree.base, tree.inside("into"));
    steps.push(bind("goal", format!("{is_directory} ? into + [last(file)] : into")));
    steps.push(require("size(goal) > 0", ErrorKind::InvalidArgument, "No destination is given"));
    steps.extend(in_directory(tree, to, "goal"));
    steps.push(bind("goal_at", tree.node("goal")));
    if act == Act::Move {
        let message = format!("'{{{}}}' already exists", to.expr());
        steps.push(require(format!("getPath({}, goal_at) == null", tree.base), ErrorKind::Conflict, message));
    }
    let copied = format!("setPath({}, goal_at, file_node)", tree.base);
    steps.push(tree.assign(match act {
        Act::Move => format!("cel.bind(t, {copied}, {})", tree.without("t", "file")),
        _ => copied,
    }));
}

/// Writes a file, new or not; without a file the text is only shown.
fn write(tree: &Tree, act: Act, content: &Param, param: &Param, steps: &mut Vec<Step>) {
    let file = param.expr();
    let value = format!("string({})", content.expr());
    if !param.required {
        let none = format!("isEmpty({file}) || {file} == \"None\"");
        let shown = Step { when: Some(none), ..reply(json!({ "terminal_output": content.expr() })) };
        steps.push(shown);
    }
    steps.extend(tree.pointed(param, "file"));
    steps.extend(in_directory(tree, param, "file"));
    steps.push(bind("file_node", format!("getPath({}, file_at)", tree.base)));
    let message = format!("{{{file}}}: Is a directory");
    steps.push(require_when(
        "file_node != null",
        format!("!{}", tree.is_directory("file_node")),
        ErrorKind::InvalidArgument,
        message,
    ));
    let text = match act {
        Act::Append => format!("(file_node == null ? \"\" : {}) + {value}", tree.text("file_node")),
        _ => value,
    };
    steps.push(tree.assign(format!("setPath({}, file_at, {})", tree.base, tree.new_file(&text))));
}

fn finish(
    ctx: &Context<'_>,
    tool: &Tool<'_>,
    mut steps: Vec<Step>,
    sources: &Sources<'_>,
    result: Option<String>,
) -> Behavior {
    let template = match (result, &tool.returns) {
        (Some(result), Returns::Object(fields)) => {
            steps.push(bind("result", result));
            let mut out = shape::object(ctx, tool, fields, sources);
            if let (Some(out), Some(first)) = (out.as_object_mut(), fields.first()) {
                out.insert(first.name.clone(), json!("result"));
            }
            out
        }
        (Some(result), _) => json!(result),
        (None, Returns::Object(fields)) if fields.iter().all(|f| f.kind != "string") => {
            shape::object(ctx, tool, fields, sources)
        }
        (None, Returns::Object(fields)) => {
            let mut out = shape::object(ctx, tool, fields, sources);
            let told = fields.iter().find(|f| f.kind == "string").map(|f| f.name.clone());
            if let (Some(out), Some(told), Some(done)) = (out.as_object_mut(), told, &sources.done) {
                out.insert(told, super::build::text(done.clone()));
            }
            out
        }
        (None, Returns::Unknown) if tool.spec.returns.is_some() => json!({}),
        (None, _) => shape::done(ctx, tool, sources),
    };
    steps.push(reply(template));
    behavior(steps)
}
