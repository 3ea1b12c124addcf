//! What happens here is shown there.

use std::collections::BTreeMap;

use bytes::Bytes;
use frontdesk_chatwoot_client::{
    Message, MessageQuery, MessageStatus as RemoteStatus, MessageType, NewMessage, Upload,
};
use frontdesk_model::conversation::ConversationStatus;
use frontdesk_model::message::{Direction, MessageStatus, SenderType};
use frontdesk_model::{ConversationId, MessageId};
use frontdesk_store::attachments::{self, AttachmentRow, AttachmentState};
use frontdesk_store::bridge_links::{self, MessageLink, ThreadLink};
use frontdesk_store::contacts::{self, ContactRow};
use frontdesk_store::conversations::{self, ConversationRow};
use frontdesk_store::messages::{self, MessageRow};
use frontdesk_store::{StoreError, Tx, reactions};
use serde::{Deserialize, Serialize};

use super::line::{Line, source_id};
use super::settings::ConversationPolicy;
use super::trouble::Trouble;
use super::worker::Claim;
use super::{people, wording};
use crate::Engine;

/// Files of a message that has just come are waited for this long.
const FILES_WAIT_MS: i64 = 30_000;
/// How often it is looked whether they are here.
const FILES_LOOK_MS: i64 = 250;
/// Messages looked through for one that a try before may have written.
const LOOKED_THROUGH: usize = 100;

/// What was told there of a message since it was shown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Told {
    /// When it was last edited.
    edited_at_ms: Option<i64>,
    /// Reactions by side.
    reactions: BTreeMap<String, String>,
    status: Option<MessageStatus>,
    deleted: bool,
    /// Files that had not come when it was shown are still to be told.
    files_wait: bool,
}

