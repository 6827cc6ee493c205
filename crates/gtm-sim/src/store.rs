//! Many sessions, shared between threads.
//!
//! Sessions live in shards by the hash of their id; each has a lock of its own, so that calls to
//! different sessions run side by side and calls to one session run one after the other. Locks are
//! the standard library's: nothing here awaits.

mod config;
mod expired;
mod id;
mod keep;
mod open;
mod slot;

pub use config::{CreateSession, ForkSession, SessionInfo, SnapshotInfo, StoreConfig};
pub use id::random as random_id;

use crate::live::{LiveTools, RealReply};
use crate::persist::{FolderStorage, Record, Storage};
use crate::reply::{Call, Observed, Reply, Turn};
use crate::session::{Session, SnapshotRef};
use crate::simulator::Simulator;
use expired::Expired;
use gtm_error::{Code, Error, Result, printable};
use keep::Keeper;
use slot::{Body, Live, Slot};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

const SHARDS: usize = 64;

type Shard = Mutex<HashMap<Arc<str>, Arc<Slot>>>;

/// Sessions by id, and the toolsets they are opened from.
pub struct Store {
    config: StoreConfig,
    toolsets: RwLock<BTreeMap<String, Arc<Simulator>>>,
    /// Whether some toolset has real tools.
    live_toolsets: AtomicBool,
    shards: Vec<Shard>,
    /// Sessions in the shards, and places promised to sessions being made.
    live: AtomicUsize,
    expired: Mutex<Expired>,
    keeper: Option<Keeper>,
    /// Times are kept in milliseconds since then, in 8 bytes.
    epoch: Instant,
}

