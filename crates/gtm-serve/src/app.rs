//! What all requests share, and the ways from a request to the simulator.

use crate::attempt::Attempts;
use crate::config::ServerConfig;
use crate::dialect::openai;
use crate::face::Face;
use crate::gate::{Places, Rates};
use crate::guard::Guard;
use crate::metrics::{Gauges, Metrics, Outcome};
use crate::payload::Payload;
use crate::problem::Failure;
use crate::routes::Labels;
use crate::{mcp, routes};
use axum::Router;
use gtm_env::Environment;
use gtm_error::{Code, Error, Result};
use gtm_sim::{Call, CreateSession, Reply, Rung, Store};
use gtm_world::ErrorKind;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// The server's state. Cloning shares it.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    config: ServerConfig,
    store: Arc<Store>,
    metrics: Metrics,
    labels: Labels,
    places: Arc<Places>,
    rates: Option<Rates>,
    faces: RwLock<HashMap<String, Arc<Face>>>,
    environments: BTreeMap<String, Arc<Environment>>,
    attempts: Attempts,
    tools_cache: openai::Cache,
    /// Places for connections that stay open after their request.
    streams: Arc<Semaphore>,
    /// Whether the server takes no new work. Each open stream watches it.
    draining: watch::Sender<bool>,
    mcp: mcp::McpService,
}

impl App {
    /// A server over these sessions. Nothing listens yet.
    pub fn new(config: ServerConfig, store: Arc<Store>) -> App {
        let rates = (config.requests_per_second.is_some() || config.client_requests_per_second.is_some())
            .then(|| {
                Rates::new(config.requests_per_second, config.client_requests_per_second, Instant::now())
            });
        let labels = routes::labels();
        App(Arc::new(Inner {
            metrics: Metrics::new(labels.iter().map(|label| label.to_string())),
            labels: Labels::new(),
            places: Places::new(config.max_in_flight),
            rates,
            faces: RwLock::default(),
            environments: config.environments.iter().map(|e| (e.name().to_owned(), e.clone())).collect(),
            attempts: Attempts::default(),
            tools_cache: openai::Cache::default(),
            streams: Arc::new(Semaphore::new(config.max_connections)),
            draining: watch::Sender::new(false),
            mcp: mcp::service(&config),
            config,
            store,
        }))
    }

    /// All routes, with the layer that guards them. Usable without a socket.
    pub fn router(&self) -> Router {
        Router::new().fallback_service(self.guard())
    }

    /// The same, for the server loop.
    pub(crate) fn guard(&self) -> Guard {
        routes::guard(self)
    }

    pub(crate) fn config(&self) -> &ServerConfig {
        &self.0.config
    }

    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.0.store
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn places(&self) -> &Arc<Places> {
        &self.0.places
    }

    pub(crate) fn rates(&self) -> Option<&Rates> {
        self.0.rates.as_ref()
    }

    pub(crate) fn mcp(&self) -> &mcp::McpService {
        &self.0.mcp
    }

    /// The number under which a path is counted.
    pub(crate) fn route_number(&self, path: &str) -> usize {
        self.0.labels.number(path)
    }

    /// Takes no new work from now on.
    pub(crate) fn drain(&self) {
        self.0.draining.send_replace(true);
    }

    pub(crate) fn draining(&self) -> bool {
        *self.0.draining.borrow()
    }

    /// A place for a connection that stays open, and what tells it to close.
    pub(crate) fn stream(&self) -> Result<(OwnedSemaphorePermit, watch::Receiver<bool>)> {
        let place = self.0.streams.clone().try_acquire_owned();
        let place = place.map_err(|_| Error::new(Code::RateLimited, "all connections are taken"))?;
        Ok((place, self.0.draining.subscribe()))
    }

    /// Completes when no stream is open.
    pub(crate) async fn streams_closed(&self) {
        self.0.draining.closed().await;
    }

    /// Simulators of tools that requests bring along.
    pub(crate) fn tools_cache(&self) -> &openai::Cache {
        &self.0.tools_cache
    }

    /// The attempts at tasks that sessions are.
    pub(crate) fn attempts(&self) -> &Attempts {
        &self.0.attempts
    }

    /// The environments, by name: those given, and each toolset that belongs to none.
    pub(crate) fn environments(&self) -> Vec<Arc<Environment>> {
        let mut all: Vec<Arc<Environment>> = self.0.environments.values().cloned().collect();
        let owned: HashSet<String> = all
            .iter()
            .flat_map(|e| e.toolsets().map(|(name, _)| name.to_owned()).collect::<Vec<_>>())
            .collect();
        for (name, simulator) in self.store().toolsets() {
            if !owned.contains(&name) {
                all.push(Arc::new(Environment::of_toolset(name, simulator)));
            }
        }
        all
    }