impl Told {
    fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A message of ours with all that concerns it.
struct Scene {
    message: MessageRow,
    conversation: ConversationRow,
    contact: ContactRow,
    files: Vec<AttachmentRow>,
    reactions: BTreeMap<String, String>,
    /// Its twin there.
    link: Option<MessageLink>,
    /// The twin of the message that it quotes.
    quoted: Option<i64>,
}

async fn load(engine: &Engine, line: &Line, id: MessageId) -> Result<Option<Scene>, StoreError> {
    let (account, bridge) = (line.account(), line.bridge.id);
    engine
        .store
        .read(move |tx| {
            let Some(message) = messages::find(tx, account, id)? else { return Ok(None) };
            let Some(conversation) = conversations::find(tx, account, message.conversation_id)? else {
                return Ok(None);
            };
            let Some(contact) = contacts::find(tx, account, conversation.contact_id)? else {
                return Ok(None);
            };
            let files = attachments::of_message(tx, account, id)?;
            let side = |sender| if sender == SenderType::Customer { "customer" } else { "us" };
            let reactions = reactions::list_many(tx, account, [id])?.remove(&id).unwrap_or_default();
            let reactions =
                reactions.into_iter().map(|r| (side(r.sender_type).to_owned(), r.emoji)).collect();
            let link = bridge_links::find_message(tx, account, bridge, id)?;
            let quoted = match &message.reply_to {
                Some(remote) => messages::find_by_remote(tx, account, message.inbox_id, remote)?,
                None => None,
            };
            let quoted = match quoted {
                Some(quoted) => bridge_links::find_message(tx, account, bridge, quoted.id)?,
                None => None,
            };
            let quoted = quoted.map(|link| link.remote_id);
            Ok(Some(Scene { message, conversation, contact, files, reactions, link, quoted }))
        })
        .await
}

/// Shows a message.
pub(super) async fn message(
    engine: &Engine,
    claim: &Claim,
    line: &Line,
    id: MessageId,
) -> Result<(), Trouble> {
    let Some(scene) = load(engine, line, id).await? else { return Ok(()) };
    if scene.link.is_some() || scene.message.deleted_at.is_some() {
        return Ok(());
    }
    if let Some((conversation, remote)) = line.written_there(engine, &scene.message) {
        return link(engine, line, id, conversation, remote, true, &Told::default()).await;
    }
    let is_fresh = engine.clock.now().millis_since(scene.message.created_at) < FILES_WAIT_MS;
    let waits = scene.files.iter().any(|file| file.state == AttachmentState::Pending);
    if waits && is_fresh {
        return Err(Trouble::Wait(FILES_LOOK_MS));
    }
    let thread = people::thread(engine, claim, line, &scene.conversation, &scene.contact).await?;
    let text = wording::of_message(&scene.message, &scene.files, line.markup);
    let text = if line.settings.signature { wording::signed(&scene.message, text) } else { text };
    let written = written(&scene, text, source_id(id, ""));
    let files = uploads(engine, &scene.files).await;
    // What came since the bridge stands was shown once already, as far as anybody knows.
    let is_doubtful = claim.is_history() && scene.message.created_at >= line.bridge.created_at;
    let look = claim.is_repeated() || is_doubtful;
    let shown = post_once(claim, line, thread.remote_id, &written, &files, look).await;
    let shown = unlink_if_gone(engine, line, &thread, shown).await?;
    let told = Told {
        edited_at_ms: scene.message.edited_at.map(|at| at.as_millis()),
        reactions: BTreeMap::new(),
        status: None,
        deleted: false,
        files_wait: waits,
    };
    link(engine, line, id, thread.remote_id, shown.id, false, &told).await?;
    if scene.message.direction == Direction::Outbound {
        tell_status(engine, line, &scene.message, thread.remote_id, (shown.id, false), told).await?;
    }
    Ok(())
}

/// The message as Chatwoot takes it.
fn written(scene: &Scene, text: Option<String>, source: String) -> NewMessage {
    let message = &scene.message;
    let mut new = NewMessage {
        content: text,
        source_id: Some(source),
        external_created_at: Some(message.sent_at.as_secs()),
        ..NewMessage::default()
    };
    match message.direction {
        Direction::Inbound if wording::is_notice(message) => new.private = true,
        Direction::Inbound => new.message_type = Some(MessageType::Incoming),
        Direction::Outbound => new.message_type = Some(MessageType::Outgoing),
    }
    match scene.quoted {
        Some(quoted) => new.in_reply_to(quoted),
        None => new,
    }
}

async fn uploads(engine: &Engine, files: &[AttachmentRow]) -> Vec<Upload> {
    let mut all = Vec::new();
    for file in files.iter().filter(|file| wording::is_carried(file)) {
        let Some(key) = file.storage_key.as_deref() else { continue };
        let read = match engine.media().local_path(file.account_id, key).await {
            Ok(path) => tokio::fs::read(path).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match read {
            Ok(bytes) => all.push(Upload {
                name: file.file_name.clone().unwrap_or_else(|| file.kind.as_str().to_owned()),
                mime_type: file.mime_type.clone().unwrap_or_else(|| "application/octet-stream".to_owned()),
                bytes: Bytes::from(bytes),
            }),
            Err(error) => {
                tracing::warn!(attachment.id = file.id.0, error, "a file cannot be shown in Chatwoot")
            }
        }
    }
    all
}

/// Writes a message there, unless a try before has done so.
pub(super) async fn post(
    claim: &Claim,
    line: &Line,
    conversation: i64,
    message: &NewMessage,
    files: &[Upload],
) -> Result<Message, Trouble> {
    post_once(claim, line, conversation, message, files, claim.is_repeated()).await
}

/// Writes a message there; `look`: unless it is among the newest already.
async fn post_once(
    claim: &Claim,
    line: &Line,
    conversation: i64,
    message: &NewMessage,
    files: &[Upload],
    look: bool,
) -> Result<Message, Trouble> {
    if look {
        let newest = MessageQuery::newest(LOOKED_THROUGH);
        let found = line.client.get_messages(conversation, &newest).await?.data.into_iter();
        if let Some(found) = found.rev().find(|found| found.source_id == message.source_id) {
            return Ok(found);
        }
    }
    claim.check()?;
    let written = if files.is_empty() {
        line.client.create_message(conversation, message).await?
    } else {
        line.client.create_message_with_files(conversation, message, files).await?
    };
    Ok(written)
}

/// A conversation that was deleted there is forgotten, so that the next try begins another.
async fn unlink_if_gone<T>(
    engine: &Engine,
    line: &Line,
    thread: &ThreadLink,
    result: Result<T, Trouble>,
) -> Result<T, Trouble> {
    let Err(Trouble::Gone(sentence)) = result else { return result };
    let (account, bridge, remote) = (line.account(), line.bridge.id, thread.remote_id);
    engine.store.write(move |tx| bridge_links::unlink_thread(tx, account, bridge, remote)).await?;
    Err(Trouble::Later(sentence, 0))
}

async fn link(
    engine: &Engine,
    line: &Line,
    message_id: MessageId,
    remote_conversation_id: i64,
    remote_id: i64,
    is_theirs: bool,
    told: &Told,
) -> Result<(), Trouble> {
    let (account, bridge, now) = (line.account(), line.bridge.id, engine.clock.now());
    let link = MessageLink { message_id, remote_id, remote_conversation_id, is_theirs, told: told.to_json() };
    engine.store.write(move |tx| bridge_links::link_message(tx, account, bridge, &link, now)).await?;
    Ok(())
}

async fn note_told(engine: &Engine, line: &Line, message: MessageId, told: &Told) -> Result<(), StoreError> {
    let (account, bridge, told) = (line.account(), line.bridge.id, told.to_json());
    engine.store.write(move |tx| bridge_links::set_told(tx, account, bridge, message, &told)).await
}

/// The twin of a message, also of one that was written there a moment ago.
async fn twin(engine: &Engine, line: &Line, scene: &Scene) -> Result<Option<MessageLink>, Trouble> {
    if scene.link.is_some() {
        return Ok(scene.link.clone());
    }
    let id = scene.message.id;
    let Some((conversation, remote)) = line.written_there(engine, &scene.message) else { return Ok(None) };
    link(engine, line, id, conversation, remote, true, &Told::default()).await?;
    let (account, bridge) = (line.account(), line.bridge.id);
    let find = move |tx: &mut Tx<'_>| bridge_links::find_message(tx, account, bridge, id);
    Ok(engine.store.read(find).await?)
}

/// Shows what became of a message.
pub(super) async fn change(
    engine: &Engine,
    claim: &Claim,
    line: &Line,
    id: MessageId,
) -> Result<(), Trouble> {
    let Some(scene) = load(engine, line, id).await? else { return Ok(()) };
    let Some(link) = twin(engine, line, &scene).await? else { return Ok(()) };
    let mut told: Told = serde_json::from_str(&link.told).unwrap_or_default();
    let message = &scene.message;
    let conversation = link.remote_conversation_id;
    if message.deleted_at.is_some() {
        if told.deleted {
            return Ok(());
        }
        match line.client.delete_message(conversation, link.remote_id).await.map_err(Trouble::from) {
            Ok(()) | Err(Trouble::Gone(_)) => {}
            Err(trouble) => return Err(trouble),
        }
        told.deleted = true;
        return Ok(note_told(engine, line, id, &told).await?);
    }
    let answer = |direction: Direction, text: String, what: &str| NewMessage {
        content: Some(text),
        source_id: Some(source_id(id, what)),
        message_type: Some(match direction {
            Direction::Inbound => MessageType::Incoming,
            Direction::Outbound => MessageType::Outgoing,
        }),
        ..NewMessage::default().in_reply_to(link.remote_id)
    };
    if told.files_wait && !scene.files.iter().any(|file| file.state == AttachmentState::Pending) {
        let files = uploads(engine, &scene.files).await;
        if !files.is_empty() {
            let late = NewMessage { content: None, ..answer(message.direction, String::new(), "-files") };
            post(claim, line, conversation, &late, &files).await?;
        }
        told.files_wait = false;
        note_told(engine, line, id, &told).await?;
    }
    if let Some(edited_at) = message.edited_at.map(|at| at.as_millis())
        && told.edited_at_ms != Some(edited_at)
    {
        let what = format!("-edit-{edited_at}");
        let text = wording::edited(message, line.markup);
        post(claim, line, conversation, &answer(message.direction, text, &what), &[]).await?;
        told.edited_at_ms = Some(edited_at);
        note_told(engine, line, id, &told).await?;
    }
    for (side, direction) in [("customer", Direction::Inbound), ("us", Direction::Outbound)] {
        let (before, now) = (told.reactions.get(side).cloned(), scene.reactions.get(side).cloned());
        if before == now {
            continue;
        }
        let what = format!("-reaction-{}-{side}", claim.row.id);
        let text = wording::reacted(before.as_deref(), now.as_deref());
        post(claim, line, conversation, &answer(direction, text, &what), &[]).await?;
        match now {
            Some(emoji) => told.reactions.insert(side.to_owned(), emoji),
            None => told.reactions.remove(side),
        };
        note_told(engine, line, id, &told).await?;
    }
    Ok(())
}

/// A message was one of ours seen twice: its twin goes.
pub(super) async fn removed(engine: &Engine, line: &Line, id: MessageId) -> Result<(), Trouble> {
    let (account, bridge) = (line.account(), line.bridge.id);
    let link = engine.store.read(move |tx| bridge_links::find_message(tx, account, bridge, id)).await?;
    let Some(link) = link else { return Ok(()) };
    match line.client.delete_message(link.remote_conversation_id, link.remote_id).await.map_err(Trouble::from)
    {
        Ok(()) | Err(Trouble::Gone(_)) => {}
        Err(trouble) => return Err(trouble),
    }
    engine.store.write(move |tx| bridge_links::unlink_message(tx, account, bridge, id)).await?;
    Ok(())
}

/// Tells how far a message of ours came, and why it did not arrive.
pub(super) async fn status(
    engine: &Engine,
    claim: &Claim,
    line: &Line,
    id: MessageId,
) -> Result<(), Trouble> {
    let Some(scene) = load(engine, line, id).await? else { return Ok(()) };
    if scene.message.direction == Direction::Inbound {
        return Ok(());
    }
    let Some(link) = twin(engine, line, &scene).await? else { return Ok(()) };
    let told: Told = serde_json::from_str(&link.told).unwrap_or_default();
    let message = &scene.message;
    if message.status == MessageStatus::Failed && link.is_theirs && told.status != Some(MessageStatus::Failed)
    {
        let reason =
            message.error.as_ref().map_or("the network did not take it.", |error| error.message.as_str());
        note(claim, line, link.remote_conversation_id, link.remote_id, reason).await?;
    }
    tell_status(engine, line, message, link.remote_conversation_id, (link.remote_id, link.is_theirs), told)
        .await
}

async fn tell_status(
    engine: &Engine,
    line: &Line,
    message: &MessageRow,
    conversation: i64,
    (remote, is_theirs): (i64, bool),
    told: Told,
) -> Result<(), Trouble> {
    let status = match message.status {
        MessageStatus::Sent => RemoteStatus::Sent,
        MessageStatus::Delivered => RemoteStatus::Delivered,
        MessageStatus::Read | MessageStatus::Played => RemoteStatus::Read,
        MessageStatus::Failed => RemoteStatus::Failed,
        _ => return Ok(()),
    };
    if told.status.is_some_and(|told| told >= message.status) {
        return Ok(());
    }
    // Chatwoot calls everything sent from the beginning, but what it could not deliver to us, failed.
    if status != RemoteStatus::Sent || is_theirs {
        let error = message.error.as_ref().map(|error| error.message.as_str());
        let error = error.filter(|_| status == RemoteStatus::Failed);
        match line
            .client
            .set_message_status(conversation, remote, &status, error)
            .await
            .map_err(Trouble::from)
        {
            Ok(_) | Err(Trouble::Gone(_)) => {}
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(note_told(engine, line, message.id, &Told { status: Some(message.status), ..told }).await?)
}

/// True when it was shown there that a message did not arrive.
pub(super) fn is_told_failed(link: &MessageLink) -> bool {
    let told: Told = serde_json::from_str(&link.told).unwrap_or_default();
    told.status == Some(MessageStatus::Failed)
}

/// A message is on its way again: how far it comes is shown anew.
pub(super) async fn forget_status(engine: &Engine, line: &Line, link: &MessageLink) -> Result<(), Trouble> {
    let told: Told = serde_json::from_str(&link.told).unwrap_or_default();
    Ok(note_told(engine, line, link.message_id, &Told { status: None, ..told }).await?)
}

/// Writes a note under what did not arrive.
pub(super) async fn note(
    claim: &Claim,
    line: &Line,
    conversation: i64,
    about: i64,
    reason: &str,
) -> Result<(), Trouble> {
    let note = NewMessage {
        source_id: Some(source_id(MessageId(about), "-failed")),
        ..NewMessage::note(wording::not_delivered(reason)).in_reply_to(about)
    };
    post(claim, line, conversation, &note, &[]).await.map(drop)
}

/// Shows there that we have read what the customer wrote.
pub(super) async fn seen(engine: &Engine, line: &Line, id: ConversationId) -> Result<(), Trouble> {
    let Some((conversation, thread)) = find(engine, line, id).await? else { return Ok(()) };
    let Some(last) = conversation.last_inbound_id.filter(|_| conversation.unread_count == 0) else {
        return Ok(());
    };
    let (account, bridge, remote) = (line.account(), line.bridge.id, thread.remote_id);
    if thread.seen_message_id >= last.0 {
        return Ok(());
    }
    line.client.mark_read(remote).await?;
    Ok(engine.store.write(move |tx| bridge_links::set_seen(tx, account, bridge, remote, last)).await?)
}

/// Shows there that a conversation was closed or opened here.
pub(super) async fn state(engine: &Engine, line: &Line, id: ConversationId) -> Result<(), Trouble> {
    let Some((conversation, thread)) = find(engine, line, id).await? else { return Ok(()) };
    let is_resolved = thread.remote_status == "resolved";
    let wanted = match conversation.status {
        ConversationStatus::Active if is_resolved => frontdesk_chatwoot_client::ConversationStatus::Open,
        ConversationStatus::Active => return Ok(()),
        ConversationStatus::Archived | ConversationStatus::Closed if !is_resolved => {
            frontdesk_chatwoot_client::ConversationStatus::Resolved
        }
        ConversationStatus::Archived | ConversationStatus::Closed => return Ok(()),
    };
    // Where each matter has a conversation of its own, the next message begins another.
    let begins_anew = is_resolved && line.settings.conversations == ConversationPolicy::Multiple;
    if !line.settings.follow_status || begins_anew {
        return Ok(());
    }
    line.client.set_status(thread.remote_id, &wanted, None).await?;
    let (account, bridge, remote) = (line.account(), line.bridge.id, thread.remote_id);
    let write =
        move |tx: &mut Tx<'_>| bridge_links::set_remote_status(tx, account, bridge, remote, wanted.as_str());
    engine.store.write(write).await?;
    Ok(())
}

/// Has the contact of a conversation be there.
pub(super) async fn person(
    engine: &Engine,
    claim: &Claim,
    line: &Line,
    id: ConversationId,
) -> Result<(), Trouble> {
    let account = line.account();
    let read = move |tx: &mut Tx<'_>| {
        let Some(conversation) = conversations::find(tx, account, id)? else { return Ok(None) };
        contacts::find(tx, account, conversation.contact_id)
    };
    match engine.store.read(read).await? {
        Some(contact) => people::person(engine, claim, line, &contact).await,
        None => Ok(()),
    }
}

/// What was shown of a conversation from before the bridge is old: what is closed here stays resolved there, what is read
/// here is not new there.
pub(super) async fn settle(engine: &Engine, line: &Line, id: ConversationId) -> Result<(), Trouble> {
    let Some((conversation, thread)) = find(engine, line, id).await? else { return Ok(()) };
    let remote = thread.remote_id;
    if conversation.unread_count == 0 {
        match line.client.mark_read(remote).await.map_err(Trouble::from) {
            Err(Trouble::Gone(_)) => return Ok(()),
            read => read?,
        };
    }
    let is_over = matches!(conversation.status, ConversationStatus::Archived | ConversationStatus::Closed);
    if !is_over || !line.settings.follow_status {
        return Ok(());
    }
    let resolved = frontdesk_chatwoot_client::ConversationStatus::Resolved;
    // Chatwoot opens what is resolved when the customer writes in it.
    if line.client.get_conversation(remote).await?.status.as_ref() != Some(&resolved) {
        line.client.set_status(remote, &resolved, None).await?;
    }
    let (account, bridge) = (line.account(), line.bridge.id);
    let write = move |tx: &mut Tx<'_>| {
        bridge_links::set_remote_status(tx, account, bridge, remote, resolved.as_str())
    };
    engine.store.write(write).await?;
    Ok(())
}

async fn find(
    engine: &Engine,
    line: &Line,
    id: ConversationId,
) -> Result<Option<(ConversationRow, ThreadLink)>, StoreError> {
    let (account, bridge) = (line.account(), line.bridge.id);
    engine
        .store
        .read(move |tx| {
            let Some(conversation) = conversations::find(tx, account, id)? else { return Ok(None) };
            let thread = bridge_links::newest_thread(tx, account, bridge, id)?;
            Ok(thread.map(|thread| (conversation, thread)))
        })
        .await
}
