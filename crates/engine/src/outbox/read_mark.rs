//! Telling a customer that we read: a courtesy, repeated without harm.

use frontdesk_channels::contract::Retry;
use frontdesk_model::RemoteId;
use frontdesk_model::outbound::Recipient;
use frontdesk_store::outbox::OutboxRow;
use frontdesk_store::{StoreError, contacts, conversations};
use tracing::Span;

use super::{record, verdict};
use crate::{Engine, inboxes};

/// Read marks are a courtesy: after this many tries they are left.
const MAX_READ_TRIES: i64 = 5;

/// Carries out a claimed row of this kind.
pub(super) async fn carry_out(engine: &Engine, row: &OutboxRow, token: &str) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let book = inboxes::book(engine).await?;
    let line =
        book.find(row.inbox_id).filter(|i| i.enabled).map(|inbox| engine.connections().line(engine, inbox));
    let Some(line) = line else { return record::drop_work(engine, row, token).await };
    Span::current().record("channel", line.channel);
    let (Ok(connection), Some(target)) = (&line.connection, row.data.clone()) else {
        return record::drop_work(engine, row, token).await;
    };
    let Some(receipts) = connection.receipts() else { return record::drop_work(engine, row, token).await };
    let Ok(pass) = line.breaker.admit(now) else { return record::drop_work(engine, row, token).await };
    let (account, conversation) = (row.account_id, row.conversation_id);
    let recipient = engine
        .store
        .read(move |tx| {
            let Some(row) = conversations::find(tx, account, conversation)? else { return Ok(None) };
            let identities = contacts::identities(tx, account, row.contact_id)?;
            Ok::<_, StoreError>(Some(Recipient { thread: row.thread, identities }))
        })
        .await?;
    let Some(recipient) = recipient else { return record::drop_work(engine, row, token).await };
    // A read mark may be repeated without harm, so it goes straight from claimed to done.
    let result = receipts.mark_read(&recipient, &RemoteId(target)).await;
    verdict::note(engine, row, &line, pass, result.as_ref().err()).await;
    match result {
        Err(error) if error.retry != Retry::Never && row.attempts < MAX_READ_TRIES => {
            record::try_read_again(engine, row, token).await
        }
        _ => record::drop_work(engine, row, token).await,
    }
}
