//! `torture [NAME…] [--quick] [--on sqlite|postgres] [--old FILE] --binary FILE`: runs scenarios and prints one table.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the table is what it is for")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use frontdesk_torture::database::Kind;
use frontdesk_torture::report::{Line, table};
use frontdesk_torture::scenarios::{self, Scenario};
use frontdesk_torture::{Size, Trial};

/// Tortures the real program and counts what became of its promises.
#[derive(Parser)]
struct Arguments {
    /// Scenarios to run; all when none is named.
    names: Vec<String>,
    /// Seconds instead of minutes: the form that runs among the tests.
    #[arg(long)]
    quick: bool,
    /// Only on this database: sqlite or postgres. PostgreSQL is the one that TEST_DATABASE_URL names.
    #[arg(long)]
    on: Option<String>,
    /// The program to torture.
    #[arg(long)]
    binary: PathBuf,
    /// A program of an earlier version, for the scenario rolling_upgrade.
    #[arg(long)]
    old: Option<PathBuf>,
    /// Only say which scenarios there are.
    #[arg(long)]
    list: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    if arguments.list {
        scenarios::ALL.iter().for_each(|scenario| println!("{:16} {}", scenario.name, scenario.about));
        return Ok(ExitCode::SUCCESS);
    }
    let size = if arguments.quick { Size::Quick } else { Size::Full };
    let binary = std::fs::canonicalize(&arguments.binary)?;
    let old = arguments.old.map(std::fs::canonicalize).transpose()?;
    let mut lines = Vec::new();
    for scenario in chosen(&arguments.names)? {
        let kinds = if arguments.quick { scenario.quick } else { scenario.kinds };
        for kind in kinds.iter().copied().filter(|kind| is_wanted(*kind, arguments.on.as_deref())) {
            eprintln!("==> {} on {}: {}", scenario.name, kind.name(), scenario.about);
            let trial = Trial { binary: binary.clone(), old: old.clone(), kind, size };
            let began = Instant::now();
            let outcome = scenario.run(trial).await;
            let line =
                Line { scenario: scenario.name, database: kind.name(), took: began.elapsed(), outcome };
            eprintln!("{}", table(std::slice::from_ref(&line)));
            lines.push(line);
        }
    }
    println!("\n{}", table(&lines));
    Ok(if lines.iter().all(Line::is_well) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<&'static Scenario>> {
    if names.is_empty() {
        return Ok(scenarios::ALL.iter().collect());
    }
    let find = |name: &String| {
        scenarios::find(name).ok_or_else(|| anyhow::anyhow!("no scenario is called {name}; see --list"))
    };
    names.iter().map(find).collect()
}

fn is_wanted(kind: Kind, on: Option<&str>) -> bool {
    match on {
        Some(name) => name == kind.name(),
        None => kind == Kind::Sqlite || std::env::var_os("TEST_DATABASE_URL").is_some(),
    }
}