    /// The environment of this name, which may be a toolset's; or the default one: the first that was
    /// given, else that of the default toolset.
    pub(crate) fn environment(&self, name: Option<&str>) -> Result<Arc<Environment>> {
        let known = match name {
            Some(name) => self.0.environments.get(name),
            None => self.config().environments.first().filter(|_| self.config().default_toolset.is_none()),
        };
        if let Some(known) = known {
            return Ok(known.clone());
        }
        let name = match name {
            Some(name) => name.to_owned(),
            None => self.default_toolset()?,
        };
        let simulator = self.store().simulator(&name).map_err(|_| {
            let what = format!("no environment is called `{}`", gtm_error::printable(&name));
            Error::new(Code::TaskUnknown, what).hint("list the environments (`GET /v1/environments`)")
        })?;
        Ok(Arc::new(Environment::of_toolset(name, simulator)))
    }

    pub(crate) fn gauges(&self) -> Gauges {
        let toolsets = self.store().toolsets();
        Gauges {
            sessions: self.store().len(),
            in_flight: self.places().taken(),
            caught: toolsets.iter().map(|(_, simulator)| simulator.metrics().snapshot().panics).sum(),
            ready: !self.draining(),
        }
    }

    /// Removes sessions that were idle for too long.
    pub(crate) fn sweep(&self) {
        let removed = self.store().sweep(Instant::now());
        self.attempts().keep(|id| self.store().has(id));
        self.metrics().sessions_expired.fetch_add(removed as u64, Relaxed);
    }

    /// The toolset of this name, or the default one.
    pub(crate) fn face(&self, toolset: Option<&str>) -> Result<Arc<Face>> {
        let name = match toolset {
            Some(name) => name.to_string(),
            None => self.default_toolset()?,
        };
        let simulator = self.store().simulator(&name)?;
        let faces = self.0.faces.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(face) = faces.get(&name).filter(|face| Arc::ptr_eq(&face.simulator, &simulator)) {
            return Ok(face.clone());
        }
        drop(faces);
        let face = Arc::new(Face::new(name.clone(), simulator));
        self.0.faces.write().unwrap_or_else(PoisonError::into_inner).insert(name, face.clone());
        Ok(face)
    }

    /// Makes one call in a session, and counts it. What `create` says happens if there is none.
    pub(crate) async fn call(&self, session: &str, create: Create<'_>, call: Call) -> Result<Reply> {
        if self.store().has_live()
            && let Some(reply) = self.call_live(session, create, &call).await?
        {
            return Ok(reply);
        }
        if !self.config().blocking_store {
            return self.call_here(session, create, &call);
        }
        let (session, toolset) = (session.to_string(), create.toolset().map(str::to_string));
        let renew = matches!(create, Create::Renew(_));
        self.apart(move |app| {
            let create = match toolset.as_deref() {
                None => Create::Never,
                Some(toolset) if renew => Create::Renew(toolset),
                Some(toolset) => Create::With(toolset),
            };
            app.call_here(&session, create, &call)
        })
        .await
    }

    fn call_here(&self, session: &str, create: Create<'_>, call: &Call) -> Result<Reply> {
        let start = Instant::now();
        let result = self.in_session(session, create, || self.store().call(session, call));
        self.count(call, result.as_ref().ok(), start.elapsed());
        result
    }

    /// Works in a session, which is made first if it is not there and `create` says so.
    fn in_session<T>(&self, session: &str, create: Create<'_>, work: impl Fn() -> Result<T>) -> Result<T> {
        let result = self.caught(&work);
        if let (Err(error), Some(toolset)) = (&result, create.toolset()) {
            let expired = error.code() == Code::SessionExpired && matches!(create, Create::Renew(_));
            if expired || error.code() == Code::SessionUnknown {
                return self.caught(|| {
                    self.store().create(request(session, toolset))?;
                    work()
                });
            }
        }
        result
    }

    /// Makes a call to the real tool, if it is for one. The session is not held while the tool is
    /// asked; and once it is asked, its outcome gets into the session even if the client has left.
    async fn call_live(&self, session: &str, create: Create<'_>, call: &Call) -> Result<Option<Reply>> {
        let live = self.in_session(session, create, || self.store().goes_live(session, call))?;
        let Some(live) = live else { return Ok(None) };
        let (app, session, call) = (self.clone(), session.to_owned(), call.clone());
        let asked = tokio::spawn(async move {
            let start = Instant::now();
            let result = match live.ask(&call).await {
                Ok(real) => {
                    let call = call.clone();
                    app.apart(move |app| app.store().settle(&session, &call, real)).await
                }
                Err(error) => Err(error),
            };
            app.count(&call, result.as_ref().ok(), start.elapsed());
            result
        });
        asked.await.unwrap_or_else(|_| Err(Error::new(Code::Internal, "the call ran into a bug"))).map(Some)
    }

    /// Sees to it that a session exists, and returns its toolset: the one wanted, if any is.
    pub(crate) fn ensure(&self, session: &str, toolset: Option<&str>) -> Result<Arc<Face>> {
        if !self.config().auto_create {
            return self.existing(session, toolset);
        }
        match self.existing(session, toolset) {
            Err(error) if error.code() == Code::SessionUnknown => {
                let face = self.face(toolset)?;
                self.store().ensure(request(session, &face.name))?;
                Ok(face)
            }
            result => result,
        }
    }

