//! Numbers for a kind of value.

use super::codes::mentions;
use super::facets::{Facets, Types};
use super::kind::Kind;
use super::name::Name;
use super::noise::Noise;
use super::record::Record;
use super::time::{Civil, moment};
use gtm_world::Value;

/// What a number is made for.
pub(super) struct Number<'n> {
    pub name: &'n Name,
    pub kind: Kind,
    pub record: &'n Record<'n>,
    pub noise: Noise,
    pub now: i64,
    /// Index among the rows of a list.
    pub row: usize,
}

impl Number<'_> {
    /// A number for the kind, within the bounds.
    pub(super) fn of(&self, facets: &Facets<'_>) -> Value {
        let whole = !facets.types.has(Types::FRACTION);
        // Ids and counts are whole, also where the schema says only `number`.
        let counted = matches!(
            self.kind,
            Kind::Id
                | Kind::Serial
                | Kind::Count
                | Kind::Quantity
                | Kind::Year
                | Kind::Time
                | Kind::Page
                | Kind::Limit
        );
        let whole = whole || (counted && facets.types.has(Types::INT) && facets.multiple.is_none());
        let wanted = self.wanted(facets.description, whole);
        bounded(wanted, whole, facets, self.noise)
    }

    fn wanted(&self, description: &str, whole: bool) -> f64 {
        let mut noise = self.noise;
        let between = |noise: &mut Noise, low: i64, high: i64| noise.between(low, high) as f64;
        let cents =
            |noise: &mut Noise, low: i64, high: i64| noise.between(low * 100, high * 100) as f64 / 100.0;
        let tenths =
            |noise: &mut Noise, low: i64, high: i64| noise.between(low * 10, high * 10) as f64 / 10.0;
        match self.kind {
            Kind::Id | Kind::Reference | Kind::Token | Kind::Hash | Kind::Sku | Kind::Uuid | Kind::Cursor => {
                between(&mut noise, 10_000, 99_999)
            }
            Kind::Time | Kind::Clock => self.time(description),
            Kind::Duration
                if mentions(description, &["millisecond"])
                    || self.name.has(&["ms", "millis", "milliseconds"]) =>
            {
                between(&mut noise, 20, 4_000)
            }
            Kind::Duration if mentions(description, &["second"]) => between(&mut noise, 30, 3_600),
            Kind::Duration => between(&mut noise, 5, 180),
            Kind::Year if self.name.has(&["exp", "expiry", "expiration"]) => {
                (Civil::of(self.now).year + noise.between(1, 5)) as f64
            }
            Kind::Year => (Civil::of(self.now).year - noise.between(0, 12)) as f64,
            Kind::Month => between(&mut noise, 1, 12),
            Kind::Day => between(&mut noise, 1, 28),
            Kind::Weekday => between(&mut noise, 1, 7),
            Kind::Lat => self.record.place().lat,
            Kind::Lon => self.record.place().lon,
            Kind::Money if whole => {
                between(&mut noise, 5, 400) * if mentions(description, &["cent"]) { 100.0 } else { 1.0 }
            }
            Kind::Money => cents(&mut noise, 5, 400),
            Kind::Count => between(&mut noise, 0, 120),
            Kind::Quantity => between(&mut noise, 1, 5),
            Kind::Percent if whole => between(&mut noise, 1, 100),
            Kind::Percent => tenths(&mut noise, 1, 100),
            Kind::Rating if whole => between(&mut noise, 3, 5),
            Kind::Rating => tenths(&mut noise, 3, 5),
            Kind::Score if whole => between(&mut noise, 40, 100),
            Kind::Score => cents(&mut noise, 40, 100),
            Kind::Ratio if self.name.has(&["exchange", "conversion"]) => cents(&mut noise, 1, 2),
            Kind::Ratio => (noise.between(50, 99) as f64) / 100.0,
            Kind::Age => between(&mut noise, 19, 72),
            Kind::Temperature if mentions(description, &["fahrenheit"]) || self.name.has(&["f"]) => {
                tenths(&mut noise, 45, 88)
            }
            Kind::Temperature if mentions(description, &["kelvin"]) => tenths(&mut noise, 280, 305),
            Kind::Temperature => tenths(&mut noise, 8, 31),
            Kind::Humidity => between(&mut noise, 35, 90),
            Kind::Speed => tenths(&mut noise, 2, 40),
            Kind::Pressure => between(&mut noise, 995, 1_030),
            Kind::Weight => tenths(&mut noise, 1, 60),
            Kind::Length => tenths(&mut noise, 5, 250),
            Kind::Pixels => [320.0, 640.0, 800.0, 1024.0, 1280.0, 1920.0][noise.below(6)],
            Kind::Port => [80.0, 443.0, 8080.0, 5432.0][noise.below(4)],
            Kind::Size => between(&mut noise, 2_000, 900_000),
            Kind::Page => 1.0,
            Kind::Limit => 20.0,
            Kind::Offset => 0.0,
            Kind::Position if self.row < 100 => self.row as f64 + 1.0,
            Kind::Position => between(&mut noise, 1, 12),
            Kind::HttpStatus => 200.0,
            Kind::Code if self.name.len() == 1 => 200.0,
            Kind::Status => {
                if self.name.has(&["code"]) {
                    200.0
                } else {
                    1.0
                }
            }
            Kind::Flag | Kind::Fault => {
                if self.kind == Kind::Flag {
                    1.0
                } else {
                    0.0
                }
            }
            Kind::Version => between(&mut noise, 1, 5),
            Kind::Level => between(&mut noise, 1, 3),
            Kind::Phone => between(&mut noise, 2_025_550_100, 2_025_550_199),
            Kind::Serial => between(&mut noise, 100_000, 999_999),
            Kind::Zip => between(&mut noise, 10_000, 99_999),
            _ if whole => between(&mut noise, 1, 100),
            _ => cents(&mut noise, 1, 100),
        }
    }

    fn time(&self, description: &str) -> f64 {
        let moment = moment(self.name, self.now, self.record.noise);
        let millis = mentions(description, &["millisecond", "ms since", "epoch millis"])
            || self.name.has(&["ms", "millis"]);
        if millis { moment as f64 * 1000.0 } else { moment as f64 }
    }
}

