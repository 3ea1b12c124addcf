//! Cleans up behind workers that died: claims go back to the queue, sends become unknown.

use frontdesk_model::message::{MessageStatus, StatusError};
use frontdesk_store::{StoreError, outbox};

use super::record;
use crate::Engine;

/// Looks for leases that ran out.
pub(crate) async fn sweep(engine: &Engine) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let settle_ms = engine.settings.outbox.unknown_settle_ms;
    engine
        .store
        .write(move |tx| {
            outbox::release_expired_claims(tx, now)?;
            for row in outbox::expire_sends(tx, now, settle_ms)? {
                let error = StatusError {
                    code: "INTERRUPTED".to_owned(),
                    message: "The server stopped while this was being sent.".to_owned(),
                    action: None,
                };
                record::raise(tx, &row, MessageStatus::Unknown, Some(&error), now)?;
            }
            Ok(())
        })
        .await
}
