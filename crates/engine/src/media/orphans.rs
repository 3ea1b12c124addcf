//! Bytes that nobody needs any more. They go first and their row afterwards, so that an interruption leaves the row,
//! which tells what is still to be done.

use frontdesk_model::{AccountId, AttachmentId, Timestamp};
use frontdesk_store::attachments::{self, KeptFile};
use frontdesk_store::{StoreError, Tx};

use crate::Engine;

/// Files looked at together.
const PAGE: i64 = 200;

/// Removes discarded files, and their bytes unless another file has the same.
pub(crate) async fn sweep_discarded(engine: &Engine) -> Result<(), StoreError> {
    loop {
        let page = engine.store.read(|tx| attachments::list_discarded(tx, PAGE)).await?;
        let mut removed = 0;
        for (id, account, key) in &page {
            let (id, account) = (*id, *account);
            let needed = move |tx: &mut Tx<'_>, key: &str| attachments::is_needed(tx, account, key);
            if remove_bytes(engine, account, key.as_deref(), needed).await? {
                engine.store.write(move |tx| attachments::delete_discarded(tx, account, id)).await?;
                removed += 1;
            }
        }
        if removed == 0 {
            return Ok(()); // nothing left, or what is left failed: tried again later
        }
    }
}

/// Lets go of the bytes of messages' files that came before `before`; their messages say that they were kept no longer.
pub(crate) async fn expire(engine: &Engine, before: Timestamp) -> Result<(), StoreError> {
    let mut after = AttachmentId(0);
    loop {
        let page: Vec<KeptFile> =
            engine.store.read(move |tx| attachments::list_expired(tx, after, before, PAGE)).await?;
        let Some((last, ..)) = page.last() else { return Ok(()) };
        after = *last;
        for (id, account, key) in page {
            let wanted = move |tx: &mut Tx<'_>, key: &str| attachments::is_wanted(tx, account, key, before);
            if remove_bytes(engine, account, key.as_deref(), wanted).await? {
                let reason = "The file is kept no longer: its time has passed.";
                engine.store.write(move |tx| attachments::expire(tx, account, id, reason)).await?;
            }
        }
    }
}

/// False when the bytes could not be removed.
async fn remove_bytes(
    engine: &Engine,
    account: AccountId,
    key: Option<&str>,
    needed: impl Fn(&mut Tx<'_>, &str) -> Result<bool, StoreError> + Send + 'static,
) -> Result<bool, StoreError> {
    let Some(key) = key else { return Ok(true) };
    let asked = key.to_owned();
    if engine.store.read(move |tx| needed(tx, &asked)).await? {
        return Ok(true);
    }
    match engine.media().remove(account, key).await {
        Ok(()) => Ok(true),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "a file nobody needs could not be removed");
            Ok(false)
        }
    }
}
