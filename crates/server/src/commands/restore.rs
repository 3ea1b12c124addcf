//! `frontdesk restore FILE`: puts a backup in place, after looking it over.
//!
//! Nothing is deleted: with `--force` what was there is kept beside it under a name with the time.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use frontdesk_model::Timestamp;
use frontdesk_store::{LATEST_SCHEMA, StoreError, sqlite_file};

use super::backup::database_file;
use super::{Surroundings, archive, output};
use crate::data_lock::DataLock;
use crate::{secret_key, wiring};

#[derive(Args)]
pub struct Restore {
    /// A file written by `frontdesk backup`
    file: PathBuf,
    /// Also when there are data already; they are kept under another name
    #[arg(long)]
    force: bool,
}

/// Where a backup goes.
struct Place {
    data_dir: PathBuf,
    database: PathBuf,
}

pub async fn run(restore: Restore, surroundings: &Surroundings) -> anyhow::Result<()> {
    let settings = &surroundings.settings;
    let place = Place { data_dir: settings.storage.data_dir.clone(), database: database_file(settings)? };
    let now = surroundings.clock.now();
    tokio::task::spawn_blocking(move || put_in_place(&restore, &place, now)).await??;

    // Credentials in it open only with the key it was made with.
    match secret_key::load(settings)? {
        None => output::note(format_args!(
            "There is no key yet: put the one this backup was made with at {} before the next start.",
            settings.key_file().display()
        )),
        Some(key) => {
            let store = wiring::open_store(settings, surroundings.clock.clone()).await?;
            if let Err(error) = wiring::key_fits(&store, &key).await {
                output::note(format_args!("Warning: {error:#}."));
            }
        }
    }
    Ok(())
}

fn put_in_place(restore: &Restore, place: &Place, now: Timestamp) -> anyhow::Result<()> {
    let shown = restore.file.display();
    let mut file = File::open(&restore.file).with_context(|| format!("the backup {shown} cannot be read"))?;
    let _lock = DataLock::alone(&place.data_dir)?;
    let media = place.data_dir.join(archive::MEDIA);
    let occupied = |path: &Path| path.metadata().is_ok_and(|m| m.len() > 0);
    if !restore.force && occupied(&place.database) {
        bail!(
            "there is a database already at {}; --force puts the backup in its place and keeps it under another name",
            place.database.display()
        );
    }

    // Beside its place, so that the last step is a rename.
    let beside = place.database.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(beside)?;
    let folder = tempfile::tempdir_in(beside).context("there is no room for the backup")?;
    let unpacked = folder.path().join(archive::DATABASE);
    let with_media = archive::is_archive(&mut file)?;
    if with_media {
        archive::unpack(file, folder.path())?;
    } else {
        let mut target = File::create_new(&unpacked)?;
        std::io::copy(&mut file, &mut target).context("the backup could not be copied")?;
        target.sync_all()?;
    }
    check(&unpacked).with_context(|| format!("{shown} was not restored"))?;

    let old = format!("before-restore-{}", now.as_secs());
    for suffix in ["-wal", "-shm", ""] {
        let path = with_suffix(&place.database, suffix);
        set_aside(&path, &with_suffix(&place.database, &format!(".{old}{suffix}")))?;
    }
    if with_media {
        set_aside(&media, &place.data_dir.join(format!("{}.{old}", archive::MEDIA)))?;
        let unpacked_media = folder.path().join(archive::MEDIA);
        if unpacked_media.is_dir() {
            std::fs::rename(&unpacked_media, &media).or_else(|_| copy_folder(&unpacked_media, &media))?;
        }
    }
    std::fs::rename(&unpacked, &place.database)?;
    File::open(beside)?.sync_all()?;
    Ok(output::line(format_args!("restored {shown} to {}", place.database.display()))?)
}

/// Refuses a file that is no sound database of ours, or one of a newer program.
fn check(database: &Path) -> anyhow::Result<()> {
    let report = sqlite_file::examine(database, true).context("it is no SQLite database")?;
    if !report.faults.is_empty() {
        bail!("the backup is damaged: {}", report.faults.join("; "));
    }
    if report.schema == 0 {
        bail!("it is a database, but not one of Frontdesk");
    }
    if report.schema > LATEST_SCHEMA {
        return Err(StoreError::NewerSchema { found: report.schema, known: LATEST_SCHEMA }.into());
    }
    Ok(())
}

fn set_aside(path: &Path, to: &Path) -> anyhow::Result<()> {
    if path.exists() {
        std::fs::rename(path, to).with_context(|| format!("{} could not be set aside", path.display()))?;
        output::note(format_args!("Kept what was there as {}", to.display()));
    }
    Ok(())
}

/// For a data folder that is on another disk than the database.
fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
