//! Cleans up behind workers that died: claims go back to the queue, sends become unknown.

use frontdesk_model::Timestamp;
use frontdesk_model::message::{MessageStatus, StatusError};
use frontdesk_store::{StoreError, Tx, deliveries, outbox};

use super::{record, send};
use crate::Engine;

/// Looks for leases that ran out.
pub(crate) async fn sweep(engine: &Engine) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let settle_at = now.plus_ms(engine.settings.outbox.unknown_settle_ms);
    engine.store.write(move |tx| end_leases(tx, now, settle_at, now)).await
}

/// Takes over what a former self left behind, without waiting for its leases. Only where one process has the database
/// to itself, which is so on SQLite.
pub(crate) async fn take_over(engine: &Engine) -> Result<(), StoreError> {
    if engine.store.is_postgres() {
        return Ok(());
    }
    let now = engine.clock.now();
    let settle_at = now.plus_ms(engine.settings.outbox.unknown_settle_ms);
    engine.store.write(move |tx| end_leases(tx, Timestamp::from_millis(i64::MAX), settle_at, now)).await
}

fn end_leases(
    tx: &mut Tx<'_>,
    ended: Timestamp,
    settle_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    outbox::release_expired_claims(tx, ended)?;
    for row in outbox::expire_sends(tx, ended, settle_at)? {
        let error = StatusError {
            code: "INTERRUPTED".to_owned(),
            message: "The server stopped while this was being sent.".to_owned(),
            action: None,
        };
        if let Some(message) = row.message_id {
            deliveries::interrupt(tx, row.account_id, message, row.id, &error.message, now)?;
        }
        record::raise(tx, &row, MessageStatus::Unknown, Some(&error), now)?;
        send::span_of(&row)
            .in_scope(|| tracing::warn!("a send was interrupted: nobody knows what became of it"));
    }
    Ok(())
}
