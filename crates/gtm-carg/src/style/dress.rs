//! A plan and a style make a tool: its spec and its behavior, all names replaced.

use super::names::Names;
use super::{Done, Envelope, RecordShape, Rows, Style, docs, schema};
use crate::domain::{Domain, Kindred};
use crate::pack::Kind;
use crate::rng::Rng;
use crate::steps::{self, Part};
use crate::text::{Name, Role, rename, rewrite, rewrite_holes};
use crate::tools::{Effect, Family, Param, ParamRole, Plan, Reply};
use gtm_tool::{Annotations, Origin, ToolSpec};
use gtm_world::ErrorKind;
use gtm_world::behavior::{Behavior, Op, Require, Step};
use serde_json::{Map as JsonMap, Value as Json, json};

/// A tool in a style.
#[derive(Clone, Debug)]
pub struct Dressed {
    /// What the agent sees.
    pub spec: ToolSpec,
    /// What it does.
    pub behavior: Behavior,
    /// Its arguments, in the order of the plan.
    pub params: Vec<DressedParam>,
}

/// An argument in a style.
#[derive(Clone, Debug)]
pub struct DressedParam {
    /// Where it is among the arguments: one name, or two where it is inside an object.
    pub path: Vec<String>,
    /// As it was planned; words of `sort_by` are in style.
    pub param: Param,
}

/// Dresses a plan.
pub fn dress(plan: &Plan, names: &Names<'_>, rng: &mut Rng) -> Dressed {
    let mut params: Vec<DressedParam> = plan
        .params
        .iter()
        .map(|param| DressedParam { path: names.argument(plan, param), param: styled_param(param, names) })
        .collect();
    distinct(&mut params);
    let dresser = Dresser { plan, names, params: &params };
    let mut behavior = Behavior { steps: dresser.guards(), ..Behavior::default() };
    behavior.steps.extend(plan.steps.iter().map(|step| dresser.step(step.clone())));
    let (reply, returns) = dresser.reply();
    if !reply.is_null() {
        behavior.steps.push(Op::Reply(reply).into());
    }
    let constants = constants(names.domain(), &behavior.steps);
    behavior.steps.splice(0..0, constants);
    let style = names.style();
    let spec = ToolSpec {
        name: names.tool(plan),
        description: docs::tool(plan, names, rng),
        parameters: parameters(&params, names, rng),
        returns: returns.filter(|_| style.returns).map(|schema| enveloped(style, schema)),
        annotations: Annotations {
            read_only: rng.chance(0.15).then_some(plan.effect == Effect::Read),
            destructive: (plan.effect == Effect::Delete && rng.chance(0.15)).then_some(true),
            idempotent: None,
        },
        origin: Origin { api: names.domain().pack.title.clone(), ..Origin::default() },
        ..ToolSpec::default()
    };
    Dressed { spec, behavior, params }
}

/// The domain's constants that steps name, as a step that goes before them.
fn constants(domain: &Domain, steps: &[Step]) -> Option<Step> {
    let used = steps::variables(steps);
    let named = domain.pack.constants.iter().filter(|(name, _)| used.contains(*name));
    let bound: JsonMap<String, Json> = named
        .map(|(name, value)| {
            (name.clone(), if value.is_number() { value.clone() } else { json!({"$value": value}) })
        })
        .collect();
    (!bound.is_empty()).then(|| Op::Let(bound).into())
}

/// Two arguments of one name: the second keeps the pack's own.
fn distinct(params: &mut [DressedParam]) {
    for at in 1..params.len() {
        while params[..at].iter().any(|other| {
            other.path == params[at].path
                || other.path[0] == params[at].path[0] && other.path.len() != params[at].path.len()
        }) {
            let last = params[at].path.len() - 1;
            params[at].path[last].push('2');
        }
    }
}

/// Words that are names of members are in style, too.
fn styled_param(param: &Param, names: &Names<'_>) -> Param {
    let mut param = param.clone();
    if let (ParamRole::SortBy, Kind::Enum(words)) = (&param.role, &mut param.attribute.kind) {
        words.iter_mut().for_each(|(word, _)| *word = names.member(word));
    }
    if param.role == ParamRole::Offset && names.style().pages {
        param.attribute.kind =
            Kind::Int(crate::pack::Range { low: 1.0, high: 1_000.0, decimals: Some(0), absolute: false });
    }
    param
}

