//! Group commit for webhooks: what has come together is applied in one transaction.
//!
//! A lone webhook is committed at once, a crowd shares the commit. Bodies of one customer always go to the same worker,
//! so that workers on PostgreSQL do not wait for each other's rows.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use frontdesk_model::Timestamp;
use frontdesk_store::webhook_logs::WebhookState;
use frontdesk_store::{StoreError, Tx};
use tokio::sync::{Notify, mpsc, oneshot};

use super::apply::{self, Received};
use super::pending::settle_left_behind;
use crate::Engine;

/// How many bodies share a transaction at most.
const MAX_BATCH: usize = 64;
/// How many bodies wait for each worker before requests have to.
const QUEUE: usize = 1024;
/// What was kept longer ago than this is visible to everyone.
const LONGEST_TRANSACTION_MS: i64 = 20_000;
/// How soon after a batch, and how often at most, news is brought together with messages.
const SETTLE_EVERY: Duration = Duration::from_millis(200);
/// Workers on PostgreSQL: what one does between its first and last event, the other waits for. SQLite has one writer.
const POSTGRES_WORKERS: usize = 2;
/// So many who came together are a crowd.
const SMALLEST_CROWD: usize = 8;
/// How long a batch on PostgreSQL waits for the rest of a crowd, less than it takes to store one. Who was answered just
/// now sends the next at once: without the wait a crowd falls into two halves that take turns, each with all the round
/// trips of a transaction. SQLite has no round trips, and is better off at work meanwhile.
const LINGER: Duration = Duration::from_millis(2);

/// What became of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// The same bytes were here before: nothing changed.
    Repeated,
    /// It is in the log, with this state.
    Kept(WebhookState),
}

/// The way into the transaction.
pub struct IntakeQueue {
    workers: Vec<mpsc::Sender<Waiting>>,
    /// Rung after each batch.
    applied: Notify,
}

struct Waiting {
    received: Arc<Received>,
    answer: oneshot::Sender<Result<Receipt, StoreError>>,
}

/// The receiving ends, to be handed to [`run`].
pub(crate) struct IntakeWorkers(Vec<mpsc::Receiver<Waiting>>);

impl IntakeQueue {
    /// Makes the queue for a database and the ends its workers read from.
    pub(crate) fn new(postgres: bool) -> (Self, IntakeWorkers) {
        let count = if postgres { POSTGRES_WORKERS } else { 1 };
        let (workers, receivers) = (0..count).map(|_| mpsc::channel(QUEUE)).unzip();
        (Self { workers, applied: Notify::new() }, IntakeWorkers(receivers))
    }

    /// Something was applied beside the queue: news that waits for a message stored at the same moment finds it.
    pub(crate) fn applied_beside(&self) {
        self.applied.notify_one();
    }

    /// Hands a body over and waits until it is durable.
    pub(crate) async fn submit(&self, received: Received) -> Result<Receipt, StoreError> {
        let mut hasher = DefaultHasher::new();
        received.first_sender().hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % self.workers.len() as u64).unwrap_or(0);
        let worker = self.workers.get(index).ok_or(StoreError::Closed)?;
        let (answer, outcome) = oneshot::channel();
        let waiting = Waiting { received: Arc::new(received), answer };
        worker.send(waiting).await.map_err(|_| StoreError::Closed)?;
        outcome.await.map_err(|_| StoreError::Closed)?
    }
}

/// Starts the workers. They go on as long as the process: requests being drained still need them.
pub(crate) fn spawn(engine: &Engine, workers: IntakeWorkers) {
    for receiver in workers.0 {
        tokio::spawn(work(engine.clone(), receiver));
    }
    tokio::spawn(settle_now_and_then(engine.clone()));
}

/// Brings messages together with news about them that was stored at the same moment: on PostgreSQL several transactions
/// may not have seen each other. One look serves all batches of a moment. The first look, on SQLite the only one, is
/// for what a process that died left behind.
async fn settle_now_and_then(engine: Engine) {
    let mut since = Timestamp::default();
    loop {
        let began = engine.clock.now();
        match settle_left_behind(&engine, since).await {
            Ok(()) => since = began.plus_ms(-LONGEST_TRANSACTION_MS),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "news about messages wait");
            }
        }
        if !engine.store.is_postgres() {
            return;
        }
        engine.intake().applied.notified().await;
        tokio::time::sleep(SETTLE_EVERY).await;
    }
}

