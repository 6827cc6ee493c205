//! Functions on places of the earth.

use super::{Args, Section, rows};
use crate::cel::Eval;
use crate::cel::ops::finite;

/// Mean radius of the earth.
const EARTH_KM: f64 = 6_371.008_8;

pub(super) const SECTION: Section = Section {
    title: "Places",
    intro: "Latitudes and longitudes in degrees, on a sphere of the earth's mean radius (6371.0088 km).",
    null_passes: false,
    rows: rows! {
        "haversineKm(lat1, lon1, lat2, lon2) -> number", "Kilometres along the surface.", "round(haversineKm(52.52, 13.405, 48.8566, 2.3522))" => "877", |args| {
            let (lat1, lon1, lat2, lon2) = coordinates(args)?;
            let h = ((lat2 - lat1) / 2.0).sin().powi(2)
                + lat1.cos() * lat2.cos() * ((lon2 - lon1) / 2.0).sin().powi(2);
            finite(2.0 * EARTH_KM * h.clamp(0.0, 1.0).sqrt().asin())
        };
        "bearing(lat1, lon1, lat2, lon2) -> number", "Direction in which to set out, in degrees clockwise from north.", "round(bearing(0, 0, 0, 10))" => "90", |args| {
            let (lat1, lon1, lat2, lon2) = coordinates(args)?;
            let east = (lon2 - lon1).sin() * lat2.cos();
            let north = lat1.cos() * lat2.sin() - lat1.sin() * lat2.cos() * (lon2 - lon1).cos();
            finite(east.atan2(north).to_degrees().rem_euclid(360.0))
        };
    },
};

/// The four arguments in radians.
fn coordinates(args: &Args<'_>) -> Eval<(f64, f64, f64, f64)> {
    let latitude = |at: usize| match args.number(at)? {
        x if (-90.0..=90.0).contains(&x) => Ok(x.to_radians()),
        _ => Err(args.fail("a latitude must be from -90 to 90")),
    };
    let longitude = |at: usize| match args.number(at)? {
        x if (-360.0..=360.0).contains(&x) => Ok(x.to_radians()),
        _ => Err(args.fail("a longitude must be from -360 to 360")),
    };
    Ok((latitude(0)?, longitude(1)?, latitude(2)?, longitude(3)?))
}
