//! Behaviors of single operations.

use super::Reader;
use super::act::effect;
use super::body::{Body, Sorted};
use super::entity::Entity;
use super::expr::{arg, member, quoted};
use super::paging::{self, Totals};
use super::plan::{Op, Role};
use super::reply::{self, Plain, fill_from};
use super::schema::Node;
use super::shape::Shape;
use super::stamps::{is_updated, stamps};
use crate::fill::Name;
use gtm_world::behavior::{Behavior, Create, Delete, FillMembers, Get, Op as StepOp, Require, Step, Update};
use serde_json::{Map, Value as Json, json};

/// A behavior being written.
#[derive(Default)]
pub(super) struct Script {
    steps: Vec<Step>,
    note: Option<String>,
}

impl Script {
    pub(super) fn push(&mut self, op: StepOp) {
        self.steps.push(op.into());
    }

    fn when(&mut self, condition: String, op: StepOp) {
        self.steps.push(Step { when: Some(condition), ..op.into() });
    }

    pub(super) fn reply(mut self, template: Json) -> Behavior {
        if template != Json::Null {
            self.push(StepOp::Reply(template));
        }
        Behavior { steps: self.steps, note: self.note, ..Behavior::default() }
    }
}

impl<'a> Reader<'a> {
    /// The behavior of an operation; `None` if state does not explain it.
    pub(super) fn behavior(&self, op: &Op<'a>) -> Option<Behavior> {
        let resource = op.resource?;
        let entity = self.entity(resource)?;
        let words = op.path.words();
        let noun = self.noun(resource);
        let shape_words = [noun, entity.tag.as_str(), words.last().copied().unwrap_or_default()];
        let shape = Shape::of(op.tool, &shape_words, op.role == Role::List);
        let mut script = Script::default();
        if op.role != Role::Single {
            script.steps.extend(self.parent_step(op, resource));
        }
        match &op.role {
            Role::List => self.list(op, entity, &shape, script),
            Role::Create => self.create(op, entity, &shape, script),
            Role::Get => {
                script.push(StepOp::Get(Get {
                    within: Some(self.container(op)?),
                    id: Some(self.id(op)?),
                    ..Get::default()
                }));
                Some(script.reply(reply::record(&shape, entity, &self.shown(op))))
            }
            Role::Lookup(property) => self.lookup(op, entity, &shape, script, property),
            Role::Update => {
                let id = self.id(op)?;
                let upsert = self.puts_create(op, resource);
                self.update(op, entity, &shape, script, id, upsert)
            }
            Role::UpdateByBody => self.update_by_body(op, entity, &shape, script),
            Role::Delete => self.delete(op, entity, &shape, script),
            Role::Act(verb) => self.act(op, entity, &shape, script, verb),
            Role::Part(part) => self.part(op, entity, &shape, script, part),
            Role::Single => self.single(op, entity, &shape, script),
            Role::Direct => None,
        }
    }

    /// The record as it is shown: one that was invented in a scope names the scope's owner.
    pub(super) fn shown(&self, op: &Op<'a>) -> String {
        match self.scope_link(op) {
            Some((member, owner)) => format!("merge(it, {{{}: {owner}}})", quoted(&member)),
            None => "it".to_owned(),
        }
    }

    fn shown_rows(&self, op: &Op<'a>) -> String {
        match self.scope_link(op) {
            Some((member, owner)) => format!("rows.map(row, merge(row, {{{}: {owner}}}))", quoted(&member)),
            None => "rows".to_owned(),
        }
    }

