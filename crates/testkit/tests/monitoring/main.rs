//! Monitoring: figures, alert rules, alerts under a moved clock, and how their news gets out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod alerts;
mod built_in;
mod delivery;
mod figures;
mod grafana;
mod ground;
mod rules;