    /// The toolset of a session that must exist.
    pub(crate) fn existing(&self, session: &str, toolset: Option<&str>) -> Result<Arc<Face>> {
        let found = self.store().info(session)?.toolset;
        match toolset {
            Some(wanted) if wanted != found => Err(Error::new(
                Code::SessionExists,
                format!("session {session} uses toolset {found}, not {}", gtm_error::printable(wanted)),
            )),
            _ => self.face(Some(&found)),
        }
    }

    /// The name of the session that clients share which name none, and its toolset. Each toolset
    /// has its own.
    pub(crate) fn default_session(&self, toolset: Option<&str>) -> Result<(String, Arc<Face>)> {
        let face = self.face(toolset)?;
        let session = match self.default_toolset() {
            Ok(default) if default == face.name => "default".to_string(),
            _ => format!("default.{}", face.name),
        };
        Ok((session, face))
    }

    /// Runs something that must not bring down a connection with it. On the HTTP routes the guard
    /// would catch a panic as well; MCP runs its handlers on tasks of their own.
    pub(crate) fn caught<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
            self.metrics().panics.fetch_add(1, Relaxed);
            Err(Error::new(Code::Internal, "the call ran into a bug"))
        })
    }

    /// Counts a call; `None` for one that was not made.
    pub(crate) fn count(&self, call: &Call, reply: Option<&Reply>, took: Duration) {
        let metrics = self.metrics();
        let Some(reply) = reply else {
            return metrics.call("_unknown", Outcome::Refused, took);
        };
        let kind = reply.error.as_ref().map(|error| error.kind);
        if reply.provenance.rung == Rung::Check && kind == Some(ErrorKind::InvalidArgument) {
            metrics.violations_arguments.fetch_add(1, Relaxed);
        }
        if !reply.provenance.valid {
            metrics.violations_reply.fetch_add(1, Relaxed);
        }
        // A name that no toolset has must not become a label.
        let tool = if kind == Some(ErrorKind::UnknownTool) { "_unknown" } else { &call.tool };
        metrics.call(tool, if reply.is_error { Outcome::Error(kind) } else { Outcome::Ok }, took);
    }

    /// Waits as a fault asked for, within the server's limit.
    pub(crate) async fn delay(&self, reply: &Reply) {
        self.wait(Duration::from_millis(reply.delay_ms)).await;
    }

    /// Waits, within the server's limit.
    pub(crate) async fn wait(&self, delay: Duration) {
        if !delay.is_zero() {
            tokio::time::sleep(delay.min(self.config().max_delay)).await;
        }
    }

    /// Runs work whose cost grows with a session's size where it holds up nobody else.
    pub(crate) async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&App) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let app = self.clone();
        tokio::task::spawn_blocking(move || app.caught(|| work(&app)))
            .await
            .unwrap_or_else(|_| Err(Error::new(Code::Internal, "the work was cut off")))
    }

    /// Where a page of a listing begins and how much it holds at most, from `from` and `limit`.
    pub(crate) fn page(&self, payload: &Payload) -> std::result::Result<(usize, usize), Failure> {
        let from = payload.query_number("from")?.unwrap_or(0);
        let limit =
            payload.query_number("limit")?.unwrap_or(u64::MAX).clamp(1, self.config().max_page as u64);
        Ok((usize::try_from(from).unwrap_or(usize::MAX), usize::try_from(limit).unwrap_or(usize::MAX)))
    }

    /// The toolset of requests that name none: the one set, or the only one there is.
    pub(crate) fn default_toolset(&self) -> Result<String> {
        if let Some(name) = &self.config().default_toolset {
            return Ok(name.clone());
        }
        if let Some(environment) = self.config().environments.first()
            && let Some((name, _)) = environment.toolsets().next()
        {
            return Ok(name.to_owned());
        }
        let mut all = self.store().toolsets();
        match all.len() {
            1 => Ok(all.remove(0).0),
            0 => Err(Error::new(Code::ToolsetUnknown, "this server holds no toolset")),
            n => {
                let names: Vec<String> = all.into_iter().take(12).map(|(name, _)| name).collect();
                Err(Error::new(Code::ToolsetUnknown, format!("the request names none of {n} toolsets"))
                    .expected(format!("one of {}", names.join(", "))))
            }
        }
    }
}

/// What a call does when its session does not exist.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Create<'a> {
    /// Fails.
    Never,
    /// Makes it with this toolset, unless it existed and expired: its client must be told that its
    /// state is gone.
    With(&'a str),
    /// Makes it with this toolset, also if it expired: a shared session is nobody's in particular.
    Renew(&'a str),
}

impl<'a> Create<'a> {
    fn toolset(self) -> Option<&'a str> {
        match self {
            Create::Never => None,
            Create::With(toolset) | Create::Renew(toolset) => Some(toolset),
        }
    }
}

fn request(session: &str, toolset: &str) -> CreateSession {
    CreateSession {
        id: Some(session.to_string()),
        toolset: Some(toolset.to_string()),
        ..CreateSession::default()
    }
}
