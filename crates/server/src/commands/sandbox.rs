//! `frontdesk sandbox`: the fake providers alone.

use std::net::SocketAddr;

use clap::Args;
use frontdesk_sandbox::SandboxSettings;
use tokio_util::sync::CancellationToken;

use super::output;
use crate::signals;

#[derive(Args)]
pub struct SandboxCommand {
    /// Address to listen on. Whoever reaches it controls the fake providers: keep it on loopback
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9090")]
    listen: SocketAddr,
}

pub async fn run(command: SandboxCommand) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    signals::watch(stop.clone())?;
    if command.listen.port() != 0 {
        output::note(format_args!(
            "Fake providers on http://{0}: phones at /sandbox/, Graph API at /graph, control API at /control/openapi.json",
            command.listen
        ));
    }
    let serving = frontdesk_sandbox::serve(command.listen, SandboxSettings::default());
    // Dropping the future lets go of the address; a fake has nothing to keep.
    stop.run_until_cancelled(serving).await.unwrap_or(Ok(()))?;
    Ok(())
}
