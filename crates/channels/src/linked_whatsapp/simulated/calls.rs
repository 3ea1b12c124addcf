//! What is asked over a connection: each call has a number, and waits for the answer of that number.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::wire::{Refusal, ToPhone};
use crate::contract::{Retry, Scope, SendError};

/// An answer is waited for so long.
const PATIENCE: Duration = Duration::from_secs(20);
/// So much may wait to be written.
pub(super) const WAITING: usize = 256;

type Answer = Result<Value, Refusal>;

/// The calls of one session.
#[derive(Default)]
pub(super) struct Calls(Mutex<Open>);

#[derive(Default)]
struct Open {
    /// The way out, while there is a connection.
    out: Option<mpsc::Sender<String>>,
    last_id: u64,
    waiting: HashMap<u64, oneshot::Sender<Answer>>,
}

impl Calls {
    /// Asks, and waits for the answer. That one has left and no answer came is uncertain.
    pub(super) async fn ask(&self, what: &'static str, args: Value) -> Result<Value, SendError> {
        let (sender, answer) = oneshot::channel();
        let (id, out) = {
            let mut open = self.lock();
            let Some(out) = open.out.clone() else { return Err(SendError::not_connected()) };
            open.last_id += 1;
            let id = open.last_id;
            open.waiting.insert(id, sender);
            (id, out)
        };
        let frame = serde_json::to_string(&ToPhone::Call { id, what, args: &args }).unwrap_or_default();
        if out.send(frame).await.is_err() {
            self.lock().waiting.remove(&id);
            return Err(SendError::not_connected());
        }
        let answered = tokio::time::timeout(PATIENCE, answer).await;
        self.lock().waiting.remove(&id);
        match answered {
            Ok(Ok(Ok(value))) => Ok(value),
            Ok(Ok(Err(refusal))) => Err(refused(refusal)),
            Ok(Err(_)) => Err(lost("CUT", "The connection broke before the phone answered.")),
            Err(_) => Err(lost("TIMEOUT", "The phone did not answer in time.")),
        }
    }

    /// An answer came.
    pub(super) fn answer(&self, id: u64, answer: Answer) {
        let waiting = self.lock().waiting.remove(&id);
        if let Some(waiting) = waiting {
            let _gone = waiting.send(answer); // whoever asked has given up
        }
    }

    /// There is a connection.
    pub(super) fn connect(&self, out: mpsc::Sender<String>) {
        self.lock().out = Some(out);
    }

    /// The connection is gone: whoever waits hears it now.
    pub(super) fn hang_up(&self) {
        let mut open = self.lock();
        open.out = None;
        open.waiting.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(refusal: Refusal) -> SendError {
    let retry = match refusal.retry_after_ms {
        Some(ms) => Retry::AfterMs(ms),
        None if refusal.lasting => Retry::Never,
        None => Retry::OnSchedule,
    };
    let status = if refusal.lasting { 400 } else { 503 };
    SendError {
        certain: true,
        retry,
        scope: Scope::Message,
        reconnect: false,
        used_up: false,
        http_status: Some(status),
        action: (!refusal.lasting).then_some("retry"),
        shown: refusal.message,
        code: refusal.code,
        source: None,
    }
}

fn lost(code: &str, shown: &str) -> SendError {
    SendError {
        certain: false,
        code: code.to_owned(),
        shown: shown.to_owned(),
        action: Some("retry"),
        ..SendError::not_connected()
    }
}
