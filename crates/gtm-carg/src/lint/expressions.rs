//! Expressions and steps: they compile, and every name in them stands for something.

use super::Findings;
use super::references::unknown;
use crate::pack::{Attribute, Entity, Kind, Pack};
use crate::steps::{self, Part};
use crate::text::{Role, holes, names};
use gtm_world::behavior::{Behavior, Behaviors, Collection, Op, Step};
use gtm_world::cel::Expr;
use gtm_world::{Library, Limits, Program};
use indexmap::IndexMap;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What every expression of a pack may name.
struct Known<'p> {
    pack: &'p Pack,
    /// Collections, singletons, constants, the caller's session.
    globals: BTreeSet<String>,
    collections: BTreeSet<String>,
    /// Members of any record, constant or built object.
    members: BTreeSet<String>,
    library: Arc<Library>,
}

/// What one place in a pack may name besides.
#[derive(Clone, Default)]
struct Local {
    variables: Vec<String>,
    /// Members of `args`; `None` where there are no arguments.
    args: Option<Vec<String>>,
}

pub(super) fn check(pack: &Pack, findings: &mut Findings) {
    let Some(known) = Known::new(pack, findings) else { return };
    for (section, entities) in [("entities", &pack.entities), ("singletons", &pack.singletons)] {
        for (name, entity) in entities {
            findings.within(section, |f| {
                f.within(name, |f| known.entity(section == "entities", name, entity, f))
            });
        }
    }
    for (name, operation) in &pack.operations {
        findings.within("operations", |f| {
            f.within(name, |f| {
                known.defaults("takes", &operation.takes, f);
                let local = Local::taking(&operation.takes);
                f.within("steps", |f| known.steps(&operation.steps, local, f));
                if operation.steps.is_empty() {
                    f.error("an operation has steps");
                }
            })
        });
    }
    for (name, report) in &pack.reports {
        findings.within("reports", |f| {
            f.within(name, |f| {
                let local = Local::taking(&report.takes).with("it");
                if let Some(filter) = &report.filter {
                    f.within("where", |f| known.expr(filter, &local, f));
                }
                if let Some(by) = &report.by {
                    f.within("by", |f| known.expr(by, &local, f));
                }
                let local = Local::taking(&report.takes).with("rows");
                for (measure, expr) in &report.measures {
                    f.within("measures", |f| f.within(measure, |f| known.expr(expr, &local, f)));
                }
                if report.measures.is_empty() {
                    f.error("a report has measures");
                }
            })
        });
    }
}

impl Local {
    /// Names that arguments give: `args`, and the records that references point to.
    fn taking(takes: &IndexMap<String, Attribute>) -> Local {
        let plain = |name: &String| name.trim_end_matches('?').to_owned();
        let records = takes.iter().filter(|(_, a)| matches!(a.kind, Kind::Ref(_)) && a.list.is_none());
        Local {
            variables: records.map(|(name, _)| plain(name)).collect(),
            args: Some(takes.keys().map(plain).collect()),
        }
    }

    fn with(mut self, name: &str) -> Local {
        self.variables.push(name.to_owned());
        self
    }
}

