//! `frontdesk serve`: the server, until a signal.

use axum::Router;
use frontdesk_engine::realtime::settings::PublicInbox;
use tokio_util::sync::CancellationToken;

use super::Surroundings;
use crate::settings::Settings;
use crate::signals;
use crate::wiring::{Server, bind};

pub async fn run(surroundings: Surroundings) -> anyhow::Result<()> {
    let Surroundings { settings, environment, clock, .. } = surroundings;
    let stop = CancellationToken::new();
    signals::watch(stop.clone())?;
    for variable in Settings::unknown_variables(&environment) {
        tracing::warn!(variable, "An environment variable looks like a setting but is none; is it misspelt?");
    }
    if settings.realtime.public_inbox == PublicInbox::Open {
        tracing::warn!(
            "realtime.public_inbox is open: whoever has the app key, which every page shows, reads customers' messages"
        );
    }
    // Taking the address first tells at once that another server runs.
    let listener = bind(settings.server.listen).await?;
    let starting = Server::start_on(listener, settings, clock, Router::new());
    let Some(server) = stop.run_until_cancelled(starting).await else { return Ok(()) };
    let server = server?;
    stop.cancelled().await;
    server.stop().await;
    Ok(())
}
