//! Carries out one piece of work: checks that it may still go, waits for its turn, makes the one request.

use std::time::Duration;

use frontdesk_channels::contract::{Retry, RetryPlan, STOOD_STILL, Scope, SendError};
use frontdesk_model::conversation::WindowState;
use frontdesk_model::inbox::ConnectionCode;
use frontdesk_model::message::{MessageKind, MessageStatus, StatusError};
use frontdesk_model::outbound::{Interactive, OutboundBody, OutboundMedia, OutboundMessage, Recipient};
use frontdesk_model::{MessageId, RemoteId, Timestamp};
use frontdesk_store::attachments::{self, AttachmentRow};
use frontdesk_store::conversations::{self, ConversationRow};
use frontdesk_store::deliveries::{self, DeliveryKey};
use frontdesk_store::messages::{self, MessageRow};
use frontdesk_store::outbox::{self, OutboxKind, OutboxRow};
use frontdesk_store::{StoreError, Tx, contacts, message_status, send_turns};
use tracing::Span;

use super::breaker::Pass;
use super::reaction::{self, ReactionCargo};
use super::record::{self, Fate, Hold, Problem, Tries};
use crate::connections::Line;
use crate::linked::Place;
use crate::linked::pacing::{self, Leave};
use crate::{Engine, inboxes, monitoring, origin};

/// How long a held inbox rests before its queue is looked at again, in milliseconds.
const HOLD_MS: i64 = 60_000;
/// A message whose inbox this node does not know (yet) is looked at again after this long, in milliseconds.
const STRANGE_MS: i64 = 2_000;
/// The state of an inbox that works is looked at this often, in milliseconds.
const CONFIRM_MS: i64 = 60_000;
/// A message waits this long for its turn; when it would take longer, the queue of its inbox waits.
const LONGEST_TURN: Duration = Duration::from_secs(5);
/// What the session of another node has to send is looked at again after this long, in milliseconds.
const ELSEWHERE_MS: i64 = 250;
/// The queue of a session that is not connected is looked at again after this long, in milliseconds.
const NOT_CONNECTED_MS: i64 = 10_000;
/// Read marks are a courtesy: after this many tries they are left.
const MAX_READ_TRIES: i64 = 5;

/// The span of everything done about a row: its lines have the id of the request that asked for it.
pub(super) fn span_of(row: &OutboxRow) -> Span {
    let span = tracing::info_span!(
        "send",
        otel.kind = "consumer",
        request.id = row.request_id,
        outbox.id = row.id.0,
        inbox.id = row.inbox_id.0,
        channel = tracing::field::Empty,
        message.id = row.message_id.map(|id| id.0)
    );
    origin::follow(&span, row.trace_parent.as_deref());
    span
}

