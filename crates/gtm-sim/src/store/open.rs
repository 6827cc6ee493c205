//! Toolsets of a store, and how sessions come into it: by opening and by forking.

use super::slot::{Body, Live, Slot};
use super::{CreateSession, ForkSession, SessionInfo, Store, id, lock, unknown};
use crate::names;
use crate::simulator::{SessionOptions, Simulator};
use gtm_error::{Code, Error, Result, printable};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

impl Store {
    /// Serves a toolset under a name; one already served under it is replaced for new sessions.
    pub fn add_toolset(&self, name: impl Into<String>, simulator: Arc<Simulator>) {
        self.live_toolsets.fetch_or(simulator.live.is_some(), Ordering::Relaxed);
        self.toolsets.write().unwrap_or_else(PoisonError::into_inner).insert(name.into(), simulator);
    }

    /// The toolsets, by name.
    pub fn toolsets(&self) -> Vec<(String, Arc<Simulator>)> {
        let toolsets = self.toolsets.read().unwrap_or_else(PoisonError::into_inner);
        toolsets.iter().map(|(name, simulator)| (name.clone(), simulator.clone())).collect()
    }

    /// The toolset of this name.
    ///
    /// # Errors
    /// [`Code::ToolsetUnknown`].
    pub fn simulator(&self, toolset: &str) -> Result<Arc<Simulator>> {
        let toolsets = self.toolsets.read().unwrap_or_else(PoisonError::into_inner);
        toolsets.get(toolset).cloned().ok_or_else(|| {
            let near = names::nearest(toolset, toolsets.keys().map(String::as_str));
            let error =
                Error::new(Code::ToolsetUnknown, format!("no toolset is called `{}`", printable(toolset)));
            match near.first() {
                Some(near) => error.expected(format!("perhaps `{near}`")),
                None => error,
            }
        })
    }

    /// The toolset named, or the only one there is.
    fn choose(&self, toolset: Option<&str>) -> Result<(Arc<str>, Arc<Simulator>)> {
        if let Some(name) = toolset {
            return Ok((name.into(), self.simulator(name)?));
        }
        let toolsets = self.toolsets.read().unwrap_or_else(PoisonError::into_inner);
        match (toolsets.first_key_value(), toolsets.len()) {
            (Some((name, simulator)), 1) => Ok((name.as_str().into(), simulator.clone())),
            (None, _) => Err(Error::new(Code::ToolsetUnknown, "there are no toolsets")),
            (_, n) => {
                let names = toolsets.keys().take(12).cloned().collect::<Vec<_>>().join("`, `");
                Err(Error::new(Code::ToolsetUnknown, format!("the request names none of {n} toolsets"))
                    .expected(format!("one of `{names}`")))
            }
        }
    }

    /// Opens a session. An id that is live already with the same options gives that session.
    ///
    /// # Errors
    /// [`Code::SessionExists`], [`Code::SessionLimit`], [`Code::ToolsetUnknown`], and those of
    /// [`Simulator::open`].
    pub fn create(&self, request: CreateSession) -> Result<SessionInfo> {
        let (toolset, simulator) = self.choose(request.toolset.as_deref())?;
        let id = request.id.clone().map_or_else(id::random, |id| id::check(&id).map(|()| id))?;
        if let Ok(slot) = self.slot(&id) {
            return self.existing(&slot, &request);
        }
        let CreateSession { seed, ref state, world, ref faults, ref tools, .. } = request;
        let (state, faults, tools) = (state.clone(), faults.clone(), tools.clone());
        let options = SessionOptions { seed, state, world, faults, tools };
        let live = Live::new(toolset, simulator.clone(), simulator.open(options)?, request.digest());
        let ttl = request.ttl_s.map_or(self.config.ttl, Duration::from_secs);
        match self.insert(&id, live, ttl)? {
            Ok(info) => Ok(info),
            // Another thread was quicker.
            Err(slot) => self.existing(&slot, &request),
        }
    }

    /// The session of this id, opened first if it never was: for faces whose clients choose ids.
    ///
    /// # Errors
    /// [`Code::SessionExpired`] if it is there no more, and those of [`Store::create`].
    pub fn ensure(&self, request: CreateSession) -> Result<SessionInfo> {
        if let Some(id) = &request.id {
            match self.info(id) {
                Err(error) if error.code() == Code::SessionUnknown => {}
                other => return other,
            }
        }
        self.create(request)
    }