    fn list(
        &self,
        op: &Op<'a>,
        entity: &Entity<'a>,
        shape: &Shape<'a>,
        mut script: Script,
    ) -> Option<Behavior> {
        let mut taken: Vec<String> =
            op.path.parameters().iter().map(|p| super::entity::argument(op, p)).collect();
        taken.extend(
            op.http
                .params
                .iter()
                .filter(|p| p.location == gtm_tool::ParamLocation::Header)
                .map(|p| p.argument.clone()),
        );
        let taken: Vec<&str> = taken.iter().map(String::as_str).collect();
        let (mut step, paging) = paging::list(op.tool, entity, self.container(op)?, &taken);
        if let Some((link, value)) = self.link(op) {
            step.equal.insert(link, Json::String(value));
        }
        script.push(StepOp::List(step));
        let rows = self.shown_rows(op);
        Some(script.reply(reply::rows(shape, op.tool.returns.as_ref(), entity, &rows, &Totals(&paging))))
    }

    fn update(
        &self,
        op: &Op<'a>,
        entity: &Entity<'a>,
        shape: &Shape<'a>,
        mut script: Script,
        id: String,
        upsert: bool,
    ) -> Option<Behavior> {
        let body = self.body(op, entity);
        let within = self.container(op)?;
        if body.bulk {
            return None;
        }
        if upsert {
            let get = Get {
                within: Some(within.clone()),
                id: Some(id.clone()),
                optional: true,
                bind: Some("old".into()),
                ..Get::default()
            };
            script.push(StepOp::Get(get));
            let Sorted { mut left_out, completed, .. } = body.sorted(entity.node);
            let mut create = Create {
                within: within.clone(),
                id: Some(id.clone()),
                fill: FillMembers::All,
                ..Create::default()
            };
            for part in &completed {
                create.set.insert(part.member.to_owned(), fill_from(&part.from));
            }
            left_out.retain(|n| *n != entity.id);
            left_out.push(&entity.id);
            create.from = body.without(&left_out);
            self.set_on_create(&Node::of(&entity.schema), &body, &mut create.set);
            if let Some((link, value)) = self.link(op).or_else(|| self.scope_link(op)) {
                create.set.insert(link, Json::String(value));
            }
            script.when("old == null".into(), StepOp::Create(create));
        }
        let condition = upsert.then(|| "old != null".to_owned());
        self.change(&mut script, entity, &body, &within, &id, condition, Map::new());
        Some(script.reply(reply::record(shape, entity, &self.shown(op))))
    }

    /// Steps that set what was sent.
    #[expect(clippy::too_many_arguments, reason = "one call for all kinds of change")]
    fn change(
        &self,
        script: &mut Script,
        entity: &Entity<'a>,
        body: &Body<'a>,
        within: &str,
        id: &str,
        condition: Option<String>,
        mut set: Map<String, Json>,
    ) {
        let record = Node::of(&entity.schema);
        let Sorted { mut left_out, completed, .. } = body.sorted(entity.node);
        // The id stays what it is.
        if body.member(&entity.id).is_some() && !left_out.contains(&entity.id.as_str()) {
            left_out.push(&entity.id);
        }
        for (name, now) in stamps(&record, is_updated) {
            if !set.contains_key(&name) {
                set.insert(name.clone(), json!(super::create::stamped(body, &name, now)));
            }
        }
        // Objects that hold all of a record's members are changed member by member.
        let mut merged: Vec<&str> = Vec::new();
        for (name, node) in &body.members {
            let inner =
                matches!(*name, "attributes" | "properties" | "fields") && node.primary() == Some("object");
            if inner && entity.node.and_then(|n| n.member(name)).is_some() && !left_out.contains(name) {
                let sent = member(&body.expr, name);
                set.insert(
                    (*name).to_owned(),
                    json!(format!("merge(default({}, {{}}), default({sent}, {{}}))", member("it", name))),
                );
                merged.push(name);
            }
        }
        left_out.extend(&merged);
        let completed = completed.into_iter().filter(|part| !merged.contains(&part.member));
        let update = Update {
            within: Some(within.to_owned()),
            id: Some(id.to_owned()),
            merge: body.without(&left_out),
            set,
            ..Update::default()
        };
        match condition.clone() {
            Some(condition) => script.when(condition, StepOp::Update(update)),
            None => script.push(StepOp::Update(update)),
        }
        for part in completed {
            let sent = part.sent;
            let set = [(part.member.to_owned(), fill_from(&part.from))].into_iter().collect();
            let update =
                Update { within: Some(within.to_owned()), id: Some(id.to_owned()), set, ..Update::default() };
            let given = match &condition {
                Some(condition) => format!("{condition} && {sent} != null"),
                None => format!("{sent} != null"),
            };
            script.when(given, StepOp::Update(update));
        }
    }