/// Carries out one claimed row and writes down what came of it. Never fails: what cannot be written is found by the
/// sweep when the lease runs out.
pub(crate) async fn carry_out(engine: &Engine, row: OutboxRow, token: &str) {
    let outcome = match row.kind {
        OutboxKind::Message | OutboxKind::Reaction => carry_out_send(engine, &row, token).await,
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
    conversation: ConversationRow,
    recipient: Recipient,
    cargo: Cargo,
}

/// What is sent.
enum Cargo {
    Message { message: Box<MessageRow>, files: Vec<AttachmentRow> },
    Reaction(Box<ReactionCargo>),
}

impl Cargo {
    /// True when nobody wants it sent any more, or it was sent already.
    fn is_done(&self) -> bool {
        match self {
            Self::Message { message, .. } => {
                message.deleted_at.is_some() || message.status > MessageStatus::Unknown
            }
            Self::Reaction(reaction) => reaction.send.status > MessageStatus::Unknown,
        }
    }

    /// The message it is about: itself, or the one reacted to.
    fn message_id(&self) -> MessageId {
        match self {
            Self::Message { message, .. } => message.id,
            Self::Reaction(reaction) => reaction.send.message_id,
        }
    }
}

async fn load(engine: &Engine, row: &OutboxRow) -> Result<Option<Job>, StoreError> {
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

async fn carry_out_send(engine: &Engine, row: &OutboxRow, token: &str) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let Some(job) = load(engine, row).await? else { return record::drop_work(engine, row, token).await };
    if job.cargo.is_done() {
        return record::drop_work(engine, row, token).await;
    }
    let book = inboxes::book(engine).await?;
    let Some(inbox) = book.find(row.inbox_id) else {
        // Not in this node's book does not mean removed: it may be too new for it, or sealed with another key.
        return match inboxes::get(engine, row.account_id, row.inbox_id).await {
            Ok(_) => record::put_back(engine, row, token, now.plus_ms(STRANGE_MS)).await,
            Err(inboxes::InboxError::Store(error)) => Err(error),
            Err(_) => {
                let error = problem("INBOX_GONE", "The inbox of this conversation was removed.", None);
                fail(engine, row, token, error).await
            }
        };
    };
    Span::current().record("channel", inbox.channel.info().name);
    if !inbox.enabled {
        return record::hold(engine, row, token, now.plus_ms(HOLD_MS)).await;
    }
    if now.millis_since(row.created_at) > engine.settings.outbox.give_up_ms {
        let error = problem("GAVE_UP", "It could not be sent for too long and was given up.", Some("retry"));
        return fail(engine, row, token, error).await;
    }
    let window = inbox.channel.capabilities().reply_window;
    if is_outside_window(&job, window, now) {
        let error = problem(
            "WINDOW_CLOSED",
            "The customer's last message is too old for a free reply; send a template.",
            Some("template"),
        );
        return fail(engine, row, token, error).await;
    }
    let line = engine.connections().line(engine, inbox);
    let connection = match &line.connection {
        Ok(connection) => connection.clone(),
        Err(reason) => {
            tracing::warn!(inbox.id = row.inbox_id.0, reason, "an inbox cannot send");
            return record::hold(engine, row, token, now.plus_ms(HOLD_MS)).await;
        }
    };
    if let Some(until) = line.rests_until(now) {
        return record::hold(engine, row, token, until).await;
    }
    if inbox.channel.sessions().is_some() {
        match engine.linked().place_of(row.inbox_id) {
            Place::Here => {}
            Place::Elsewhere => return record::put_back(engine, row, token, now.plus_ms(ELSEWHERE_MS)).await,
            // Woken as soon as the session is connected.
            Place::NotConnected => {
                return record::hold(engine, row, token, now.plus_ms(NOT_CONNECTED_MS)).await;
            }
        }
        match leave_of(engine, inbox, &job, row, now).await? {
            Leave::Go => {}
            Leave::At(at) => return record::put_back(engine, row, token, at).await,
            Leave::Never => {
                let sentence = "This session only answers: the customer has to write first.";
                return fail(engine, row, token, problem("REPLIES_ONLY", sentence, None)).await;
            }
        }
    } else if connection.linking().is_some() && is_signed_out(engine, row).await? {
        return record::hold(engine, row, token, now.plus_ms(HOLD_MS)).await;
    }
    let pass = match line.breaker.admit(now) {
        Ok(pass) => pass,
        Err(until) => return record::hold(engine, row, token, until).await,
    };
    let outgoing = match outgoing(engine, &job, row.attempts + 1, now).await {
        Ok(outgoing) => outgoing,
        Err(error) => return fail(engine, row, token, error).await,
    };
    let key = match begin(engine, row, token, &job, &line).await? {
        Begun::Sending(key) => key,
        Begun::NotYet(wait) => {
            let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
            return record::hold(engine, row, token, engine.clock.now().plus_ms(wait_ms)).await;
        }
        // Someone else has it, or nobody wants it any more.
        Begun::ClaimLost => return Ok(()),
    };
    let answer = tokio::time::timeout(request_limit(engine), connection.send(&outgoing)).await;
    let result = answer.unwrap_or_else(|_| Err(timed_out()));
    let fate = match result {
        Err(error) if error.reconnect && matches!(is_outdated(engine, &line, row).await, Ok(true)) => {
            retry_with_new_token(engine, error)
        }
        result => {
            note_on_line(engine, row, &line, pass, result.as_ref().err()).await;
            match result {
                Ok(sent) => Fate::Sent(sent.remote_id),
                Err(error) => {
                    let plan = connection.retry_plan();
                    let tries = Tries { all: key.attempt, failed: failed_tries(engine, &plan, key).await };
                    record::fate_of(engine, &plan, tries, error)
                }
            }
        }
    };
    record::record(engine, row, token, Some(key), fate).await
}

/// How many tries of a row were answered with a failure, this one among them. Only a plan with an end wants to know.
async fn failed_tries(engine: &Engine, plan: &RetryPlan, key: DeliveryKey) -> i64 {
    if *plan == RetryPlan::Patient {
        return key.attempt;
    }
    match engine.store.read(move |tx| deliveries::failed_tries(tx, key)).await {
        Ok(before) => before + 1,
        // What is not known gives no message up.
        Err(_) => 1,
    }
}

/// Whether a send may leave.
enum Begun {
    /// Yes: it is marked as under way.
    Sending(DeliveryKey),
    /// Its turn is so long ahead that it waits in the queue.
    NotYet(Duration),
    /// The claim was lost meanwhile.
    ClaimLost,
}

/// Waits as the pace of the inbox demands, of this node and then of all, and marks the row as sending.
async fn begin(
    engine: &Engine,
    row: &OutboxRow,
    token: &str,
    job: &Job,
    line: &Line,
) -> Result<Begun, StoreError> {
    let began = tokio::time::Instant::now();
    let turn = line.pace.wait(LONGEST_TURN).await;
    let mut waited = turn.err().unwrap_or_else(|| began.elapsed());
    let begun = match turn {
        Err(wait) => Begun::NotYet(wait),
        Ok(()) => loop {
            let wait = match start(engine, row, token, job, line).await? {
                Ok(Some(key)) => break Begun::Sending(key),
                Ok(None) => break Begun::ClaimLost,
                Err(wait_ms) => Duration::from_millis(u64::try_from(wait_ms).unwrap_or_default()),
            };
            waited += wait;
            if waited > LONGEST_TURN {
                break Begun::NotYet(wait);
            }
            tokio::time::sleep(wait).await;
        },
    };
    if waited >= Duration::from_millis(1) {
        monitoring::note_wait(engine, row.account_id, row.inbox_id, waited);
    }
    Ok(begun)
}

/// The longest a request may take: a file may go up before its message, each within the provider's time-out.
fn request_limit(engine: &Engine) -> Duration {
    Duration::from_millis(
        engine.channels.providers.longest_timeout_ms().saturating_mul(2).saturating_add(5_000),
    )
}

/// Fails a message no request was made for.
async fn fail(engine: &Engine, row: &OutboxRow, token: &str, error: StatusError) -> Result<(), StoreError> {
    let fate = Fate::Failed(Problem { shown: error, http_status: None, used_up: false });
    record::record(engine, row, token, None, fate).await
}

/// Whether a session may write to this customer now: a number that writes to many strangers is banned.
async fn leave_of(
    engine: &Engine,
    inbox: &inboxes::Inbox,
    job: &Job,
    row: &OutboxRow,
    now: Timestamp,
) -> Result<Leave, StoreError> {
    let settings = engine.settings.linked.clone();
    let is_real = inbox
        .channel
        .sessions()
        .and_then(|sessions| sessions.driver(&engine.channels, &inbox.config.settings).ok())
        .is_some_and(|driver| driver.is_real);
    let is_answer = job.conversation.last_inbound_at.is_some();
    if is_answer || !(is_real || settings.pace_simulated) {
        return Ok(Leave::Go);
    }
    let whom = (row.account_id, row.inbox_id, row.conversation_id);
    engine.store.write(move |tx| pacing::take(tx, &settings, whom, rand::random(), now)).await
}

/// True while nobody is signed in on the account behind an inbox, or the network stopped it: its provider would take
/// messages and keep them to itself.
async fn is_signed_out(engine: &Engine, row: &OutboxRow) -> Result<bool, StoreError> {
    match inboxes::get(engine, row.account_id, row.inbox_id).await {
        Ok(inbox) => Ok(matches!(inbox.state.code, ConnectionCode::Reconnect | ConnectionCode::Paused)),
        Err(inboxes::InboxError::Store(error)) => Err(error),
        Err(_) => Ok(false),
    }
}

/// True when the settings of the inbox were changed after the line was opened.
async fn is_outdated(engine: &Engine, line: &Line, row: &OutboxRow) -> Result<bool, StoreError> {
    let book = inboxes::book(engine).await?;
    Ok(book.find(row.inbox_id).is_some_and(|inbox| inbox.version != line.version))
}

/// What the old token may not do says nothing about the new one.
fn retry_with_new_token(engine: &Engine, error: SendError) -> Fate {
    let shown = StatusError { code: error.code, message: error.shown, action: None };
    let problem = Problem { shown, http_status: error.http_status, used_up: false };
    Fate::Retry { at: engine.clock.now(), hold: Hold::Nothing, problem, reconnect: None }
}

/// Marks the row as sending and notes the try, just before the request leaves: `None` when the claim was lost. `Err` tells
/// in how many milliseconds it may, when other nodes have had the turns.
async fn start(
    engine: &Engine,
    row: &OutboxRow,
    token: &str,
    job: &Job,
    line: &Line,
) -> Result<Result<Option<DeliveryKey>, i64>, StoreError> {
    let now = engine.clock.now();
    let limit_ms = i64::try_from(request_limit(engine).as_millis()).unwrap_or(i64::MAX);
    let lease_until = now.plus_ms(engine.settings.outbox.lease_ms.max(limit_ms.saturating_add(5_000)));
    let (row, token, message) = (row.clone(), token.to_owned(), job.cargo.message_id());
    let windows = line.pace.shared().to_vec();
    engine
        .store
        .write(move |tx| {
            if let Err(wait_ms) = send_turns::take(tx, row.account_id, row.inbox_id, &windows)? {
                return Ok(Err(wait_ms));
            }
            let started = outbox::start(tx, &row, &token, lease_until, now)?;
            let Some(attempt) = started else { return Ok(Ok(None)) };
            let key =
                DeliveryKey { account_id: row.account_id, message_id: message, outbox_id: row.id, attempt };
            deliveries::begin(tx, key, row.kind, now)?;
            match row.kind {
                OutboxKind::Reaction => reaction::start(tx, &row, now)?,
                _ => message_status::note_sending(tx, row.account_id, message, now)?,
            }
            Ok(Ok(Some(key)))
        })
        .await
}

/// Tells the breaker of the inbox, and everyone when the inbox's state changes by it.
async fn note_on_line(
    engine: &Engine,
    row: &OutboxRow,
    line: &Line,
    pass: Pass<'_>,
    error: Option<&SendError>,
) {
    let now = engine.clock.now();
    let noted = match error {
        Some(error) if error.reconnect => {
            drop(pass);
            line.doubt();
            inboxes::set_state(engine, row.account_id, row.inbox_id, record::reconnect_state(error)).await
        }
        Some(error) if error.code == STOOD_STILL => {
            drop(pass);
            Ok(())
        }
        Some(error) if is_outage(error) => match pass.failed(now) {
            Some(until) => {
                metrics::counter!("frontdesk_breakers_opened_total").increment(1);
                tracing::warn!(inbox.id = row.inbox_id.0, %until, "a provider keeps failing: its inbox waits");
                line.doubt();
                hold_for_outage(engine, row, error, until).await
            }
            None => Ok(()),
        },
        error => {
            if let Some(until) = error.and_then(|error| record::rest_of_inbox(engine, error, now)) {
                line.rest_until(until);
            }
            let was_open = pass.succeeded();
            // A refusal proves that the provider is there; only a message that went proves that all is well.
            if was_open || (error.is_none() && line.is_confirmation_due(now, CONFIRM_MS)) {
                confirm(engine, row, line).await
            } else {
                Ok(())
            }
        }
    };
    if let Err(error) = noted {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the state of an inbox could not be written"
        );
    }
}

