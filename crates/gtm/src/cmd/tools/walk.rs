//! Finding spec files in folders.

use super::Item;
use crate::source::Source;
use gtm_error::{Code, Error};
use std::path::Path;

/// Extensions that a folder is searched for.
const EXTENSIONS: [&str; 5] = ["json", "yaml", "yml", "jsonl", "zst"];

/// How deep folders are searched. Links to folders are not followed, so this is only a guard.
const MAX_DEPTH: usize = 64;

/// The files of a folder, sorted; anything else stands for itself.
pub(super) fn expand(source: Source) -> Vec<Item> {
    let Some(folder) = source.path().filter(|path| path.is_dir()).map(Path::to_owned) else {
        return vec![Ok(source)];
    };
    let mut found = Vec::new();
    walk(&folder, 0, &mut found);
    if found.is_empty() {
        let error = Error::new(Code::FileUnreadable, "the folder holds no spec files")
            .in_file(folder.display())
            .expected(format!("files named *.{}", EXTENSIONS.join(", *.")));
        found.push(Err((source, error)));
    }
    found
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<Item>) {
    let unreadable = |e: std::io::Error| {
        let error = Error::new(Code::FileUnreadable, format!("cannot list the folder: {e}"))
            .in_file(folder.display());
        Err((Source::Path(folder.to_owned()), error))
    };
    let entries = std::fs::read_dir(folder).and_then(|entries| entries.collect::<std::io::Result<Vec<_>>>());
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(e) => return found.push(unreadable(e)),
    };
    entries.sort_by_key(|entry| entry.file_name());
    for entry in entries {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth < MAX_DEPTH => walk(&path, depth + 1, found),
            // A link counts if it leads to a file; devices and pipes do not.
            Ok(_) if path.is_file() && is_spec(&path) => found.push(Ok(Source::Path(path))),
            Ok(_) => {}
            Err(e) => found.push(unreadable(e)),
        }
    }
}

fn is_spec(path: &Path) -> bool {
    let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    extension.is_some_and(|e| EXTENSIONS.contains(&&*e))
}
