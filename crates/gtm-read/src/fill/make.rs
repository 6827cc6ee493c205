//! Making a value for a schema.

use super::codes::in_style_of;
use super::context::{in_context, is_absent, is_id, is_plausible, truth, unmistakable, untyped, varies};
use super::echo::Echo;
use super::facets::{Facets, Types, resolve};
use super::fits::{fits, measured, type_of};
use super::kind::Kind;
use super::name::Name;
use super::noise::Noise;
use super::number::{Number, bounded};
use super::pattern;
use super::record::Record;
use super::text::Text;
use gtm_world::{Slot, Value};
use serde_json::Value as Json;

/// Members and items made for one slot before only what is required is made.
const NODES: i64 = 2_500;
/// Schemas and members looked at for one slot before everything is cut short; some 50 ns each.
const WORK: i64 = 300_000;
/// Nesting below which optional objects and lists are made.
const SOFT_DEPTH: u32 = 5;
/// Nesting at which everything is cut short.
const HARD_DEPTH: u32 = 40;

/// Where a value is made.
#[derive(Clone, Copy)]
pub(super) struct Spot<'s> {
    /// Name of the member; of the list, for an item.
    pub name: &'s Name,
    /// The kind that the name tells.
    pub kind: Kind,
    /// Name of the object that the member is in.
    pub owner: &'s Name,
    /// The value's own seed.
    pub noise: Noise,
    /// The object that the value is a member of.
    pub record: Record<'s>,
    pub depth: u32,
    /// Index among the rows of the nearest list.
    pub row: Option<usize>,
    /// What an example of the enclosing object shows here.
    pub example: Option<&'s Json>,
    /// What is given for the whole value.
    pub known: Option<&'s Value>,
}

/// Makes the values of one slot.
pub(super) struct Maker<'a> {
    pub slot: &'a Slot<'a>,
    pub root: &'a Json,
    pub echo: Echo<'a>,
    /// What the tool is about: a singular noun.
    pub noun: String,
    /// Definitions being made, to see cycles.
    pub stack: Vec<&'a str>,
    pub nodes: i64,
    /// Work left.
    pub work: i64,
    /// Whether the list that the slot's `rows` speak of was made.
    pub sized: bool,
    /// Whether the slot is part of a reply, rather than of a record that is being made up.
    pub is_reply: bool,
    /// Whether the slot is an id for a new record, which must differ from all others.
    pub fresh: bool,
}

impl<'a> Maker<'a> {
    pub(super) fn new(slot: &'a Slot<'a>, noun: String) -> Self {
        Maker {
            slot,
            root: slot.root,
            echo: Echo::new(slot.args),
            noun,
            stack: Vec::new(),
            nodes: NODES,
            work: WORK,
            sized: false,
            is_reply: true,
            fresh: false,
        }
    }

    /// Whether there is room for what need not be made.
    pub(super) fn has_room(&self) -> bool {
        self.nodes > 0 && self.work > 0
    }

