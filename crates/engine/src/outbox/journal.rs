//! Asks the provider's journal what became of sends whose answer was lost, where no webhook told it.

use frontdesk_channels::contract::SentOnce;
use frontdesk_model::Timestamp;
use frontdesk_model::message::MessageStatus;
use frontdesk_model::outbound::Recipient;
use frontdesk_store::events::{EventKind, NewEvent};
use frontdesk_store::outbox::{self, OutboxRow};
use frontdesk_store::{StoreError, contacts, conversations, message_status, messages};
use tracing::Instrument as _;

use super::send;
use crate::intake::{News, status};
use crate::linked::Place;
use crate::{Engine, inboxes};

/// How many are looked up in one round.
const BATCH: i64 = 20;
/// Journals lag behind: one that is not in it yet is looked for again after this long, in milliseconds.
const AGAIN_MS: i64 = 60_000;
/// After this long it will not appear any more, and a person decides, in milliseconds.
const GIVE_UP_MS: i64 = 3_600_000;
/// Where another node can ask, or the phone is not connected now: looked for again after this long, in milliseconds.
const ELSEWHERE_MS: i64 = 5_000;
/// Longer than any message is kept waiting for the provider's word.
const NEVER_MS: i64 = 10 * 365 * 86_400_000;

/// Looks for sends of unknown outcome that have waited for the provider's word long enough.
pub(crate) async fn reconcile(engine: &Engine) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let due = engine.store.read(move |tx| outbox::list_unknown(tx, now, BATCH)).await?;
    for row in due {
        let again_at = look_up(engine, &row, now).instrument(send::span_of(&row)).await?;
        let Some(again_at) = again_at else { continue };
        engine.store.write(move |tx| outbox::postpone_unknown(tx, &row, again_at)).await?;
    }
    Ok(())
}

/// Looks one up; returns when to look again, `None` when it is settled.
async fn look_up(engine: &Engine, row: &OutboxRow, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let never = Some(now.plus_ms(NEVER_MS));
    let book = inboxes::book(engine).await?;
    let Some(inbox) = book.find(row.inbox_id).filter(|inbox| inbox.enabled) else { return Ok(never) };
    let line = engine.connections().line(engine, inbox);
    let Some(journal) = line.connection.as_ref().ok().and_then(|connection| connection.journal()) else {
        return Ok(never);
    };
    let (account, conversation, message) = (row.account_id, row.conversation_id, row.message_id);
    let found = engine
        .store
        .read(move |tx| {
            let Some(message) = message else { return Ok(None) };
            let Some(message) = messages::find(tx, account, message)? else { return Ok(None) };
            let Some(conversation) = conversations::find(tx, account, conversation)? else { return Ok(None) };
            let identities = contacts::identities(tx, account, conversation.contact_id)?;
            let to = Recipient { thread: conversation.thread, identities };
            Ok::<_, StoreError>(Some((message, to)))
        })
        .await?;
    let Some((message, to)) = found else { return Ok(never) };
    if message.status != MessageStatus::Unknown {
        // The provider's word came before the lost answer was written down.
        let id = message.id;
        engine.store.write(move |tx| outbox::remove_settled(tx, [(account, id)])).await?;
        return Ok(None);
    }
    let again =
        if now.millis_since(message.sent_at) < GIVE_UP_MS { Some(now.plus_ms(AGAIN_MS)) } else { never };
    if inbox.channel.sessions().is_some() && engine.linked().place_of(row.inbox_id) != Place::Here {
        // The node that holds the session asks its phone.
        return Ok(again.map(|at| at.min(now.plus_ms(ELSEWHERE_MS))));
    }
    let asked = SentOnce {
        client_ref: message.client_ref.clone().unwrap_or_default(),
        to,
        kind: message.kind,
        text: message.content.clone(),
        at: message.sent_at,
        now,
    };
    let candidates = match journal.find_sent(&asked).await {
        Ok(candidates) => candidates,
        Err(error) => {
            tracing::debug!(inbox.id = row.inbox_id.0, code = error.code, "a journal could not be read");
            return Ok(again);
        }
    };
    // What is not there never came, where a second time is no second message.
    let repeats = candidates.is_empty() && again < never && journal.takes_once().await;
    let news = News { account, inbox: row.inbox_id, now };
    let row = row.clone();
    let settled = engine.store.write(move |tx| {
        let Some(message) = messages::find(tx, account, message.id)? else { return Ok(true) };
        if message.status != MessageStatus::Unknown {
            return Ok(true);
        }
        for id in &candidates {
            if messages::find_by_remote(tx, account, news.inbox, id)?.is_none() {
                status::adopt(tx, news, &message, id)?;
                return Ok(true);
            }
        }
        if repeats && outbox::repeat_unknown(tx, &row, now)? {
            // Under the same reference: that is what makes it harmless.
            let same = message.client_ref.as_deref();
            message_status::restart(tx, account, message.id, MessageStatus::Queued, same, now)?;
            tx.emit(NewEvent {
                account_id: account,
                kind: EventKind::MessageStatusUpdated,
                conversation_id: Some(conversation),
                message_id: Some(message.id),
                data: None,
            });
            return Ok(true);
        }
        Ok::<_, StoreError>(false)
    });
    Ok(if settled.await? { None } else { again })
}
