//! What can be saved of a line whose writer was killed while writing it.

/// The line up to its last whole turn, closed; `None` if there is not even the beginning of a list.
///
/// A line is an object whose last member is the list of turns, so every turn ends where the
/// nesting comes back to two levels.
pub(super) fn mend(line: &[u8]) -> Option<Vec<u8>> {
    let (mut depth, mut text, mut escaped, mut whole) = (0usize, false, false, None);
    for (at, byte) in line.iter().enumerate() {
        match (text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => text = !text,
            (true, _) => {}
            (false, b'{' | b'[') => {
                depth += 1;
                // An empty list can be closed, too.
                if depth == 2 && *byte == b'[' {
                    whole = Some(at);
                }
            }
            (false, b'}' | b']') => {
                depth = depth.checked_sub(1)?;
                if depth == 2 && *byte == b'}' {
                    whole = Some(at);
                }
            }
            _ => {}
        }
    }
    let mut mended = line.get(..=whole?)?.to_vec();
    mended.extend_from_slice(b"]}");
    Some(mended)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::Recording;

    #[test]
    fn a_torn_line_keeps_every_whole_turn() {
        let turn = |n: u32| {
            format!(
                r#"{{"call":{{"name":"f","arguments":{{"n":{n},"s":"}}]\"{{"}}}},"response":[{{"é":{n}}}],"is_error":false}}"#
            )
        };
        let head = r#"{"session_id":"s","tools":[{"name":"f"},{"name":"g"}],"turns":["#;
        let line = format!("{head}{},{},{}]}}", turn(1), turn(2), turn(3));
        for cut in 1..line.len() {
            let torn = &line.as_bytes()[..cut];
            let whole = (1..=3)
                .filter(|n| {
                    cut >= head.len() + (1..=*n).map(|n| turn(n).len()).sum::<usize>() + *n as usize - 1
                })
                .count();
            let Some(mended) = mend(torn) else {
                assert_eq!(whole, 0);
                continue;
            };
            let read: Recording = serde_json::from_slice(&mended).expect("valid again");
            assert_eq!(read.turns.len(), whole, "{}", String::from_utf8_lossy(torn));
        }
    }

    #[test]
    fn what_is_no_line_is_not_mended() {
        for text in ["", "text", "}}}", "{\"a\":1", "\"["] {
            assert_eq!(mend(text.as_bytes()), None, "{text}");
        }
    }
}
