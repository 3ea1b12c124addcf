//! Key, data folder, disk and clock.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::UNIX_EPOCH;

use frontdesk_model::Timestamp;

use super::finding::Finding;
use crate::secret_key;
use crate::settings::Settings;

/// Below this much room backups and media soon fail.
const LITTLE_ROOM: u64 = 1 << 30;
/// Below this much room the database soon fails.
const NO_ROOM: u64 = 100 << 20;
/// How far the clocks of program and disk may be apart: signed requests are refused from 300 s on.
const CLOCK_TOLERANCE_MS: i64 = 30_000;

pub fn check_key(settings: &Settings) -> Vec<Finding> {
    let path = settings.key_file();
    let shown = path.display();
    let key = match secret_key::load(settings) {
        Ok(key) => key,
        Err(error) => {
            let advice = format!("make one with: openssl rand -hex 32 > {shown} && chmod 600 {shown}");
            return vec![Finding::fail("key", format!("{error:#}"), advice)];
        }
    };
    if settings.secret.key.is_some() {
        return vec![Finding::ok("key", "given in the settings")];
    }
    if key.is_none() {
        return vec![Finding::ok("key", format!("{shown} does not exist yet; the first start makes it"))];
    }
    let others = std::fs::metadata(&path).map(|metadata| metadata.permissions().mode() & 0o077);
    match others {
        Ok(0) => vec![Finding::ok("key", format!("{shown} is readable by its owner alone"))],
        Ok(_) => vec![Finding::fail(
            "key",
            format!("{shown} is readable by others: they can read the credentials of every inbox"),
            format!("chmod 600 {shown}"),
        )],
        Err(error) => vec![Finding::fail("key", format!("{shown}: {error}"), "check its permissions")],
    }
}

pub fn check_folder(settings: &Settings) -> Vec<Finding> {
    let folder = &settings.storage.data_dir;
    let shown = folder.display();
    if !folder.exists() {
        return vec![Finding::ok("folder", format!("{shown} does not exist yet; the first start makes it"))];
    }
    match tempfile::tempfile_in(folder) {
        Ok(_) => vec![Finding::ok("folder", format!("{shown} can be written to"))],
        Err(error) => vec![Finding::fail(
            "folder",
            format!("{shown} cannot be written to: {error}"),
            "give it to the user that the server runs as",
        )],
    }
}

pub fn check_disk(settings: &Settings) -> Vec<Finding> {
    let folder = existing(&settings.storage.data_dir);
    let free = match rustix::fs::statvfs(folder) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(error) => {
            return vec![Finding::warn(
                "disk",
                format!("free space cannot be told: {error}"),
                "look with df",
            )];
        }
    };
    vec![tell_room(free, &settings.storage.data_dir)]
}

fn tell_room(free: u64, folder: &Path) -> Finding {
    let message = format!("{} MiB free for {}", free >> 20, folder.display());
    match free {
        0..NO_ROOM => Finding::fail("disk", message, "make room now: the database cannot grow"),
        NO_ROOM..LITTLE_ROOM => Finding::warn("disk", message, "make room, or move the data folder"),
        _ => Finding::ok("disk", message),
    }
}

/// Compares the clock with the one of the disk, which on a network disk is another machine's.
pub fn check_clock(settings: &Settings, now: Timestamp) -> Vec<Finding> {
    let written =
        tempfile::tempfile_in(existing(&settings.storage.data_dir)).and_then(|f| f.metadata()?.modified());
    let Some(age) = written.ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()) else {
        return Vec::new(); // check_folder says why nothing can be written
    };
    let on_disk = Timestamp::from_millis(i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
    let apart = on_disk.millis_since(now).abs();
    vec![if apart > CLOCK_TOLERANCE_MS {
        Finding::fail(
            "clock",
            format!("the clock says {now}, the disk's {on_disk}"),
            "set both by NTP: signed requests with a wrong time are refused",
        )
    } else {
        Finding::ok("clock", format!("{now}, as the disk's"))
    }]
}

/// The folder, or the nearest above it that exists.
fn existing(folder: &Path) -> &Path {
    let found = folder.ancestors().find(|f| f.exists());
    found.filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_room_is_told_before_there_is_none() {
        let told = |free| {
            serde_json::to_value(tell_room(free, Path::new("/data"))).map(|told| told["level"].clone())
        };
        for (free, level) in [
            (0, "fail"),
            (NO_ROOM - 1, "fail"),
            (NO_ROOM, "warn"),
            (LITTLE_ROOM - 1, "warn"),
            (LITTLE_ROOM, "ok"),
        ] {
            assert_eq!(told(free).ok(), Some(level.into()), "{free} bytes");
        }
    }
}
