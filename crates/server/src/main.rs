//! The `frontdesk` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    frontdesk_server::commands::run()
}
