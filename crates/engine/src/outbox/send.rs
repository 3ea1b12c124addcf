//! Carries out one piece of work: checks that it may still go, waits for its turn, makes the one request.

use std::time::Duration;

use frontdesk_channels::contract::{Retry, Scope, SendError};
use frontdesk_model::conversation::WindowState;
use frontdesk_model::message::{MessageKind, MessageStatus, StatusError};
use frontdesk_model::outbound::{Interactive, OutboundBody, OutboundMedia, OutboundMessage, Recipient};
use frontdesk_model::{RemoteId, Timestamp};
use frontdesk_store::attachments::{self, AttachmentRow};
use frontdesk_store::conversations::{self, ConversationRow};
use frontdesk_store::deliveries::{self, DeliveryKey};
use frontdesk_store::messages::{self, MessageRow};
use frontdesk_store::outbox::{self, OutboxKind, OutboxRow};
use frontdesk_store::{StoreError, contacts};

use super::breaker::Admission;
use super::record::{self, Fate};
use crate::Engine;
use crate::connections::Line;
use crate::inboxes;

/// How long a held inbox rests before its queue is looked at again, in milliseconds.
const HOLD_MS: i64 = 60_000;
/// Read marks are a courtesy: after this many tries they are left.
const MAX_READ_TRIES: i64 = 5;
/// The longest a request may take, above every provider time-out.
const REQUEST_LIMIT: Duration = Duration::from_secs(120);

/// Carries out one claimed row and writes down what came of it. Never fails: what cannot be written is found by the
/// sweep when the lease runs out.
pub(crate) async fn carry_out(engine: &Engine, row: OutboxRow, token: &str) {
    let outcome = match row.kind {
        OutboxKind::Message => carry_out_message(engine, &row, token).await,
        OutboxKind::Read => carry_out_read(engine, &row, token).await,
    };
    if let Err(error) = outcome {
        tracing::error!(
            outbox.id = row.id.0,
            error = &error as &dyn std::error::Error,
            "the outcome of a send could not be written"
        );
    }
}

/// Everything one send needs, read at once.
struct Job {
    message: MessageRow,
    conversation: ConversationRow,
    recipient: Recipient,
    files: Vec<AttachmentRow>,
}

async fn load(engine: &Engine, row: &OutboxRow) -> Result<Option<Job>, StoreError> {
    let (account, message_id, conversation_id) = (row.account_id, row.message_id, row.conversation_id);
    engine
        .store
        .read(move |tx| {
            let Some(id) = message_id else { return Ok(None) };
            let Some(message) = messages::find(tx, account, id)? else { return Ok(None) };
            let Some(conversation) = conversations::find(tx, account, conversation_id)? else {
                return Ok(None);
            };
            let identities = contacts::identities(tx, account, conversation.contact_id)?;
            let files = attachments::of_message(tx, account, id)?;
            let recipient = Recipient { thread: conversation.thread.clone(), identities };
            Ok(Some(Job { message, conversation, recipient, files }))
        })
        .await
}

async fn carry_out_message(engine: &Engine, row: &OutboxRow, token: &str) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let Some(job) = load(engine, row).await? else { return record::drop_work(engine, row, token).await };
    if job.message.deleted_at.is_some() || job.message.status > MessageStatus::Unknown {
        return record::drop_work(engine, row, token).await;
    }
    let book = inboxes::book(engine).await?;
    let Some(inbox) = book.find(row.inbox_id) else {
        let error = problem("INBOX_GONE", "The inbox of this conversation was removed.", None);
        return record::record(engine, row, token, None, Fate::Failed(error)).await;
    };
    if !inbox.enabled {
        return record::hold(engine, row, token, now.plus_ms(HOLD_MS)).await;
    }
    if now.millis_since(row.created_at) > engine.settings.outbox.give_up_ms {
        let error = problem("GAVE_UP", "It could not be sent for too long and was given up.", Some("retry"));
        return record::record(engine, row, token, None, Fate::Failed(error)).await;
    }
    let window = inbox.channel.capabilities().reply_window;
    if is_outside_window(&job, window, now) {
        let error = problem(
            "WINDOW_CLOSED",
            "The customer's last message is too old for a free reply; send a template.",
            Some("template"),
        );
        return record::record(engine, row, token, None, Fate::Failed(error)).await;
    }
    let line = engine.connections().line(engine, inbox);
    let connection = match &line.connection {
        Ok(connection) => connection.clone(),
        Err(reason) => {
            tracing::warn!(inbox.id = row.inbox_id.0, reason, "an inbox cannot send");
            return record::hold(engine, row, token, now.plus_ms(HOLD_MS)).await;
        }
    };
    if let Admission::HoldUntil(until) = line.breaker.admit(now) {
        return record::hold(engine, row, token, until).await;
    }
    let outgoing =
        match outgoing(engine, &job, u32::try_from(row.attempts + 1).unwrap_or(u32::MAX), now).await {
            Ok(outgoing) => outgoing,
            Err(error) => {
                line.breaker.abandoned();
                return record::record(engine, row, token, None, Fate::Failed(error)).await;
            }
        };
    line.pace.wait().await;
    let Some(key) = start(engine, row, token, &job).await? else {
        line.breaker.abandoned(); // the claim was lost meanwhile: someone else has it
        return Ok(());
    };
    let answer = tokio::time::timeout(REQUEST_LIMIT, connection.send(&outgoing)).await;
    let result = answer.unwrap_or_else(|_| Err(timed_out()));
    note_on_line(engine, row, &line, result.as_ref().err()).await;
    let fate = match result {
        Ok(sent) => Fate::Sent(sent.remote_id),
        Err(error) => record::fate_of(engine, row, key.attempt, error),
    };
    record::record(engine, row, token, Some(key), fate).await
}