/// The number nearest to the wanted one that the schema allows.
pub(super) fn bounded(wanted: f64, whole: bool, facets: &Facets<'_>, mut noise: Noise) -> Value {
    let step = match facets.multiple {
        Some(multiple) if whole && multiple.fract() != 0.0 => multiple * (1.0 / multiple).round().max(1.0),
        Some(multiple) => multiple,
        None if whole => 1.0,
        None => 0.0,
    };
    let format_max = match facets.format {
        "int32" => Some(f64::from(i32::MAX)),
        "int16" => Some(f64::from(i16::MAX)),
        "int8" => Some(f64::from(i8::MAX)),
        "uint8" => Some(255.0),
        _ => None,
    };
    let max = match (facets.max, format_max) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    let mut x = wanted;
    let low = facets.min.is_some_and(|m| x < m || (facets.min_open && x <= m));
    let high = max.is_some_and(|m| x > m || (facets.max_open && x >= m));
    if low || high {
        x = match (facets.min, max) {
            (Some(a), Some(b)) if b >= a => a + (b - a) * (0.2 + 0.6 * noise.unit()),
            (Some(a), _) => a + wanted.abs().min(50.0),
            (_, Some(b)) => b - wanted.abs().min(50.0),
            _ => x,
        };
        if step == 0.0 {
            let rounded = (x * 100.0).round() / 100.0;
            let inside = facets.min.is_none_or(|m| rounded > m) && max.is_none_or(|m| rounded < m);
            x = if inside { rounded } else { x };
        }
    }
    if step > 0.0 {
        x = (x / step).round() * step;
        if facets.min.is_some_and(|m| x < m || (facets.min_open && x <= m)) {
            x = facets.min.map_or(x, |m| (m / step).ceil() * step);
            if facets.min_open && Some(x) == facets.min {
                x += step;
            }
        }
        if max.is_some_and(|m| x > m || (facets.max_open && x >= m)) {
            x = max.map_or(x, |m| (m / step).floor() * step);
            if facets.max_open && Some(x) == max {
                x -= step;
            }
        }
    }
    if whole || (x.fract() == 0.0 && facets.types.has(Types::INT) && step >= 1.0) {
        if x.abs() < 9.0e18 {
            return Value::Int(x as i64);
        }
        return Value::float(x);
    }
    Value::float(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bounds_hold() {
        for schema in [
            json!({"type": "integer", "minimum": 5, "maximum": 7}),
            json!({"type": "integer", "exclusiveMinimum": 5, "exclusiveMaximum": 7}),
            json!({"type": "integer", "multipleOf": 7, "minimum": 100}),
            json!({"type": "number", "multipleOf": 0.25, "maximum": -3}),
            json!({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.01}),
            json!({"type": "number", "minimum": -1e300, "maximum": 1e300}),
            json!({"type": "integer", "format": "int32", "minimum": 2_147_483_000i64}),
            json!({"type": "integer", "minimum": 1, "maximum": 1}),
        ] {
            for seed in 0..50 {
                for wanted in [-1e12, -1.0, 0.0, 0.3, 1.0, 6.0, 1e6, 1e18] {
                    let facets = Facets::of(&[&schema], &schema);
                    let whole = !facets.types.has(Types::FRACTION);
                    let value = bounded(wanted, whole, &facets, Noise::new(seed));
                    assert!(super::super::fits::fits(&value, &schema, &schema), "{value:?} for {schema}");
                }
            }
        }
    }
}
