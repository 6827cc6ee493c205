//! Units of measurement.

use super::{Args, Section, rows};
use crate::Value;
use crate::cel::Eval;
use crate::cel::ops::finite;

pub(super) const SECTION: Section = Section {
    title: "Units",
    intro: "Length, mass, temperature, volume, area, time, speed, data, pressure, energy, power, angle and frequency, by symbol (`km`, `lb`, `°C`) or name (`kilometers`, `pound`, `Celsius`). \
            Symbols with capitals of their own meaning (`MB`, `Mb`) are read as written first, then without regard to case. Data: `kB` is 1000 bytes, `KiB` 1024.",
    null_passes: false,
    rows: rows! {
        "convert(x, from, to) -> number", "A quantity in another unit of the same kind; units of different kinds are an error.", "convert(100, 'km/h', 'mph').round(2)" => "62.14", convert;
        "unitKind(unit) -> text", "What a unit measures; null if it is unknown.", "unitKind('kg')" => r#""mass""#, |args| {
            Ok(find(args.text(0)?).map_or(Value::Null, |unit| Value::from(unit.kind)))
        };
    },
};

/// A unit: `base = x * scale + offset`.
struct Unit {
    kind: &'static str,
    /// Symbols and names, separated by blanks. Plural `s` is understood.
    names: &'static str,
    scale: f64,
    offset: f64,
}

macro_rules! units {
    ($($kind:ident { $($names:literal = $scale:expr $(, $offset:expr)?;)* })*) => {
        &[$($(Unit { kind: stringify!($kind), names: $names, scale: $scale, offset: 0.0 $(+ $offset)? },)*)*]
    };
}

static UNITS: &[Unit] = units! {
    length {
        "m meter metre" = 1.0; "km kilometer kilometre" = 1e3; "cm centimeter centimetre" = 1e-2; "mm millimeter millimetre" = 1e-3;
        "µm um micrometer micron" = 1e-6; "nm nanometer" = 1e-9; "mi mile" = 1609.344; "yd yard" = 0.9144; "ft foot feet" = 0.3048;
        "in inch inches" = 0.0254; "nmi nauticalmile nautical_mile" = 1852.0; "ly lightyear light_year" = 9.460_730_472_580_8e15; "au" = 1.495_978_707e11;
    }
    mass {
        "kg kilogram" = 1.0; "g gram" = 1e-3; "mg milligram" = 1e-6; "µg ug microgram" = 1e-9; "t tonne metric_ton" = 1e3;
        "lb lbs pound" = 0.453_592_37; "oz ounce" = 0.028_349_523_125; "st stone" = 6.350_293_18; "ton us_ton short_ton" = 907.184_74;
    }
    temperature {
        "K kelvin" = 1.0; "°C C celsius degC" = 1.0, 273.15; "°F F fahrenheit degF" = 5.0 / 9.0, 273.15 - 32.0 * 5.0 / 9.0; "°R rankine" = 5.0 / 9.0;
    }
    volume {
        "l L liter litre" = 1.0; "ml mL milliliter millilitre" = 1e-3; "cl centiliter" = 1e-2; "dl deciliter" = 0.1; "m3 m³ cubic_meter" = 1e3; "cm3 cm³ cc" = 1e-3;
        "gal gallon us_gallon" = 3.785_411_784; "qt quart" = 0.946_352_946; "pt pint" = 0.473_176_473; "cup" = 0.236_588_236_5;
        "fl_oz floz fluid_ounce" = 0.029_573_529_562_5; "tbsp tablespoon" = 0.014_786_764_781_25; "tsp teaspoon" = 0.004_928_921_593_75;
        "imp_gal imperial_gallon" = 4.546_09; "bbl barrel" = 158.987_294_928; "ft3 ft³ cubic_foot cubic_feet" = 28.316_846_592; "in3 in³ cubic_inch" = 0.016_387_064;
    }
    area {
        "m2 m² sqm square_meter" = 1.0; "km2 km² square_kilometer" = 1e6; "cm2 cm²" = 1e-4; "ha hectare" = 1e4; "acre ac" = 4_046.856_422_4;
        "ft2 ft² sqft square_foot square_feet" = 0.092_903_04; "mi2 mi² square_mile" = 2_589_988.110_336; "yd2 yd² square_yard" = 0.836_127_36; "in2 in²" = 6.451_6e-4;
    }
    time {
        "s sec second" = 1.0; "ms millisecond" = 1e-3; "µs us microsecond" = 1e-6; "ns nanosecond" = 1e-9; "min minute" = 60.0; "h hr hour" = 3600.0;
        "d day" = 86_400.0; "wk week" = 604_800.0; "mo month" = 2_629_746.0; "yr y year" = 31_556_952.0;
    }
    speed {
        "m/s mps" = 1.0; "km/h kmh kph" = 1.0 / 3.6; "mph mi/h" = 0.447_04; "kn kt knot" = 1852.0 / 3600.0; "ft/s fps" = 0.3048; "km/s" = 1e3; "mach" = 340.29;
    }
    data {
        "B byte" = 1.0; "kB KB kilobyte" = 1e3; "MB megabyte" = 1e6; "GB gigabyte" = 1e9; "TB terabyte" = 1e12; "PB petabyte" = 1e15;
        "KiB kibibyte" = 1024.0; "MiB mebibyte" = 1_048_576.0; "GiB gibibyte" = 1_073_741_824.0; "TiB tebibyte" = 1_099_511_627_776.0;
        "bit b" = 0.125; "kb kbit kilobit" = 125.0; "Mb Mbit megabit" = 125e3; "Gb Gbit gigabit" = 125e6;
    }
    pressure {
        "Pa pascal" = 1.0; "hPa hectopascal mbar millibar" = 100.0; "kPa kilopascal" = 1e3; "MPa megapascal" = 1e6; "bar" = 1e5; "atm atmosphere" = 101_325.0; "psi" = 6_894.757_293_168;
        "mmHg torr" = 133.322_387_415; "inHg" = 3_386.389;
    }
    energy {
        "J joule" = 1.0; "kJ kilojoule" = 1e3; "MJ megajoule" = 1e6; "cal calorie" = 4.184; "kcal kilocalorie" = 4184.0; "Wh watt_hour" = 3600.0; "kWh kilowatt_hour" = 3.6e6;
        "eV electronvolt" = 1.602_176_634e-19; "BTU btu" = 1_055.055_852_62;
    }
    power {
        "W watt" = 1.0; "kW kilowatt" = 1e3; "MW megawatt" = 1e6; "hp horsepower" = 745.699_871_582_270_2;
    }
    angle {
        "rad radian" = 1.0; "° deg degree" = std::f64::consts::PI / 180.0; "grad gon" = std::f64::consts::PI / 200.0; "turn revolution" = std::f64::consts::TAU;
    }
    frequency {
        "Hz hertz" = 1.0; "kHz kilohertz" = 1e3; "MHz megahertz" = 1e6; "GHz gigahertz" = 1e9; "rpm" = 1.0 / 60.0;
    }
};

