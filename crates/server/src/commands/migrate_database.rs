//! `frontdesk migrate-database FROM TO`: SQLite to PostgreSQL when several nodes are wanted, or back.
//!
//! First the files, which may come twice, then all rows in one transaction that is kept only when both sides hold the
//! same. So a move that is interrupted is simply made again.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use frontdesk_engine::media::{MediaStore, MediaStoreError};
use frontdesk_model::AccountId;
use frontdesk_store::transfer::{self, TableReport, TransferError};
use frontdesk_store::{Store, StoreSettings, attachments, search_index};

use super::{Surroundings, UsageError, output};
use crate::data_lock::DataLock;
use crate::{secret_key, wiring};

/// Files looked up at once, and messages made findable by one transaction.
const PAGE: i64 = 1_000;

#[derive(Args)]
pub struct MigrateDatabase {
    /// Where the data are, as `sqlite:///var/lib/frontdesk/frontdesk.db`
    from: String,
    /// An empty database, as `postgres://user:password@host/frontdesk`
    to: String,
}

pub async fn run(command: MigrateDatabase, surroundings: &Surroundings) -> anyhow::Result<()> {
    let settings = &surroundings.settings;
    if command.from == command.to {
        bail!(UsageError("source and target are the same database".to_owned()));
    }
    if let Some(path) = sqlite_path(&command.from)
        && !path.exists()
    {
        bail!(UsageError(format!("there is no database at {}", path.display())));
    }
    // No server may start on this folder meanwhile; nodes elsewhere are known by their rows.
    let _lock = DataLock::alone(&settings.storage.data_dir)?;
    let open = async |url: &str, which: &str| {
        let wanted = StoreSettings {
            url: url.to_owned(),
            postgres_connections: settings.database.postgres_connections,
        };
        let opened = Store::open(&wanted, surroundings.clock.clone()).await;
        opened.with_context(|| format!("the {which} could not be opened"))
    };
    let source = open(&command.from, "source").await?;
    let target = open(&command.to, "target").await?;
    transfer::check(&source, &target, surroundings.clock.now()).await?;
    if let Some(key) = secret_key::load(settings)? {
        wiring::key_fits(&source, &key).await?;
    }

    let (from, to) = (wiring::open_media(settings, &source)?, wiring::open_media(settings, &target)?);
    let missing = bring_files(&source, &from, &to).await?;

    match transfer::copy(&source, &target, surroundings.clock.now()).await {
        Ok(reports) => show(&reports)?,
        Err(TransferError::Differs(reports)) => {
            show(&reports)?;
            return Err(TransferError::Differs(reports).into());
        }
        Err(error) => return Err(error.into()),
    }
    // PostgreSQL's full-text index followed by itself.
    while !target.is_postgres() && target.write(|tx| search_index::extend(tx, PAGE)).await? {}
    let kept = look_at_files(&target, &to, &missing).await?;
    let reach = if to.is_shared() {
        ", where every node finds them"
    } else {
        "; nodes elsewhere need that folder too"
    };
    output::line(format_args!("{kept} files are kept in {}{reach}", to.whereabouts()))?;
    for (account, key) in &missing {
        output::note(format_args!("Warning: the file {account}/{key} was missing before and still is."));
    }
    target.close().await;
    output::note(
        "Set DATABASE_URL to the target on every node, give every node the same secret key as before, and start. The source \
         was not changed: keep it until you trust the target, but start no server on it any more.",
    );
    Ok(())
}

fn sqlite_path(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"))?;
    Some(PathBuf::from(path.split('?').next().unwrap_or(path)))
}

/// Every file that `store` knows of, in pages.
async fn files(store: &Store, after: &(AccountId, String)) -> anyhow::Result<Vec<(AccountId, String)>> {
    let after = after.clone();
    Ok(store.read(move |tx| attachments::list_kept_after(tx, &after, PAGE)).await?)
}

/// Puts the bytes of all files where the target looks for them; returns those that are not there any more.
async fn bring_files(
    source: &Store,
    from: &MediaStore,
    to: &MediaStore,
) -> anyhow::Result<Vec<(AccountId, String)>> {
    let (mut missing, mut after) = (Vec::new(), (AccountId(0), String::new()));
    loop {
        let page = files(source, &after).await?;
        let Some(last) = page.last() else { return Ok(missing) };
        after = last.clone();
        for (account, key) in page {
            match from.bring(to, account, &key).await {
                Err(MediaStoreError::Missing) => missing.push((account, key)),
                brought => brought.with_context(|| format!("the file {account}/{key} could not be moved"))?,
            }
        }
    }
}

/// Compares the bytes of every file with its name, which was made of them; returns how many there are.
async fn look_at_files(
    target: &Store,
    media: &MediaStore,
    missing: &[(AccountId, String)],
) -> anyhow::Result<usize> {
    let (mut kept, mut after) = (0, (AccountId(0), String::new()));
    loop {
        let page = files(target, &after).await?;
        let Some(last) = page.last() else { return Ok(kept) };
        after = last.clone();
        for file in page.iter().filter(|file| !missing.contains(file)) {
            let (account, key) = file;
            if !media.is_sound(*account, key).await? {
                bail!("the file {account}/{key} is not in the target as it was in the source: move again");
            }
            kept += 1;
        }
    }
}

fn show(reports: &[TableReport]) -> anyhow::Result<()> {
    let row = |report: &TableReport| {
        let TableReport { name, source, target } = report;
        let verdict = if report.is_same() { "same" } else { "DIFFERENT" };
        [
            name.clone(),
            source.rows.to_string(),
            target.rows.to_string(),
            source.short(),
            target.short(),
            verdict.to_owned(),
        ]
    };
    let rows: Vec<_> = reports.iter().map(row).collect();
    Ok(output::table(["table", "rows there", "rows here", "content there", "content here", ""], &rows)?)
}
