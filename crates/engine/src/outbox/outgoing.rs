//! What one claimed row sends: read at once, and put into the words of the contract.

use frontdesk_model::message::{MessageKind, MessageStatus, StatusError};
use frontdesk_model::outbound::{Interactive, OutboundBody, OutboundMedia, OutboundMessage, Recipient};
use frontdesk_model::{MessageId, Timestamp};
use frontdesk_store::attachments::{self, AttachmentRow};
use frontdesk_store::conversations::{self, ConversationRow};
use frontdesk_store::messages::{self, MessageRow};
use frontdesk_store::outbox::{OutboxKind, OutboxRow};
use frontdesk_store::{StoreError, Tx, contacts};

use super::reaction::{self, ReactionCargo};
use super::send::problem;
use crate::Engine;

/// Everything one send needs, read at once.
pub(super) struct Job {
    pub(super) conversation: ConversationRow,
    pub(super) recipient: Recipient,
    pub(super) cargo: Cargo,
}

/// What is sent.
pub(super) enum Cargo {
    Message { message: Box<MessageRow>, files: Vec<AttachmentRow> },
    Reaction(Box<ReactionCargo>),
}

impl Cargo {
    /// True when nobody wants it sent any more, or it was sent already.
    pub(super) fn is_done(&self) -> bool {
        match self {
            Self::Message { message, .. } => {
                message.deleted_at.is_some() || message.status > MessageStatus::Unknown
            }
            Self::Reaction(reaction) => reaction.send.status > MessageStatus::Unknown,
        }
    }

    /// The message it is about: itself, or the one reacted to.
    pub(super) fn message_id(&self) -> MessageId {
        match self {
            Self::Message { message, .. } => message.id,
            Self::Reaction(reaction) => reaction.send.message_id,
        }
    }
}

/// Reads what a row is to send; `None` when nothing is left of it.
pub(super) async fn load(engine: &Engine, row: &OutboxRow) -> Result<Option<Job>, StoreError> {
    let row = row.clone();
    engine
        .store
        .read(move |tx| {
            let Some(cargo) = load_cargo(tx, &row)? else { return Ok(None) };
            let Some(conversation) = conversations::find(tx, row.account_id, row.conversation_id)? else {
                return Ok(None);
            };
            let identities = contacts::identities(tx, row.account_id, conversation.contact_id)?;
            let recipient = Recipient { thread: conversation.thread.clone(), identities };
            Ok(Some(Job { conversation, recipient, cargo }))
        })
        .await
}

fn load_cargo(tx: &mut Tx<'_>, row: &OutboxRow) -> Result<Option<Cargo>, StoreError> {
    if row.kind == OutboxKind::Reaction {
        return Ok(reaction::load(tx, row)?.map(|reaction| Cargo::Reaction(Box::new(reaction))));
    }
    let Some(id) = row.message_id else { return Ok(None) };
    let Some(mut message) = messages::find(tx, row.account_id, id)? else { return Ok(None) };
    if let (None, Some(answered)) = (&message.reply_to, message.payload.answers) {
        // Ours, and before this one in the queue: by now it has an id at the provider, or will never have one.
        message.reply_to = messages::find(tx, row.account_id, answered)?.and_then(|m| m.remote_id);
    }
    let is_text = message.kind == MessageKind::Text;
    let files = if is_text { Vec::new() } else { attachments::of_message(tx, row.account_id, id)? };
    Ok(Some(Cargo::Message { message: Box::new(message), files }))
}

/// Puts the message into the words of the contract.
pub(super) async fn outgoing(
    engine: &Engine,
    job: &Job,
    attempt: i64,
    now: Timestamp,
) -> Result<OutboundMessage, StatusError> {
    let (message, files) = match &job.cargo {
        Cargo::Message { message, files } => (message, files),
        Cargo::Reaction(reaction) => {
            return Ok(OutboundMessage {
                client_ref: reaction.send.client_ref.clone(),
                to: job.recipient.clone(),
                body: reaction.body(),
                reply_to: None,
                attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
                last_inbound_at: job.conversation.last_inbound_at,
                now,
            });
        }
    };
    let body = match (message.kind, files.first()) {
        (MessageKind::Text, _) => OutboundBody::Text(message.content.clone().unwrap_or_default()),
        (MessageKind::Template, _) => match message.payload.template.clone() {
            Some(template) => OutboundBody::Template(template),
            None => return Err(unsendable()),
        },
        (MessageKind::Location, _) => match message.payload.location.clone() {
            Some(location) => OutboundBody::Location(location),
            None => return Err(unsendable()),
        },
        (MessageKind::Contacts, _) => OutboundBody::Contacts(message.payload.contacts.clone()),
        (MessageKind::Interactive, _) => {
            let value = message.payload.interactive.clone().ok_or_else(unsendable)?;
            let interactive: Interactive = serde_json::from_value(value).map_err(|_| unsendable())?;
            OutboundBody::Interactive(interactive)
        }
        (_, Some(file)) => OutboundBody::Media(outgoing_file(engine, file, message.content.clone()).await?),
        _ => return Err(unsendable()),
    };
    Ok(OutboundMessage {
        client_ref: message.client_ref.clone().unwrap_or_default(),
        to: job.recipient.clone(),
        body,
        reply_to: message.reply_to.clone(),
        attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
        last_inbound_at: job.conversation.last_inbound_at,
        now,
    })
}

async fn outgoing_file(
    engine: &Engine,
    file: &AttachmentRow,
    caption: Option<String>,
) -> Result<OutboundMedia, StatusError> {
    let key = file.storage_key.as_deref().ok_or_else(unsendable)?;
    let path = engine.media().local_path(file.account_id, key).await.map_err(|error| {
        tracing::error!(attachment.id = file.id.0, error = %error, "a file to be sent cannot be read");
        problem("FILE_GONE", "The file is not on the server any more; attach it again.", None)
    })?;
    Ok(OutboundMedia {
        kind: file.kind,
        path,
        url: file.source.as_ref().and_then(|source| source.url.clone()),
        mime_type: file.mime_type.clone().unwrap_or_else(|| "application/octet-stream".to_owned()),
        file_name: file.file_name.clone().unwrap_or_else(|| "file".to_owned()),
        size_bytes: u64::try_from(file.size_bytes.unwrap_or(0)).unwrap_or(0),
        caption: caption.filter(|c| !c.is_empty()),
    })
}

fn unsendable() -> StatusError {
    problem("UNSENDABLE", "This message has no content that can be sent.", None)
}
