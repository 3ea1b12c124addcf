//! Tables of medians, with ratios and bars, as Markdown.

use std::fmt;

use crate::figures::median;

/// What one measurement found: names with their units, in the order of the columns.
#[derive(Debug, Clone, Default)]
pub struct Reading(Vec<(&'static str, f64)>);

impl Reading {
    /// Adds a figure.
    #[must_use]
    pub fn with(mut self, column: &'static str, value: f64) -> Self {
        self.0.push((column, value));
        self
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures: Vec<String> =
            self.0.iter().map(|(name, value)| format!("{name} {}", shown(*value))).collect();
        f.write_str(&figures.join(", "))
    }
}

/// The figures of one scenario.
pub struct Table {
    title: String,
    about: String,
    columns: Vec<&'static str>,
    rows: Vec<(String, Vec<Reading>)>,
    notes: Vec<String>,
    failures: usize,
}

impl Table {
    /// An empty one; `about` says what was done.
    pub fn new(title: &str, about: &str) -> Self {
        Self {
            title: title.to_owned(),
            about: about.to_owned(),
            columns: Vec::new(),
            rows: Vec::new(),
            notes: Vec::new(),
            failures: 0,
        }
    }

    /// Adds what one round found.
    pub fn add(&mut self, name: &str, reading: Reading) {
        for (column, _) in &reading.0 {
            if !self.columns.contains(column) {
                self.columns.push(column);
            }
        }
        self.row(name).push(reading);
    }

    /// Keeps a place for one that could not be measured.
    pub fn fail(&mut self, name: &str, error: &anyhow::Error) {
        self.row(name);
        self.failures += 1;
        self.notes.push(format!("{name} failed: {error:#}"));
    }

    /// Says something below the table.
    pub fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    fn row(&mut self, name: &str) -> &mut Vec<Reading> {
        let place = self.rows.iter().position(|(of, _)| of == name);
        let place = place.unwrap_or_else(|| {
            self.rows.push((name.to_owned(), Vec::new()));
            self.rows.len() - 1
        });
        &mut self.rows[place].1
    }

    /// The median of a figure over the rounds; `NaN` when there is none.
    pub fn median(&self, name: &str, column: &str) -> f64 {
        let values = |readings: &[Reading]| -> Vec<f64> {
            let all = readings.iter().flat_map(|reading| &reading.0);
            all.filter(|(of, _)| *of == column).map(|(_, value)| *value).collect()
        };
        self.rows
            .iter()
            .find(|(of, _)| of == name)
            .map_or(f64::NAN, |(_, readings)| median(&values(readings)))
    }

    /// Says below the table how the medians of two compare, and whether that is at least `bar`.
    pub fn at_least(&mut self, name: &str, base: &str, column: &str, bar: f64) {
        let ratio = self.median(name, column) / self.median(base, column);
        if !ratio.is_nan() {
            let verdict = if ratio >= bar { "holds" } else { "missed" };
            self.notes.push(format!("{name} ÷ {base}, {column}: {ratio:.2} (bar ≥ {bar}: {verdict})"));
        }
    }

    /// Says below the table whether a figure is at least `bar`.
    pub fn at_least_value(&mut self, name: &str, column: &str, bar: f64) {
        let found = self.median(name, column);
        if !found.is_nan() {
            let verdict = if found >= bar { "holds" } else { "missed" };
            self.notes.push(format!("{name}, {column}: {} (bar ≥ {}: {verdict})", shown(found), shown(bar)));
        }
    }

    /// Says below the table whether a figure is at most `bar`.
    pub fn at_most(&mut self, name: &str, column: &str, bar: f64) {
        let found = self.median(name, column);
        if !found.is_nan() {
            let verdict = if found <= bar { "holds" } else { "missed" };
            self.notes.push(format!("{name}, {column}: {} (bar ≤ {}: {verdict})", shown(found), shown(bar)));
        }
    }

    /// How many measurements failed.
    pub fn failures(&self) -> usize {
        self.failures
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {}\n\n{}\n", self.title, self.about)?;
        writeln!(f, "| | {} |", self.columns.join(" | "))?;
        writeln!(f, "|---|{}", "--:|".repeat(self.columns.len()))?;
        for (name, _) in &self.rows {
            let cells: Vec<String> =
                self.columns.iter().map(|column| shown(self.median(name, column))).collect();
            writeln!(f, "| {name} | {} |", cells.join(" | "))?;
        }
        if !self.notes.is_empty() {
            writeln!(f)?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "- {note}"))
    }
}

/// As many digits as mean something; thousands apart.
fn shown(value: f64) -> String {
    if value.is_nan() {
        return String::new();
    }
    let size = value.abs();
    if size >= 1_000.0 {
        let digits = format!("{:.0}", size);
        let groups: Vec<&str> =
            digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
        return format!("{}{}", if value < 0.0 { "-" } else { "" }, groups.join(" "));
    }
    if value.fract() == 0.0 || size >= 100.0 {
        return format!("{value:.0}");
    }
    if size >= 10.0 { format!("{value:.1}") } else { format!("{value:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new("Ingest", "What it is.");
        for rate in [900.0, 1_100.0, 12_345.0] {
            table.add("floor", Reading::default().with("per second", rate));
            table.add("product", Reading::default().with("per second", rate / 4.0).with("lost", 0.0));
        }
        table
    }

    #[test]
    fn medians_stand_in_the_order_in_which_they_came() {
        let shown = table().to_string();
        assert!(
            shown.contains(
                "| | per second | lost |\n|---|--:|--:|\n| floor | 1 100 |  |\n| product | 275 | 0 |"
            )
        );
    }

    #[test]
    fn a_bar_that_is_missed_is_said_to_be() {
        let mut table = table();
        table.at_least("product", "floor", "per second", 0.5);
        table.at_least("product", "floor", "per second", 0.2);
        table.at_most("product", "lost", 0.0);
        table.at_least("product", "nobody", "per second", 0.2);
        let text = table.to_string();
        let notes: Vec<&str> = text.lines().filter(|line| line.starts_with("- ")).collect();
        assert_eq!(
            notes,
            [
                "- product ÷ floor, per second: 0.25 (bar ≥ 0.5: missed)",
                "- product ÷ floor, per second: 0.25 (bar ≥ 0.2: holds)",
                "- product, lost: 0 (bar ≤ 0: holds)",
            ]
        );
    }

    #[test]
    fn one_that_failed_is_named_with_its_reason() {
        let mut table = table();
        table.fail("peer", &anyhow::anyhow!("not there"));
        assert_eq!(table.failures(), 1);
        let shown = table.to_string();
        assert!(shown.contains("| peer |  |  |") && shown.contains("- peer failed: not there"), "{shown}");
    }

    #[test]
    fn figures_have_the_digits_that_mean_something() {
        let cases =
            [(0.123, "0.12"), (12.34, "12.3"), (123.4, "123"), (1_234_567.0, "1 234 567"), (3.0, "3")];
        for (value, expected) in cases {
            assert_eq!(shown(value), expected);
        }
    }
}