/// A session is changed in one assignment after all that may fail, so a lock that a panic left
/// behind guards a whole session.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    /// A store. With a data folder, the sessions found there are live again.
    ///
    /// # Errors
    /// [`Code::StorageFailed`] if the data folder cannot be used.
    pub fn new(config: StoreConfig) -> Result<Store> {
        let storage = match &config.data {
            Some(folder) => Some(Arc::new(FolderStorage::new(folder, config.fsync)?) as Arc<dyn Storage>),
            None => None,
        };
        Store::with_storage(config, storage)
    }

    /// A store with sessions kept elsewhere than in a folder, or nowhere.
    ///
    /// # Errors
    /// [`Code::StorageFailed`] if the storage cannot be listed.
    pub fn with_storage(config: StoreConfig, storage: Option<Arc<dyn Storage>>) -> Result<Store> {
        let store = Store {
            config,
            toolsets: RwLock::default(),
            live_toolsets: AtomicBool::new(false),
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            live: AtomicUsize::new(0),
            expired: Mutex::default(),
            keeper: storage.map(Keeper::new),
            epoch: Instant::now(),
        };
        // Sessions are read when they are first used: their toolsets are not there yet.
        let stored = store.keeper.as_ref().map(Keeper::ids).transpose()?.unwrap_or_default();
        for id in stored {
            let slot = Slot::new(&id, Body::Stored, store.config.ttl, store.now());
            lock(store.shard(&id)).insert(slot.id.clone(), Arc::new(slot));
            store.live.fetch_add(1, Ordering::Relaxed);
        }
        Ok(store)
    }

    /// Makes a call in a session.
    ///
    /// # Errors
    /// [`Code::SessionUnknown`], [`Code::SessionExpired`], and those of [`Simulator::try_call`].
    pub fn call(&self, id: &str, call: &Call) -> Result<Reply> {
        self.change(id, None, |simulator, session| simulator.try_call(session, call))
    }

    /// Makes calls in order, with no other call in between. If one of them is wrong in GTM's own
    /// terms none takes effect; a simulated failure is a reply like any other.
    ///
    /// # Errors
    /// As [`Store::call`].
    pub fn call_batch(&self, id: &str, calls: &[Call]) -> Result<Vec<Reply>> {
        self.change(id, None, |simulator, session| {
            let mut fork = session.clone();
            let replies =
                calls.iter().map(|call| simulator.try_call(&mut fork, call)).collect::<Result<_>>()?;
            *session = fork;
            Ok(replies)
        })
    }

    /// Feeds the outcome of a real call into a session.
    ///
    /// # Errors
    /// As [`Store::call`].
    pub fn observe(&self, id: &str, call: &Call, observed: Observed) -> Result<Reply> {
        self.change(id, None, |simulator, session| simulator.observe(session, call, observed))
    }

    /// Whether some toolset has real tools, so that calls are to be asked for by
    /// [`Store::goes_live`] first.
    pub fn has_live(&self) -> bool {
        self.live_toolsets.load(Ordering::Relaxed)
    }

    /// The real tools, if this call is to be made to one of them; see [`Simulator::goes_live`]. The
    /// session is not held meanwhile.
    ///
    /// # Errors
    /// As [`Store::call`].
    pub fn goes_live(&self, id: &str, call: &Call) -> Result<Option<Arc<dyn LiveTools>>> {
        let slot = self.slot(id)?;
        self.with(&slot, |live| Ok(live.simulator.goes_live(&live.session, call).cloned()))
    }

    /// Takes in what the real tool answered to such a call.
    ///
    /// # Errors
    /// As [`Store::call`].
    pub fn settle(&self, id: &str, call: &Call, real: RealReply) -> Result<Reply> {
        self.change(id, None, |simulator, session| simulator.settle(session, call, real))
    }

    /// A copy of a session as it is now: shares its memory, costs next to nothing, and goes its own way.
    ///
    /// # Errors
    /// [`Code::SessionUnknown`], [`Code::SessionExpired`].
    pub fn session(&self, id: &str) -> Result<Session> {
        let slot = self.slot(id)?;
        self.with(&slot, |live| Ok(live.session.clone()))
    }

    /// The visible state.
    ///
    /// # Errors
    /// [`Code::SessionUnknown`], [`Code::SessionExpired`].
    pub fn state(&self, id: &str) -> Result<serde_json::Value> {
        // Written out after the lock is gone: a state may be large.
        Ok(self.session(id)?.state().to_json())
    }

    /// Turns from this number on, at most `limit` of them.
    ///
    /// # Errors
    /// [`Code::SessionUnknown`], [`Code::SessionExpired`].
    pub fn transcript(&self, id: &str, from: usize, limit: usize) -> Result<Vec<Turn>> {
        let session = self.session(id)?;
        let from = from.max(session.first_turn());
        Ok((from..session.turns().min(from.saturating_add(limit)))
            .filter_map(|turn| session.turn(turn))
            .collect())
    }

    /// Names the present point of a session.
    ///
    /// # Errors
    /// [`Code::SessionUnknown`], [`Code::SessionExpired`], and those of [`Session::snapshot`].
    pub fn snapshot(&self, id: &str, name: &str) -> Result<SessionInfo> {
        self.change(id, Some(Record::Snapshot(name.into())), |_, session| session.snapshot(name))?;
        self.info(id)
    }

    /// Takes a session back to a snapshot or a turn.
    ///
    /// # Errors
    /// [`Code::SessionUnknown`], [`Code::SessionExpired`], [`Code::SnapshotUnknown`].
    pub fn rollback(&self, id: &str, to: &SnapshotRef) -> Result<SessionInfo> {
        self.change(id, Some(Record::Rollback(to.clone())), |_, session| session.rollback(to))?;
        self.info(id)
    }

    /// Takes a session back to its beginning.
    ///
    /// # Errors
    /// [`Code::SessionUnknown`], [`Code::SessionExpired`].
    pub fn reset(&self, id: &str) -> Result<SessionInfo> {
        self.change(id, Some(Record::Reset), |_, session| {
            session.reset();
            Ok(())
        })?;
        self.info(id)
    }

    /// Changes a session, and stores what changed before it counts.
    fn change<T>(
        &self,
        id: &str,
        record: Option<Record<'_>>,
        work: impl FnOnce(&Simulator, &mut Session) -> Result<T>,
    ) -> Result<T> {
        let slot = self.slot(id)?;
        self.with(&slot, |live| match &self.keeper {
            Some(keeper) => keeper.change(&slot, live, record, work),
            None => work(&live.simulator, &mut live.session),
        })
    }

    /// Removes a session.
    ///
    /// # Errors
    /// [`Code::SessionUnknown`], [`Code::SessionExpired`].
    pub fn delete(&self, id: &str) -> Result<()> {
        let slot = self.slot(id)?;
        self.remove(&slot)
    }

    fn remove(&self, slot: &Slot) -> Result<()> {
        let mut body = lock(&slot.body);
        if matches!(*body, Body::Gone) {
            return Err(unknown(&slot.id));
        }
        if let Some(keeper) = &self.keeper {
            keeper.remove(slot)?;
        }
        *body = Body::Gone;
        drop(body);
        self.forget(slot);
        Ok(())
    }

    /// What is to be known of a session.
    ///
    /// # Errors
    /// [`Code::SessionUnknown`], [`Code::SessionExpired`].
    pub fn info(&self, id: &str) -> Result<SessionInfo> {
        let slot = self.slot(id)?;
        self.with(&slot, |live| Ok(live.info(&slot, self.now())))
    }

    /// Live sessions in order of their ids: those after `after`, at most `limit`.
    pub fn list(&self, after: Option<&str>, limit: usize) -> Vec<SessionInfo> {
        let mut slots: Vec<Arc<Slot>> = Vec::new();
        for shard in &self.shards {
            let later = |slot: &&Arc<Slot>| after.is_none_or(|after| &*slot.id > after);
            slots.extend(lock(shard).values().filter(later).cloned());
        }
        slots.sort_by(|a, b| a.id.cmp(&b.id));
        slots.truncate(limit);
        let now = self.now();
        slots.iter().filter_map(|slot| self.peek(slot, |live| live.info(slot, now))).collect()
    }

    /// How many sessions may be live at once.
    pub fn max_sessions(&self) -> usize {
        self.config.max_sessions
    }

    /// Whether a session of this id is live. Does not count as use.
    pub fn has(&self, id: &str) -> bool {
        lock(self.shard(id)).contains_key(id)
    }

    /// Number of live sessions.
    pub fn len(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    /// Whether there are no sessions.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keeps a session from expiring.
    ///
    /// # Errors
    /// [`Code::SessionUnknown`], [`Code::SessionExpired`].
    pub fn touch(&self, id: &str) -> Result<()> {
        self.slot(id).map(|slot| slot.touch(self.now()))
    }

    /// Removes the sessions whose time is up, and says how many.
    pub fn sweep(&self, now: Instant) -> usize {
        let now = self.millis(now);
        let mut removed = 0;
        for shard in &self.shards {
            let due: Vec<Arc<Slot>> = lock(shard).values().filter(|slot| slot.is_due(now)).cloned().collect();
            removed += due.iter().filter(|slot| self.expire(slot, now)).count();
        }
        removed
    }

    /// Removes a session whose time is up, unless it was used in the meantime.
    fn expire(&self, slot: &Slot, now: u64) -> bool {
        // A session in use is not idle.
        let Ok(body) = slot.body.try_lock() else { return false };
        if matches!(*body, Body::Gone) || !slot.is_due(now) {
            return false;
        }
        lock(&self.expired).add(&slot.id);
        drop(body);
        self.remove(slot).is_ok()
    }

    fn shard(&self, id: &str) -> &Shard {
        let hash = crate::digest::bytes(id.as_bytes());
        &self.shards[(hash >> 32) as usize % SHARDS]
    }

    fn now(&self) -> u64 {
        self.millis(Instant::now())
    }

    fn millis(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.epoch).as_millis()).unwrap_or(u64::MAX)
    }

    /// The slot of a session, if it is live.
    fn slot(&self, id: &str) -> Result<Arc<Slot>> {
        let slot = lock(self.shard(id)).get(id).cloned();
        let Some(slot) = slot else {
            return Err(match lock(&self.expired).contains(id) {
                true => gone(id),
                false => unknown(id),
            });
        };
        let now = self.now();
        if slot.is_due(now) && self.expire(&slot, now) {
            return Err(gone(id));
        }
        Ok(slot)
    }

    /// Works on a session, alone. Counts as use.
    fn with<T>(&self, slot: &Slot, work: impl FnOnce(&mut Live) -> Result<T>) -> Result<T> {
        slot.touch(self.now());
        let mut body = lock(&slot.body);
        self.load(slot, &mut body)?;
        let done = match &mut *body {
            Body::Live(live) => work(live),
            Body::Stored | Body::Gone => Err(unknown(&slot.id)),
        };
        slot.touch(self.now());
        done
    }

    /// Looks at a session without using it; `None` if it is gone or cannot be read.
    fn peek<T>(&self, slot: &Slot, look: impl FnOnce(&Live) -> T) -> Option<T> {
        let mut body = lock(&slot.body);
        self.load(slot, &mut body).ok()?;
        match &*body {
            Body::Live(live) => Some(look(live)),
            Body::Stored | Body::Gone => None,
        }
    }

    /// Reads a session that is in storage only.
    fn load(&self, slot: &Slot, body: &mut Body) -> Result<()> {
        let (Body::Stored, Some(keeper)) = (&*body, &self.keeper) else { return Ok(()) };
        match keeper.load(slot, |toolset| self.simulator(toolset))? {
            Some(live) => *body = Body::Live(Box::new(live)),
            None => {
                // It was being made when the process died; nobody was told of it.
                keeper.remove(slot)?;
                *body = Body::Gone;
                self.forget(slot);
            }
        }
        Ok(())
    }
}

fn unknown(id: &str) -> Error {
    Error::new(Code::SessionUnknown, format!("no session `{}`", printable(id)))
}

fn gone(id: &str) -> Error {
    Error::new(Code::SessionExpired, format!("the session `{}` was idle for too long", printable(id)))
}
