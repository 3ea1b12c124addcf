//! SIGTERM and SIGINT: the first asks to finish and end, the second ends at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit code of a program that a second signal ended: 128 + SIGINT, as shells expect.
const INTERRUPTED: i32 = 130;

/// Cancels `stop` on the first signal. Call it before anything slow: an early signal must not be missed.
pub fn watch(stop: CancellationToken) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        next(&mut terminate, &mut interrupt).await;
        tracing::info!("Stopping: what was begun is finished first; a second signal ends at once");
        stop.cancel();
        next(&mut terminate, &mut interrupt).await;
        tracing::warn!("Ended by a second signal");
        std::process::exit(INTERRUPTED);
    });
    Ok(())
}

async fn next(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
