//! Members of one object that follow from each other: counts of lists, sums, flags.

use super::facets::Facets;
use super::fits::fits;
use super::kind::Kind;
use super::name::Name;
use gtm_world::{Map, Value};
use serde_json::Value as Json;

/// Makes members agree that speak of each other. Given members stay.
pub(super) fn relate(object: &mut Map, facets: &Facets<'_>, root: &Json, given: Option<&Map>) {
    order_pairs(object, facets, root, given);
    let Some(rows) = main_list(object) else { return };
    let count = rows.len();
    let sum = sum_of(rows);
    let changes: Vec<(gtm_world::Str, Value)> = object
        .iter()
        .filter(|(name, _)| !given.is_some_and(|g| g.contains_key(name)))
        .filter_map(|(name, value)| {
            let parsed = Name::new(name);
            let new = match value {
                Value::Int(_) | Value::Float(_) if counts(&parsed) => Value::Int(i64::try_from(count).ok()?),
                Value::Int(_) if matches!(parsed.joined(), "totalpages" | "pagecount" | "lastpage") => {
                    Value::Int(1)
                }
                Value::Bool(_)
                    if matches!(
                        parsed.joined(),
                        "hasmore" | "hasnext" | "hasnextpage" | "istruncated" | "more"
                    ) =>
                {
                    Value::Bool(false)
                }
                Value::Int(_) | Value::Float(_) if adds_up(&parsed) => match (value, sum?) {
                    (Value::Int(_), sum) if sum.fract() == 0.0 => Value::Int(sum as i64),
                    (Value::Float(_), sum) => Value::Float((sum * 100.0).round() / 100.0),
                    _ => return None,
                },
                _ => return None,
            };
            let allowed = facets.member(name).iter().all(|schema| fits(&new, schema, root));
            (allowed && new != *value).then(|| (name.clone(), new))
        })
        .collect();
    for (name, value) in changes {
        object.insert(name, value);
    }
}

/// Bounds of one range: the first of each pair is not above the second.
const PAIRS: &[(&str, &str)] = &[
    ("min", "max"),
    ("minimum", "maximum"),
    ("low", "high"),
    ("lower", "upper"),
    ("start", "end"),
    ("from", "to"),
    ("begin", "end"),
];

/// Exchanges bounds that stand the wrong way round.
fn order_pairs(object: &mut Map, facets: &Facets<'_>, root: &Json, given: Option<&Map>) {
    let mut swaps: Vec<(gtm_world::Str, gtm_world::Str)> = Vec::new();
    for (name, value) in object.iter().filter(|(_, v)| matches!(v, Value::Int(_) | Value::Float(_))) {
        let parsed = Name::new(name);
        let Some((low, high)) = PAIRS.iter().find(|(low, _)| parsed.words().any(|w| w == *low)) else {
            continue;
        };
        let wanted: Vec<&str> = parsed.words().map(|w| if w == *low { *high } else { w }).collect();
        let partner = object.iter().find(|(k, _)| Name::new(k).words().eq(wanted.iter().copied()));
        let Some((other, bound)) = partner else { continue };
        if let (Some(a), Some(b)) = (value.as_f64(), bound.as_f64()) {
            let free = |k: &str| !given.is_some_and(|g| g.contains_key(k));
            if a > b && free(name) && free(other) {
                swaps.push((name.clone(), other.clone()));
            }
        }
    }
    for (low, high) in swaps {
        let (Some(a), Some(b)) = (object.get(&low).cloned(), object.get(&high).cloned()) else { continue };
        let allowed =
            |name: &str, value: &Value| facets.member(name).iter().all(|schema| fits(value, schema, root));
        if allowed(&low, &b) && allowed(&high, &a) {
            object.insert(low, b);
            object.insert(high, a);
        }
    }
}

/// The only list of objects among the members, else the only list.
fn main_list(object: &Map) -> Option<&gtm_world::List> {
    let lists: Vec<&gtm_world::List> = object
        .values()
        .filter_map(|v| match v {
            Value::List(list) => Some(list),
            _ => None,
        })
        .collect();
    let of_objects: Vec<_> =
        lists.iter().copied().filter(|list| matches!(list.front(), Some(Value::Map(_)))).collect();
    match (of_objects.as_slice(), lists.as_slice()) {
        ([only], _) | ([], [only]) => Some(only),
        _ => None,
    }
}

/// Whether a number of this name counts the rows beside it.
fn counts(name: &Name) -> bool {
    matches!(
        name.joined(),
        "total"
            | "count"
            | "totalcount"
            | "totalresults"
            | "totalitems"
            | "totalrecords"
            | "totalhits"
            | "resultcount"
            | "num"
            | "numresults"
            | "numberofresults"
            | "totalelements"
            | "recordcount"
            | "rowcount"
            | "itemcount"
            | "hits"
            | "length"
            | "totalrows"
            | "recordstotal"
            | "recordsfiltered"
            | "numitems"
            | "resultscount"
            | "found"
            | "numfound"
            | "matches"
            | "numberofelements"
            | "returned"
            | "resultsize"
            | "totalsize"
            | "size"
            | "totalnumber"
    )
}

/// Whether a number of this name is the sum over the rows beside it.
fn adds_up(name: &Name) -> bool {
    matches!(
        name.joined(),
        "subtotal"
            | "totalprice"
            | "totalamount"
            | "totalcost"
            | "grandtotal"
            | "amount"
            | "ordertotal"
            | "sum"
    )
}

/// Sum over rows: their own total, else price times quantity.
fn sum_of(rows: &gtm_world::List) -> Option<f64> {
    rows.iter()
        .map(|row| {
            let members = row.as_map()?;
            let of = |kinds: &[&str]| {
                members
                    .iter()
                    .find(|(k, _)| kinds.contains(&Name::new(k).joined()))
                    .and_then(|(_, v)| v.as_f64())
            };
            of(&["total", "subtotal", "amount", "linetotal", "totalprice"]).or_else(|| {
                let price = of(&["price", "unitprice", "cost", "rate"])?;
                let quantity = members.iter().find(|(k, _)| Name::new(k).kind() == Kind::Quantity);
                Some(price * quantity.and_then(|(_, v)| v.as_f64()).unwrap_or(1.0))
            })
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bounds_stand_in_order() {
        let schema = json!({"type": "object"});
        let facets = Facets::of(&[&schema], &schema);
        let mut object = Value::from(json!({"min": 5, "max": 2, "price_from": 1.5, "price_to": 9}));
        let Value::Map(map) = &mut object else { unreachable!("an object was built") };
        relate(map, &facets, &schema, None);
        assert_eq!(object.to_json(), json!({"min": 2, "max": 5, "price_from": 1.5, "price_to": 9}));
    }

    #[test]
    fn counts_and_sums_follow_the_rows() {
        let schema = json!({"type": "object"});
        let facets = Facets::of(&[&schema], &schema);
        let mut object = Value::from(json!({
            "items": [{"price": 2.5, "quantity": 2}, {"price": 1.0, "quantity": 3}],
            "total_count": 77, "totalPrice": 9.9, "has_more": true, "tags": ["a"],
        }));
        let Value::Map(map) = &mut object else { unreachable!("an object was built") };
        relate(map, &facets, &schema, None);
        let json = object.to_json();
        assert_eq!(json["total_count"], 2);
        assert_eq!(json["totalPrice"], 8.0);
        assert_eq!(json["has_more"], false);
    }
}
