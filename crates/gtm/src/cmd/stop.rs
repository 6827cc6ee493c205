//! Being asked to stop, by SIGTERM or from the keyboard.

use crate::output::Result;
#[cfg(unix)]
use gtm_error::{Code, Error};

/// Completes when the process is asked to stop. The signals are caught from this call on, not from
/// when the future is first polled.
#[cfg(unix)]
pub(crate) fn stop_signal() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let failed = |e: std::io::Error| Error::new(Code::Internal, format!("cannot catch signals: {e}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Completes when the process is asked to stop.
#[cfg(not(unix))]
pub(crate) fn stop_signal() -> Result<impl Future<Output = ()>> {
    Ok(gtm_serve::stop_signal())
}