/// The JSON Schema of the arguments.
fn parameters(params: &[DressedParam], names: &Names<'_>, rng: &mut Rng) -> Json {
    let mut properties = JsonMap::new();
    let mut required: Vec<&str> = Vec::new();
    for DressedParam { path, param } in params {
        let description = docs::argument(param, names, rng);
        let schema = schema::argument(&param.attribute, names, description);
        match path.as_slice() {
            [outer, inner] => {
                let group = properties
                    .entry(outer.clone())
                    .or_insert_with(|| json!({"type": "object", "properties": {}}));
                group["properties"][inner] = schema;
                if param.required {
                    match group["required"].as_array_mut() {
                        Some(list) => list.push(json!(inner)),
                        None => group["required"] = json!([inner]),
                    }
                    if !required.contains(&outer.as_str()) {
                        required.push(outer);
                    }
                }
            }
            [name, ..] => {
                properties.insert(name.clone(), schema);
                if param.required {
                    required.push(name);
                }
            }
            [] => {}
        }
    }
    let mut parameters = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        parameters["required"] = json!(required);
    }
    parameters
}

struct Dresser<'a> {
    plan: &'a Plan,
    names: &'a Names<'a>,
    params: &'a [DressedParam],
}

impl Dresser<'_> {
    /// Who may call it.
    fn guards(&self) -> Vec<Step> {
        if !self.names.style().auth {
            return Vec::new();
        }
        let require = |that: String, error, message: String| -> Step {
            Op::Require(Require {
                that: Some(that),
                error: Some(error),
                message: Some(message),
                ..Require::default()
            })
            .into()
        };
        let mut steps = vec![require(
            "session.user != null".into(),
            ErrorKind::Unauthenticated,
            "Please log in first".into(),
        )];
        if !self.plan.by.is_empty() {
            let roles = self.plan.by.join("', '");
            steps.push(require(
                format!("session.role in ['{roles}']"),
                ErrorKind::PermissionDenied,
                format!("Only {} may do this; you are {{session.role}}", self.plan.by.join(" or ")),
            ));
        }
        steps
    }

    /// An expression with all names in style.
    fn expr(&self, text: &str) -> String {
        rewrite(text, |name| Some(self.argument(name)), |name| self.name(name))
    }

    /// What stands for an argument.
    fn argument(&self, name: &str) -> String {
        match self.params.iter().find(|p| p.param.name == name) {
            Some(found) if found.param.role == ParamRole::Offset && self.names.style().pages => {
                let limit = self.params.iter().find(|p| p.param.role == ParamRole::Limit);
                let size = limit.map_or_else(
                    || "20".into(),
                    |p| {
                        format!(
                            "default(args.{}, {})",
                            p.path.join("."),
                            p.param.attribute.default.as_deref().unwrap_or("20")
                        )
                    },
                );
                format!("((default(args.{}, 1) - 1) * {size})", found.path.join("."))
            }
            Some(found) => format!("args.{}", found.path.join(".")),
            // A rule may ask about an argument that this tool does not have: null, as if not given.
            None => "null".into(),
        }
    }

    fn name(&self, name: Name<'_>) -> Option<String> {
        match name.role {
            Role::Variable => self.names.collection(name.text).map(str::to_owned),
            Role::Member(_) | Role::Key => Some(self.names.member(name.text)),
            Role::Function => None,
        }
    }

    fn message(&self, text: &str) -> String {
        rewrite_holes(text, |hole| self.expr(hole))
    }

    fn see(&self, part: Part<'_>) {
        match part {
            Part::Expr(text) | Part::Place(text) | Part::Within(text) => *text = self.expr(text),
            Part::Message(text) => *text = self.message(text),
            Part::Member(name) | Part::Key(name) => *name = self.names.member(name),
            Part::Bind(_) | Part::Rows(_) => {}
        }
    }

    fn step(&self, mut step: Step) -> Step {
        // A lookup by id says what was not found.
        if let Op::Get(get) = &mut step.op
            && get.message.is_none()
            && !get.optional
            && let (Some(id), Some(within)) = (&get.id, &get.within)
        {
            let noun =
                self.names.domain().entities.values().find(|k| k.collection == *within).map(Kindred::noun);
            get.message = noun.map(|noun| self.not_found(&noun, id));
        }
        if let Op::Delete(delete) = &mut step.op
            && delete.message.is_none()
            && let (Some(id), Some(within)) = (&delete.id, &delete.within)
        {
            let noun =
                self.names.domain().entities.values().find(|k| k.collection == *within).map(Kindred::noun);
            delete.message = noun.map(|noun| self.not_found(&noun, id));
        }
        steps::visit(&mut step, &mut |part| self.see(part));
        step
    }

    /// What an API says of an id that it does not know.
    fn not_found(&self, noun: &str, id: &str) -> String {
        let capital = {
            let mut chars = noun.chars();
            chars.next().map(|c| c.to_uppercase().chain(chars).collect::<String>()).unwrap_or_default()
        };
        match self.names.style().words % 6 {
            0 => format!("{capital} {{{id}}} not found"),
            1 => format!("{capital} not found"),
            2 => format!("No {noun} with id {{{id}}}"),
            3 => format!("{capital} '{{{id}}}' does not exist"),
            4 => format!("Unknown {noun} id: {{{id}}}"),
            _ => format!("{capital} with id {{{id}}} was not found."),
        }
    }

    fn template(&self, mut template: Json) -> Json {
        steps::template(&mut template, &mut |part| self.see(part));
        template
    }

    fn kindred(&self, name: &str) -> Option<&Kindred> {
        self.names.domain().kindred(name)
    }

    /// The record that `var` holds as replies show it: in the pack's names.
    fn view(&self, kindred: &Kindred, var: &str) -> Json {
        let plain = kindred.attributes.values().all(|m| m.is_stored() && !m.attribute.secret);
        if plain {
            return json!(var);
        }
        let mut shown = JsonMap::new();
        if self.names.domain().entities.contains_key(&kindred.name) {
            shown.insert("id".into(), json!(format!("{var}.id")));
        }
        for (name, member) in kindred.select(|m| !m.attribute.secret) {
            let value = match &member.attribute.calc {
                Some(calc) => {
                    rename(calc, |n| (n.text == "it" && n.role == Role::Variable).then(|| var.to_owned()))
                }
                None => format!("{var}.{name}"),
            };
            shown.insert(name.to_owned(), json!(value));
        }
        Json::Object(shown)
    }

    /// An expression for the records that `var` holds as replies show them.
    fn views(&self, kindred: &Kindred, var: &str) -> String {
        let secret: Vec<String> =
            kindred.select(|m| m.attribute.secret).map(|(n, _)| format!("'{n}'")).collect();
        let calc: Vec<String> = kindred
            .select(|m| !m.is_stored() && !m.attribute.secret)
            .filter_map(|(name, m)| {
                let calc = m.attribute.calc.as_deref()?;
                Some(format!(
                    "'{name}': {}",
                    rename(calc, |n| (n.text == "it" && n.role == Role::Variable).then(|| "r".into()))
                ))
            })
            .collect();
        let mut row = "r".to_owned();
        if !secret.is_empty() {
            row = format!("omit(r, [{}])", secret.join(", "));
        }
        if !calc.is_empty() {
            row = format!("merge({row}, {{{}}})", calc.join(", "));
        }
        if row == "r" { var.to_owned() } else { format!("{var}.map(r, {row})") }
    }

    fn case(&self, name: &str) -> String {
        self.names.reply_key(name, self.plan)
    }

    /// The reply template and the schema of what it gives, before the envelope.
    fn reply(&self) -> (Json, Option<Json>) {
        match &self.plan.reply {
            Reply::Record(of, var) => match self.kindred(of) {
                Some(kindred) => self.record(kindred, var),
                None => (json!(var), None),
            },
            Reply::Rows(of, var, total) => match self.kindred(of) {
                Some(kindred) => self.rows(kindred, var, total.as_deref()),
                None => (json!(var), None),
            },
            Reply::Done(of, what, id) => self.done(of, what, Some(id)),
            Reply::Value(template) => self.value(template),
        }
    }

    fn record(&self, kindred: &Kindred, var: &str) -> (Json, Option<Json>) {
        let style = self.names.style();
        let single = self.names.domain().singletons.contains_key(&kindred.name);
        if self.plan.effect != Effect::Read && style.done != Done::Record {
            let id = (!single).then(|| format!("{var}.id"));
            return self.done(&kindred.name, &past(&self.plan.verb), id.as_deref());
        }
        let schema = schema::record(kindred, self.names);
        match style.record {
            RecordShape::Bare => (self.template(self.view(kindred, var)), Some(schema)),
            RecordShape::Named => {
                let name = self.case(&kindred.name);
                (
                    json!({name.as_str(): self.template(self.view(kindred, var))}),
                    Some(json!({"type": "object", "properties": {name.as_str(): schema}})),
                )
            }
            RecordShape::Text => {
                let mut lines = Vec::new();
                if !single {
                    lines.push(format!("{}: {{{var}.id}}", kindred.noun()));
                }
                for (name, member) in kindred.select(|m| m.is_stored() && !m.attribute.secret) {
                    let unit =
                        member.attribute.unit.as_deref().map(|unit| format!(" {unit}")).unwrap_or_default();
                    lines.push(format!("{}: {{{var}.{name}}}{unit}", name.replace('_', " ")));
                }
                (json!({"$text": self.message(&lines.join("\n"))}), Some(json!({"type": "string"})))
            }
        }
    }

    fn rows(&self, kindred: &Kindred, var: &str, total: Option<&str>) -> (Json, Option<Json>) {
        let style = self.names.style();
        if style.record == RecordShape::Text {
            let label =
                kindred.label().map(|label| format!(" + ' ' + string(r.{label})")).unwrap_or_default();
            let nouns = kindred.collection.replace('_', " ");
            let text = format!(
                "size({var}) == 0 ? 'No {nouns} found' : {var}.map(r, string(r.id){label}).join('\\n')"
            );
            return (json!(self.expr(&text)), Some(json!({"type": "string"})));
        }
        let rows = json!(self.expr(&self.views(kindred, var)));
        let list = json!({"type": "array", "items": schema::record(kindred, self.names)});
        let count = total.map_or_else(|| format!("size({var})"), str::to_owned);
        let named = self.names.key(&kindred.collection);
        match style.rows {
            Rows::Bare => (rows, Some(list)),
            Rows::NamedOnly => (
                json!({named.as_str(): rows}),
                Some(json!({"type": "object", "properties": {named.as_str(): list}})),
            ),
            Rows::Named => {
                let total = self.case("count");
                (
                    json!({named.as_str(): rows, total.as_str(): count}),
                    Some(
                        json!({"type": "object", "properties": {named.as_str(): list, total.as_str(): {"type": "integer"}}}),
                    ),
                )
            }
            Rows::Counted(items, total) => {
                let (items, total) = (self.case(items), self.case(total));
                (
                    json!({items.as_str(): rows, total.as_str(): count}),
                    Some(
                        json!({"type": "object", "properties": {items.as_str(): list, total.as_str(): {"type": "integer"}}}),
                    ),
                )
            }
        }
    }

    /// That something was done.
    fn done(&self, of: &str, what: &str, id: Option<&str>) -> (Json, Option<Json>) {
        let noun = of.replace('_', " ");
        let shown = id.map(|id| format!(" {{{}}}", self.expr(id))).unwrap_or_default();
        let sentence = json!({"$text": capital(&format!("{noun}{shown} {what}"))});
        let (key, message) = (self.names.member("id"), self.case("message"));
        let with_id = |mut reply: Json, mut schema: Json| {
            if let Some(id) = id {
                reply[key.as_str()] = json!(self.expr(id));
                schema["properties"][key.as_str()] = json!({});
            }
            (reply, Some(schema))
        };
        let object = |name: &str, kind: &str| json!({"type": "object", "properties": {name: {"type": kind}}});
        match self.names.style().done {
            Done::Record | Done::IdOnly if self.plan.family == Family::Delete => {
                with_id(json!({self.case("deleted"): true}), object(&self.case("deleted"), "boolean"))
            }
            Done::Record | Done::IdOnly => with_id(json!({}), json!({"type": "object", "properties": {}})),
            Done::Message => with_id(json!({message.as_str(): sentence}), object(&message, "string")),
            Done::Text => (sentence, Some(json!({"type": "string"}))),
            Done::Flag => {
                (json!({self.case("success"): true}), Some(object(&self.case("success"), "boolean")))
            }
            Done::Null => (Json::Null, None),
        }
    }

    /// A reply of the tool's own.
    fn value(&self, template: &Json) -> (Json, Option<Json>) {
        if let Some(bare) = template.get("$bare").and_then(Json::as_str) {
            return self.bare(bare, template);
        }
        if let (Some(attribute), Some(of), Some(var)) =
            (text(template, "$attribute"), text(template, "of"), text(template, "var"))
        {
            let member = self.kindred(of).and_then(|kindred| kindred.attributes.get(attribute));
            let calc = member.and_then(|m| m.attribute.calc.as_deref());
            let value = calc.map_or_else(
                || format!("{var}.{attribute}"),
                |calc| rename(calc, |n| (n.text == "it" && n.role == Role::Variable).then(|| var.to_owned())),
            );
            let value = self.expr(&value);
            return match self.names.style().record {
                RecordShape::Named => (json!({self.names.member(attribute): value}), None),
                _ => (json!(value), None),
            };
        }
        let mut template = template.clone();
        if let Json::Object(members) = &mut template {
            for value in members.values_mut() {
                if let (Some(var), Some(of)) = (text(value, "$view"), text(value, "of"))
                    && let Some(kindred) = self.kindred(of)
                {
                    *value = self.view(kindred, var);
                }
            }
        }
        let reply = self.template(template);
        let schema = reply.as_object().filter(|o| !o.keys().any(|k| k.starts_with('$'))).map(|members| {
            let properties: JsonMap<String, Json> =
                members.keys().map(|name| (name.clone(), json!({}))).collect();
            json!({"type": "object", "properties": properties})
        });
        (reply, schema)
    }

    /// A single value: bare, or under a name with its unit.
    fn bare(&self, expression: &str, template: &Json) -> (Json, Option<Json>) {
        let value = self.expr(expression);
        let style = self.names.style();
        let named = text(template, "name").filter(|_| style.words % 3 != 0);
        match (named, text(template, "unit")) {
            (Some(name), Some(unit)) if style.words % 2 == 0 => (
                json!({self.case(name): value, self.case("unit"): format!("'{}'", unit.replace('\'', "′"))}),
                None,
            ),
            (Some(_), Some(unit)) => (
                json!({self.case("value"): value, self.case("unit"): format!("'{}'", unit.replace('\'', "′"))}),
                None,
            ),
            (Some(name), None) => (json!({self.case(name): value}), None),
            (None, _) => (json!(value), None),
        }
    }
}

