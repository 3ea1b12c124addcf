//! What people see while they wait: on stderr, so that the tables alone are on stdout.

use std::io::Write as _;

/// Says a line.
pub fn note(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{line}"); // nobody listens: nothing to do about it
}