/// Marks the row as sending and notes the try, just before the request leaves.
async fn start(
    engine: &Engine,
    row: &OutboxRow,
    token: &str,
    job: &Job,
) -> Result<Option<DeliveryKey>, StoreError> {
    let now = engine.clock.now();
    let limit_ms = i64::try_from(REQUEST_LIMIT.as_millis()).unwrap_or(i64::MAX);
    let lease_until = now.plus_ms(engine.settings.outbox.lease_ms.max(limit_ms + 5_000));
    let (row, token, message) = (row.clone(), token.to_owned(), job.message.id);
    engine
        .store
        .write(move |tx| {
            let Some(attempt) = outbox::start(tx, &row, &token, lease_until, now)? else { return Ok(None) };
            let key =
                DeliveryKey { account_id: row.account_id, message_id: message, outbox_id: row.id, attempt };
            deliveries::begin(tx, key, now)?;
            messages::raise_status(tx, row.account_id, message, MessageStatus::Sending, None, now, now)?;
            Ok(Some(key))
        })
        .await
}

/// Tells the breaker of the inbox, and everyone when it opens or closes.
async fn note_on_line(engine: &Engine, row: &OutboxRow, line: &Line, error: Option<&SendError>) {
    let now = engine.clock.now();
    let state = match error {
        Some(error) if error.reconnect => {
            line.breaker.abandoned();
            Some(record::reconnect_state(error))
        }
        Some(error) if error.scope == Scope::Inbox || !error.certain || error.code == "UNREACHABLE" => {
            let opened = line.breaker.failed(now);
            if let Some(until) = opened {
                let inbox = row.inbox_id;
                let held = engine.store.write(move |tx| outbox::hold_inbox(tx, inbox, until)).await;
                if let Err(error) = held {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a queue could not be held");
                }
            }
            opened.map(|_| record::unreachable_state(error))
        }
        _ => line.breaker.succeeded().then(record::connected_state),
    };
    let Some(state) = state else { return };
    if let Err(error) = inboxes::set_state(engine, row.account_id, row.inbox_id, state).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the state of an inbox could not be written"
        );
    }
}

fn is_outside_window(
    job: &Job,
    window: Option<frontdesk_model::capabilities::ReplyWindow>,
    now: Timestamp,
) -> bool {
    if job.message.kind == MessageKind::Template {
        return false;
    }
    let reach = window.map(|w| frontdesk_model::capabilities::ReplyWindow {
        duration_ms: w.extended_ms.unwrap_or(w.duration_ms),
        extended_ms: None,
    });
    !WindowState::at(reach, job.conversation.last_inbound_at, now).is_open()
}

/// Puts the message into the words of the contract.
async fn outgoing(
    engine: &Engine,
    job: &Job,
    attempt: u32,
    now: Timestamp,
) -> Result<OutboundMessage, StatusError> {
    let message = &job.message;
    let body = match (message.kind, job.files.first()) {
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
        last_inbound_at: job.conversation.last_inbound_at,
        now,
        attempt,
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
        mime_type: file.mime_type.clone().unwrap_or_else(|| "application/octet-stream".to_owned()),
        file_name: file.file_name.clone().unwrap_or_else(|| "file".to_owned()),
        size_bytes: u64::try_from(file.size_bytes.unwrap_or(0)).unwrap_or(0),
        caption: caption.filter(|c| !c.is_empty()),
    })
}

async fn carry_out_read(engine: &Engine, row: &OutboxRow, token: &str) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let book = inboxes::book(engine).await?;
    let line =
        book.find(row.inbox_id).filter(|i| i.enabled).map(|inbox| engine.connections().line(engine, inbox));
    let Some(line) = line else { return record::drop_work(engine, row, token).await };
    let (Ok(connection), Some(target)) = (&line.connection, row.data.clone()) else {
        return record::drop_work(engine, row, token).await;
    };
    let Some(receipts) = connection.receipts() else { return record::drop_work(engine, row, token).await };
    if let Admission::HoldUntil(_) = line.breaker.admit(now) {
        return record::drop_work(engine, row, token).await;
    }
    let (account, conversation) = (row.account_id, row.conversation_id);
    let recipient = engine
        .store
        .read(move |tx| {
            let Some(row) = conversations::find(tx, account, conversation)? else { return Ok(None) };
            let identities = contacts::identities(tx, account, row.contact_id)?;
            Ok::<_, StoreError>(Some(Recipient { thread: row.thread, identities }))
        })
        .await?;
    let Some(recipient) = recipient else {
        line.breaker.abandoned();
        return record::drop_work(engine, row, token).await;
    };
    line.pace.wait().await;
    // A read mark may be repeated without harm, so it goes straight from claimed to done.
    let result = receipts.mark_read(&recipient, &RemoteId(target)).await;
    note_on_line(engine, row, &line, result.as_ref().err()).await;
    match result {
        Err(error) if error.retry != Retry::Never && row.attempts < MAX_READ_TRIES => {
            record::try_read_again(engine, row, token).await
        }
        _ => record::drop_work(engine, row, token).await,
    }
}

pub(super) fn problem(code: &str, message: &str, action: Option<&str>) -> StatusError {
    StatusError { code: code.to_owned(), message: message.to_owned(), action: action.map(str::to_owned) }
}

fn unsendable() -> StatusError {
    problem("UNSENDABLE", "This message has no content that can be sent.", None)
}

fn timed_out() -> SendError {
    SendError {
        certain: false,
        retry: Retry::Never,
        scope: Scope::Message,
        reconnect: false,
        code: "TIMEOUT".to_owned(),
        http_status: None,
        shown: "The provider did not answer in time.".to_owned(),
        action: None,
        source: None,
    }
}
