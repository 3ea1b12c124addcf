//! `frontdesk backup FILE`: a copy of the database, taken while the server runs.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use frontdesk_store::sqlite_file;

use super::{Surroundings, UsageError, archive, output};
use crate::settings::Settings;

#[derive(Args)]
pub struct Backup {
    /// New file to write. With a name that ends in .tar it holds the database and the kept files; with any other name
    /// it is the database alone, as a SQLite file
    file: PathBuf,
}

pub async fn run(backup: Backup, surroundings: &Surroundings) -> anyhow::Result<()> {
    let database = database_file(&surroundings.settings)?;
    let media = surroundings.settings.storage.data_dir.join(archive::MEDIA);
    tokio::task::spawn_blocking(move || write(&backup.file, &database, &media)).await??;
    output::note(
        "The key that stored credentials are encrypted with is not in the backup: keep a copy of it apart from this one.",
    );
    Ok(())
}

/// The SQLite file of the settings. PostgreSQL has better tools than we could be.
pub fn database_file(settings: &Settings) -> anyhow::Result<PathBuf> {
    let url = settings.database_url();
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"));
    path.map(|path| PathBuf::from(path.split('?').next().unwrap_or(path))).ok_or_else(|| {
        let message = "the database is not SQLite: back it up with `pg_dump --format=custom --file=FILE`, restore it \
            with `pg_restore --clean --if-exists --dbname=NAME FILE`, and copy the folder of kept files (media in the \
            data folder) beside it";
        UsageError(message.to_owned()).into()
    })
}

fn write(file: &Path, database: &Path, media: &Path) -> anyhow::Result<()> {
    if file.exists() {
        bail!("{} exists already; backups are not written over", file.display());
    }
    if !database.exists() {
        bail!("there is no database at {}", database.display());
    }
    let failed = || format!("the backup {} could not be written", file.display());
    if file.extension().is_some_and(|extension| extension == "tar") {
        // The copy lies beside the archive for a moment: room is needed there anyway.
        let beside = file.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = tempfile::tempdir_in(beside).with_context(failed)?;
        let copy = folder.path().join(archive::DATABASE);
        sqlite_file::copy(database, &copy).with_context(failed)?;
        let unfinished = tempfile::NamedTempFile::new_in(beside).with_context(failed)?;
        archive::write(unfinished.as_file().try_clone()?, &copy, media).with_context(failed)?;
        unfinished.persist_noclobber(file).map_err(|e| e.error).with_context(failed)?;
    } else {
        sqlite_file::copy(database, file).with_context(failed)?;
        if media.is_dir() {
            output::note(format_args!(
                "This is the database alone; the kept files in {} are not in it. A name ending in .tar takes both.",
                media.display()
            ));
        }
    }
    let size = File::open(file)?.metadata()?.len();
    Ok(output::line(format_args!("{} ({size} bytes)", file.display()))?)
}