async fn work(engine: Engine, mut queue: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::with_capacity(MAX_BATCH);
    let mut answered = 0;
    while queue.recv_many(&mut batch, MAX_BATCH).await > 0 {
        if engine.store.is_postgres() {
            let crowd = answered + batch.len();
            if crowd >= SMALLEST_CROWD {
                gather(&mut queue, &mut batch, crowd).await;
            }
            put_in_one_order(&mut batch);
        }
        answered = batch.len();
        let bodies: Vec<Arc<Received>> = batch.iter().map(|w| w.received.clone()).collect();
        match apply_together(&engine, bodies).await {
            Ok(receipts) => {
                for (waiting, receipt) in batch.drain(..).zip(receipts) {
                    let _ = waiting.answer.send(Ok(receipt)); // the request may have been given up
                }
            }
            Err(error) if error.is_unavailable() => {
                // Whoever waited behind them waited for the same database: a turn each would take as long again, and
                // providers wait no longer than seconds.
                while let Ok(waiting) = queue.try_recv() {
                    batch.push(waiting);
                }
                let webhooks = batch.len();
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    webhooks,
                    "webhooks could not be stored"
                );
                for waiting in batch.drain(..) {
                    let _ = waiting.answer.send(Err(StoreError::Unavailable(error.to_string())));
                }
            }
            Err(_) => {
                // One of them cannot be applied: each on its own, so that it does not take the others with it.
                for waiting in batch.drain(..) {
                    let outcome = apply_alone(&engine, waiting.received).await;
                    let _ = waiting.answer.send(outcome);
                }
            }
        }
    }
}

/// Waits a moment for as many as may come.
async fn gather(queue: &mut mpsc::Receiver<Waiting>, batch: &mut Vec<Waiting>, crowd: usize) {
    let all = async {
        while batch.len() < crowd.min(MAX_BATCH)
            && let Some(waiting) = queue.recv().await
        {
            batch.push(waiting);
        }
    };
    let _ = tokio::time::timeout(LINGER, all).await; // whoever is late comes with the next
}

/// Every worker of every node locks customers in the same order: two that have the same customers in their batches
/// wait for each other once, instead of each for the other. What one customer sent keeps its order.
fn put_in_one_order(batch: &mut [Waiting]) {
    batch.sort_by(|one, other| one.received.first_sender().cmp(&other.received.first_sender()));
}

async fn apply_together(engine: &Engine, bodies: Vec<Arc<Received>>) -> Result<Vec<Receipt>, StoreError> {
    let context = apply::Context::new(engine).await?;
    let apply = move |tx: &mut Tx<'_>| {
        tx.keep_plans()?;
        apply::keep_and_apply(tx, &context, &bodies)
    };
    let receipts = engine.store.write(apply).await?;
    engine.intake().applied.notify_one();
    Ok(receipts)
}

/// Applies one body; when that fails, keeps it as failed. An error means it is not stored at all.
async fn apply_alone(engine: &Engine, body: Arc<Received>) -> Result<Receipt, StoreError> {
    match apply_together(engine, vec![body.clone()]).await {
        Ok(receipts) => Ok(receipts.first().copied().unwrap_or(Receipt::Repeated)),
        Err(error) if error.is_unavailable() => Err(error),
        Err(error) => {
            let reason = error_chain(&error);
            body.span.in_scope(|| {
                tracing::error!(
                    door = body.door,
                    channel = body.events.first().map(|routed| routed.channel),
                    reason,
                    "a webhook could not be applied; it is kept for replay"
                );
            });
            metrics::counter!("frontdesk_webhooks_failed_total", "door" => body.door).increment(1);
            let context = apply::Context::new(engine).await?;
            engine.store.write(move |tx| apply::keep_as_failed(tx, &context, &body, &reason)).await
        }
    }
}

/// An error with its causes on one line.
pub(crate) fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use frontdesk_channels::contract::{RoutedEvent, VerifiedBy};
    use frontdesk_model::RemoteId;
    use frontdesk_model::inbound::{DeleteNews, InboundEvent};

    use super::*;

    /// A body about `who`, told apart by its hash.
    fn waiting(who: &str, number: u8) -> Waiting {
        let news = DeleteNews { target: RemoteId(who.to_owned()), at: Timestamp::default() };
        let event = RoutedEvent { channel: "x", route: "1".to_owned(), event: InboundEvent::Delete(news) };
        let received = Received {
            door: "meta",
            body: bytes::Bytes::new(),
            body_hash: [number; 16],
            verified_by: VerifiedBy::Settings,
            events: vec![event],
            unreadable: None,
            span: tracing::Span::none(),
        };
        Waiting { received: Arc::new(received), answer: oneshot::channel().0 }
    }

    #[test]
    fn two_batches_have_their_customers_in_one_order_and_each_customer_as_it_came() {
        let ordered = |bodies: &[(&str, u8)]| {
            let mut batch: Vec<Waiting> = bodies.iter().map(|(who, number)| waiting(who, *number)).collect();
            put_in_one_order(&mut batch);
            batch.iter().map(|one| one.received.body_hash[0]).collect::<Vec<u8>>()
        };
        assert_eq!(ordered(&[("b", 1), ("a", 2), ("b", 3), ("a", 4)]), [2, 4, 1, 3]);
        assert_eq!(ordered(&[("a", 2), ("a", 4), ("b", 1), ("b", 3)]), [2, 4, 1, 3]);
    }
}
