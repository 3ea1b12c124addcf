//! What is written and done there, done here: answers go through our outbox like everybody's.

use frontdesk_chatwoot_client::{
    Attachment, ContactInbox, Conversation, ConversationStatus as RemoteStatus, Message, MessageQuery,
    MessageStatus, MessageType,
};
use frontdesk_model::conversation::ConversationStatus;
use frontdesk_model::{AttachmentId, ConversationId};
use frontdesk_provider_http::DownloadLimits;
use frontdesk_store::bridge_links::{self, MessageLink, ThreadLink};
use frontdesk_store::{StoreError, bridge_jobs, conversations as conversation_rows};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::jobs::our_lane;
use super::line::{Line, is_ours};
use super::trouble::Trouble;
use super::worker::Claim;
use super::{markup, mirror, people};
use crate::caller::Actor;
use crate::media::{Upload, UploadError};
use crate::replies::{self, Author, Recipient, Reply, ReplyError, To};
use crate::{Engine, conversations};

/// How often it is looked whether an import is through with a conversation.
const IMPORT_WAIT_MS: i64 = 1_000;
/// Whoever wrote it has no name.
const NAMELESS: &str = "Chatwoot";

/// True for what an agent there has written to the customer.
pub(super) fn is_answer(message: &Message) -> bool {
    message.message_type == Some(MessageType::Outgoing)
        && !message.private
        && !message.is_deleted()
        && message.source_id.as_deref().is_none_or(|source| source.is_empty())
}

/// Sends what was written there.
pub(super) async fn send(
    engine: &Engine,
    claim: &Claim,
    line: &Line,
    conversation: i64,
    id: i64,
    written: Option<Value>,
) -> Result<(), Trouble> {
    let (account, bridge) = (line.account(), line.bridge.id);
    if !engine.store.read(move |tx| bridge_links::find_by_remote(tx, account, bridge, id)).await?.is_empty() {
        return Ok(());
    }
    let message = match written.and_then(|written| serde_json::from_value::<Message>(written).ok()) {
        Some(message) => message,
        None => match fetch(line, conversation, id).await? {
            Some(message) => message,
            None => return Ok(()),
        },
    };
    if !is_answer(&message) || message.source_id.as_deref().is_some_and(is_ours) {
        return Ok(());
    }
    let to = match whom(engine, line, conversation).await? {
        Ok(to) => to,
        Err(reason) => return refuse(claim, line, conversation, id, &reason).await,
    };
    let reply = match compose(engine, line, conversation, &message).await {
        Ok(reply) => reply,
        Err(Obstacle::Trouble(trouble)) => return Err(trouble),
        Err(Obstacle::Never(reason)) => return refuse(claim, line, conversation, id, &reason).await,
    };
    if let To::Conversation(ours) = to {
        open_again(engine, line, ours).await?;
    }
    let author = Author { actor: Actor::server(account), name: author_of(&message).to_owned() };
    match replies::reply(engine, author, to, reply).await {
        Ok(stored) => {
            let (now, ids) = (engine.clock.now(), stored.messages.clone());
            let ours = engine
                .store
                .write(move |tx| {
                    for message_id in &ids {
                        let link = MessageLink {
                            message_id: *message_id,
                            remote_id: id,
                            remote_conversation_id: conversation,
                            is_theirs: true,
                            told: "{}".to_owned(),
                        };
                        bridge_links::link_message(tx, account, bridge, &link, now)?;
                    }
                    let Some(first) = ids.first() else { return Ok(None) };
                    let row = frontdesk_store::messages::find(tx, account, *first)?;
                    let Some(ours) = row.map(|row| row.conversation_id) else { return Ok(None) };
                    if bridge_links::find_thread(tx, account, bridge, conversation)?.is_none() {
                        let link = ThreadLink {
                            remote_id: conversation,
                            remote_contact_id: None,
                            conversation_id: ours,
                            remote_status: "open".to_owned(),
                            pulled_message_id: 0,
                            seen_message_id: 0,
                        };
                        bridge_links::link_thread(tx, account, bridge, &link, now)?;
                    }
                    Ok::<_, StoreError>(Some(ours))
                })
                .await?;
            // Whoever answers has read.
            if let Some(ours) = ours
                && let Err(error) = conversations::mark_read(engine, Actor::server(account), ours).await
            {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "a conversation was not marked as read"
                );
            }
            Ok(())
        }
        Err(ReplyError::KeyConflict(_)) => Ok(()), // it was taken before, and is another there by now
        Err(ReplyError::Store(error)) => Err(error.into()),
        Err(ReplyError::NotKept(error)) => Err(Trouble::Later(error.to_string(), 0)),
        Err(error) => refuse(claim, line, conversation, id, &why(&error)).await,
    }
}

