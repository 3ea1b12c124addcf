//! Who uses a data folder: servers share it, a restore needs it alone.

use std::fs::{File, TryLockError};
use std::path::Path;

use anyhow::{Context, bail};

const FILE: &str = "frontdesk.lock";

/// Holds a data folder until dropped, also when the process is killed.
pub struct DataLock(File);

impl DataLock {
    /// Takes the folder together with other servers.
    pub fn share(folder: &Path) -> anyhow::Result<Self> {
        let file = open(folder)?;
        match file.try_lock_shared() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => {
                bail!("{} is being restored; start again when that is done", folder.display())
            }
            Err(TryLockError::Error(error)) => Err(error).context("the data folder cannot be locked"),
        }
    }

    /// Takes the folder alone.
    pub fn alone(folder: &Path) -> anyhow::Result<Self> {
        let file = open(folder)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => {
                bail!("a server is running on {}: stop it first", folder.display())
            }
            Err(TryLockError::Error(error)) => Err(error).context("the data folder cannot be locked"),
        }
    }
}

impl Drop for DataLock {
    fn drop(&mut self) {
        let _ = self.0.unlock(); // closing the file does it too
    }
}

fn open(folder: &Path) -> anyhow::Result<File> {
    let made = std::fs::create_dir_all(folder);
    made.with_context(|| format!("the data folder {} cannot be made", folder.display()))?;
    let path = folder.join(FILE);
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    file.with_context(|| format!("{} cannot be opened", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_share_a_folder_and_a_restore_has_it_alone() {
        let folder = tempfile::tempdir().unwrap();
        let one = DataLock::share(folder.path()).unwrap();
        let two = DataLock::share(folder.path()).unwrap();
        assert!(DataLock::alone(folder.path()).is_err());
        drop((one, two));
        let restore = DataLock::alone(folder.path()).unwrap();
        assert!(DataLock::share(folder.path()).is_err());
        drop(restore);
        DataLock::share(folder.path()).unwrap();
    }
}
