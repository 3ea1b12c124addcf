//! Killed while it makes its schema, its key and its first account: the next start goes on from there.

use std::time::Duration;

use crate::database::Database;
use crate::program::Program;
use crate::provider::Provider;
use crate::report::Report;
use crate::trial::Trial;

/// Kills fall within this time: a first start takes some tenths of a second, less where the machine is fast.
const WITHIN_MS: u64 = 60;

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let provider = Provider::open(0).await?;
    let (starts, mut early) = (trial.pick(2, 40), 0);
    for number in 0..starts {
        let folder = tempfile::Builder::new().prefix("torture-").tempdir()?;
        let database = Database::make(trial.kind, folder.path()).await?;
        let mut program = Program::new(&trial, folder.path(), &database, &provider.graph_url)?;
        for _ in 0..3 {
            program.launch()?;
            tokio::time::sleep(Duration::from_millis(rand::random_range(0..WITHIN_MS))).await;
            program.kill()?;
        }
        early += 3 - program.logged("Ready")?;
        let took = program.start().await?;
        report.recoveries.push(took);
        let accounts = database.number("SELECT COUNT(*) FROM accounts").await?;
        report.expect(accounts == 1, || format!("start {number}: {accounts} accounts"));
        let faults = database.faults().await?;
        report.expect(faults.is_empty(), || format!("start {number}: the database is not whole: {faults:?}"));
        program.terminate().await?;
    }
    report.size = format!("{starts} first starts, {} kills", starts * 3);
    report.figure(format!("{early} kills struck before it was ready"));
    report.expect(early > 0, || "no kill struck a start".to_owned());
    Ok(report)
}
