//! The key that stored secrets are encrypted with: from the settings, from a file, or made on the first start.

use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::Context;
use rand::RngCore;
use secrecy::ExposeSecret;

use crate::settings::{Settings, SettingsError};

/// 32 bytes.
pub type SecretKey = [u8; 32];

/// The key that the settings give or name. A key file that does not exist yet is made, readable by its owner alone.
pub fn load_or_make(settings: &Settings) -> anyhow::Result<SecretKey> {
    if let Some(key) = load(settings)? {
        return Ok(key);
    }
    let path = settings.key_file();
    make(&path).with_context(|| format!("the key file {} cannot be made", path.display()))?;
    tracing::info!(path = %path.display(), "Made the key that stored secrets are encrypted with; keep a copy apart from the backups");
    // Another process may have been faster; what lies there now is the key.
    load(settings)?.with_context(|| format!("the key file {} has vanished", path.display()))
}

/// The key that the settings give or name; `None` when its file does not exist yet.
pub fn load(settings: &Settings) -> anyhow::Result<Option<SecretKey>> {
    if let Some(key) = &settings.secret.key {
        let place = "FRONTDESK_SECRET_KEY".to_owned();
        return Ok(Some(parse(key.expose_secret()).ok_or(SettingsError::Key { place })?));
    }
    let path = settings.key_file();
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let place = path.display().to_string();
            Ok(Some(parse(&text).ok_or(SettingsError::Key { place })?))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("the key file {} cannot be read", path.display())),
    }
}

fn parse(text: &str) -> Option<SecretKey> {
    hex::decode(text.trim()).ok()?.try_into().ok()
}

/// Writes a new key beside its place and links it there in one step: another process sees all of it or nothing.
fn make(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut key = SecretKey::default();
    rand::rng().fill_bytes(&mut key);
    // Made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    writeln!(file, "{}", hex::encode(key))?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => std::fs::File::open(folder)?.sync_all(),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::settings::Environment;

    fn settings(folder: &Path) -> Settings {
        let environment = Environment::of([("FRONTDESK_DATA_DIR", folder.to_str().unwrap())]);
        Settings::load(None, &environment).unwrap()
    }

    #[test]
    fn the_first_start_makes_a_key_and_the_next_uses_it() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(&folder.path().join("data"));
        assert_eq!(load(&settings).unwrap(), None);
        let made = load_or_make(&settings).unwrap();
        assert_ne!(made, [0; 32]);
        assert_eq!(load_or_make(&settings).unwrap(), made);
        let mode = std::fs::metadata(settings.key_file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn two_first_starts_at_once_agree_on_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let keys: Vec<SecretKey> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| load_or_make(&settings).unwrap())).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[test]
    fn a_key_that_is_no_key_is_refused_without_showing_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(folder.path());
        std::fs::write(settings.key_file(), "hunter2").unwrap();
        let error = load(&settings).unwrap_err();
        assert!(error.to_string().contains("must be 64 hex digits"));
        settings.secret.key = Some("hunter2".to_owned().into());
        let error = format!("{:?}", load(&settings).unwrap_err());
        assert!(error.contains("64 hex digits") && !error.contains("hunter2"), "{error}");
    }
}