    fn update_by_body(
        &self,
        op: &Op<'a>,
        entity: &Entity<'a>,
        shape: &Shape<'a>,
        script: Script,
    ) -> Option<Behavior> {
        let body = self.body(op, entity);
        if body.bulk {
            return None;
        }
        let given = body.member(&entity.id).map(|_| member(&body.expr, &entity.id));
        // `PUT /pets?id=7`
        let beside = body
            .beside
            .iter()
            .find(|b| Name::new(b).joined() == Name::new(&entity.id).joined())
            .map(|b| arg(b));
        let id = given.or(beside)?;
        let mut script = script;
        script.push(StepOp::Require(Require {
            that: Some(format!("{id} != null")),
            message: Some(format!("{} is required", entity.id)),
            ..Require::default()
        }));
        self.update(op, entity, shape, script, id, false)
    }

    fn delete(
        &self,
        op: &Op<'a>,
        entity: &Entity<'a>,
        shape: &Shape<'a>,
        mut script: Script,
    ) -> Option<Behavior> {
        script.push(StepOp::Delete(Delete {
            within: Some(self.container(op)?),
            id: Some(self.id(op)?),
            ..Delete::default()
        }));
        let template = match shape {
            Shape::Empty => Json::Null,
            // An object of which nothing is declared, or nothing at all.
            Shape::Open if op.tool.returns.as_ref().is_some_and(|r| Node::of(r).primary().is_some()) => {
                json!("fill")
            }
            Shape::Open => Json::Null,
            Shape::Record(_, node) if entity.node.is_some_and(|e| e.same(node) || e.overlap(node) >= 0.5) => {
                reply::record(shape, entity, &self.shown(op))
            }
            _ => self.confirmation(op),
        };
        Some(script.reply(template))
    }

    /// A reply that says that it was done: its members are filled, flags of success are true.
    fn confirmation(&self, op: &Op<'a>) -> Json {
        let Some(returns) = &op.tool.returns else { return Json::Null };
        let node = Node::of(returns);
        if node.primary() != Some("object") {
            return json!("fill");
        }
        let mut special = Map::new();
        let required = node.required();
        for (name, child) in node.members().iter().take(40) {
            if let Some(template) = reply::Beside::member(&Plain, &Name::new(name), child) {
                special.insert((*name).to_owned(), template);
            } else if required.contains(name) || !matches!(child.primary(), Some("object" | "array")) {
                let failing = Name::new(name).has(&["error", "errors", "warning", "warnings"]);
                let ident = matches!(Name::new(name).joined(), "id" | "uuid")
                    && matches!(child.primary(), Some("string" | "integer"));
                if ident && self.id(op).is_some() {
                    special.insert((*name).to_owned(), fill_from("it"));
                } else if !failing || required.contains(name) {
                    special.insert((*name).to_owned(), json!("fill"));
                }
            }
        }
        let flags = special.values().any(Json::is_boolean);
        let odd = special.keys().any(|k| k.starts_with('$'));
        if !flags || odd {
            return fill_from("it");
        }
        for (name, template) in &mut special {
            if template.get("$fill").is_some() {
                *template = json!(member("it", name));
            }
        }
        Json::Object(special)
    }

