//! `frontdesk suggest-eval FILE`: how well replies are suggested, measured on labelled questions of one's own.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use frontdesk_suggest::{Labelled, Report, evaluate};

use super::{UsageError, output};

#[derive(Args)]
pub struct SuggestEval {
    /// File of lines {"text": …, "intent": …, "split": "train" | "test"}; a test line whose intent is in no train line
    /// asks for silence
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(command: &SuggestEval) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(&command.file)
        .map_err(|error| UsageError(format!("{} cannot be read: {error}", command.file.display())))?;
    let report = evaluate(&read(&text)?).map_err(|error| UsageError(error.to_string()))?;
    if command.json {
        output::json(&report)?;
    } else {
        output::line(as_text(&report))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn read(text: &str) -> Result<Vec<Labelled>, UsageError> {
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            serde_json::from_str(line).map_err(|error| {
                let wanted = r#"{"text": "…", "intent": "…", "split": "train"}"#;
                UsageError(format!("line {number} is not of the form {wanted}: {error}"))
            })
        })
        .collect()
}

fn as_text(report: &Report) -> String {
    let percent = |part: f64| format!("{:.1} %", part * 100.0);
    let strange = |text: Option<String>| text.unwrap_or_else(|| "- (no strange questions)".to_owned());
    [
        format!("learned   {} questions of {} intents", report.learned, report.intents),
        format!("asked     {} known, {} strange", report.asked, report.strange),
        format!("hit@1     {}", percent(report.hit_at_1)),
        format!("hit@3     {}", percent(report.hit_at_3)),
        format!("AUROC     {}", strange(report.auroc.map(|auroc| format!("{auroc:.3}")))),
        format!(
            "answered  {} of known, {} right among three",
            percent(report.answered),
            percent(report.hit_at_3_answered)
        ),
        format!("answered  {} of strange", strange(report.answered_strange.map(percent))),
    ]
    .join("\n")
}
