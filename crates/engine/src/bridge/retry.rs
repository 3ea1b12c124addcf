//! Whoever presses *retry* there on what did not arrive wants it sent again.

use frontdesk_chatwoot_client::{Message, MessageQuery, MessageStatus as RemoteStatus};
use frontdesk_model::MessageId;
use frontdesk_model::message::MessageStatus;
use frontdesk_store::bridge_links::{self, MessageLink};

use super::line::{Line, source_id};
use super::trouble::Trouble;
use super::worker::Claim;
use super::{answer, mirror};
use crate::Engine;
use crate::caller::Actor;
use crate::replies::{self, ReplyError, Verdict};

/// Messages looked through for the one, and for the note that it was not sent.
const LOOKED_THROUGH: usize = 100;

/// Looks at a message of which something was changed there: sends it again when that was its failure.
pub(super) async fn follow(
    engine: &Engine,
    claim: &Claim,
    line: &Line,
    conversation: i64,
    id: i64,
) -> Result<(), Trouble> {
    let (account, bridge) = (line.account(), line.bridge.id);
    let links = engine.store.read(move |tx| bridge_links::find_by_remote(tx, account, bridge, id)).await?;
    let failed: Vec<&MessageLink> = links.iter().filter(|link| mirror::is_told_failed(link)).collect();
    if failed.is_empty() && !links.is_empty() {
        return Ok(());
    }
    let newest = MessageQuery::newest(LOOKED_THROUGH);
    let there = match line.client.get_messages(conversation, &newest).await.map_err(Trouble::from) {
        Err(Trouble::Gone(_)) => return Ok(()),
        there => there?.data,
    };
    // Chatwoot calls it sent again when somebody presses that; webhooks do not say.
    let again = |message: &Message| message.id == id && message.status == Some(RemoteStatus::Sent);
    if !there.iter().any(again) {
        return Ok(());
    }
    if links.is_empty() {
        // It never came so far as to be a message of ours, and a note says why: else nobody has refused it.
        let note = source_id(MessageId(id), "-failed");
        let was_refused = there.iter().any(|message| message.source_id.as_deref() == Some(note.as_str()));
        return match was_refused {
            true => answer::send(engine, claim, line, conversation, id, None).await,
            false => Ok(()),
        };
    }
    for link in failed {
        send_again(engine, line, link).await?;
    }
    Ok(())
}

async fn send_again(engine: &Engine, line: &Line, link: &MessageLink) -> Result<(), Trouble> {
    let (account, id) = (line.account(), link.message_id);
    let row = engine.store.read(move |tx| frontdesk_store::messages::find(tx, account, id)).await?;
    let Some(row) = row.filter(|row| row.status == MessageStatus::Failed && row.deleted_at.is_none()) else {
        return Ok(());
    };
    answer::open_again(engine, line, row.conversation_id).await?;
    match replies::settle(engine, Actor::server(account), row.conversation_id, id, Verdict::Resend).await {
        // Somebody else was quicker, or it is gone here.
        Ok(_) | Err(ReplyError::NotFound | ReplyError::NotSettleable) => {}
        Err(ReplyError::Store(error)) => return Err(error.into()),
        Err(error) => return Err(Trouble::Refused(error.to_string())),
    }
    mirror::forget_status(engine, line, link).await
}
