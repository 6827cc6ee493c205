//! A treemap: areas and their domains, sized by sessions.

use gtm_page::{count, escaped};

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 460.0;
/// Room for the name of a group.
const HEAD: f64 = 15.0;

/// A rectangle: left, top, width, height.
type Rect = (f64, f64, f64, f64);

/// Groups of named sizes as SVG; larger first, whatever the order given.
pub(super) fn treemap(groups: &[(String, Vec<(String, u64)>)]) -> String {
    let mut groups: Vec<(u64, &str, Vec<(u64, &str)>)> = groups
        .iter()
        .map(|(name, inner)| {
            let mut inner: Vec<(u64, &str)> =
                inner.iter().map(|(name, size)| (*size, name.as_str())).collect();
            inner.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
            (inner.iter().map(|(size, _)| size).sum(), name.as_str(), inner)
        })
        .collect();
    groups.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let mut out = format!("<svg class=\"treemap\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">");
    let sizes: Vec<f64> = groups.iter().map(|(size, ..)| *size as f64).collect();
    let places = squarified(&sizes, (0.0, 0.0, WIDTH, HEIGHT));
    for (at, ((size, name, inner), place)) in groups.iter().zip(places).enumerate() {
        let hue = at * 137 % 360;
        let (x, y, w, h) = place;
        out.push_str(&format!("<g style=\"--h:{hue}\"><rect class=\"area\" {}/>", rect(place)));
        let head = if h > 3.0 * HEAD { HEAD } else { 0.0 };
        if head > 0.0 && w > 6.4 * name.len() as f64 {
            out.push_str(&format!(
                "<text class=\"name\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                x + 4.0,
                y + 11.0,
                escaped(name)
            ));
        }
        let sizes: Vec<f64> = inner.iter().map(|(size, _)| *size as f64).collect();
        let within = (x + 1.5, y + head, (w - 3.0).max(0.0), (h - head - 1.5).max(0.0));
        for ((own, domain), place) in inner.iter().zip(squarified(&sizes, within)) {
            out.push_str(&format!(
                "<g><title>{}: {} of {} sessions in {}</title><rect class=\"domain\" {}/>",
                escaped(domain),
                count(*own),
                count(*size),
                escaped(name),
                rect(place)
            ));
            if place.3 > 12.0 && place.2 > 5.2 * domain.len() as f64 {
                let (x, y) = (place.0 + 3.0, place.1 + place.3 / 2.0 + 3.0);
                out.push_str(&format!(
                    "<text x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
                    escaped(&domain.replace('_', " "))
                ));
            }
            out.push_str("</g>");
        }
        out.push_str("</g>");
    }
    out + "</svg>"
}

fn rect((x, y, w, h): Rect) -> String {
    format!("x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"2\"")
}

/// Places for sizes, the largest first, as near to squares as may be (Bruls, Huizing, van Wijk 2000).
fn squarified(sizes: &[f64], mut free: Rect) -> Vec<Rect> {
    let total: f64 = sizes.iter().sum();
    let scale = if total > 0.0 { free.2 * free.3 / total } else { 0.0 };
    let areas: Vec<f64> = sizes.iter().map(|size| size * scale).collect();
    let mut places = Vec::with_capacity(areas.len());
    let mut from = 0;
    while from < areas.len() {
        let side = free.2.min(free.3);
        let mut to = from + 1;
        while to < areas.len() && worst(&areas[from..=to], side) <= worst(&areas[from..to], side) {
            to += 1;
        }
        let sum: f64 = areas[from..to].iter().sum();
        let thick = if side > 0.0 { sum / side } else { 0.0 };
        let mut along = 0.0;
        for area in &areas[from..to] {
            let length = if thick > 0.0 { area / thick } else { 0.0 };
            places.push(match free.2 < free.3 {
                true => (free.0 + along, free.1, length, thick),
                false => (free.0, free.1 + along, thick, length),
            });
            along += length;
        }
        free = match free.2 < free.3 {
            true => (free.0, free.1 + thick, free.2, (free.3 - thick).max(0.0)),
            false => (free.0 + thick, free.1, (free.2 - thick).max(0.0), free.3),
        };
        from = to;
    }
    places
}

/// The worst ratio of sides in a row.
fn worst(row: &[f64], side: f64) -> f64 {
    let sum: f64 = row.iter().sum();
    let most = row.iter().copied().fold(0.0, f64::max);
    let least = row.iter().copied().fold(f64::INFINITY, f64::min);
    let square = side * side;
    (square * most / (sum * sum)).max(sum * sum / (square * least))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_fill_the_room_and_none_is_a_sliver() {
        let sizes = [60.0, 60.0, 40.0, 30.0, 20.0, 10.0, 4.0];
        let places = squarified(&sizes, (0.0, 0.0, 600.0, 400.0));
        let area: f64 = places.iter().map(|place| place.2 * place.3).sum();
        assert!((area - 240_000.0).abs() < 1.0, "{area}");
        assert!(places.iter().all(|place| place.2 / place.3 < 4.0 && place.3 / place.2 < 4.0), "{places:?}");
        assert!(squarified(&[], (0.0, 0.0, 1.0, 1.0)).is_empty());
    }
}
