//! Templates: JSON whose texts are expressions, compiled.

use crate::cel::{self, Expr, Scope};
use crate::{Budget, ErrorKind, Exhausted, Filler, Map, Slot, Str, ToolError, Value, schema};
use gtm_error::{Code, Error, Result};
use serde::Deserialize;
use serde_json::Value as Json;
use std::sync::Arc;

/// Deepest template accepted; far beyond what anyone writes.
const MAX_DEPTH: usize = 32;

/// A compiled template.
#[derive(Clone, Debug)]
pub(crate) enum Template {
    Literal(Value),
    Expr(Expr),
    Text(cel::Template),
    List(Vec<Template>),
    Map(Vec<(Str, Template)>),
    Fill(Box<Fill>),
}

/// A slot: what the filler is told, as far as it is known before the call.
#[derive(Clone, Debug)]
pub(crate) struct Fill {
    schema: Json,
    root: Arc<Json>,
    from: Option<Expr>,
    rows: Option<Expr>,
    path: String,
}

/// The schema that a template's slots get their own schemas from.
#[derive(Clone)]
pub(crate) struct Shape {
    root: Arc<Json>,
    node: Json,
    path: String,
}

impl Shape {
    /// The shape of a whole value described by `root`.
    pub(crate) fn of(root: Arc<Json>, path: &str) -> Shape {
        Shape { node: (*root).clone(), root, path: path.into() }
    }

    fn child(&self, node: Option<&Json>, name: Option<&str>) -> Shape {
        let path = match name {
            Some(name) if self.path.is_empty() => name.into(),
            Some(name) => format!("{}.{name}", self.path),
            None => self.path.clone(),
        };
        Shape { root: self.root.clone(), node: node.cloned().unwrap_or(Json::Bool(true)), path }
    }

    pub(crate) fn member(&self, name: &str) -> Shape {
        self.child(schema::member(&self.root, &self.node, name), Some(name))
    }