/// A unit by symbol or name.
fn find(name: &str) -> Option<&'static Unit> {
    let name = name.trim();
    // Longer ones are no unit, and would only cost time.
    if name.len() > 32 {
        return None;
    }
    let by = |same: &dyn Fn(&str) -> bool| UNITS.iter().find(|unit| unit.names.split(' ').any(same));
    let spaced = name.to_lowercase().replace([' ', '-'], "_");
    let singular = spaced.strip_suffix('s').unwrap_or(&spaced);
    by(&|known| known == name)
        .or_else(|| by(&|known| known.to_lowercase() == spaced))
        .or_else(|| by(&|known| known.chars().count() > 2 && known.to_lowercase() == singular))
}

fn convert(args: &mut Args<'_>) -> Eval<Value> {
    args.pay(200)?;
    let x = args.number(0)?;
    let unit = |at: usize| {
        let name = args.text(at)?;
        find(name).ok_or_else(|| args.fail(format!("unknown unit {:?}", super::number::shortened(name))))
    };
    let (from, to) = (unit(1)?, unit(2)?);
    if from.kind != to.kind {
        return Err(args.fail(format!("cannot turn {} into {}", from.kind, to.kind)));
    }
    if std::ptr::eq(from, to) {
        return Ok(args.get(0).clone());
    }
    // Sixteen digits are what a double holds; the last is rounding error of the two steps.
    let y = (x * from.scale + from.offset - to.offset) / to.scale;
    finite(format!("{y:.14e}").parse().unwrap_or(y))
}

#[cfg(test)]
mod tests {
    use super::{UNITS, find};
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_found() {
        let mut seen = HashSet::new();
        for unit in UNITS {
            for name in unit.names.split(' ') {
                assert!(seen.insert(name), "{name} twice");
                assert!(find(name).is_some_and(|found| std::ptr::eq(found, unit)), "{name}");
            }
        }
    }

    #[test]
    fn case_plural_and_blanks_are_forgiven() {
        for (name, kind) in [
            ("Kilometers", "length"),
            ("nautical miles", "length"),
            ("CELSIUS", "temperature"),
            ("mb", "data"),
            ("Pounds", "mass"),
        ] {
            assert_eq!(find(name).map(|unit| unit.kind), Some(kind), "{name}");
        }
        assert!(find("parsnip").is_none());
    }
}
