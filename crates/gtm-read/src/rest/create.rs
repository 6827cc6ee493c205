//! Behaviors that make records, and what is answered about them.

use super::Reader;
use super::act::initial_state;
use super::body::Body;
use super::entity::Entity;
use super::expr::{arg, member, quoted};
use super::plan::Op;
use super::reply::{self, Beside, Plain, fill_from};
use super::schema::Node;
use super::shape::Shape;
use super::stamps::{is_created, is_updated, stamps};
use super::write::Script;
use crate::fill::Name;
use gtm_world::behavior::{Behavior, Create, FillMembers, Op as StepOp};
use serde_json::{Map, Value as Json, json};

/// Most members of a reply that is written out member by member.
const MAX_WRITTEN: usize = 12;

impl<'a> Reader<'a> {
    pub(super) fn create(
        &self,
        op: &Op<'a>,
        entity: &Entity<'a>,
        shape: &Shape<'a>,
        mut script: Script,
    ) -> Option<Behavior> {
        let body = self.body(op, entity);
        if body.bulk {
            return None;
        }
        let record = Node::of(&entity.schema);
        let declared = entity.node;
        let sorted = body.sorted(declared);
        let mut create = Create { within: self.container(op)?, fill: FillMembers::All, ..Create::default() };
        if body.member(&entity.id).is_some() && !sorted.left_out.contains(&entity.id.as_str()) {
            create.id = Some(member(&body.expr, &entity.id));
        } else if let Some(chosen) = self.chosen_id(op, &body) {
            create.id = Some(arg(&chosen));
        }
        for part in &sorted.completed {
            create.set.insert(part.member.to_owned(), fill_from(&part.from));
        }
        create.from = body.without(&sorted.left_out);
        self.set_on_create(&record, &body, &mut create.set);
        // `POST /coupons?promotion_id=7`
        for parameter in op.http.params.iter().filter(|p| p.location == gtm_tool::ParamLocation::Query) {
            let name = parameter.argument.as_str();
            let shown = record.member(name).is_some() && name != entity.id;
            if shown && body.beside.contains(&name) && body.member(name).is_none() {
                create.set.insert(name.to_owned(), json!(arg(name)));
            }
        }
        if let Some((link, value)) = self.link(op).or_else(|| self.scope_link(op)) {
            create.set.insert(link, Json::String(value));
        }
        script.push(StepOp::Create(create));
        Some(script.reply(self.created(op, entity, shape)))
    }

    /// The path of the call, with its parameters as holes.
    fn place_of(&self, op: &Op<'a>) -> String {
        let mut place = format!("{}{}", op.http.base, op.http.path.trim_end_matches('/'));
        for parameter in op.path.parameters() {
            let hole = format!("{{{}}}", arg(&super::entity::argument(op, parameter)));
            place = place.replace(&format!("{{{parameter}}}"), &hole);
        }
        place
    }

    /// The query parameter by which a caller chooses the id: `POST /topics?topicId=news`.
    fn chosen_id(&self, op: &Op<'a>, body: &Body<'a>) -> Option<String> {
        let noun = self.noun(op.resource?).replace('_', "");
        let query = op.http.params.iter().filter(|p| p.location == gtm_tool::ParamLocation::Query);
        query
            .map(|p| p.argument.as_str())
            .filter(|argument| body.beside.contains(argument))
            .find(|argument| Name::new(argument).joined() == format!("{noun}id"))
            .map(str::to_owned)
    }

    /// What is answered about a new record: the record, or where a reply shows less, its id and place.
    fn created(&self, op: &Op<'a>, entity: &Entity<'a>, shape: &Shape<'a>) -> Json {
        let returned = op.tool.returns.as_ref().and_then(|r| Node::of(r).primary());
        let id = member("it", &entity.id);
        let receipt = match (shape, returned) {
            (Shape::Other, Some("string")) => Some(json!(format!("string({id})"))),
            (Shape::Other, Some("integer")) if id_is_integer(entity) => Some(json!(id)),
            (Shape::Record(path, node), _) if path.is_empty() && node.member(&entity.id).is_none() => {
                self.receipt(op, entity, node)
            }
            _ => None,
        };
        receipt.unwrap_or_else(|| reply::record(shape, entity, &self.shown(op)))
    }

