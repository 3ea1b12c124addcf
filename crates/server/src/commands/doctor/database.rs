//! The database: reachable, sound, of a schema this program knows, made with the key at hand.

use std::path::{Path, PathBuf};

use frontdesk_engine::media::MediaStore;
use frontdesk_model::user::Role;
use frontdesk_model::{SharedClock, UserId};
use frontdesk_store::{LATEST_SCHEMA, Store, StoreError, Tx, accounts, attachments, sqlite_file, users};

use super::finding::{Finding, chain};
use crate::commands::backup::database_file;
use crate::settings::Settings;
use crate::{secret_key, wiring};

/// A log that has grown beyond this is not being folded into the database.
const LARGE_WAL: u64 = 256 << 20;
/// How many files are looked for.
const SAMPLE: i64 = 20;
/// Users on one page of a list from the database.
const PAGE: i64 = 500;

/// Checks the database; returns it open when the rest of the checks can read it.
pub async fn check(settings: &Settings, clock: SharedClock) -> (Vec<Finding>, Option<Store>) {
    let mut findings = Vec::new();
    if let Ok(file) = database_file(settings) {
        if !file.exists() {
            let message = format!("{} does not exist yet; the first start makes it", file.display());
            return (vec![Finding::ok("database", message)], None);
        }
        let checked = file.clone();
        let fault = tokio::task::spawn_blocking(move || examine(&checked)).await;
        if let Ok(Some(fault)) = fault {
            return (vec![fault], None);
        }
        findings.extend(check_log(&file));
    }
    let store = match wiring::open_store(settings, clock).await {
        Ok(store) => store,
        Err(error) => {
            let advice = "start the database, or correct DATABASE_URL";
            return (vec![Finding::fail("database", format!("{error:#}"), advice)], None);
        }
    };
    let (finding, usable) = match store.schema_version().await {
        Ok(LATEST_SCHEMA) => (Finding::ok("database", format!("sound, schema {LATEST_SCHEMA}")), true),
        Ok(found) if found > LATEST_SCHEMA => (newer(found), false),
        Ok(found) => {
            let message = format!("the schema is {found}, this program's is {LATEST_SCHEMA}");
            let advice = "the next start brings it up to date; back up first: frontdesk backup FILE";
            (Finding::warn("database", message, advice), false)
        }
        Err(error) => {
            let message = chain(error);
            (Finding::fail("database", message, "start the database, or correct DATABASE_URL"), false)
        }
    };
    findings.push(finding);
    if !usable {
        return (findings, None);
    }
    match check_key(settings, &store).await {
        Some(fault) => {
            findings.push(fault);
            (findings, None)
        }
        None => (findings, Some(store)),
    }
}

/// Whether the key at hand opens what the database holds.
async fn check_key(settings: &Settings, store: &Store) -> Option<Finding> {
    let advice = "bring back the key that was used before: without it, enter every inbox's credentials again";
    match secret_key::load(settings) {
        Ok(Some(key)) => {
            let error = wiring::key_fits(store, &key).await.err()?;
            Some(Finding::fail("key", format!("{error:#}"), advice))
        }
        Ok(None) if wiring::has_key(store).await.unwrap_or(false) => {
            let file = settings.key_file();
            let message = format!("{} is missing, but the database was made with a key", file.display());
            Some(Finding::fail("key", message, advice))
        }
        _ => None, // no key yet, or one that the key's own check refuses
    }
}

/// Whether somebody can sign in.
pub async fn check_people(store: &Store) -> Vec<Finding> {
    match store.read(has_admin).await {
        Ok(false) => vec![Finding::warn(
            "users",
            "there is no administrator, so nobody can set anything up on the page",
            "frontdesk user create --email ada@example.org --name Ada --role admin --password-stdin",
        )],
        Ok(true) => vec![Finding::ok("users", "an administrator can sign in")],
        Err(error) => vec![Finding::fail("users", chain(error), "see the database's finding")],
    }
}

/// Whether files can be kept where all nodes find them, and those that the database knows are there: not so when the
/// folder is not the one that the other nodes use.
pub async fn check_media(settings: &Settings, store: &Store) -> Vec<Finding> {
    let media = match MediaStore::open(&settings.storage.data_dir, &settings.media, store) {
        Ok(media) => media,
        Err(error) => return vec![Finding::fail("media", chain(error), "mend the settings of media.s3")],
    };
    let place = media.whereabouts();
    if let Err(error) = media.probe().await {
        let message = format!("no file can be kept in {place}: {}", chain(error));
        return vec![Finding::fail(
            "media",
            message,
            "see the reason; until it is mended no file comes or goes",
        )];
    }
    let newest = match store.read(|tx| attachments::list_newest(tx, SAMPLE)).await {
        Ok(newest) => newest,
        Err(error) => return vec![Finding::fail("media", chain(error), "see the database's finding")],
    };
    let mut missing = 0;
    for (account, key) in &newest {
        if !media.is_sound(*account, key).await.unwrap_or(false) {
            missing += 1;
        }
    }
    let looked = newest.len();
    if missing == 0 {
        return vec![Finding::ok("media", format!("the newest {looked} files are in {place}"))];
    }
    vec![Finding::fail(
        "media",
        format!("{missing} of the newest {looked} files are not in {place}"),
        "give every node the same folder when media.shared_folder is set; otherwise bring the files back from a backup",
    )]
}

fn has_admin(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    for account in accounts::list(tx)? {
        let mut after = UserId(0);
        loop {
            let page = users::list(tx, account.id, after, PAGE)?;
            if page.iter().any(|user| user.role == Role::Admin && user.disabled_at.is_none()) {
                return Ok(true);
            }
            let Some(last) = page.last() else { break };
            after = last.id;
        }
    }
    Ok(false)
}

fn examine(file: &Path) -> Option<Finding> {
    let advice =
        "stop the server, keep a copy of the file, and restore the newest backup: frontdesk restore FILE";
    match sqlite_file::examine(file, false) {
        Ok(report) if !report.faults.is_empty() => {
            let message = format!("{} is damaged: {}", file.display(), report.faults.join("; "));
            Some(Finding::fail("database", message, advice))
        }
        Ok(report) if report.schema > LATEST_SCHEMA => Some(newer(report.schema)),
        Ok(_) => None,
        Err(error) => {
            let message = format!("{}: {}", file.display(), chain(error));
            Some(Finding::fail("database", message, advice))
        }
    }
}

fn newer(found: i64) -> Finding {
    let error = StoreError::NewerSchema { found, known: LATEST_SCHEMA };
    Finding::fail("database", error.to_string(), "install the newer version again")
}

fn check_log(file: &Path) -> Option<Finding> {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    let size = PathBuf::from(log).metadata().ok()?.len();
    (size > LARGE_WAL).then(|| {
        Finding::warn(
            "database",
            format!("the write-ahead log has grown to {} MiB", size >> 20),
            "a program that reads the database keeps it from being folded in: end it, or restart the server",
        )
    })
}
