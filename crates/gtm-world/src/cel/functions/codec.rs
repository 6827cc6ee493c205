//! Text encodings, and identifiers made from text.

use super::{Args, Section, rows};
use crate::Value;
use crate::cel::Eval;
use std::fmt::Write;

pub(super) const SECTION: Section = Section {
    title: "Encodings and identifiers",
    intro: "`hash` and `uuidFrom` are stable from version to version and machine to machine, and not cryptographic: anyone can make collisions.",
    null_passes: true,
    rows: rows! {
        "base64Encode(text) -> text" ["base64.encode"], "Base64 of the text's UTF-8 bytes.", "base64Encode('hi!')" => r#""aGkh""#, base64_encode;
        "base64Decode(text) -> text" ["base64.decode"], "The text that base64, also the URL-safe kind, stands for; an error if it is none.", "base64Decode('aGkh')" => r#""hi!""#, base64_decode;
        "hexEncode(text) -> text" ["hexOf"], "The UTF-8 bytes in hexadecimal.", "hexEncode('hi')" => r#""6869""#, |args| {
            let text = args.text(0)?;
            args.reserve(text.len().saturating_mul(2))?;
            Ok(hex(text.as_bytes()).into())
        };
        "hexDecode(text) -> text", "The text whose bytes are given in hexadecimal.", "hexDecode('6869')" => r#""hi""#, hex_decode;
        "urlEncode(text) -> text", "Percent-encoded for a query or path.", "urlEncode('a b&c')" => r#""a%20b%26c""#, url_encode;
        "urlDecode(text) -> text", "The text behind percent-encoding; `+` is a blank.", "urlDecode('a%20b+c')" => r#""a b c""#, url_decode;
        "hash(text) -> int", "A whole number from 0 to 2^53 − 1 that the text determines (FNV-1a, mixed).", "hash('a') == hash('a')" => "true", |args| {
            Ok(Value::Int((hash(args.text(0)?.as_bytes(), 0) >> 11) as i64))
        };
        "hashHex(text, length?) -> text", "So many hexadecimal digits, by default 16 and at most 64, that the text determines.", "size(hashHex('a', 8))" => "8", |args| {
            let length = args.int_or(1, 16)?.clamp(0, 64) as usize;
            let text = args.text(0)?;
            let digits: String = (0..4).map(|part| format!("{:016x}", hash(text.as_bytes(), part))).collect();
            args.make_text(&digits[..length])
        };
        "uuidFrom(text) -> text", "A UUID in the shape of version 4 that the text determines.", "size(uuidFrom('order 7'))" => "36", uuid;
    },
};

/// FNV-1a with a final mix, since FNV's high bits alone are weak.
fn hash(bytes: &[u8], seed: u64) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325_u64 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut h = bytes.iter().fold(start, |h, byte| (h ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    h = (h ^ (h >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    h = (h ^ (h >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    h ^ (h >> 31)
}

fn uuid(args: &mut Args<'_>) -> Eval<Value> {
    let text = args.text(0)?.as_bytes();
    let high = (hash(text, 0) & !0xf000) | 0x4000;
    let low = (hash(text, 1) & !(0b11 << 62)) | (0b10 << 62);
    let digits = format!("{high:016x}{low:016x}");
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    args.make_text(parts.join("-"))
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(out, "{byte:02x}").expect("writing to a string cannot fail");
    }
    out
}

fn hex_decode(args: &mut Args<'_>) -> Eval<Value> {
    let text = args.text(0)?.as_bytes();
    let digit = |c: u8| char::from(c).to_digit(16).map(|d| d as u8);
    let bytes: Option<Vec<u8>> = text
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect();
    utf8(args, bytes.ok_or_else(|| args.fail("not pairs of hexadecimal digits"))?)
}

/// Decoded bytes as text.
fn utf8(args: &mut Args<'_>, bytes: Vec<u8>) -> Eval<Value> {
    let text = String::from_utf8(bytes).map_err(|_| args.fail("the decoded bytes are not text in UTF-8"))?;
    args.make_text(text)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64_encode(args: &mut Args<'_>) -> Eval<Value> {
    let text = args.text(0)?;
    args.reserve(text.len().saturating_mul(2))?;
    let mut out = String::with_capacity(text.len().div_ceil(3) * 4);
    for group in text.as_bytes().chunks(3) {
        let bits =
            group.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for at in 0..4 {
            out.push(match at <= group.len() {
                true => char::from(ALPHABET[(bits >> (18 - 6 * at)) as usize & 63]),
                false => '=',
            });
        }
    }
    Ok(out.into())
}

fn base64_decode(args: &mut Args<'_>) -> Eval<Value> {
    let text = args.text(0)?;
    let (mut bits, mut count) = (0u32, 0);
    let mut bytes = Vec::new();
    for c in text.trim_end_matches('=').bytes().filter(|c| !c.is_ascii_whitespace()) {
        let six = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return Err(args.fail("not base64")),
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    if count == 6 {
        return Err(args.fail("not base64: the text is cut short"));
    }
    utf8(args, bytes)
}

fn url_encode(args: &mut Args<'_>) -> Eval<Value> {
    let text = args.text(0)?;
    args.reserve(text.len().saturating_mul(3))?;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => write!(out, "%{byte:02X}").expect("writing to a string cannot fail"),
        }
    }
    Ok(out.into())
}

fn url_decode(args: &mut Args<'_>) -> Eval<Value> {
    let text = args.text(0)?.as_bytes();
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let code = text.get(at + 1..at + 3).and_then(|code| std::str::from_utf8(code).ok());
        match (byte, code.and_then(|code| u8::from_str_radix(code, 16).ok())) {
            (b'%', Some(decoded)) => {
                bytes.push(decoded);
                at += 2;
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(*byte),
        }
        at += 1;
    }
    utf8(args, bytes)
}

#[cfg(test)]
mod tests {
    use crate::cel::{Expr, Scope};
    use crate::{Budget, Limits, Value};

    fn eval(expression: &str, text: &str) -> Value {
        let mut scope = Scope::new(Value::map(), 0);
        scope.push("t".into(), text.into());
        let expr = Expr::parse(expression).expect("parses");
        expr.eval(&scope, &mut Budget::new(&Limits::default())).expect("evaluates")
    }

    #[test]
    fn codings_come_back() {
        for text in ["", "a", "ab", "abc", "abcd", "Grüße, 世界! %+&?/=\n"] {
            for coding in ["base64", "hex", "url"] {
                let there_and_back = format!("{coding}Decode({coding}Encode(t))");
                assert_eq!(eval(&there_and_back, text), Value::from(text), "{coding}");
            }
        }
        assert_eq!(eval("base64Encode(t)", "ab"), Value::from("YWI="));
        assert_eq!(eval("base64Decode('_-4='.replace('_-4=', 'w7w'))", ""), Value::from("ü"));
    }

    /// Stored sessions hold these: a change would make replays differ.
    #[test]
    fn hashes_never_change() {
        assert_eq!(eval("uuidFrom(t)", "order 7"), Value::from("763430e6-9900-4539-a54d-a64c17f2faad"));
        assert_eq!(eval("hash(t)", "order 7"), Value::Int(4_158_928_985_464_840));
        assert_eq!(eval("hashHex(t, 20)", "order 7"), Value::from("763430e699004539654d"));
    }
}
