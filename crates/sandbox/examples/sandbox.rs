//! Serves a sandbox alone: `cargo run -p frontdesk-sandbox --example sandbox -- 127.0.0.1:9090`.

use std::net::SocketAddr;

use frontdesk_sandbox::{SandboxSettings, serve};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listen: SocketAddr = std::env::args().nth(1).as_deref().unwrap_or("127.0.0.1:9090").parse()?;
    let interrupted = tokio::signal::ctrl_c();
    tokio::select! {
        served = serve(listen, SandboxSettings::default()) => served?,
        stopped = interrupted => stopped?,
    }
    Ok(())
}
