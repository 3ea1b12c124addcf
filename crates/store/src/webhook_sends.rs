//! What other programs are told, on its way: claimed by lease, fenced by a token, in order within each lane. Every try is a
//! row, with what was answered.

use frontdesk_model::{AccountId, MessageId, Timestamp, WebhookEndpointId, WebhookSendId};

use crate::db::statement::{both, each};
use crate::{Columns, FromRow, StoreError, Tx};

macro_rules! columns {
    () => {
        "s.id, s.account_id, s.endpoint_id, s.event_key, s.event, s.lane, s.message_id, s.body, s.state, s.due_at, s.give_up_at,
         s.attempts, s.http_status, s.last_error, s.created_at, s.ended_at"
    };
}

/// Due, of this endpoint, and not behind an earlier one of its lane: that is under way, due too, or still among its first
/// tries. What was tried more often than that steps aside, so that nothing is held up for ever.
macro_rules! claimable {
    () => {
        "SELECT d.id FROM webhook_sends d WHERE d.endpoint_id = $1 AND d.state IN ('queued', 'claimed') AND d.state = 'queued' AND d.due_at <= $2
           AND NOT EXISTS (SELECT 1 FROM webhook_sends b WHERE b.endpoint_id = d.endpoint_id AND b.lane = d.lane
                AND b.state IN ('queued', 'claimed') AND ((b.id < d.id
                    AND (b.state = 'claimed' OR b.due_at <= $2 OR b.attempts < $6)) OR (b.id > d.id AND b.state = 'claimed')))
         ORDER BY d.due_at, d.id LIMIT $5"
    };
}

