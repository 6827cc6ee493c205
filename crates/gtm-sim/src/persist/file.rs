//! Storage in a folder.

use super::Storage;
use gtm_error::{Code, Error, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Ending of session files.
const ENDING: &str = ".session";

/// Sessions as files of one folder. The folder belongs to one process at a time.
///
/// Files are opened for each write: a server has more sessions than it may have open files.
#[derive(Debug)]
pub struct FolderStorage {
    folder: PathBuf,
    fsync: bool,
    /// A file was put in place, but the folder's entry for it may not be on the disk yet.
    unsynced: AtomicBool,
    temporary: AtomicU64,
    /// Holds the lock on the folder.
    _lock: File,
}

impl FolderStorage {
    /// Takes possession of a folder, making it if need be.
    ///
    /// # Errors
    /// [`Code::StorageFailed`] if it cannot be used or another process has it.
    pub fn new(folder: &Path, fsync: bool) -> Result<FolderStorage> {
        let failed = |e: &dyn std::fmt::Display| {
            Error::new(Code::StorageFailed, e.to_string()).in_file(folder.display())
        };
        fs::create_dir_all(folder).map_err(|e| failed(&e))?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("lock"));
        let lock = lock.map_err(|e| failed(&e))?;
        lock.try_lock().map_err(|e| match e {
            fs::TryLockError::WouldBlock => failed(&"another process uses this data folder")
                .hint("give each server a data folder of its own"),
            fs::TryLockError::Error(e) => failed(&e),
        })?;
        for entry in fs::read_dir(folder).map_err(|e| failed(&e))?.flatten() {
            // Left by a process that died while replacing a file.
            if entry.path().extension().is_some_and(|e| e == "tmp") {
                let _ = fs::remove_file(entry.path());
            }
        }
        let (unsynced, temporary) = Default::default();
        Ok(FolderStorage { folder: folder.to_owned(), fsync, unsynced, temporary, _lock: lock })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{}{ENDING}", encode(name)))
    }

    fn sync_folder(&self) -> io::Result<()> {
        if self.fsync {
            File::open(&self.folder)?.sync_all()?;
        }
        Ok(())
    }
}

impl Storage for FolderStorage {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let file = entry?.file_name();
            names.extend(file.to_str().and_then(|f| f.strip_suffix(ENDING)).and_then(decode));
        }
        Ok(names)
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.path(name))
    }

    fn append(&self, name: &str, length: u64, bytes: &[u8]) -> io::Result<()> {
        if self.unsynced.load(Ordering::Acquire) {
            self.sync_folder()?;
            self.unsynced.store(false, Ordering::Release);
        }
        let mut file = OpenOptions::new().write(true).open(self.path(name))?;
        let there = file.metadata()?.len();
        if there < length {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file has become shorter"));
        }
        if there > length {
            file.set_len(length)?;
        }
        file.seek(SeekFrom::Start(length))?;
        let written = file.write_all(bytes).and_then(|()| if self.fsync { file.sync_data() } else { Ok(()) });
        if written.is_err() {
            // Best effort: the next append cuts it off anyway, and so does reading.
            let _ = file.set_len(length);
        }
        written
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let number = self.temporary.fetch_add(1, Ordering::Relaxed);
        let temporary = self.folder.join(format!("{number}.tmp"));
        let write = || {
            let mut file = File::create(&temporary)?;
            file.write_all(bytes)?;
            if self.fsync {
                file.sync_all()?;
            }
            fs::rename(&temporary, self.path(name))
        };
        if let Err(error) = write() {
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        // The new file is in place, so this must not look like a failure; but nothing may be added
        // to it before its name is safe.
        if self.sync_folder().is_err() {
            self.unsynced.store(true, Ordering::Release);
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn place(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }
}

/// A session's id as a file name that no file system confuses with another: all but lower-case
/// letters, digits, `-` and `_` as `%` and two hexadecimal digits.
fn encode(id: &str) -> String {
    let mut name = String::with_capacity(id.len() + 8);
    for byte in id.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            other => name.push_str(&format!("%{other:02x}")),
        }
    }
    name
}

fn decode(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&first, more)) = rest.split_first() {
        rest = more;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = rest.get(2..)?;
    }
    let id = String::from_utf8(bytes).ok()?;
    (encode(&id) == name).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_file_names_and_back() {
        for id in ["abc-1_2", "A.b:C@~", "..", "%41"] {
            let name = encode(id);
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_%".contains(&b)),
                "{name}"
            );
            assert_eq!(decode(&name).as_deref(), Some(id));
        }
        assert_ne!(encode("A"), encode("a"));
        for name in ["A", "%4", "%zz", "%2D", "a.b"] {
            assert_eq!(decode(name), None, "{name}");
        }
    }

    #[test]
    fn a_folder_belongs_to_one_process() {
        let folder = tempfile::tempdir().unwrap();
        let first = FolderStorage::new(folder.path(), false).unwrap();
        assert_eq!(FolderStorage::new(folder.path(), false).unwrap_err().code(), Code::StorageFailed);
        drop(first);
        assert!(FolderStorage::new(folder.path(), false).is_ok());
    }

    #[test]
    fn what_a_failed_write_left_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let storage = FolderStorage::new(folder.path(), true).unwrap();
        storage.replace("a", b"first").unwrap();
        storage.append("a", 5, b"+torn").unwrap();
        storage.append("a", 5, b"+ok").unwrap();
        assert_eq!(storage.read("a").unwrap(), b"first+ok");
        assert!(storage.append("a", 99, b"x").is_err());
        assert_eq!(storage.list().unwrap(), ["a"]);
        storage.remove("a").unwrap();
        storage.remove("a").unwrap();
        assert!(storage.list().unwrap().is_empty());
    }
}