    /// A value that all the schemas allow.
    pub(super) fn value(&mut self, schemas: &[&'a Json], spot: Spot<'_>) -> Value {
        self.nodes -= 1;
        if spot.depth > HARD_DEPTH || self.work <= 0 {
            return Value::Null;
        }
        let facets = Facets::of(schemas, self.root);
        self.work -= facets.work();
        if facets.alternatives.is_empty() && facets.conditional.is_none() {
            return self.shaped(&facets, spot);
        }
        self.alternative(schemas, facets, spot)
    }

    /// A value for a schema with alternatives: the first branch whose value fits the whole.
    fn alternative(&mut self, schemas: &[&'a Json], first: Facets<'a>, spot: Spot<'_>) -> Value {
        let widest = first.alternatives.iter().map(|(branches, _)| branches.len()).max().unwrap_or(1);
        let mut best = None;
        let mut next = Some(first);
        for attempt in 0..widest.clamp(1, 8) {
            let mut facets = next.take().unwrap_or_else(|| Facets::of(schemas, self.root));
            let mut i = 0;
            while let Some((branches, _)) = facets.alternatives.get(i).copied().filter(|_| i < 8) {
                if let Some(branch) = self.branch(branches, &facets, spot, attempt) {
                    facets.take(branch, self.root);
                }
                i += 1;
            }
            let (sized, depth) = (self.sized, self.stack.len());
            let value = self.shaped(&facets, spot);
            let mut fit = true;
            for schema in schemas {
                let (fits, work) = measured(&value, schema, self.root);
                self.work -= i64::from(work);
                fit &= fits;
            }
            if fit || self.work <= 0 {
                return value;
            }
            self.stack.truncate(depth);
            self.sized = sized && self.sized;
            best.get_or_insert(value);
        }
        best.unwrap_or_default()
    }

    /// The branch to take at this attempt: those that fit what is given come first, `null` last.
    fn branch(
        &self,
        branches: &'a [Json],
        facets: &Facets<'a>,
        spot: Spot<'_>,
        attempt: usize,
    ) -> Option<&'a Json> {
        let known =
            spot.known.or_else(|| self.echo.of(spot.name, spot.owner, spot.depth, spot.row.is_some()));
        let rank = |branch: &'a Json| {
            let own = Facets::of(&[branch], self.root);
            let types = own.types.and(facets.types);
            let cyclic = !own.definition.is_empty() && self.stack.contains(&own.definition);
            if types == Types::NONE {
                4
            } else if types.only_null() || own.deprecated {
                3
            } else if cyclic || (types == Types::ANY && !own.has_members() && own.alternatives.is_empty()) {
                2
            } else if known.is_some_and(|v| !types.has(type_of(v)) || !consistent(v, &own, self.root)) {
                1
            } else {
                0
            }
        };
        let mut ranked: Vec<(usize, &Json)> = branches.iter().take(32).map(|b| (rank(b), b)).collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        // Rows of one list show the variants in turn.
        let equal = ranked.iter().filter(|(rank, _)| *rank == 0).count().max(1);
        let turn = spot.row.filter(|_| known.is_none()).unwrap_or(0);
        let at = if attempt < equal { (attempt + turn) % equal } else { attempt % ranked.len().max(1) };
        ranked.get(at).map(|(_, branch)| *branch)
    }

    fn shaped(&mut self, facets: &Facets<'a>, spot: Spot<'_>) -> Value {
        if let Some(constant) = facets.constant {
            return Value::from(constant);
        }
        let kind = in_context(spot.kind, facets, spot);
        if let Some(values) = facets.values {
            return self.one_of(values, facets, kind, spot);
        }
        let types = facets.types;
        if types == Types::NONE || types.only_null() {
            return Value::Null;
        }
        if types.has(Types::NULL) && facets.typed && spot.known.is_none() && is_absent(spot, kind, facets) {
            return Value::Null;
        }
        let example = spot.example.or(facets.example).filter(|e| is_plausible(e));
        let shown = example.or(facets.default.filter(|d| is_plausible(d)));
        let chosen = self.choose(types, shown, facets, kind, spot);
        match chosen {
            Types::MAP => self.object(facets, Spot { example, ..spot }),
            Types::LIST => self.list(facets, Spot { example, ..spot }),
            Types::STR => self.text(facets, kind, spot, shown),
            Types::BOOL => match shown {
                Some(Json::Bool(b)) => Value::Bool(*b),
                _ => Value::Bool(truth(spot.name, spot.noise)),
            },
            _ => self.number(facets, chosen, kind, spot, shown),
        }
    }