    fn items(&self) -> Shape {
        self.child(schema::items(&self.root, &self.node), None)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FillText {
    schema: Option<Json>,
    from: Option<String>,
    rows: Option<String>,
}

impl Template {
    /// Compiles; errors carry the JSON pointer of the part at fault.
    pub(crate) fn parse(json: &Json, shape: &Shape) -> Result<Template> {
        Self::parse_at(json, shape, MAX_DEPTH)
    }

    fn parse_at(json: &Json, shape: &Shape, depth: usize) -> Result<Template> {
        if depth == 0 {
            return Err(Error::new(Code::BehaviorInvalid, "the template is nested too deeply")
                .expected(format!("at most {MAX_DEPTH} levels")));
        }
        match json {
            Json::Null | Json::Bool(_) | Json::Number(_) => Ok(Template::Literal(json.into())),
            Json::String(text) if text == "fill" => Ok(Template::Fill(Box::new(Fill::new(shape)))),
            Json::String(text) => Ok(Template::Expr(Expr::parse(text)?)),
            Json::Array(items) => {
                let shape = shape.items();
                let each =
                    |(i, item)| Self::parse_at(item, &shape, depth - 1).map_err(|e| e.at(format!("/{i}")));
                Ok(Template::List(items.iter().enumerate().map(each).collect::<Result<_>>()?))
            }
            Json::Object(members) => {
                if let Some((name, body)) =
                    members.iter().next().filter(|(n, _)| members.len() == 1 && n.starts_with('$'))
                {
                    match name.as_str() {
                        "$value" => return Ok(Template::Literal(body.into())),
                        "$text" => {
                            let Json::String(text) = body else {
                                return Err(
                                    Error::new(Code::BehaviorInvalid, "$text needs text").at("/$text")
                                );
                            };
                            return Ok(Template::Text(
                                cel::Template::parse(text).map_err(|e| e.at("/$text"))?,
                            ));
                        }
                        "$fill" => {
                            return Fill::parse(body, shape)
                                .map(|f| Template::Fill(Box::new(f)))
                                .map_err(|e| e.at("/$fill"));
                        }
                        _ => {
                            return Err(Error::new(
                                Code::BehaviorInvalid,
                                format!("unknown template object `{name}`"),
                            )
                            .at(format!("/{name}"))
                            .expected("$text, $value or $fill"));
                        }
                    }
                }
                let each = |(name, item): (&String, &Json)| {
                    let template = Self::parse_at(item, &shape.member(name), depth - 1)
                        .map_err(|e| e.at(format!("/{name}")))?;
                    Ok((Str::from(name.as_str()), template))
                };
                Ok(Template::Map(members.iter().map(each).collect::<Result<_>>()?))
            }
        }
    }

    /// A slot for the whole of `shape`.
    pub(crate) fn fill(shape: &Shape) -> Template {
        Template::Fill(Box::new(Fill::new(shape)))
    }

    /// Evaluates. `slots` gives values for slots; `pointer` is where in the result we are.
    pub(crate) fn eval(
        &self,
        scope: &mut Scope,
        budget: &mut Budget,
        slots: &mut Slots<'_>,
        pointer: &mut String,
    ) -> std::result::Result<Value, ToolError> {
        budget.spend(1).map_err(exhausted)?;
        match self {
            Template::Literal(value) => Ok(value.clone()),
            Template::Expr(expr) => expr.eval(scope, budget),
            Template::Text(text) => text.render(scope, budget).map(Value::from),
            Template::List(items) => {
                let mark = pointer.len();
                let mut out = imbl::Vector::new();
                for (i, item) in items.iter().enumerate() {
                    slots.descend(pointer, &i.to_string());
                    out.push_back(item.eval(scope, budget, slots, pointer)?);
                    pointer.truncate(mark);
                }
                budget.allocate(40 * out.len()).map_err(exhausted)?;
                Ok(Value::List(Arc::new(out)))
            }
            Template::Map(members) => {
                let mark = pointer.len();
                let mut out = Map::new();
                for (name, item) in members {
                    slots.descend(pointer, name);
                    let value = item.eval(scope, budget, slots, pointer)?;
                    pointer.truncate(mark);
                    out.insert(name.clone(), value);
                }
                budget.allocate(40 * out.len()).map_err(exhausted)?;
                Ok(Value::Map(out))
            }
            Template::Fill(fill) => {
                let known = fill.from.as_ref().map(|from| from.eval(scope, budget)).transpose()?;
                let rows = fill.rows.as_ref().map(|rows| rows.eval(scope, budget)).transpose()?;
                let now = scope.now();
                slots.fill(fill, known.as_ref(), rows.and_then(|r| r.as_i64()), now, pointer, budget)
            }
        }
    }
}

impl Fill {
    fn new(shape: &Shape) -> Fill {
        Fill {
            schema: shape.node.clone(),
            root: shape.root.clone(),
            from: None,
            rows: None,
            path: shape.path.clone(),
        }
    }

    fn parse(json: &Json, shape: &Shape) -> Result<Fill> {
        let text =
            FillText::deserialize(json).map_err(|e| Error::new(Code::BehaviorInvalid, e.to_string()))?;
        let mut fill = Fill::new(shape);
        if let Some(schema) = text.schema {
            fill.root = Arc::new(schema.clone());
            fill.schema = schema;
        }
        fill.from = text.from.map(|t| Expr::parse(&t)).transpose().map_err(|e| e.at("/from"))?;
        fill.rows = text.rows.map(|t| Expr::parse(&t)).transpose().map_err(|e| e.at("/rows"))?;
        Ok(fill)
    }
}

/// Where slots get their values during one evaluation, and the record of what was invented.
pub(crate) struct Slots<'a> {
    pub(crate) filler: &'a dyn Filler,
    pub(crate) tool: &'a str,
    pub(crate) args: &'a Value,
    /// Seed of the session.
    pub(crate) seed: u64,
    /// 0 in a reply, where the same call gets the same values whenever it is made; in a record the
    /// version of the state, since every change may fill other values.
    pub(crate) salt: u64,
    /// JSON pointers of invented values.
    pub(crate) invented: Vec<String>,
}

/// Most pointers recorded as invented; beyond it the record says only that there are more.
const MAX_INVENTED: usize = 200;

impl Slots<'_> {
    fn descend(&self, pointer: &mut String, key: &str) {
        pointer.push('/');
        pointer.push_str(key);
    }

    fn fill(
        &mut self,
        fill: &Fill,
        known: Option<&Value>,
        rows: Option<i64>,
        now: i64,
        pointer: &str,
        budget: &mut Budget,
    ) -> std::result::Result<Value, ToolError> {
        // From the call and the known values, never from the turn: reads repeat.
        let known_text = known.map(|known| known.to_json().to_string()).unwrap_or_default();
        let call = self.args.to_json().to_string();
        let seed =
            crate::seed::derive(self.seed ^ self.salt, &[self.tool, &call, pointer, &fill.path, &known_text]);
        let value = self.filler.fill(&Slot {
            tool: self.tool,
            path: &fill.path,
            schema: &fill.schema,
            root: &fill.root,
            known,
            args: self.args,
            now,
            seed,
            rows: rows.map_or(2 + (seed % 3) as usize, |n| n.clamp(0, 1_000) as usize),
        });
        budget.allocate(value.size().0).map_err(exhausted)?;
        if self.invented.len() < MAX_INVENTED {
            self.invented.push(pointer.to_string());
        }
        Ok(value)
    }
}

/// The tool error for a budget that ran out.
pub(crate) fn exhausted(which: Exhausted) -> ToolError {
    ToolError::new(ErrorKind::Internal, which.to_string())
}