impl<'p> Known<'p> {
    fn new(pack: &'p Pack, findings: &mut Findings) -> Option<Known<'p>> {
        let collections: BTreeSet<String> = pack.entities.iter().map(|(n, e)| e.collection(n)).collect();
        let mut globals = collections.clone();
        globals.extend(pack.singletons.keys().cloned());
        globals.extend(pack.constants.keys().cloned());
        globals.insert("session".into());
        let mut members: BTreeSet<String> = ["id", "role", "user", "value"].map(str::to_owned).into();
        for entity in pack.entities.values().chain(pack.singletons.values()) {
            collect(&entity.attributes, &mut members);
            members.extend(entity.lifecycle.iter().map(|l| l.field().to_owned()));
        }
        for constant in pack.constants.values() {
            keys(constant, &mut members);
        }
        let behaviors = Behaviors {
            collections: collections
                .iter()
                .map(|name| (name.clone(), Collection { id: Some("id".into()), ..Collection::default() }))
                .collect(),
            ..Behaviors::default()
        };
        match Library::new(&behaviors, Limits::default()) {
            Ok(library) => Some(Known { pack, globals, collections, members, library: Arc::new(library) }),
            Err(error) => {
                findings.fault(&error);
                None
            }
        }
    }

    fn entity(&self, is_record: bool, name: &str, entity: &Entity, findings: &mut Findings) {
        self.defaults("attributes", &entity.attributes, findings);
        let own = Local::default().with("it").with(name);
        for (attribute_name, attribute) in &entity.attributes {
            if let Some(calc) = &attribute.calc {
                findings.within("attributes", |f| {
                    f.within(attribute_name, |f| f.within("calc", |f| self.expr(calc, &own, f)));
                });
            }
        }
        let given = Local::taking(&entity.attributes);
        let rules = &entity.rules;
        if !is_record && !(rules.create.is_empty() && rules.created.is_empty() && rules.delete.is_empty()) {
            findings.within("rules", |f| {
                f.error("a singleton is never made nor removed; it has only `update` rules")
            });
        }
        let deleted = Local { variables: own.variables.clone(), args: Some(Vec::new()) };
        let changed = Local { args: given.args.clone(), ..own.clone() };
        for (section, steps, local) in [
            ("create", &rules.create, given.clone()),
            ("created", &rules.created, given.clone().with("it").with(name)),
            ("update", &rules.update, changed),
            ("delete", &rules.delete, deleted),
        ] {
            findings.within("rules", |f| f.within(section, |f| self.steps(steps, local, f)));
        }
        for (verb, mv) in entity.lifecycle.iter().flat_map(|l| &l.moves) {
            findings.within("lifecycle", |f| {
                f.within("moves", |f| {
                    f.within(verb, |f| {
                        self.defaults("takes", &mv.takes, f);
                        let mut local = Local::taking(&mv.takes).with("it").with(name);
                        f.within("steps", |f| local = self.scope_after(&mv.steps, local.clone(), f));
                        f.within("set", |f| {
                            for (member, template) in &mv.set {
                                f.within(member, |f| {
                                    self.member(member, f);
                                    self.template(template, &local, f);
                                });
                            }
                        });
                    })
                })
            });
        }
    }

    /// Defaults are expressions over nothing but the arguments and what is global.
    fn defaults(&self, section: &str, attributes: &IndexMap<String, Attribute>, findings: &mut Findings) {
        let local = Local::taking(attributes);
        for (name, attribute) in attributes {
            let Some(default) = &attribute.default else { continue };
            findings.within(section, |f| {
                f.within(name, |f| {
                    self.expr(default, &local, f);
                    constant_in_range(attribute, default, f);
                    quoted_expression(default, f);
                });
            });
        }
    }

    fn steps(&self, steps: &[Step], local: Local, findings: &mut Findings) {
        self.scope_after(steps, local, findings);
    }

    /// Checks steps and gives the names in force after them.
    fn scope_after(&self, steps: &[Step], mut local: Local, findings: &mut Findings) -> Local {
        // Names that a step's template builds are members of what it binds.
        let behavior = Behavior { steps: steps.to_vec(), ..Behavior::default() };
        if let Err(error) = Program::compile("", &behavior, None, &self.library) {
            let place = error.place().unwrap_or("").trim_start_matches("/behaviors//steps/").to_owned();
            findings.within(place, |f| f.fault(&error));
        }
        let built = self.built_keys(steps);
        for (at, step) in steps.iter().enumerate() {
            findings.within(at, |f| {
                let mut step = step.clone();
                let mark = local.variables.len();
                steps::visit(&mut step, &mut |part| match part {
                    Part::Expr(text) | Part::Place(text) => self.names(text, &local, &built, f),
                    Part::Within(text) => self.within(text, &local, &built, f),
                    Part::Message(text) => {
                        holes(text).iter().for_each(|hole| self.names(hole, &local, &built, f));
                    }
                    Part::Member(name) => self.member(name, f),
                    Part::Bind(name) => local.variables.push(name.clone()),
                    Part::Key(_) => {}
                    Part::Rows(true) => local.variables.extend(["it".into(), "key".into()]),
                    Part::Rows(false) => {
                        let end = local.variables.len() - 2;
                        debug_assert!(end >= mark);
                        local.variables.truncate(end);
                    }
                });
                self.record(&step, f);
            });
        }
        local
    }

    /// A new record has only members of its entity.
    fn record(&self, step: &Step, findings: &mut Findings) {
        let Op::Create(create) = &step.op else { return };
        let Some((name, entity)) = self.pack.by_collection(&create.within) else { return };
        for member in create.set.keys().filter(|member| self.members.contains(*member)) {
            let own = entity.attributes.keys().any(|a| a.trim_end_matches('?') == member)
                || entity.lifecycle.as_ref().is_some_and(|l| l.field() == member);
            if !own {
                findings.within("create", |f| {
                    f.within("set", |f| {
                        let names = entity.attributes.keys().map(|a| a.trim_end_matches('?'));
                        unknown(&format!("attribute of {name}"), member, names, f);
                    });
                });
            }
        }
    }

    /// Names of members that templates of the steps build, such as `{lines: ..., sum: ...}`.
    fn built_keys(&self, steps: &[Step]) -> BTreeSet<String> {
        let mut built = BTreeSet::new();
        for step in steps {
            steps::visit(&mut step.clone(), &mut |part| match part {
                Part::Key(name) => {
                    built.insert(name.clone());
                }
                // `{'n': 1}` in an expression builds members, too.
                Part::Expr(text) => built.extend(literal_keys(text)),
                _ => {}
            });
        }
        built
    }

    fn within(&self, text: &str, local: &Local, built: &BTreeSet<String>, findings: &mut Findings) {
        let root = names(text).first().map_or("", |name| name.text);
        if root == text && !self.collections.contains(root) {
            unknown("collection", root, self.collections.iter().map(String::as_str), findings);
        } else {
            self.names(text, local, built, findings);
        }
    }

    fn member(&self, name: &str, findings: &mut Findings) {
        if !self.members.contains(name) {
            unknown("attribute", name, self.members.iter().map(String::as_str), findings);
        }
    }

    fn template(&self, template: &Json, local: &Local, findings: &mut Findings) {
        steps::template(&mut template.clone(), &mut |part| match part {
            Part::Expr(text) => self.expr(text, local, findings),
            Part::Message(text) => holes(text).iter().for_each(|hole| self.expr(hole, local, findings)),
            _ => {}
        });
    }

    /// An expression outside steps: compiles it, too.
    fn expr(&self, text: &str, local: &Local, findings: &mut Findings) {
        match Expr::parse(text) {
            Ok(_) => self.names(text, local, &literal_keys(text).collect(), findings),
            Err(error) => findings.fault(&error),
        }
    }

    /// The names of an expression that parses; one that does not is reported by compiling it.
    fn names(&self, text: &str, local: &Local, built: &BTreeSet<String>, findings: &mut Findings) {
        let Ok(expr) = Expr::parse(text) else { return };
        for variable in expr.free_names() {
            let known = local.variables.iter().any(|v| v == variable)
                || self.globals.contains(variable)
                || (variable == "args" && local.args.is_some());
            if !known {
                let all = local.variables.iter().chain(&self.globals).map(String::as_str);
                unknown("name", variable, all, findings);
            }
        }
        for name in names(text) {
            let Role::Member(base) = name.role else { continue };
            match (base, &local.args) {
                (Some("args"), Some(args)) => {
                    if !args.iter().any(|arg| arg == name.text) {
                        unknown("argument", name.text, args.iter().map(String::as_str), findings);
                    }
                }
                _ if self.members.contains(name.text) || built.contains(name.text) => {}
                _ => unknown("attribute", name.text, self.members.iter().map(String::as_str), findings),
            }
        }
    }
}

fn collect(attributes: &IndexMap<String, Attribute>, members: &mut BTreeSet<String>) {
    for (name, attribute) in attributes {
        members.insert(name.trim_end_matches('?').to_owned());
        if let Kind::Fields(fields) = &attribute.kind {
            collect(fields, members);
        }
    }
}

fn keys(json: &Json, members: &mut BTreeSet<String>) {
    match json {
        Json::Object(object) => object.iter().for_each(|(name, value)| {
            members.insert(name.clone());
            keys(value, members);
        }),
        Json::Array(items) => items.iter().for_each(|item| keys(item, members)),
        _ => {}
    }
}

/// Quoted words of an expression that name members, such as the keys of objects it builds.
fn literal_keys(text: &str) -> impl Iterator<Item = String> {
    names(text).into_iter().filter(|name| name.role == Role::Key).map(|name| name.text.to_owned())
}

/// A default in quotes is that very text, which is hardly meant of one that asks about arguments.
fn quoted_expression(default: &str, findings: &mut Findings) {
    let quoted =
        default.len() > 1 && ['"', '\''].iter().any(|q| default.starts_with(*q) && default.ends_with(*q));
    if quoted && default.contains("args.") {
        findings.error(format!("the default {default} is a text: leave out the quotes for an expression"));
    }
}

/// A default that is a number lies in the range it is a default for.
fn constant_in_range(attribute: &Attribute, default: &str, findings: &mut Findings) {
    let (Kind::Int(range) | Kind::Number(range) | Kind::Money(range)) = &attribute.kind else { return };
    if let Ok(number) = default.parse::<f64>()
        && !range.contains(number)
        && !attribute.readonly
    {
        findings.error(format!("the default {number} lies outside {}..{}", range.low, range.high));
    }
}
