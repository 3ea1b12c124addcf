//! Writing to stdout and stderr.

use std::fmt::Display;
use std::io::{self, Read, Write};

use anyhow::Context;
use serde::Serialize;

/// Writes one line of data.
pub fn line(data: impl Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{data}")
}

/// Writes data for machines.
pub fn json(data: &impl Serialize) -> anyhow::Result<()> {
    Ok(line(serde_json::to_string_pretty(data)?)?)
}

/// Writes a word for people beside the data. Nobody reading stderr is no reason to fail.
pub fn note(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Says what went wrong and why, cause by cause.
pub fn explain(error: &anyhow::Error) {
    let mut text = format!("frontdesk: {error}");
    let mut said = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Some errors repeat their cause in their own sentence.
        if !said.contains(&cause) {
            text.push_str("\n  because: ");
            text.push_str(&cause);
        }
        said = cause;
    }
    note(text);
}

/// Writes columns that line up.
pub fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> io::Result<()> {
    let widths: [usize; N] = std::array::from_fn(|i| {
        rows.iter().map(|row| row[i].chars().count()).chain([head[i].len()]).max().unwrap_or_default()
    });
    let write = |cells: [&str; N]| {
        let padded: Vec<String> =
            cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        line(padded.join("  ").trim_end())
    };
    write(head)?;
    rows.iter().try_for_each(|row| write(std::array::from_fn(|i| row[i].as_str())))
}

/// All of stdin, without the line break at its end: for secrets, which do not belong on a command line.
pub fn stdin_text() -> anyhow::Result<String> {
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text).context("stdin could not be read as text")?;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    Ok(text)
}
