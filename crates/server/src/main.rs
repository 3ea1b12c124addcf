//! The `frontdesk` program.

use std::process::ExitCode;

use mimalloc::MiMalloc;

// SQLite allocates through it too. On the way of a webhook a sixth of the time went into the system's allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    frontdesk_server::commands::run()
}