statements! {
    INSERT = each(
        "INSERT INTO webhook_sends (account_id, endpoint_id, event_key, event, lane, message_id, body, state, is_held, due_at,
            give_up_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued', $8, $9, $10, $11) ON CONFLICT (endpoint_id, event_key) DO NOTHING",
        "INSERT INTO webhook_sends (account_id, endpoint_id, event_key, event, lane, message_id, body, state, is_held, due_at,
            give_up_at, created_at)
         SELECT account_id, endpoint_id, event_key, event, lane, message_id, body, 'queued', is_held, due_at, give_up_at, created_at
         FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::TEXT[], $4::TEXT[], $5::TEXT[], $6::BIGINT[], $7::TEXT[], $8::BOOLEAN[],
                $9::BIGINT[], $10::BIGINT[], $11::BIGINT[], $12::BIGINT[])
            AS n (account_id, endpoint_id, event_key, event, lane, message_id, body, is_held, due_at, give_up_at, created_at, place)
         ORDER BY place ON CONFLICT (endpoint_id, event_key) DO NOTHING");
    DUE_ENDPOINTS = both(
        "SELECT e.account_id, e.id, e.failures,
            (SELECT COUNT(*) FROM webhook_sends c WHERE c.endpoint_id = e.id AND c.state IN ('queued', 'claimed')
                AND c.state = 'claimed')
         FROM webhook_endpoints e
         WHERE e.status = 'enabled' AND e.rest_until <= $1 AND EXISTS (SELECT 1 FROM webhook_sends d
            WHERE d.endpoint_id = e.id AND d.state IN ('queued', 'claimed') AND d.due_at <= $1 AND d.state = 'queued')
         ORDER BY e.id LIMIT $2");
    // As an array: a subquery that PostgreSQL runs again for each row would find others each time, beyond the limit.
    CLAIM = each(
        concat!("UPDATE webhook_sends SET state = 'claimed', lease_until = $3, claim_token = $4, attempts = attempts + 1,
            is_held = FALSE WHERE id IN (", claimable!(), ") RETURNING id"),
        concat!("UPDATE webhook_sends SET state = 'claimed', lease_until = $3, claim_token = $4, attempts = attempts + 1,
            is_held = FALSE WHERE id = ANY (ARRAY(", claimable!(), " FOR UPDATE SKIP LOCKED)) AND state = 'queued' RETURNING id"));
    CLAIMED = both(concat!("SELECT ", columns!(), " FROM webhook_sends s WHERE s.account_id = $1 AND s.id = $2"));
    DELIVERED = both(
        "UPDATE webhook_sends SET state = 'delivered', lease_until = 0, claim_token = NULL, http_status = $4, last_error = NULL,
            ended_at = $5 WHERE account_id = $1 AND id = $2 AND claim_token = $3");
    REQUEUE = both(
        "UPDATE webhook_sends SET state = 'queued', lease_until = 0, claim_token = NULL, http_status = $4, last_error = $5,
            due_at = $6 WHERE account_id = $1 AND id = $2 AND claim_token = $3");
    UNCLAIM = both(
        "UPDATE webhook_sends SET state = 'queued', lease_until = 0, claim_token = NULL, attempts = attempts - 1
         WHERE account_id = $1 AND id = $2 AND claim_token = $3");
    FAIL = both(
        "UPDATE webhook_sends SET state = 'failed', lease_until = 0, claim_token = NULL, http_status = $4, last_error = $5,
            ended_at = $6 WHERE account_id = $1 AND id = $2 AND claim_token = $3");
    NOTE_ATTEMPT = both(
        "INSERT INTO webhook_attempts (account_id, send_id, tried_at, duration_ms, http_status, error, answer)
         VALUES ($1, $2, $3, $4, $5, $6, $7)");
    IS_ANY_EXPIRED = both(
        "SELECT EXISTS (SELECT 1 FROM webhook_sends WHERE state IN ('queued', 'claimed') AND state = 'claimed' AND lease_until < $1)");
    RELEASE_EXPIRED = both(
        "UPDATE webhook_sends SET state = 'queued', lease_until = 0, claim_token = NULL
         WHERE state IN ('queued', 'claimed') AND state = 'claimed' AND lease_until < $1");
    WAKE = both(
        "UPDATE webhook_sends SET due_at = $3 WHERE account_id = $1 AND endpoint_id = $2 AND state IN ('queued', 'claimed')
         AND state = 'queued' AND due_at > $3 AND is_held = FALSE");
    NEXT_DUE = both(
        "SELECT MIN(CASE WHEN s.due_at > e.rest_until THEN s.due_at ELSE e.rest_until END) FROM webhook_sends s
         JOIN webhook_endpoints e ON e.id = s.endpoint_id
         WHERE s.state IN ('queued', 'claimed') AND s.state = 'queued' AND e.status = 'enabled'");
    RELEASE_HELD = both(
        "UPDATE webhook_sends SET body = $4, is_held = FALSE, due_at = $5
         WHERE account_id = $1 AND message_id = $2 AND endpoint_id = $3 AND state = 'queued' AND is_held = TRUE");
    REPLAY = both(
        "UPDATE webhook_sends SET state = 'queued', due_at = $4, give_up_at = $5, attempts = 0, ended_at = NULL
         WHERE account_id = $1 AND endpoint_id = $2 AND id = $3 AND state IN ('delivered', 'failed')");
    REPLAY_FAILED = both(
        "UPDATE webhook_sends SET state = 'queued', due_at = $5, give_up_at = $6, attempts = 0, ended_at = NULL
         WHERE id IN (SELECT s.id FROM webhook_sends s WHERE s.account_id = $1 AND s.endpoint_id = $2 AND s.id > $3
            AND s.state = 'failed' AND s.created_at >= $4 ORDER BY s.id LIMIT $7)");
    GET = both(concat!("SELECT ", columns!(), " FROM webhook_sends s WHERE s.account_id = $1 AND s.endpoint_id = $2 AND s.id = $3"));
    LIST = both(concat!("SELECT ", columns!(), " FROM webhook_sends s WHERE s.account_id = $1 AND s.endpoint_id = $2 AND s.id < $3
            AND (CAST($4 AS TEXT) IS NULL OR s.state = $4 OR ($4 = 'queued' AND s.state = 'claimed'))
            AND (CAST($5 AS TEXT) IS NULL OR s.event = $5)
         ORDER BY s.id DESC LIMIT $6"));
    ATTEMPTS = both(
        "SELECT tried_at, duration_ms, http_status, error, answer FROM webhook_attempts WHERE account_id = $1 AND send_id = $2
         ORDER BY id DESC LIMIT $3");
    DEPTH = both(
        "SELECT COUNT(*), MIN(created_at) FROM webhook_sends WHERE endpoint_id = $1 AND state IN ('queued', 'claimed')");
    FAILED = both(
        "SELECT COUNT(*) FROM (SELECT 1 FROM webhook_sends WHERE account_id = $1 AND endpoint_id = $2 AND state = 'failed'
            LIMIT 1000) AS found");
    DEPTH_OF_ALL = both(
        "SELECT COUNT(*), MIN(created_at) FROM webhook_sends WHERE state IN ('queued', 'claimed')");
    FORGET_ATTEMPTS = both(
        "DELETE FROM webhook_attempts WHERE account_id = $1
         AND send_id IN (SELECT id FROM webhook_sends WHERE account_id = $1 AND endpoint_id = $2)");
    FORGET = both("DELETE FROM webhook_sends WHERE account_id = $1 AND endpoint_id = $2");
    OLDEST = both(
        "SELECT s.account_id, s.id FROM webhook_sends s WHERE s.created_at < $1 AND s.state IN ('delivered', 'failed')
         ORDER BY s.created_at LIMIT $2");
    DELETE_ATTEMPTS_OF = both("DELETE FROM webhook_attempts WHERE account_id = $1 AND send_id = $2");
    DELETE_ONE = both("DELETE FROM webhook_sends WHERE account_id = $1 AND id = $2");
}

frontdesk_model::words! {
    /// How far a delivery to another program is.
    pub enum WebhookSendState {
        /// It is due now or later.
        Queued = "queued",
        /// It is being sent.
        Claimed = "claimed",
        /// It was taken.
        Delivered = "delivered",
        /// It was given up; it can be replayed.
        Failed = "failed",
    }
}

/// Something to be told, as stored.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct WebhookSendRow {
    pub id: WebhookSendId,
    pub account_id: AccountId,
    pub endpoint_id: WebhookEndpointId,
    /// The same event has the same key, for whatever endpoint.
    pub event_key: String,
    pub event: String,
    /// What has to be told in order: everything about one conversation.
    pub lane: String,
    pub message_id: Option<MessageId>,
    /// JSON, as it is sent.
    pub body: String,
    pub state: WebhookSendState,
    pub due_at: Timestamp,
    pub give_up_at: Timestamp,
    /// Tries since it was queued, the present one among them.
    pub attempts: i64,
    pub http_status: Option<i64>,
    pub last_error: Option<String>,
    pub created_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

impl FromRow for WebhookSendRow {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.next()?,
            account_id: row.next()?,
            endpoint_id: row.next()?,
            event_key: row.next()?,
            event: row.next()?,
            lane: row.next()?,
            message_id: row.next()?,
            body: row.next()?,
            state: WebhookSendState::parse(&row.next::<String>()?).unwrap_or(WebhookSendState::Failed),
            due_at: row.next()?,
            give_up_at: row.next()?,
            attempts: row.next()?,
            http_status: row.next()?,
            last_error: row.next()?,
            created_at: row.next()?,
            ended_at: row.next()?,
        })
    }
}

/// Something to be told.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "as in WebhookSendRow")]
pub struct NewWebhookSend {
    pub account_id: AccountId,
    pub endpoint_id: WebhookEndpointId,
    pub event_key: String,
    pub event: &'static str,
    pub lane: String,
    pub message_id: Option<MessageId>,
    pub body: String,
    /// It waits until `due_at` for what completes it.
    pub is_held: bool,
    pub due_at: Timestamp,
    pub give_up_at: Timestamp,
}

/// Puts news on its way, in the order given; what is there already stays as it is.
pub fn insert_many(tx: &mut Tx<'_>, new: &[NewWebhookSend], now: Timestamp) -> Result<u64, StoreError> {
    if new.is_empty() {
        return Ok(0);
    }
    let rows = new.iter().enumerate().map(|(place, n)| {
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        row![
            n.account_id,
            n.endpoint_id,
            n.event_key,
            n.event,
            n.lane,
            n.message_id,
            n.body,
            n.is_held,
            n.due_at,
            n.give_up_at,
            now,
            place
        ]
    });
    let rows = rows.collect();
    tx.execute_many(&INSERT, rows)
}

/// An endpoint that something is due for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct DueEndpoint {
    pub account_id: AccountId,
    pub id: WebhookEndpointId,
    /// Deliveries in a row that were not taken.
    pub failures: i64,
    /// Deliveries under way, on all nodes.
    pub under_way: i64,
}

impl FromRow for DueEndpoint {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self { account_id: row.next()?, id: row.next()?, failures: row.next()?, under_way: row.next()? })
    }
}

/// Endpoints that something is due for, as far as they are called and not left alone.
pub fn due_endpoints(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<Vec<DueEndpoint>, StoreError> {
    tx.query(&DUE_ENDPOINTS, p![now, limit])
}

/// A claim: until when, and what proves it.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct Lease<'a> {
    pub until: Timestamp,
    pub token: &'a str,
}

/// Takes what is due for an endpoint, at most one of each lane. A delivery that was tried `holds` times lets later ones of its
/// lane pass.
pub fn claim(
    tx: &mut Tx<'_>,
    endpoint: DueEndpoint,
    now: Timestamp,
    lease: Lease<'_>,
    limit: i64,
    holds: i64,
) -> Result<Vec<WebhookSendRow>, StoreError> {
    let Lease { until, token } = lease;
    let mut ids = tx.query::<(WebhookSendId,)>(&CLAIM, p![endpoint.id, now, until, token, limit, holds])?;
    ids.sort_unstable();
    let mut rows = Vec::with_capacity(ids.len());
    for (id,) in ids {
        rows.extend(tx.find::<WebhookSendRow>(&CLAIMED, p![endpoint.account_id, id])?);
    }
    Ok(rows)
}

/// What came of a try.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct Attempt {
    pub tried_at: Timestamp,
    pub duration_ms: i64,
    pub http_status: Option<i64>,
    pub error: Option<String>,
    /// The beginning of what was answered.
    pub answer: Option<String>,
}

impl FromRow for Attempt {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            tried_at: row.next()?,
            duration_ms: row.next()?,
            http_status: row.next()?,
            error: row.next()?,
            answer: row.next()?,
        })
    }
}

/// Writes a try down, whoever holds the delivery by now: it was made.
pub fn note_attempt(tx: &mut Tx<'_>, row: &WebhookSendRow, attempt: &Attempt) -> Result<(), StoreError> {
    let Attempt { tried_at, duration_ms, http_status, error, answer } = attempt;
    let params = p![row.account_id, row.id, tried_at, duration_ms, http_status, error, answer];
    tx.execute(&NOTE_ATTEMPT, params).map(drop)
}

/// It was taken. False when the claim was lost.
pub fn delivered(
    tx: &mut Tx<'_>,
    row: &WebhookSendRow,
    token: &str,
    http_status: Option<i64>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&DELIVERED, p![row.account_id, row.id, token, http_status, now])? > 0)
}

/// It is to be tried again.
pub fn requeue(
    tx: &mut Tx<'_>,
    row: &WebhookSendRow,
    token: &str,
    attempt: &Attempt,
    due_at: Timestamp,
) -> Result<bool, StoreError> {
    let Attempt { http_status, error, .. } = attempt;
    Ok(tx.execute(&REQUEUE, p![row.account_id, row.id, token, http_status, error, due_at])? > 0)
}

/// Gives a claim back that nothing was done with.
pub fn unclaim(tx: &mut Tx<'_>, row: &WebhookSendRow, token: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&UNCLAIM, p![row.account_id, row.id, token])? > 0)
}

/// It will not be tried again by itself.
pub fn fail(
    tx: &mut Tx<'_>,
    row: &WebhookSendRow,
    token: &str,
    attempt: &Attempt,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Attempt { http_status, error, .. } = attempt;
    Ok(tx.execute(&FAIL, p![row.account_id, row.id, token, http_status, error, now])? > 0)
}

/// True when a worker died with deliveries in its hands, whose lease ended before `ended`.
pub fn is_any_expired(tx: &mut Tx<'_>, ended: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.find::<(bool,)>(&IS_ANY_EXPIRED, p![ended])?.is_some_and(|(any,)| any))
}

/// What workers had claimed whose lease ended before `ended` goes back to the queue.
pub fn release_expired(tx: &mut Tx<'_>, ended: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&RELEASE_EXPIRED, p![ended])
}

/// Everything queued for an endpoint is due now: it answers again.
pub fn wake(
    tx: &mut Tx<'_>,
    account: AccountId,
    endpoint: WebhookEndpointId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&WAKE, p![account, endpoint, now]).map(drop)
}

/// When something is due next.
pub fn next_due(tx: &mut Tx<'_>) -> Result<Option<Timestamp>, StoreError> {
    Ok(tx.find::<(Option<Timestamp>,)>(&NEXT_DUE, p![])?.and_then(|(due,)| due))
}

/// What waited to be completed is complete, and due. False when nothing waited.
pub fn release_held(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: MessageId,
    endpoint: WebhookEndpointId,
    body: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&RELEASE_HELD, p![account, message, endpoint, body, now])? > 0)
}

/// Tells something once more; false when it is still on its way.
pub fn replay(
    tx: &mut Tx<'_>,
    row: &WebhookSendRow,
    now: Timestamp,
    give_up_at: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&REPLAY, p![row.account_id, row.endpoint_id, row.id, now, give_up_at])? > 0)
}

/// Tells at most `limit` of what was given up once more, of what happened at `since` or later; tells how many.
pub fn replay_failed(
    tx: &mut Tx<'_>,
    (account, endpoint): (AccountId, WebhookEndpointId),
    since: Timestamp,
    now: Timestamp,
    give_up_at: Timestamp,
    limit: i64,
) -> Result<u64, StoreError> {
    tx.execute(&REPLAY_FAILED, p![account, endpoint, 0_i64, since, now, give_up_at, limit])
}

/// One delivery.
pub fn find(
    tx: &mut Tx<'_>,
    account: AccountId,
    endpoint: WebhookEndpointId,
    id: WebhookSendId,
) -> Result<Option<WebhookSendRow>, StoreError> {
    tx.find(&GET, p![account, endpoint, id])
}

/// Which deliveries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SendFilter {
    /// Only those that far.
    pub state: Option<WebhookSendState>,
    /// Only those of this name.
    pub event: Option<String>,
}

/// The deliveries of an endpoint before an id, the newest first.
pub fn list(
    tx: &mut Tx<'_>,
    (account, endpoint): (AccountId, WebhookEndpointId),
    filter: &SendFilter,
    before: WebhookSendId,
    limit: i64,
) -> Result<Vec<WebhookSendRow>, StoreError> {
    let state = filter.state.map(WebhookSendState::as_str);
    tx.query(&LIST, p![account, endpoint, before, state, filter.event, limit])
}

/// The tries of a delivery, the newest first.
pub fn attempts(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: WebhookSendId,
    limit: i64,
) -> Result<Vec<Attempt>, StoreError> {
    tx.query(&ATTEMPTS, p![account, id, limit])
}

/// How much waits for an endpoint, since when the oldest does, and how much was given up (up to 1000).
pub fn depth(
    tx: &mut Tx<'_>,
    account: AccountId,
    endpoint: WebhookEndpointId,
) -> Result<(i64, Option<Timestamp>, i64), StoreError> {
    let (waiting, oldest) = tx.find(&DEPTH, p![endpoint])?.unwrap_or_default();
    let failed = tx.find::<(i64,)>(&FAILED, p![account, endpoint])?.map_or(0, |(count,)| count);
    Ok((waiting, oldest, failed))
}

/// How much waits for all endpoints, and since when the oldest does.
pub fn depth_of_all(tx: &mut Tx<'_>) -> Result<(i64, Option<Timestamp>), StoreError> {
    Ok(tx.find(&DEPTH_OF_ALL, p![])?.unwrap_or_default())
}

/// Forgets all that an endpoint was told.
pub fn forget(tx: &mut Tx<'_>, account: AccountId, endpoint: WebhookEndpointId) -> Result<(), StoreError> {
    tx.execute(&FORGET_ATTEMPTS, p![account, endpoint])?;
    tx.execute(&FORGET, p![account, endpoint]).map(drop)
}

/// Forgets at most `limit` deliveries that ended, of what happened before `before`.
pub fn delete_oldest(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let oldest = tx.query::<(AccountId, WebhookSendId)>(&OLDEST, p![before, limit])?;
    for (account, id) in &oldest {
        tx.execute(&DELETE_ATTEMPTS_OF, p![account, id])?;
        tx.execute(&DELETE_ONE, p![account, id])?;
    }
    Ok(oldest.len() as u64)
}