    fn lookup(
        &self,
        op: &Op<'a>,
        entity: &Entity<'a>,
        shape: &Shape<'a>,
        mut script: Script,
        property: &str,
    ) -> Option<Behavior> {
        let wanted = Name::new(property);
        let record = Node::of(&entity.schema);
        let parameter = op.path.parameters().last().map(|p| super::entity::argument(op, p))?;
        let joined = |n: &str| Name::new(n).joined().to_owned();
        let members = record.members();
        let found = members
            .iter()
            .find(|(n, _)| joined(n) == wanted.joined())
            .or_else(|| members.iter().find(|(n, _)| joined(n) == joined(&parameter)))
            .or_else(|| members.iter().find(|(n, _)| Name::new(n).last() == wanted.last()));
        let value = arg(&parameter);
        let Some((name, _)) = found else {
            // The record does not show the member: the key is an id in its own right.
            script.push(StepOp::Get(Get {
                within: Some(self.container(op)?),
                id: Some(value),
                ..Get::default()
            }));
            script.note = Some(format!("{property} is not a member of the record; taken as its id"));
            return Some(script.reply(reply::record(shape, entity, &self.shown(op))));
        };
        if shape.is_rows() {
            let mut step =
                gtm_world::behavior::ListRows { within: self.container(op)?, ..Default::default() };
            step.equal.insert((*name).to_owned(), Json::String(value));
            script.push(StepOp::List(step));
            return Some(script.reply(reply::rows(shape, op.tool.returns.as_ref(), entity, "rows", &Plain)));
        }
        // Listed rather than searched: an open world may then know such a record.
        let mut step = gtm_world::behavior::ListRows {
            within: self.container(op)?,
            limit: Some("1".into()),
            ..Default::default()
        };
        step.equal.insert((*name).to_owned(), Json::String(value));
        script.push(StepOp::List(step));
        script.push(StepOp::Require(Require {
            that: Some("total > 0".into()),
            error: Some(gtm_world::ErrorKind::NotFound),
            message: Some(format!("{} not found", self.noun(op.resource?))),
            ..Require::default()
        }));
        script.push(StepOp::Let([("it".to_owned(), json!("rows[0]"))].into_iter().collect()));
        Some(script.reply(reply::record(shape, entity, &self.shown(op))))
    }

    fn act(
        &self,
        op: &Op<'a>,
        entity: &Entity<'a>,
        shape: &Shape<'a>,
        mut script: Script,
        verb: &str,
    ) -> Option<Behavior> {
        let (within, id) = (self.container(op)?, self.id(op)?);
        let record = Node::of(&entity.schema);
        let undo = op.http.method == "DELETE";
        let act = effect(verb, &record, undo);
        let body = self.body(op, entity);
        // What was sent counts where the record has a member of the name.
        let known: Vec<&str> = body
            .members
            .iter()
            .map(|(n, _)| *n)
            .filter(|n| {
                record.member(n).is_some() && *n != entity.id && !matches!(*n, "type" | "kind" | "object")
            })
            .collect();
        let changes = op.http.method != "GET" && !body.bulk && (!known.is_empty() || !act.set.is_empty());
        if changes {
            let mut members = body.clone();
            let unknown: Vec<&str> =
                body.members.iter().map(|(n, _)| *n).filter(|n| !known.contains(n)).collect();
            members.beside.extend(&unknown);
            members.members.retain(|(n, _)| known.contains(n));
            self.change(&mut script, entity, &members, &within, &id, None, act.set);
            if act.guess {
                script.note = Some(format!("the state after {verb} is a guess"));
            }
        } else {
            script.push(StepOp::Get(Get { within: Some(within), id: Some(id), ..Get::default() }));
            script.note = Some(format!("what {verb} changes is not declared"));
        }
        let template = match shape {
            Shape::Empty => Json::Null,
            Shape::Open => {
                if changes {
                    json!("it")
                } else {
                    Json::Null
                }
            }
            Shape::Record(_, node) if speaks_of(node, entity) => {
                reply::record(shape, entity, &self.shown(op))
            }
            Shape::Record(..) => self.confirmation_or_fill(op),
            _ => json!("fill"),
        };
        Some(script.reply(template))
    }