/// True when the provider as a whole failed, not this message.
fn is_outage(error: &SendError) -> bool {
    let answered = error.http_status.is_some_and(|status| status < 500);
    !error.certain || error.code == "UNREACHABLE" || (error.scope == Scope::Inbox && !answered)
}

async fn hold_for_outage(
    engine: &Engine,
    row: &OutboxRow,
    error: &SendError,
    until: Timestamp,
) -> Result<(), StoreError> {
    let (account, inbox, now) = (row.account_id, row.inbox_id, engine.clock.now());
    let state = record::unreachable_state(error);
    engine
        .store
        .write(move |tx| {
            outbox::hold_inbox(tx, inbox, until)?;
            inboxes::store_state(tx, account, inbox, &state, now)
        })
        .await
}

/// Says that an inbox works when it is known as one that does not, or of which it was not known. What the provider
/// itself told (restricted, paused) stands.
async fn confirm(engine: &Engine, row: &OutboxRow, line: &Line) -> Result<(), StoreError> {
    let is_linked = line.connection.as_ref().is_ok_and(|connection| connection.linking().is_some());
    let code = match inboxes::get(engine, row.account_id, row.inbox_id).await {
        Ok(inbox) => inbox.state.code,
        Err(inboxes::InboxError::Store(error)) => return Err(error),
        Err(_) => return Ok(()),
    };
    match code {
        // A message taken by the provider of a linked phone does not show that the phone is linked.
        ConnectionCode::Reconnect if is_linked => Ok(()),
        ConnectionCode::Connecting | ConnectionCode::Reconnect | ConnectionCode::Unreachable => {
            inboxes::set_state(engine, row.account_id, row.inbox_id, record::connected_state()).await
        }
        ConnectionCode::Connected | ConnectionCode::Degraded | ConnectionCode::Paused => Ok(()),
    }
}

fn is_outside_window(
    job: &Job,
    window: Option<frontdesk_model::capabilities::ReplyWindow>,
    now: Timestamp,
) -> bool {
    if matches!(&job.cargo, Cargo::Message { message, .. } if message.kind == MessageKind::Template) {
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

async fn carry_out_read(engine: &Engine, row: &OutboxRow, token: &str) -> Result<(), StoreError> {
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
    note_on_line(engine, row, &line, pass, result.as_ref().err()).await;
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
        used_up: false,
        code: "TIMEOUT".to_owned(),
        http_status: None,
        shown: "The provider did not answer in time.".to_owned(),
        action: None,
        source: None,
    }
}