    fn one_of(&self, values: &'a [Json], facets: &Facets<'a>, kind: Kind, spot: Spot<'_>) -> Value {
        let usable: Vec<&Json> = values
            .iter()
            .take(500)
            .filter(|v| facets.types.has(Types::of_json(v)) && (!v.is_null() || values.len() == 1))
            .collect();
        let mut noise = spot.noise;
        if matches!(kind, Kind::Status | Kind::Message | Kind::Type) || usable.len() <= 2 {
            let good = [
                "success",
                "ok",
                "active",
                "completed",
                "available",
                "succeeded",
                "enabled",
                "approved",
                "open",
                "true",
                "200",
            ];
            let best = usable.iter().find(|v| {
                let text = v.as_str().unwrap_or_default();
                good.iter().any(|g| text.eq_ignore_ascii_case(g))
            });
            if let (Some(best), true) = (best, noise.chance(if spot.row.is_some() { 40 } else { 75 })) {
                return Value::from(*best);
            }
        }
        let example = spot.example.or(facets.example).or(facets.default);
        let first = spot.row.is_none_or(|row| row == 0);
        if let Some(example) = example.filter(|e| first && usable.contains(e)) {
            return Value::from(example);
        }
        let bad =
            ["error", "failed", "failure", "unknown", "unspecified", "invalid", "deleted", "none", "other"];
        let fair: Vec<&Json> = usable
            .iter()
            .copied()
            .filter(|v| {
                let name = Name::new(v.as_str().unwrap_or_default());
                !name.has(&bad)
            })
            .collect();
        match noise.pick(if fair.is_empty() { &usable } else { &fair }) {
            Some(value) => Value::from(*value),
            None => values.first().map(Value::from).unwrap_or_default(),
        }
    }

    /// The one type to make.
    fn choose(
        &self,
        types: Types,
        shown: Option<&Json>,
        facets: &Facets<'_>,
        kind: Kind,
        spot: Spot<'_>,
    ) -> Types {
        const ORDER: [Types; 5] = [Types::MAP, Types::LIST, Types::STR, Types::NUM, Types::BOOL];
        let of_json = |json: &Json| match Types::of_json(json) {
            Types::INT | Types::FRACTION => Types::NUM,
            other => other,
        };
        if let Some(known) = spot.known {
            let of = type_of(known);
            if let Some(found) = ORDER.into_iter().find(|t| t.has(of) && types.has(*t)) {
                return found;
            }
        }
        if let Some(shown) = shown.map(of_json).filter(|t| types.has(*t) && *t != Types::NULL) {
            return shown;
        }
        if !facets.typed && types == Types::ANY {
            return untyped(spot.name, kind, facets);
        }
        ORDER.into_iter().find(|t| types.has(*t)).unwrap_or(Types::STR)
    }

    fn text(&self, facets: &Facets<'a>, kind: Kind, spot: Spot<'_>, shown: Option<&Json>) -> Value {
        let maker = Text {
            name: spot.name,
            kind,
            record: &spot.record,
            noise: spot.noise,
            now: self.slot.now,
            row: spot.row.unwrap_or(0),
        };
        let shown = shown.and_then(Json::as_str);
        let free = match kind {
            Kind::Time | Kind::Clock => None,
            kind if is_id(kind) => {
                let styled = shown
                    .filter(|_| facets.format.is_empty() || facets.format == "string")
                    .map(|e| in_style_of(e, spot.noise));
                styled.filter(|text| spot.row.is_none() || Some(text.as_str()) != shown)
            }
            _ if self.fresh => None,
            kind if spot.row.is_none_or(|row| row == 0) || !varies(kind) => shown.map(str::to_owned),
            _ => None,
        };
        let text = match free {
            Some(text) => text,
            None => match maker.of_format(facets.format, facets.description) {
                Some(text) => text,
                None => shown
                    .filter(|_| matches!(kind, Kind::Time | Kind::Clock))
                    .and_then(|e| {
                        super::time::like(e, super::time::moment(spot.name, self.slot.now, spot.record.noise))
                    })
                    .unwrap_or_else(|| maker.of_kind(facets)),
            },
        };
        let text = if self.fresh && !is_id(kind) && facets.format.is_empty() {
            unmistakable(&text, spot.noise)
        } else {
            text
        };
        self.fitted(text, facets, spot)
    }

