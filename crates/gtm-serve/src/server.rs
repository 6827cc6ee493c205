//! The server loop: accept, serve, stop.
//!
//! Runs on hyper itself, since `axum::serve` waits for headers for ever.

use crate::app::App;
use crate::config::ServerConfig;
use crate::guard::{Client, Guard};
use crate::io::Socket;
use axum::body::Body;
use axum::http::Request;
use gtm_error::{Code, Error, Result};
use gtm_sim::Store;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// Pause after a failed accept, which is almost always a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Where the server is in its life. Every connection watches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    /// Requests under way are finished; connections without one are closed.
    Draining,
    /// Time is up.
    Cut,
}

/// Serves until `shutdown` completes, then finishes what is under way, for at most
/// [`ServerConfig::shutdown_grace`].
pub async fn serve(
    mut config: ServerConfig,
    store: Arc<Store>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<()> {
    config.addr = listener
        .local_addr()
        .map_err(|e| Error::new(Code::BindRefused, format!("the listener has no address: {e}")))?;
    config.check(config.addr)?;
    let app = App::new(config, store);
    let sweeper = tokio::spawn(sweep(app.clone()));
    let (phase, watching) = watch::channel(Phase::Running);
    accept(&app, &listener, &watching, shutdown).await;
    drop(listener);
    app.drain();
    // The number of receivers is the number of connections.
    drop(watching);
    phase.send_replace(Phase::Draining);
    let closed = async { tokio::join!(phase.closed(), app.streams_closed()) };
    if tokio::time::timeout(app.config().shutdown_grace, closed).await.is_err() {
        phase.send_replace(Phase::Cut);
    }
    sweeper.abort();
    Ok(())
}

/// Accepts connections until told to stop.
async fn accept(
    app: &App,
    listener: &TcpListener,
    phase: &watch::Receiver<Phase>,
    stop: impl Future<Output = ()>,
) {
    let room = Arc::new(Semaphore::new(app.config().max_connections));
    let guard = app.guard();
    tokio::pin!(stop);
    loop {
        let next = async {
            // At the limit, connections wait in the system's queue.
            let place = room.clone().acquire_owned().await.ok()?;
            Some((place, listener.accept().await))
        };
        let accepted = tokio::select! {
            accepted = next => accepted,
            () = &mut stop => return,
        };
        match accepted {
            Some((place, Ok((stream, from)))) => {
                let (app, guard, phase) = (app.clone(), guard.clone(), phase.clone());
                tokio::spawn(async move {
                    app.metrics().connections.fetch_add(1, Relaxed);
                    connection(&app, stream, Client(from), guard, phase).await;
                    app.metrics().connections.fetch_sub(1, Relaxed);
                    drop(place);
                });
            }
            Some((_, Err(_))) => {
                app.metrics().connections_refused.fetch_add(1, Relaxed);
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            None => return,
        }
    }
}

/// Serves one connection to its end. Its errors are the client's affair: it went away, was too
/// slow, or did not speak HTTP, and has been told so where that is possible.
async fn connection(
    app: &App,
    stream: TcpStream,
    from: Client,
    guard: Guard,
    mut phase: watch::Receiver<Phase>,
) {
    let config = app.config();
    // Answers are small and written whole; waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let io = TokioIo::new(Socket::new(stream, config.write_timeout));
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(from);
        let answer = guard.answer(request.map(Body::new));
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(config.header_timeout)
        .max_buf_size(config.max_header.max(8192))
        .serve_connection(io, service)
        .with_upgrades();
    tokio::pin!(connection);
    loop {
        tokio::select! {
            _ = connection.as_mut() => return,
            changed = phase.changed() => match *phase.borrow_and_update() {
                Phase::Cut => return,
                Phase::Draining => connection.as_mut().graceful_shutdown(),
                Phase::Running if changed.is_err() => return,
                Phase::Running => {}
            },
        }
    }
}

/// Removes idle sessions from time to time.
async fn sweep(app: App) {
    let mut ticks = tokio::time::interval(app.config().sweep_interval.max(Duration::from_millis(10)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let app = app.clone();
        // Dropping many sessions takes a while, and with a data folder touches files.
        let _ = tokio::task::spawn_blocking(move || app.sweep()).await;
    }
}

/// Completes when the process is asked to stop: by SIGTERM, or from the keyboard.
pub async fn stop_signal() {
    let keyboard = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending::<()>().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = keyboard => {}
        () = terminated => {}
    }
}
