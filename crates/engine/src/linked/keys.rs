//! What a driver keeps, sealed in the database.

use async_trait::async_trait;
use frontdesk_channels::contract::{KeyChange, KeysError, SessionKeys};
use frontdesk_model::InboxId;
use frontdesk_store::{StoreError, linked_keys};

use crate::vault::VaultError;
use crate::{Engine, WeakEngine};

/// The keys of one session.
pub(super) struct Keys {
    engine: WeakEngine,
    inbox: InboxId,
}

impl Keys {
    pub(super) fn new(engine: &Engine, inbox: InboxId) -> Self {
        Self { engine: engine.downgrade(), inbox }
    }

    fn engine(&self) -> Result<Engine, KeysError> {
        self.engine.upgrade().ok_or_else(|| KeysError("the server is stopping".to_owned()))
    }

    /// A value opens in the place it was sealed for, and nowhere else.
    fn purpose(&self, space: &str, key: &str) -> String {
        format!("linked_keys:{}:{space}:{key}", self.inbox)
    }
}

fn not_stored(error: StoreError) -> KeysError {
    KeysError(error.to_string())
}

fn not_opened(error: VaultError) -> KeysError {
    KeysError(error.to_string())
}

#[async_trait]
impl SessionKeys for Keys {
    async fn get(&self, space: &str, key: &str) -> Result<Option<Vec<u8>>, KeysError> {
        let (engine, inbox) = (self.engine()?, self.inbox);
        let (in_space, name) = (space.to_owned(), key.to_owned());
        let sealed = engine.store.read(move |tx| linked_keys::get(tx, inbox, &in_space, &name)).await;
        let sealed = sealed.map_err(not_stored)?;
        sealed
            .map(|sealed| engine.vault.open(&self.purpose(space, key), &sealed))
            .transpose()
            .map_err(not_opened)
    }

    async fn list(&self, space: &str, after: &str, limit: u32) -> Result<Vec<(String, Vec<u8>)>, KeysError> {
        let (engine, inbox) = (self.engine()?, self.inbox);
        let (in_space, after) = (space.to_owned(), after.to_owned());
        let listed = engine
            .store
            .read(move |tx| linked_keys::list(tx, inbox, &in_space, &after, i64::from(limit)))
            .await
            .map_err(not_stored)?;
        listed
            .into_iter()
            .map(|(key, sealed)| {
                let value = engine.vault.open(&self.purpose(space, &key), &sealed).map_err(not_opened)?;
                Ok((key, value))
            })
            .collect()
    }

    async fn write(&self, changes: Vec<KeyChange>) -> Result<(), KeysError> {
        let (engine, inbox) = (self.engine()?, self.inbox);
        let sealed: Vec<KeyChange> = changes
            .into_iter()
            .map(|change| match change {
                KeyChange::Put { space, key, value, numbers } => {
                    let value = engine.vault.seal(&self.purpose(space, &key), &value).map_err(not_opened)?;
                    Ok(KeyChange::Put { space, key, value, numbers })
                }
                other => Ok(other),
            })
            .collect::<Result<_, KeysError>>()?;
        let written = engine.store.write(move |tx| {
            for change in &sealed {
                match change {
                    KeyChange::Put { space, key, value, numbers } => {
                        linked_keys::put(tx, inbox, space, key, value, *numbers)?;
                    }
                    KeyChange::Delete { space, key } => linked_keys::delete(tx, inbox, space, key)?,
                    KeyChange::DeleteBelow { space, below } => {
                        linked_keys::delete_below(tx, inbox, space, *below)?;
                    }
                    KeyChange::ClearSpace(space) => linked_keys::clear_space(tx, inbox, space)?,
                    KeyChange::Clear => linked_keys::clear(tx, inbox)?,
                }
            }
            Ok::<_, StoreError>(())
        });
        written.await.map_err(not_stored)
    }
}
