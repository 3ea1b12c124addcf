//! Carries out one piece of work: checks that it may still go, waits for its turn, makes the one request.

use std::time::Duration;

use frontdesk_channels::contract::{Retry, RetryPlan, Scope, SendError};
use frontdesk_model::message::StatusError;
use frontdesk_store::deliveries::{self, DeliveryKey};
use frontdesk_store::outbox::{self, OutboxKind, OutboxRow};
use frontdesk_store::{StoreError, message_status, send_turns};
use tracing::Span;

use super::outgoing::{self, Job};
use super::permission::{self, is_outside_window, is_signed_out, leave_of};
use super::record::{self, Fate, Hold, Problem, Tries};
use super::{reaction, read_mark, verdict};
use crate::connections::Line;
use crate::linked::Place;
use crate::linked::pacing::Leave;
use crate::{Engine, inboxes, monitoring, origin};

/// How long a held inbox rests before its queue is looked at again, in milliseconds.
const HOLD_MS: i64 = 60_000;
/// A message whose inbox this node does not know (yet) is looked at again after this long, in milliseconds.
const STRANGE_MS: i64 = 2_000;
/// A message waits this long for its turn; when it would take longer, the queue of its inbox waits.
const LONGEST_TURN: Duration = Duration::from_secs(5);
/// What the session of another node has to send is looked at again after this long, in milliseconds.
const ELSEWHERE_MS: i64 = 250;
/// The queue of a session that is not connected is looked at again after this long, in milliseconds.
const NOT_CONNECTED_MS: i64 = 10_000;

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
        OutboxKind::Read => read_mark::carry_out(engine, &row, token).await,
    };
    if let Err(error) = outcome {
        tracing::error!(
            outbox.id = row.id.0,
            error = &error as &dyn std::error::Error,
            "the outcome of a send could not be written"
        );
    }
}

async fn carry_out_send(engine: &Engine, row: &OutboxRow, token: &str) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let Some(job) = outgoing::load(engine, row).await? else {
        return record::drop_work(engine, row, token).await;
    };
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
                return wait_for_session(engine, inbox, row, token, NOT_CONNECTED_MS).await;
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
        return wait_for_session(engine, inbox, row, token, HOLD_MS).await;
    }
    let pass = match line.breaker.admit(now) {
        Ok(pass) => pass,
        Err(until) => return record::hold(engine, row, token, until).await,
    };
    let outgoing = match outgoing::outgoing(engine, &job, row.attempts + 1, now).await {
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
            verdict::note(engine, row, &line, pass, result.as_ref().err()).await;
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

/// Holds the queue of an inbox that is not connected. Woken as soon as it is; where that was in this very moment, soon.
async fn wait_for_session(
    engine: &Engine,
    inbox: &inboxes::Inbox,
    row: &OutboxRow,
    token: &str,
    hold_ms: i64,
) -> Result<(), StoreError> {
    record::hold(engine, row, token, engine.clock.now().plus_ms(hold_ms)).await?;
    permission::wake_if_back(engine, inbox, row, engine.clock.now().plus_ms(ELSEWHERE_MS)).await
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

pub(super) fn problem(code: &str, message: &str, action: Option<&str>) -> StatusError {
    StatusError { code: code.to_owned(), message: message.to_owned(), action: action.map(str::to_owned) }
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
