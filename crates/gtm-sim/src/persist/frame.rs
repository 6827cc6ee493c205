//! Framing: telling a record that was cut off by a crash from one that was damaged.
//!
//! A frame is one line: length of the payload, checksum of the payload, checksum of these two, the
//! payload as JSON. The second checksum matters: without it, damage to a length looks like a record
//! that was cut off, and everything after it would be dropped in silence.

use crate::digest;
use gtm_error::{Code, Error, Result};

/// `llllllll ssssssssssssssss cccccccc `
const HEAD: usize = 8 + 1 + 16 + 1 + 8 + 1;
/// The part of the head that its own checksum covers.
const COVERED: usize = 8 + 1 + 16;

/// The payload in its frame.
pub(crate) fn frame(payload: &str) -> Vec<u8> {
    let bytes = payload.as_bytes();
    let covered = format!("{:08x} {:016x}", bytes.len(), digest::bytes(bytes));
    let check = check(covered.as_bytes());
    let mut out = Vec::with_capacity(HEAD + bytes.len() + 1);
    out.extend_from_slice(covered.as_bytes());
    out.extend_from_slice(format!(" {check} ").as_bytes());
    out.extend_from_slice(bytes);
    out.push(b'\n');
    out
}

fn check(covered: &[u8]) -> String {
    format!("{:08x}", digest::bytes(covered) as u32)
}

/// The payloads of a file and the length of the part that they fill. A last frame that is not
/// whole was being written when the process died, and is left out.
///
/// # Errors
/// [`Code::StorageCorrupt`] for anything else that is not as it was written.
pub(crate) fn frames(file: &[u8]) -> Result<(Vec<&str>, u64)> {
    let mut payloads = Vec::new();
    let mut at = 0;
    while let Some(payload) = next(&file[at..]).map_err(|what| corrupt(what, at))? {
        payloads.push(payload);
        at += HEAD + payload.len() + 1;
    }
    Ok((payloads, at as u64))
}

/// The payload at the beginning of `rest`; `None` if nothing whole is there.
fn next(rest: &[u8]) -> std::result::Result<Option<&str>, &'static str> {
    // A loss of power may leave a longer file than was written, filled with zeros.
    if rest.len() < HEAD || rest.iter().all(|&b| b == 0) {
        return Ok(None);
    }
    let (head, rest) = rest.split_at(HEAD);
    let text = std::str::from_utf8(head).map_err(|_| "the head of a record is damaged")?;
    let intact = text[COVERED..] == format!(" {} ", check(&head[..COVERED]));
    let length = usize::from_str_radix(&text[..8], 16).ok().filter(|_| intact);
    let length = length.ok_or("the head of a record is damaged")?;
    let Some(end) = rest.get(length) else { return Ok(None) };
    let payload = &rest[..length];
    if digest::bytes(payload) != u64::from_str_radix(&text[9..COVERED], 16).unwrap_or_default()
        || *end != b'\n'
    {
        let unwritten = rest.len() == length + 1 && *end == 0;
        return if unwritten { Ok(None) } else { Err("a record does not match its checksum") };
    }
    std::str::from_utf8(payload).map(Some).map_err(|_| "a record is not text")
}

fn corrupt(what: &str, at: usize) -> Error {
    Error::new(Code::StorageCorrupt, format!("{what} at byte {at}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> (Vec<u8>, Vec<usize>) {
        let mut bytes = Vec::new();
        let mut ends = vec![0];
        for payload in ["{\"a\":1}", "", "{\"b\":\"ü\"}", "[1,2,3]"] {
            bytes.extend(frame(payload));
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    #[test]
    fn a_file_cut_anywhere_gives_its_whole_frames() {
        let (bytes, ends) = file();
        for cut in 0..=bytes.len() {
            let (payloads, length) = frames(&bytes[..cut]).unwrap();
            let whole = ends.iter().filter(|&&end| end <= cut).count() - 1;
            assert_eq!((payloads.len(), length as usize), (whole, ends[whole]), "cut at {cut}");
            let zeros = [&bytes[..cut], &[0; 100]].concat();
            let (payloads, _) = frames(&zeros).map_or((Vec::new(), 0), |f| f);
            assert!(payloads.len() <= whole, "zeros are no record");
        }
    }

    #[test]
    fn any_flipped_bit_is_noticed() {
        let (bytes, _) = file();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                assert_eq!(frames(&flipped).unwrap_err().code(), Code::StorageCorrupt, "byte {at} bit {bit}");
            }
        }
    }
}