fn text<'j>(json: &'j Json, name: &str) -> Option<&'j str> {
    json.get(name).and_then(Json::as_str)
}

fn enveloped(style: &Style, schema: Json) -> Json {
    let w = |name: &str| style.word(name);
    let object = |properties: Json| json!({"type": "object", "properties": properties});
    match style.envelope {
        Envelope::Bare => schema,
        Envelope::Member(name) => object(json!({w(name): schema})),
        Envelope::Success => object(json!({w("success"): {"type": "boolean"}, w("data"): schema})),
        Envelope::Status => object(json!({w("status"): {"type": "string"}, w("result"): schema})),
        Envelope::Output => object(json!({w("output"): schema, w("error"): {"type": ["string", "null"]}})),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// The past participle of a verb, as messages use it.
fn past(verb: &str) -> String {
    const IRREGULAR: [(&str, &str); 26] = [
        ("set", "set"),
        ("put", "put"),
        ("send", "sent"),
        ("lend", "lent"),
        ("pay", "paid"),
        ("hold", "held"),
        ("take", "taken"),
        ("give", "given"),
        ("begin", "begun"),
        ("write", "written"),
        ("draw", "drawn"),
        ("sell", "sold"),
        ("buy", "bought"),
        ("ship", "shipped"),
        ("stop", "stopped"),
        ("drop", "dropped"),
        ("submit", "submitted"),
        ("admit", "admitted"),
        ("commit", "committed"),
        ("refer", "referred"),
        ("defer", "deferred"),
        ("plan", "planned"),
        ("ban", "banned"),
        ("lead", "led"),
        ("build", "built"),
        ("withdraw", "withdrawn"),
    ];
    let (first, rest) = verb.split_once('_').map_or((verb, ""), |(first, rest)| (first, rest));
    let past = match IRREGULAR.iter().find(|(known, _)| *known == first) {
        Some((_, past)) => (*past).to_owned(),
        None if first.ends_with('e') => format!("{first}d"),
        None if first.ends_with('y') && !first.ends_with(['a', 'e', 'o']) => match first.strip_suffix('y') {
            Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ied"),
            _ => format!("{first}ed"),
        },
        None => format!("{first}ed"),
    };
    if rest.is_empty() { past } else { format!("{past} {}", rest.replace('_', " ")) }
}