    /// The text, made to satisfy pattern and length.
    fn fitted(&self, text: String, facets: &Facets<'a>, spot: Spot<'_>) -> Value {
        let length = text.chars().count();
        let long = facets.max_length.is_some_and(|m| length > m);
        if let Some(pattern) = facets.pattern {
            if !long && length >= facets.min_length && pattern::matches(pattern, &text).unwrap_or(false) {
                return text.into();
            }
            if let Some(text) = pattern::generate(pattern, facets.min_length, facets.max_length, spot.noise) {
                return text.into();
            }
        }
        if !long && length >= facets.min_length {
            return text.into();
        }
        if long {
            let max = facets.max_length.unwrap_or(length);
            let cut: String = text.chars().take(max).collect();
            let trimmed = cut.trim_end_matches([' ', '-', '_', ',', '.']);
            return if trimmed.chars().count() >= facets.min_length { trimmed.into() } else { cut.into() };
        }
        // Nobody needs more than some text of the least length; a demand for megabytes is a trap.
        let want = facets.min_length.min(100_000);
        let mut padded = text;
        let mut noise = spot.noise.child("pad");
        let identifier = !padded.contains(' ');
        while padded.chars().count() < want {
            if identifier {
                padded.push_str(&noise.text(b"abcdefghjkmnpqrstuvwxyz23456789", 8));
            } else {
                padded.push(' ');
                padded.push_str(noise.word(super::words::WORDS));
            }
        }
        let room = facets.max_length.unwrap_or(usize::MAX);
        padded.chars().take(if identifier { want } else { room }).collect::<String>().into()
    }

    fn number(
        &self,
        facets: &Facets<'a>,
        chosen: Types,
        kind: Kind,
        spot: Spot<'_>,
        shown: Option<&Json>,
    ) -> Value {
        let whole = chosen == Types::INT || !facets.types.has(Types::FRACTION);
        if let Some(shown) = shown.and_then(Json::as_f64) {
            let exact = spot.row.is_none_or(|row| row == 0) && !matches!(kind, Kind::Id | Kind::Time);
            if exact {
                return bounded(shown, whole, facets, spot.noise);
            }
            let anchored = matches!(kind, Kind::Time | Kind::Id | Kind::Lat | Kind::Lon);
            if !anchored && !self.fresh {
                // Rows differ around the example.
                let mut noise = spot.noise;
                let factor = 0.6 + 0.8 * noise.unit();
                let digits = if whole || shown.fract() == 0.0 { 1.0 } else { 100.0 };
                return bounded((shown * factor * digits).round() / digits, whole, facets, spot.noise);
            }
        }
        let maker = Number {
            name: spot.name,
            kind,
            record: &spot.record,
            noise: spot.noise,
            now: self.slot.now,
            row: spot.row.unwrap_or(0),
        };
        maker.of(facets)
    }

    /// Name of the definition that the schema, or its items, refer to.
    pub(super) fn target(schema: &'a Json) -> Option<&'a str> {
        let direct = |s: &'a Json| {
            s.get("$ref").or_else(|| s.get("allOf")?.get(0)?.get("$ref")).and_then(Json::as_str)
        };
        direct(schema)
            .or_else(|| direct(schema.get("items")?))
            .or_else(|| direct(schema.get("additionalProperties")?))
            .and_then(|r| r.rsplit('/').next())
    }

    /// Whether the schema leads back to a definition that is being made.
    pub(super) fn is_cyclic(&self, schema: &'a Json) -> bool {
        let Some(name) = Self::target(schema) else { return false };
        if self.stack.contains(&name) {
            return true;
        }
        // A definition that is nothing but a list of one being made: `Pets: [Pet]`.
        let reference = schema.get("$ref").and_then(Json::as_str);
        let target = reference.and_then(|r| resolve(r, self.root));
        target.and_then(Self::target).is_some_and(|name| self.stack.contains(&name))
    }

    /// Whether an optional member is deep enough to be left out.
    pub(super) fn is_deep(&self, depth: u32) -> bool {
        depth > SOFT_DEPTH || !self.has_room()
    }
}

/// Whether a given value agrees with the constants and enumerations of a branch.
fn consistent(value: &Value, branch: &Facets<'_>, root: &Json) -> bool {
    let Some(map) = value.as_map() else {
        return branch.values.is_none_or(|all| all.iter().any(|v| Value::from(v) == *value));
    };
    branch.properties.iter().all(|properties| {
        map.iter().all(|(name, value)| {
            properties.get(&**name).is_none_or(|schema| {
                let fixed = schema.get("const").is_some() || schema.get("enum").is_some();
                !fixed || fits(value, schema, root)
            })
        })
    })
}