    /// A reply that shows the new id under another name, or where the record is: `{location, entity_id}`.
    /// `None` if it shows neither.
    fn receipt(&self, op: &Op<'a>, entity: &Entity<'a>, node: &Node<'a>) -> Option<Json> {
        let record = Node::of(&entity.schema);
        let required = node.required();
        let mut out = Map::new();
        let mut tells = false;
        for (name, child) in node.members() {
            let parsed = Name::new(name);
            if let Some(template) = self.told(op, entity, &parsed, &child) {
                tells = true;
                out.insert(name.to_owned(), template);
            } else if record.member(name).is_some() {
                out.insert(name.to_owned(), fill_from(&member("it", name)));
            } else if let Some(template) = Plain.member(&parsed, &child) {
                out.insert(name.to_owned(), template);
            } else {
                let failing = parsed.has(&["error", "errors", "warning", "warnings"]);
                let plain = !failing && !matches!(child.primary(), Some("object" | "array"));
                if plain || required.contains(&name) {
                    out.insert(name.to_owned(), json!("fill"));
                }
            }
        }
        let odd = out.keys().any(|k| k.starts_with('$'));
        (tells && !odd && out.len() <= MAX_WRITTEN).then_some(Json::Object(out))
    }

    /// The new record's id or place, if that is what a member of this name shows.
    fn told(&self, op: &Op<'a>, entity: &Entity<'a>, name: &Name, node: &Node<'_>) -> Option<Json> {
        let id = member("it", &entity.id);
        let others = ["request", "correlation", "trace", "user", "account", "parent", "owner"];
        let ids = ["id", "uuid", "guid", "sid", "key"];
        let is_id = ids.contains(&name.last()) && name.len() <= 2 && !name.has(&others);
        let is_place = matches!(
            name.joined(),
            "location" | "href" | "url" | "uri" | "self" | "link" | "resourcelocation" | "resourceurl"
        );
        match node.primary() {
            Some("string") if is_id => Some(json!(format!("string({id})"))),
            Some("integer") if is_id && id_is_integer(entity) => Some(json!(id)),
            Some("string") if is_place => {
                let place = self.place_of(op);
                Some(json!({"$text": format!("https://api.example.com{place}/{{{id}}}")}))
            }
            _ => None,
        }
    }

    /// What a new record has besides what was sent: times and its first state.
    pub(super) fn set_on_create(&self, record: &Node<'_>, body: &Body<'_>, set: &mut Map<String, Json>) {
        let stamps = stamps(record, is_created).into_iter().chain(stamps(record, is_updated));
        for (name, now) in stamps {
            set.insert(name.clone(), json!(stamped(body, &name, now)));
        }
        let status =
            record.members().into_iter().find(|(n, _)| matches!(Name::new(n).joined(), "status" | "state"));
        if let Some((name, first)) = status.and_then(|(name, node)| Some((name, initial_state(&node)?))) {
            let state = match body.member(name).filter(|n| !n.flag("readOnly")) {
                Some(_) => format!("default({}, {})", member(&body.expr, name), quoted(&first)),
                None => quoted(&first),
            };
            set.insert(name.to_owned(), json!(state));
        }
    }
}

/// The present, unless the request says otherwise.
pub(super) fn stamped(body: &Body<'_>, name: &str, now: &str) -> String {
    match body.member(name).filter(|n| !n.flag("readOnly")) {
        Some(_) => format!("default({}, {now})", member(&body.expr, name)),
        None => now.to_owned(),
    }
}

fn id_is_integer(entity: &Entity<'_>) -> bool {
    Node::of(&entity.schema).member(&entity.id).is_some_and(|n| n.primary() == Some("integer"))
}
