//! Shared test data: where it is, and reading what is packed in it.

use std::io::Read;
use std::path::PathBuf;

/// A file of the shared data; `None`, with the reason printed, where it is absent.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if path.is_file() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}

/// The regular files of a zstd-compressed tar archive, as name and bytes.
pub(crate) fn unpack(name: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let file = std::fs::File::open(shared(name)?).expect("a file just seen opens");
    let mut tar = Vec::new();
    zstd::stream::read::Decoder::new(file).expect("zstd").read_to_end(&mut tar).expect("zstd");
    let mut files = Vec::new();
    let mut at = 0;
    while let Some(header) = tar.get(at..at + 512) {
        let text = |range: std::ops::Range<usize>| {
            let field = &header[range];
            String::from_utf8_lossy(field.split(|&b| b == 0).next().unwrap_or_default()).trim().to_owned()
        };
        if header[0] == 0 {
            break;
        }
        let size = usize::from_str_radix(&text(124..136), 8).expect("octal size");
        let prefix = text(345..500);
        let name = if prefix.is_empty() { text(0..100) } else { format!("{prefix}/{}", text(0..100)) };
        if matches!(header[156], b'0' | 0) {
            files.push((name, tar[at + 512..at + 512 + size].to_vec()));
        }
        at += 512 + size.div_ceil(512) * 512;
    }
    assert!(!files.is_empty(), "{name} holds no files");
    Some(files)
}