/// The message as Chatwoot has it now.
async fn fetch(line: &Line, conversation: i64, id: i64) -> Result<Option<Message>, Trouble> {
    let query = MessageQuery { limit: Some(1), ..MessageQuery::after(id - 1) };
    let found = match line.client.get_messages(conversation, &query).await.map_err(Trouble::from) {
        Err(Trouble::Gone(_)) => return Ok(None),
        found => found?,
    };
    Ok(found.data.into_iter().find(|message| message.id == id))
}

/// To whom a conversation there is; or why nobody can be written to.
async fn whom(engine: &Engine, line: &Line, remote: i64) -> Result<Result<To, String>, Trouble> {
    let (account, bridge) = (line.account(), line.bridge.id);
    let known = engine.store.read(move |tx| bridge_links::find_thread(tx, account, bridge, remote)).await?;
    if let Some(known) = known {
        return Ok(Ok(To::Conversation(known.conversation_id)));
    }
    // Somebody there began a conversation.
    let found: Conversation = match line.client.get_conversation(remote).await.map_err(Trouble::from) {
        Err(Trouble::Gone(reason)) => return Ok(Err(reason)),
        found => found?,
    };
    let contact = found.contact.or(found.meta.sender);
    let names = match &contact {
        Some(contact) => line.client.get_contact(contact.id).await?.contact_inboxes,
        None => Vec::new(),
    };
    let here = |name: &&ContactInbox| name.inbox.as_ref().is_some_and(|inbox| inbox.id == line.remote_inbox);
    let named = names.iter().filter(here).find_map(|name| people::conversation_of_source(&name.source_id));
    if let Some(ours) = named {
        let inbox = line.bridge.inbox_id;
        let row = engine.store.read(move |tx| conversation_rows::find(tx, account, ours)).await?;
        if row.is_some_and(|row| row.inbox_id == inbox) {
            return Ok(Ok(To::Conversation(ours)));
        }
    }
    let phone = contact.as_ref().and_then(|contact| contact.phone_number.clone());
    let Some(phone) = phone else {
        return Ok(Err("the contact has no phone number, so that nobody can be written to.".to_owned()));
    };
    let name = contact.map(|contact| contact.name).filter(|name| !name.is_empty());
    Ok(Ok(To::Recipient(Recipient { inbox: line.bridge.inbox_id, phone, name })))
}

enum Obstacle {
    Trouble(Trouble),
    Never(String),
}

impl<E: Into<Trouble>> From<E> for Obstacle {
    fn from(error: E) -> Self {
        Self::Trouble(error.into())
    }
}

fn author_of(message: &Message) -> &str {
    message
        .sender
        .as_ref()
        .map(|sender| sender.name.as_str())
        .filter(|name| !name.is_empty())
        .unwrap_or(NAMELESS)
}

