//! What a run found, and the table of all runs.

use std::fmt::{Display, Write};
use std::time::Duration;

/// What a ledger counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Promises: webhooks answered 200 and replies answered 201.
    pub promised: usize,
    /// Promised and not there.
    pub lost: usize,
    /// There, or with the customer, more than once.
    pub doubled: usize,
    /// There, or with the customer, though nobody sent it.
    pub ghosts: usize,
    /// With the customer before something that was to come first.
    pub disorder: usize,
    /// Replies of which nobody knows whether they arrived.
    pub unknown: usize,
}

/// What a run found.
#[derive(Debug, Default)]
pub struct Report {
    /// How much was done, in words: `91204 webhooks, 100 kills`.
    pub size: String,
    /// What became of the promises.
    pub tally: Tally,
    /// How long it took until the program was ready again, each time.
    pub recoveries: Vec<Duration>,
    /// Figures worth a line.
    pub figures: Vec<String>,
    /// What should not be; empty when all is well.
    pub findings: Vec<String>,
}

impl Report {
    /// Notes a finding unless `holds`.
    pub fn expect(&mut self, holds: bool, finding: impl FnOnce() -> String) {
        if !holds {
            self.findings.push(finding());
        }
    }

    /// Notes a figure.
    pub fn figure(&mut self, text: impl Display) {
        self.figures.push(text.to_string());
    }

    /// Takes over a tally; what is wrong in it is a finding.
    pub fn take(&mut self, tally: Tally, findings: Vec<String>) {
        self.tally = tally;
        self.findings.extend(findings);
    }

    /// The median and the longest recovery.
    pub fn recovery(&self) -> Option<(Duration, Duration)> {
        let mut sorted = self.recoveries.clone();
        sorted.sort();
        Some((*sorted.get(sorted.len() / 2)?, *sorted.last()?))
    }

    /// Notes how a program came back, with what is allowed.
    pub fn expect_recovery(&mut self, median: Duration, longest: Duration) {
        if let Some((half, most)) = self.recovery() {
            self.expect(half <= median && most <= longest, || {
                format!("ready again only after {half:.1?} (median), {most:.1?} (longest)")
            });
        }
    }
}

/// One line of the table.
pub struct Line {
    /// The scenario's name.
    pub scenario: &'static str,
    /// What it stored in.
    pub database: &'static str,
    /// How long the run took.
    pub took: Duration,
    /// What it found; an error when it could not be carried out.
    pub outcome: anyhow::Result<Report>,
}

impl Line {
    /// Whether nothing is wrong.
    pub fn is_well(&self) -> bool {
        self.outcome.as_ref().is_ok_and(|report| report.findings.is_empty())
    }
}

/// The table of all runs, with figures and findings below it.
pub fn table(lines: &[Line]) -> String {
    let head =
        ["scenario", "database", "size", "lost", "doubled", "ghosts", "order", "ready p50/max", "verdict"];
    let mut rows = vec![head.map(str::to_owned)];
    let mut notes = String::new();
    for line in lines {
        let place = format!("{} on {}", line.scenario, line.database);
        let verdict = if line.is_well() { "ok" } else { "FOUND" };
        let mut row = [line.scenario, line.database, "", "", "", "", "", "", verdict].map(str::to_owned);
        match &line.outcome {
            Ok(report) => {
                let Tally { lost, doubled, ghosts, disorder, .. } = report.tally;
                row[2] = format!("{}, {} s", report.size, line.took.as_secs());
                for (cell, count) in row[3..7].iter_mut().zip([lost, doubled, ghosts, disorder]) {
                    *cell = count.to_string();
                }
                if let Some((half, most)) = report.recovery() {
                    row[7] = format!("{:.2}/{:.2} s", half.as_secs_f64(), most.as_secs_f64());
                }
                for figure in &report.figures {
                    let _ = writeln!(notes, "{place}: {figure}");
                }
                for finding in &report.findings {
                    let _ = writeln!(notes, "{place}: FOUND: {finding}");
                }
            }
            Err(error) => {
                row[8] = "BROKEN".to_owned();
                let _ = writeln!(notes, "{place}: could not be carried out: {error:#}");
            }
        }
        rows.push(row);
    }
    let mut text = String::new();
    let widths: Vec<usize> =
        (0..head.len()).map(|i| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0)).collect();
    for row in rows {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    format!("{text}\n{notes}")
}
