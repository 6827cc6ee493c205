//! Reading `multipart/form-data` bodies: enough for file uploads to a simulated API.

/// Most parts of one body.
const MAX_PARTS: usize = 1_000;

/// One part of a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    pub(crate) name: String,
    /// Whether it declares a JSON media type.
    pub(crate) json: bool,
    pub(crate) data: &'a [u8],
}

/// The boundary named in a `Content-Type`.
pub(crate) fn boundary(content_type: &str) -> Option<&str> {
    let (_, parameters) = content_type.split_once(';')?;
    parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (name.trim().eq_ignore_ascii_case("boundary") && (1..=70).contains(&value.len())).then_some(value)
    })
}

/// The parts of a body in order. `None` if it is not shaped as its boundary says.
pub(crate) fn parts<'a>(body: &'a [u8], boundary: &str) -> Option<Vec<Part<'a>>> {
    let first = format!("--{boundary}");
    let next = format!("\r\n--{boundary}");
    let start = find(body, first.as_bytes())?;
    let mut rest = &body[start + first.len()..];
    let mut parts = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Some(parts);
        }
        if parts.len() >= MAX_PARTS {
            return None;
        }
        rest = rest.strip_prefix(b"\r\n")?;
        let end = find(rest, next.as_bytes())?;
        let (part, after) = (&rest[..end], &rest[end + next.len()..]);
        let split = find(part, b"\r\n\r\n")?;
        let headers = std::str::from_utf8(&part[..split]).ok()?;
        parts.push(Part { name: name(headers)?, json: is_json(headers), data: &part[split + 4..] });
        rest = after;
    }
}

fn name(headers: &str) -> Option<String> {
    let value = header(headers, "content-disposition")?;
    value.split(';').find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case("name").then(|| value.trim().trim_matches('"').to_string())
    })
}

fn is_json(headers: &str) -> bool {
    header(headers, "content-type").is_some_and(super::body::is_json)
}

fn header<'a>(headers: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = headers.split("\r\n").filter_map(|line| line.split_once(':'));
    lines.find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// Where `needle` first occurs. Jumps from one possible first byte to the next.
fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(at) = haystack.get(from..)?.iter().position(|byte| *byte == first) {
        if haystack[from + at..].starts_with(needle) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--B\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"x.bin\"\r\nContent-Type: application/json\r\n\r\n{\"b\":\r\n2}\r\n--B--\r\n";

    #[test]
    fn parts_with_their_names() {
        assert_eq!(boundary("multipart/form-data; charset=x; boundary=\"B\""), Some("B"));
        let parts = parts(BODY, "B").expect("well-formed");
        assert_eq!(parts.len(), 2);
        assert_eq!((parts[0].name.as_str(), parts[0].data, parts[0].json), ("a", &b"1"[..], false));
        assert_eq!(
            (parts[1].name.as_str(), parts[1].data, parts[1].json),
            ("file", &b"{\"b\":\r\n2}"[..], true)
        );
    }

    #[test]
    fn truncated_and_foreign_bodies_are_refused() {
        for end in 0..BODY.len() - 4 {
            assert_eq!(parts(&BODY[..end], "B"), None, "cut at {end}");
        }
        assert_eq!(parts(b"\xff\xfe", "B"), None);
        assert_eq!(parts(&b"--B\r\n".repeat(100_000), "B"), None);
    }
}