async fn compose(
    engine: &Engine,
    line: &Line,
    conversation: i64,
    message: &Message,
) -> Result<Reply, Obstacle> {
    let mut text = markup::to_network(message.content.as_deref().unwrap_or_default(), line.markup);
    let mut files = Vec::new();
    for attachment in &message.attachments {
        match &attachment.data_url {
            Some(url) if attachment.file_type != "location" && attachment.file_type != "fallback" => {
                files.push(take_file(engine, line, attachment, url).await?);
            }
            Some(url) => text = format!("{text}\n{url}").trim().to_owned(),
            None => {}
        }
    }
    if line.settings.signature && !text.trim().is_empty() && message.sender.is_some() {
        text = format!("{}\n{text}", markup::bold(author_of(message), line.markup));
    }
    let (account, bridge) = (line.account(), line.bridge.id);
    let quoted = match message.in_reply_to() {
        Some(quoted) => engine
            .store
            .read(move |tx| bridge_links::find_by_remote(tx, account, bridge, quoted))
            .await
            .map_err(Trouble::from)?,
        None => Vec::new(),
    };
    Ok(Reply {
        content: (!text.trim().is_empty()).then_some(text),
        attachments: files,
        reply_to: quoted.first().map(|link| link.message_id),
        client_key: Some(line.client_key(engine, conversation, message.id)),
        ..Reply::default()
    })
}

/// Takes a file over from there.
async fn take_file(
    engine: &Engine,
    line: &Line,
    attachment: &Attachment,
    url: &str,
) -> Result<AttachmentId, Obstacle> {
    let max_bytes = engine.settings.media.max_bytes;
    let too_large = || Obstacle::Never(format!("its file is larger than {max_bytes} bytes."));
    if attachment.file_size.and_then(|size| u64::try_from(size).ok()).is_some_and(|size| size > max_bytes) {
        return Err(too_large());
    }
    let scratch = engine.media().scratch().await.map_err(|error| Trouble::Later(error.to_string(), 0))?;
    let failed = |error: std::io::Error| Trouble::Later(error.to_string(), 0);
    let mut file = tokio::fs::File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&scratch.path)
        .await
        .map_err(failed)?;
    let limits = DownloadLimits::bytes(max_bytes);
    line.client.download(url, limits, &mut file).await.map_err(Trouble::from)?;
    file.rewind().await.map_err(failed)?;
    let kept = |error: UploadError| match error {
        UploadError::Store(error) => Obstacle::Trouble(error.into()),
        UploadError::NotKept(error) => Obstacle::Trouble(Trouble::Later(error.to_string(), 0)),
        error => Obstacle::Never(format!("{error}.")),
    };
    let mut upload = Upload::begin(engine).await.map_err(kept)?;
    let mut buffer = vec![0_u8; 64 * 1024];
    loop {
        let read = file.read(&mut buffer).await.map_err(failed)?;
        if read == 0 {
            break;
        }
        upload.write(buffer.get(..read).unwrap_or_default()).await.map_err(kept)?;
    }
    let name = url.split(['?', '#']).next().unwrap_or(url).rsplit('/').next().unwrap_or("file");
    let actor = Actor::server(line.account());
    let row = upload.finish(engine, actor, name, attachment.content_type.as_deref()).await.map_err(kept)?;
    Ok(row.id)
}

/// Whoever answers in a conversation that is closed here wants it open.
pub(super) async fn open_again(engine: &Engine, line: &Line, ours: ConversationId) -> Result<(), Trouble> {
    let account = line.account();
    let row = engine.store.read(move |tx| conversation_rows::find(tx, account, ours)).await?;
    if row.is_some_and(|row| row.status == ConversationStatus::Closed) {
        set_status(engine, line, ours, ConversationStatus::Active).await?;
    }
    Ok(())
}

async fn set_status(
    engine: &Engine,
    line: &Line,
    ours: ConversationId,
    status: ConversationStatus,
) -> Result<(), Trouble> {
    match conversations::set_status(engine, Actor::server(line.account()), ours, status).await {
        Ok(()) | Err(conversations::ConversationError::NotFound) => Ok(()),
        Err(conversations::ConversationError::Store(error)) => Err(error.into()),
        Err(error @ conversations::ConversationError::Invalid(_)) => Err(Trouble::Refused(error.to_string())),
    }
}