    fn confirmation_or_fill(&self, op: &Op<'a>) -> Json {
        match self.confirmation(op) {
            Json::Object(members) if !members.contains_key("$fill") => Json::Object(members),
            _ => json!("fill"),
        }
    }

    fn part(
        &self,
        op: &Op<'a>,
        entity: &Entity<'a>,
        shape: &Shape<'a>,
        mut script: Script,
        part: &str,
    ) -> Option<Behavior> {
        let (within, id) = (self.container(op)?, self.id(op)?);
        let record = Node::of(&entity.schema);
        let joined = Name::new(part);
        let own = record.members().into_iter().find(|(n, _)| Name::new(n).joined() == joined.joined());
        let writes = op.http.method != "GET";
        let Some((name, node)) = own else {
            if writes {
                return self.act(op, entity, shape, script, part);
            }
            script.push(StepOp::Get(Get { within: Some(within), id: Some(id), ..Get::default() }));
            let template = match shape {
                Shape::Empty => Json::Null,
                Shape::Record(_, node) if node.same(&record) => reply::record(shape, entity, &self.shown(op)),
                _ => json!("fill"),
            };
            return Some(script.reply(template));
        };
        if !writes {
            script.push(StepOp::Get(Get { within: Some(within), id: Some(id), ..Get::default() }));
        } else if node.primary() == Some("object") {
            let body = self.body(op, entity);
            let place = member(&format!("{within}[{id}]"), name);
            script.push(StepOp::Get(Get {
                within: Some(within.clone()),
                id: Some(id.clone()),
                ..Get::default()
            }));
            script.push(StepOp::Update(Update {
                at: Some(place),
                merge: body.without(&body.beside),
                upsert: true,
                ..Update::default()
            }));
            script.push(StepOp::Get(Get { within: Some(within), id: Some(id), ..Get::default() }));
        } else {
            return self.act(op, entity, shape, script, part);
        }
        let value = member("it", name);
        let template = match shape {
            Shape::Empty => Json::Null,
            Shape::Open => json!(value),
            Shape::Record(path, inner) if path.is_empty() && inner.member(name).is_some() => fill_from("it"),
            Shape::Record(path, inner) if path.is_empty() && inner.same(&node) => json!(value),
            Shape::Rows(path, _) if path.is_empty() && node.primary() == Some("array") => fill_from(&value),
            Shape::Record(path, _) if path.is_empty() && node.primary() == Some("object") => {
                fill_from(&value)
            }
            _ => json!("fill"),
        };
        Some(script.reply(template))
    }

    fn single(
        &self,
        op: &Op<'a>,
        entity: &Entity<'a>,
        shape: &Shape<'a>,
        mut script: Script,
    ) -> Option<Behavior> {
        let within = self.container(op)?;
        let id = quoted("current");
        match op.http.method.as_str() {
            "GET" => script.push(StepOp::Get(Get { within: Some(within), id: Some(id), ..Get::default() })),
            "PUT" | "PATCH" | "POST" => {
                let body = self.body(op, entity);
                if body.bulk {
                    return None;
                }
                self.change(&mut script, entity, &body, &within, &id, None, Map::new());
                if let Some(Step { op: StepOp::Update(update), .. }) = script.steps.first_mut() {
                    update.upsert = true;
                }
            }
            "DELETE" => {
                script.push(StepOp::Delete(Delete {
                    within: Some(within),
                    id: Some(id),
                    ..Delete::default()
                }));
                let template = if matches!(shape, Shape::Empty | Shape::Open) {
                    Json::Null
                } else {
                    self.confirmation(op)
                };
                return Some(script.reply(template));
            }
            _ => return None,
        }
        Some(script.reply(reply::record(shape, entity, &self.shown(op))))
    }
}

/// Whether a schema describes the entity, in whole or in part.
fn speaks_of(node: &Node<'_>, entity: &Entity<'_>) -> bool {
    let record = Node::of(&entity.schema);
    (!entity.tag.is_empty() && entity.tag == node.tag()) || record.overlap(node) >= 0.5
}