    fn existing(&self, slot: &Slot, request: &CreateSession) -> Result<SessionInfo> {
        self.with(slot, |live| match live.options == request.digest() {
            true => Ok(live.info(slot, self.now())),
            false => {
                let what = format!("a session `{}` exists, with other options", printable(&slot.id));
                Err(Error::new(Code::SessionExists, what))
            }
        })
    }

    /// Puts a new session in place, or gives the slot that is there already.
    fn insert(
        &self,
        id: &str,
        live: Live,
        ttl: Duration,
    ) -> Result<std::result::Result<SessionInfo, Arc<Slot>>> {
        self.reserve(1)?;
        let now = self.now();
        let slot = Arc::new(Slot::new(id, Body::Live(Box::new(live)), ttl, now));
        // Locked before others can see it: they are to find a session that is stored.
        let mut body = lock(&slot.body);
        {
            let mut shard = lock(self.shard(id));
            if let Some(there) = shard.get(id) {
                self.live.fetch_sub(1, Ordering::Relaxed);
                return Ok(Err(there.clone()));
            }
            lock(&self.expired).forget(id);
            shard.insert(slot.id.clone(), slot.clone());
        }
        let Body::Live(live) = &mut *body else { return Err(unknown(id)) };
        if let Some(keeper) = &self.keeper {
            match keeper.begin(&slot, live, &live.session) {
                Ok(log) => live.log = Some(log),
                Err(error) => {
                    *body = Body::Gone;
                    drop(body);
                    self.forget(&slot);
                    return Err(error);
                }
            }
        }
        Ok(Ok(live.info(&slot, now)))
    }

    /// Takes a slot whose body is gone out of its shard.
    pub(super) fn forget(&self, slot: &Slot) {
        lock(self.shard(&slot.id)).remove(&slot.id);
        self.live.fetch_sub(1, Ordering::Relaxed);
    }

    /// Promises places to new sessions.
    fn reserve(&self, count: usize) -> Result<()> {
        for attempt in 0..2 {
            let taken = self.live.fetch_add(count, Ordering::Relaxed);
            if taken.saturating_add(count) <= self.config.max_sessions {
                return Ok(());
            }
            self.live.fetch_sub(count, Ordering::Relaxed);
            // Sessions whose time is up make room; others are never pushed out.
            if attempt == 0 && self.sweep(Instant::now()) == 0 {
                break;
            }
        }
        Err(Error::new(
            Code::SessionLimit,
            format!("the limit is {} live sessions", self.config.max_sessions),
        ))
    }

    /// Forks a session into several, all at once or none.
    ///
    /// # Errors
    /// [`Code::SessionUnknown`], [`Code::SessionExpired`], [`Code::SessionLimit`],
    /// [`Code::SessionExists`] if a chosen id is live, [`Code::RequestMalformed`].
    pub fn fork(&self, id: &str, request: &ForkSession) -> Result<Vec<SessionInfo>> {
        let slot = self.slot(id)?;
        let parent = self.with(&slot, |live| Ok(live.clone()))?;
        let ids = request.ids()?;
        self.reserve(ids.len())?;
        let mut made: Vec<SessionInfo> = Vec::with_capacity(ids.len());
        for (at, id) in ids.iter().enumerate() {
            // Places were promised to all of them; each takes its own.
            self.live.fetch_sub(1, Ordering::Relaxed);
            let child = match request.seeds.get(at) {
                Some(seed) => Live { session: parent.session.fork_with_seed(*seed), ..parent.clone() },
                None => parent.clone(),
            };
            let inserted = self.insert(id, child, slot.ttl()).and_then(|inserted| {
                let exists =
                    |_| Error::new(Code::SessionExists, format!("a session `{}` exists", printable(id)));
                inserted.map_err(exists)
            });
            match inserted {
                Ok(info) => made.push(info),
                Err(error) => {
                    self.live.fetch_sub(ids.len() - at - 1, Ordering::Relaxed);
                    made.iter().for_each(|info| drop(self.delete(&info.id)));
                    return Err(error);
                }
            }
        }
        Ok(made)
    }
}