/// What people there read about a reply that is not taken here.
fn why(error: &ReplyError) -> String {
    match error {
        ReplyError::WindowClosed { templates: true, .. } => {
            "the customer's last message is too old for a free reply; send a template from Frontdesk."
                .to_owned()
        }
        ReplyError::Invalid(fields) => {
            fields.first().map_or_else(|| error.to_string(), |(_, sentence)| sentence.clone())
        }
        error => format!("{error}."),
    }
}

/// Shows there that something will not be sent, and why.
async fn refuse(claim: &Claim, line: &Line, conversation: i64, id: i64, reason: &str) -> Result<(), Trouble> {
    let failed = &MessageStatus::Failed;
    match line.client.set_message_status(conversation, id, failed, Some(reason)).await.map_err(Trouble::from)
    {
        Ok(_) => {}
        Err(Trouble::Gone(_)) => return Ok(()),
        Err(trouble) => return Err(trouble),
    }
    mirror::note(claim, line, conversation, id, reason).await
}

/// What was deleted there is hidden here, and not sent any more if it still waits.
pub(super) async fn delete(engine: &Engine, line: &Line, remote: i64) -> Result<(), Trouble> {
    let (account, bridge) = (line.account(), line.bridge.id);
    let links =
        engine.store.read(move |tx| bridge_links::find_by_remote(tx, account, bridge, remote)).await?;
    for link in links.into_iter().filter(|link| link.is_theirs) {
        let id = link.message_id;
        let row = engine.store.read(move |tx| frontdesk_store::messages::find(tx, account, id)).await?;
        let Some(row) = row else { continue };
        match conversations::delete_message(engine, Actor::server(account), row.conversation_id, id).await {
            Ok(()) | Err(conversations::ConversationError::NotFound) => {}
            Err(conversations::ConversationError::Store(error)) => return Err(error.into()),
            Err(error @ conversations::ConversationError::Invalid(_)) => {
                return Err(Trouble::Refused(error.to_string()));
            }
        }
    }
    Ok(())
}

/// Resolved there is closed here, opened there is open here. What was told may be old: it is asked again.
pub(super) async fn follow_status(engine: &Engine, line: &Line, remote: i64) -> Result<(), Trouble> {
    let (account, bridge) = (line.account(), line.bridge.id);
    let known = engine.store.read(move |tx| bridge_links::find_thread(tx, account, bridge, remote)).await?;
    let Some(known) = known else { return Ok(()) };
    // What an import shows there opens the conversation for a moment: that is nobody's wish.
    let lane = our_lane(known.conversation_id);
    if engine.store.read(move |tx| bridge_jobs::is_importing_lane(tx, bridge, &lane)).await? {
        return Err(Trouble::Wait(IMPORT_WAIT_MS));
    }
    let found = match line.client.get_conversation(remote).await.map_err(Trouble::from) {
        Err(Trouble::Gone(_)) => return Ok(()),
        found => found?,
    };
    let Some(status) = found.status else { return Ok(()) };
    let word = status.as_str().to_owned();
    let note = move |tx: &mut frontdesk_store::Tx<'_>| {
        bridge_links::set_remote_status(tx, account, bridge, remote, &word)?;
        let newest = bridge_links::newest_thread(tx, account, bridge, known.conversation_id)?;
        let row = conversation_rows::find(tx, account, known.conversation_id)?;
        Ok::<_, StoreError>(row.filter(|_| newest.is_some_and(|newest| newest.remote_id == remote)))
    };
    // Of several conversations there the newest counts.
    let Some(row) = engine.store.write(note).await? else { return Ok(()) };
    if !line.settings.follow_status {
        return Ok(());
    }
    match (status, row.status) {
        (RemoteStatus::Resolved, ConversationStatus::Active) => {
            set_status(engine, line, row.id, ConversationStatus::Closed).await
        }
        (RemoteStatus::Open | RemoteStatus::Pending, ConversationStatus::Closed) => {
            set_status(engine, line, row.id, ConversationStatus::Active).await
        }
        _ => Ok(()),
    }
}
