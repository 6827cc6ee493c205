//! Keeping sessions in storage: what a store does when it has a data folder.

use super::slot::{Live, Slot};
use crate::persist::{Header, Record, Storage, frame, frames};
use crate::session::Session;
use crate::simulator::Simulator;
use gtm_error::{Code, Error, Result};
use std::borrow::Cow;
use std::io;
use std::sync::Arc;

/// A file is rewritten as one record when what was added since is larger than this, and
const REWRITE_BYTES: u64 = 1 << 20;
/// so many times as large as the record it began with.
const REWRITE_FACTOR: u64 = 4;

/// Writes and reads the files of sessions.
pub(super) struct Keeper {
    storage: Arc<dyn Storage>,
}

/// How far a session's file goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Log {
    /// Bytes that count.
    length: u64,
    /// Bytes of the record it begins with.
    base: u64,
}

impl Keeper {
    pub(super) fn new(storage: Arc<dyn Storage>) -> Keeper {
        Keeper { storage }
    }

    /// Ids of the sessions that are stored.
    pub(super) fn ids(&self) -> Result<Vec<String>> {
        self.storage.list().map_err(|e| failed(&e, "the data folder"))
    }

    /// Writes a session as the first record of its file.
    pub(super) fn begin(&self, slot: &Slot, live: &Live, session: &Session) -> Result<Log> {
        let header = Header {
            format: crate::persist::FORMAT,
            id: Cow::Borrowed(&slot.id),
            toolset: Cow::Borrowed(&live.toolset),
            ttl_ms: slot.ttl_ms(),
            options: live.options,
            session: session.save(),
        };
        let bytes = encode(&Record::Session(Box::new(header)))?;
        self.storage.replace(&slot.id, &bytes).map_err(|e| failed(&e, &self.storage.place(&slot.id)))?;
        let length = bytes.len() as u64;
        Ok(Log { length, base: length })
    }

    /// Makes a change to a session, and stores it before it counts. If storing fails the session
    /// is as it was.
    pub(super) fn change<T>(
        &self,
        slot: &Slot,
        live: &mut Live,
        record: Option<Record<'_>>,
        work: impl FnOnce(&Simulator, &mut Session) -> Result<T>,
    ) -> Result<T> {
        let mut session = live.session.clone();
        let before = session.history.end();
        let out = work(&live.simulator, &mut session)?;
        let record = match record {
            Some(record) => record,
            // Nothing happened: the call was a repeated one.
            None if session.history.end() == before => return Ok(out),
            None => Record::Turns(session.saved_turns(before)),
        };
        let log = match live.log {
            // A batch so large that the history no longer holds all of it is stored as a whole.
            Some(log) if session.history.start() <= before => {
                let bytes = encode(&record)?;
                self.storage
                    .append(&slot.id, log.length, &bytes)
                    .map_err(|e| failed(&e, &self.storage.place(&slot.id)))?;
                Log { length: log.length + bytes.len() as u64, ..log }
            }
            _ => self.begin(slot, live, &session)?,
        };
        live.session = session;
        live.log = Some(log);
        let added = log.length - log.base;
        if added > REWRITE_BYTES && added > log.base.saturating_mul(REWRITE_FACTOR) {
            // The file is right as it is, so a failure only means that it stays long.
            live.log = Some(self.begin(slot, live, &live.session).unwrap_or(log));
        }
        Ok(out)
    }

    /// Reads a session back. `Ok(None)`: the process died while the session was being made, so
    /// nobody was told of it.
    pub(super) fn load(
        &self,
        slot: &Slot,
        simulator: impl FnOnce(&str) -> Result<Arc<Simulator>>,
    ) -> Result<Option<Live>> {
        let place = || self.storage.place(&slot.id);
        let file = match self.storage.read(&slot.id) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|e| failed(&e, &place()))?,
        };
        let (payloads, length) = frames(&file).map_err(|e| e.at(place()))?;
        let mut records = payloads.iter().map(|payload| {
            let record = serde_json::from_str::<Record<'_>>(payload);
            record.map_err(|e| corrupt(&format!("a record cannot be read: {e}")).at(place()))
        });
        let header = match records.next().transpose()? {
            None => return Ok(None),
            Some(Record::Session(header)) => header,
            Some(_) => return Err(corrupt("the first record is not a session").at(place())),
        };
        if header.format != crate::persist::FORMAT || *header.id != *slot.id {
            return Err(corrupt("the file is of another format or another session").at(place()));
        }
        let mut session = Session::restore(&header.session).map_err(|e| e.at(place()))?;
        for record in records {
            replay(&mut session, record?).map_err(|e| e.at(place()))?;
        }
        slot.set_ttl_ms(header.ttl_ms);
        let base = payloads.first().map_or(0, |payload| payload.len() as u64);
        let log = Some(Log { length, base });
        let simulator = simulator(&header.toolset)?;
        Ok(Some(Live {
            toolset: header.toolset.as_ref().into(),
            simulator,
            session,
            options: header.options,
            log,
        }))
    }

    pub(super) fn remove(&self, slot: &Slot) -> Result<()> {
        self.storage.remove(&slot.id).map_err(|e| failed(&e, &self.storage.place(&slot.id)))
    }
}

fn replay(session: &mut Session, record: Record<'_>) -> Result<()> {
    let fits = |result: Result<()>| result.map_err(|e| corrupt(e.message()));
    match record {
        Record::Session(_) => Err(corrupt("a session begins in the middle")),
        Record::Turns(turns) => session.redo(&turns),
        Record::Snapshot(name) => fits(session.snapshot(&name)),
        Record::Rollback(to) => fits(session.rollback(&to)),
        Record::Reset => {
            session.reset();
            Ok(())
        }
    }
}

fn encode(record: &Record<'_>) -> Result<Vec<u8>> {
    let json = serde_json::to_string(record).map_err(|e| {
        Error::new(Code::StorageFailed, format!("the session cannot be written as JSON: {e}"))
    })?;
    Ok(frame(&json))
}

fn failed(error: &io::Error, place: &str) -> Error {
    Error::new(Code::StorageFailed, error.to_string()).at(place)
}

fn corrupt(what: &str) -> Error {
    Error::new(Code::StorageCorrupt, what.to_owned())
}
