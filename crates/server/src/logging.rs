//! Logs on stderr: text for people, JSON for machines. Spans also to a collector, see [`crate::traces`].

use std::io::{IsTerminal, stderr};

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use crate::settings::{LogFormat, LogSettings, SettingsError};
use crate::traces::Traces;

/// What a server logs unless told otherwise; see `config.example.toml`.
const SERVING: &str = "info";
/// What other commands log unless told otherwise: they have stdout to say what they did.
const SHORT: &str = "warn";

/// Starts logging for the whole process and sends panics there too. Later calls change nothing.
pub fn start(
    settings: &LogSettings,
    traces: Option<&Traces>,
    long_running: bool,
) -> Result<(), SettingsError> {
    let usual = if long_running { SERVING } else { SHORT };
    let filter =
        EnvFilter::try_new(settings.filter.as_deref().unwrap_or(usual)).map_err(SettingsError::LogFilter)?;
    let on_terminal = stderr().is_terminal();
    let logs = fmt::layer().with_writer(stderr).with_ansi(on_terminal);
    let as_text = match settings.format {
        LogFormat::Auto => on_terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let logs = if as_text { logs.boxed() } else { logs.json().flatten_event(true).boxed() };
    // Each has a filter of its own: what is not logged may still be traced.
    let subscriber =
        tracing_subscriber::registry().with(logs.with_filter(filter)).with(traces.map(Traces::layer));
    // The only error is that logging has been started already, as it has in tests with several servers.
    let _started = subscriber.try_init();
    std::panic::set_hook(Box::new(|panic| {
        // The message of a panic may quote data, so it is kept out of the log unless asked for.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "A part of the program panicked; the request or task it served was given up");
        tracing::debug!(place, panic = %panic, "What the panic said");
    }));
    Ok(())
}
