//! What a session keeps, in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use frontdesk_channels::contract::{KeyChange, KeysError, SessionKeys};

type Kept = (Vec<u8>, Option<i64>);

/// Values by namespace and key.
#[derive(Default)]
pub struct MemoryKeys {
    kept: Mutex<BTreeMap<(String, String), Kept>>,
    fails: AtomicBool,
}

impl MemoryKeys {
    /// How many values there are.
    pub fn count(&self) -> usize {
        self.kept.lock().unwrap().len()
    }

    /// From now on nothing can be written, or it can again.
    pub fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }
}

#[async_trait]
impl SessionKeys for MemoryKeys {
    async fn get(&self, space: &str, key: &str) -> Result<Option<Vec<u8>>, KeysError> {
        Ok(self.kept.lock().unwrap().get(&(space.to_owned(), key.to_owned())).map(|(value, _)| value.clone()))
    }

    async fn list(&self, space: &str, after: &str, limit: u32) -> Result<Vec<(String, Vec<u8>)>, KeysError> {
        let kept = self.kept.lock().unwrap();
        let of_space = kept.iter().filter(|((s, key), _)| s == space && key.as_str() > after);
        Ok(of_space.take(limit as usize).map(|((_, key), (value, _))| (key.clone(), value.clone())).collect())
    }

    async fn write(&self, changes: Vec<KeyChange>) -> Result<(), KeysError> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(KeysError("the disk is full".to_owned()));
        }
        let mut kept = self.kept.lock().unwrap();
        for change in changes {
            match change {
                KeyChange::Put { space, key, value, numbers } => {
                    kept.insert((space.to_owned(), key), (value, numbers.0));
                }
                KeyChange::Delete { space, key } => {
                    kept.remove(&(space.to_owned(), key));
                }
                KeyChange::DeleteBelow { space, below } => {
                    kept.retain(|(s, _), (_, number)| {
                        s != space || number.is_none_or(|number| number >= below)
                    });
                }
                KeyChange::ClearSpace(space) => kept.retain(|(s, _), _| s != space),
                KeyChange::Clear => kept.clear(),
            }
        }
        Ok(())
    }
}
