//! A stable 64-bit hash of values and bytes.
//!
//! FNV-1a: every step is a bijection of the state, so any change of a single byte changes the
//! result, and the result is the same on every machine and release. It guards against accidents,
//! not against people: wherever a collision would matter, the values themselves are compared.

use gtm_world::Value;

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// Hash of some bytes.
pub(crate) fn bytes(bytes: &[u8]) -> u64 {
    feed(OFFSET, bytes)
}

fn feed(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |h, &b| (h ^ u64::from(b)).wrapping_mul(PRIME))
}

/// Hash of a call, whatever the order of its arguments.
pub(crate) fn call(tool: &str, args: &Value) -> u64 {
    feed(feed(OFFSET, tool.as_bytes()), &value(args).to_le_bytes())
}

/// Hash of a value; equal values ([`Value`]'s `==`) have equal hashes.
pub(crate) fn value(v: &Value) -> u64 {
    match v {
        Value::Null => feed(OFFSET, b"n"),
        Value::Bool(b) => feed(OFFSET, &[b'b', u8::from(*b)]),
        Value::Int(_) | Value::Float(_) => {
            // `1` and `1.0` are equal, and so are the two zeros.
            let x = v.as_f64().unwrap_or_default() + 0.0;
            feed(feed(OFFSET, b"f"), &x.to_bits().to_le_bytes())
        }
        Value::Str(s) => feed(feed(OFFSET, b"s"), s.as_bytes()),
        Value::List(items) => {
            items.iter().fold(feed(OFFSET, b"l"), |h, item| feed(h, &value(item).to_le_bytes()))
        }
        // A sum does not depend on the order of members.
        Value::Map(map) => map.iter().fold(feed(OFFSET, b"m"), |h, (k, v)| {
            h.wrapping_add(feed(feed(OFFSET, k.as_bytes()), &value(v).to_le_bytes()))
        }),
    }
}

/// A number in `0.0..1.0` and well spread, made from some parts.
pub(crate) fn unit(parts: &[u64]) -> f64 {
    let hash = parts.iter().fold(OFFSET, |h, part| feed(h, &part.to_le_bytes()));
    // FNV's high bits are weak for short input; a final mix (SplitMix64) spreads them.
    let mut z = hash.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    (z >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn equal_values_hash_alike_and_others_do_not() {
        let a = Value::from(json!({"a": 1, "b": [1.0, "x", null], "c": {"d": true}}));
        let b = Value::from(json!({"c": {"d": true}, "b": [1, "x", null], "a": 1.0}));
        assert_eq!(value(&a), value(&b));
        for other in
            [json!({"a": 1}), json!([1]), json!("1"), json!(1), json!(-1), json!(null), json!({"a": 2})]
        {
            assert_ne!(value(&a), value(&Value::from(other)));
        }
        assert_ne!(value(&Value::from(json!([1, 2]))), value(&Value::from(json!([2, 1]))));
    }

    #[test]
    fn any_single_byte_change_changes_the_hash() {
        let text = b"{\"call\":1}".to_vec();
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut flipped = text.clone();
                flipped[at] ^= 1 << bit;
                assert_ne!(bytes(&flipped), bytes(&text));
            }
        }
    }

    #[test]
    fn unit_is_spread_evenly() {
        let hits = (0..10_000).filter(|&n| unit(&[7, 3, n]) < 0.1).count();
        assert!((900..1_100).contains(&hits), "{hits}");
    }
}
