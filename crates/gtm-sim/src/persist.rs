//! Sessions that survive the process.
//!
//! Each session has a file of its own: a first record with the whole session, then one record for
//! each thing that happened to it. A record is written, and on request forced to the disk, before
//! the reply that it stands for is returned. What is stored is the outcome of calls, not the calls
//! alone: a session comes back as it was even if the toolset was changed in the meantime.

mod file;
mod frame;
mod record;

pub use file::FolderStorage;
pub(crate) use frame::{frame, frames};
pub(crate) use record::{FORMAT, Header, Record};

use std::io;

/// Where the files of sessions are kept. Implementations are told the length that a file must have
/// before it is added to, so that what a failed write left behind is always cut off first.
pub trait Storage: Send + Sync {
    /// Names of all files.
    ///
    /// # Errors
    /// Whatever the system says.
    fn list(&self) -> io::Result<Vec<String>>;

    /// The whole file.
    ///
    /// # Errors
    /// Whatever the system says.
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;

    /// Adds bytes to a file of `length` bytes; what is there beyond that length goes first. If
    /// this fails, nothing of `bytes` counts, and the next call passes the same `length`.
    ///
    /// # Errors
    /// Whatever the system says.
    fn append(&self, name: &str, length: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes a file, or replaces the whole of it: either all of it is new or none.
    ///
    /// # Errors
    /// Whatever the system says; the old file is whole then.
    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// Whatever the system says.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Where a file is, for messages.
    fn place(&self, name: &str) -> String;
}
