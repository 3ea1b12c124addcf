//! Logs on stderr: text for people, JSON for machines.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

use crate::settings::{LogFormat, LogSettings, SettingsError};

/// What is logged unless told otherwise; see `config.example.toml`.
const USUAL: &str = "info";
/// What short commands log unless told otherwise: they have stdout to say what they did.
const SHORT: &str = "warn";

/// Starts logging for the whole process and sends panics there too. Later calls change nothing.
pub fn start(settings: &LogSettings, long_running: bool) -> Result<(), SettingsError> {
    let wanted = if long_running || settings.filter != USUAL { &settings.filter } else { SHORT };
    let filter = EnvFilter::try_new(wanted).map_err(SettingsError::LogFilter)?;
    let on_terminal = stderr().is_terminal();
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(on_terminal);
    let as_text = match settings.format {
        LogFormat::Auto => on_terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    // The only error is that logging has been started already, as it has in tests with several servers.
    let _started = if as_text { logs.try_init() } else { logs.json().flatten_event(true).try_init() };
    std::panic::set_hook(Box::new(|panic| {
        // The message of a panic may quote data, so it is kept out of the log unless asked for.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "A part of the program panicked; the request or task it served was given up");
        tracing::debug!(place, panic = %panic, "What the panic said");
    }));
    Ok(())
}
