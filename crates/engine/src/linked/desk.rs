//! The sessions of all nodes, for channels and for the door: the driver of a session of this node, and questions to any.
//!
//! A question to a session of another node is a row that the other answers. Both bells are hints; whoever waits looks
//! again now and then.

use std::time::Duration;

use async_trait::async_trait;
use frontdesk_channels::contract::{
    Retry, SendError, SessionAnswer, SessionDesk, SessionDriver, SessionQuestion, SessionSight,
};
use frontdesk_model::inbox::InboxConfig;
use frontdesk_model::linked::SessionState;
use frontdesk_model::{AccountId, InboxId, LinkedCommandId};
use frontdesk_store::linked_sessions::{self, LinkedSessionRow};
use frontdesk_store::{StoreError, Topic, linked_commands};
use serde::{Deserialize, Serialize};

use crate::{Engine, WeakEngine};

/// An answer of another node is waited for so long.
const PATIENCE: Duration = Duration::from_secs(20);
/// Looks again at least this often, should a bell be lost.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// So many questions may wait for one session.
const MAX_WAITING: i64 = 64;

/// What channels are given.
pub(crate) struct Desk(WeakEngine);

impl Desk {
    pub(crate) fn new(engine: &Engine) -> Self {
        Self(engine.downgrade())
    }

    fn engine(&self) -> Result<Engine, SendError> {
        self.0.upgrade().ok_or_else(SendError::not_connected)
    }
}

#[async_trait]
impl SessionDesk for Desk {
    fn driver(&self, inbox: InboxId) -> Option<std::sync::Arc<dyn SessionDriver>> {
        self.0.upgrade()?.linked().connected(inbox)
    }

    async fn sight(&self, inbox: &InboxConfig) -> Result<SessionSight, SendError> {
        let engine = self.engine()?;
        let row = look_up(&engine, inbox.account_id, inbox.id).await?;
        let code = super::waiting_code(&engine, &row).map_err(|error| broken(&error))?;
        Ok(SessionSight { state: row.state, reason: row.reason, code: code.map(|code| code.text) })
    }

    async fn ask(&self, inbox: &InboxConfig, question: SessionQuestion) -> Result<SessionAnswer, SendError> {
        ask(&self.engine()?, inbox.account_id, inbox.id, question).await
    }
}

fn broken(error: &(dyn std::error::Error + 'static)) -> SendError {
    tracing::warn!(error, "a session could not be looked up");
    SendError {
        shown: "The session could not be looked up; try again.".to_owned(),
        ..SendError::not_connected()
    }
}

async fn look_up(engine: &Engine, account: AccountId, inbox: InboxId) -> Result<LinkedSessionRow, SendError> {
    let row = engine.store.read(move |tx| linked_sessions::find(tx, account, inbox)).await;
    row.map_err(|error| broken(&error))?.ok_or_else(SendError::not_connected)
}

/// Asks a session something, on whatever node it is.
pub(crate) async fn ask(
    engine: &Engine,
    account: AccountId,
    inbox: InboxId,
    question: SessionQuestion,
) -> Result<SessionAnswer, SendError> {
    let row = look_up(engine, account, inbox).await?;
    let now = engine.clock.now();
    match &question {
        SessionQuestion::Start => return start(engine, &row).await,
        SessionQuestion::Restart if row.owner_at(now).is_none() => return start(engine, &row).await,
        SessionQuestion::Logout if row.owner_at(now).is_none() => return forget(engine, &row).await,
        SessionQuestion::Restart
        | SessionQuestion::Logout
        | SessionQuestion::PairingCode(_)
        | SessionQuestion::Challenge(_) => {}
        _ if row.state != SessionState::Connected => return Err(SendError::not_connected()),
        _ => {}
    }
    match engine.linked().driver(inbox) {
        Some(driver) if !concerns_keeper(&question) => answer(&*driver, &question).await,
        _ => ask_owner(engine, &row, question).await,
    }
}

/// True for what changes how far a session is: its keeper alone does that.
fn concerns_keeper(question: &SessionQuestion) -> bool {
    matches!(question, SessionQuestion::Restart | SessionQuestion::Logout)
}

async fn start(engine: &Engine, row: &LinkedSessionRow) -> Result<SessionAnswer, SendError> {
    super::want(engine, row.account_id, row.inbox_id, true).await.map_err(|error| broken(&error))?;
    Ok(SessionAnswer::Done)
}

/// Forgets the phone of a session that no node holds.
async fn forget(engine: &Engine, row: &LinkedSessionRow) -> Result<SessionAnswer, SendError> {
    let told = super::note::Told::state(SessionState::LoggedOut, 0).at_rest();
    let inbox = row.inbox_id;
    engine
        .store
        .write(move |tx| frontdesk_store::linked_keys::clear(tx, inbox))
        .await
        .map_err(|error| broken(&error))?;
    super::note::write(engine, row, told).await.map_err(|error| broken(&error))?;
    Ok(SessionAnswer::Done)
}

/// Has a driver answer.
pub(super) async fn answer(
    driver: &dyn SessionDriver,
    question: &SessionQuestion,
) -> Result<SessionAnswer, SendError> {
    let done = |()| SessionAnswer::Done;
    match question {
        SessionQuestion::Start | SessionQuestion::Restart => Ok(SessionAnswer::Done),
        SessionQuestion::Logout => driver.logout().await.map(done),
        SessionQuestion::PairingCode(phone) => driver.request_pairing_code(phone).await.map(done),
        SessionQuestion::Challenge(given) => driver.answer_challenge(given).await.map(done),
        SessionQuestion::Check(phones) => driver.check_numbers(phones).await.map(SessionAnswer::Numbers),
        SessionQuestion::Picture(of) => driver.profile_picture(of).await.map(SessionAnswer::Picture),
        SessionQuestion::Contact(of) => driver.contact(of).await.map(SessionAnswer::Contact),
        SessionQuestion::MarkRead(to, ids) => driver.mark_read(to, ids).await.map(done),
        SessionQuestion::ChatState(to, state) => driver.chatstate(to, *state).await.map(done),
        SessionQuestion::Edit(to, target, text) => driver.edit(to, target, text).await.map(done),
        SessionQuestion::Revoke(to, target) => driver.revoke(to, target).await.map(done),
    }
}

/// An answer as it is kept for whoever asked.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    Answer(SessionAnswer),
    Refused { code: String, shown: String, certain: bool, lasting: bool },
}

fn purpose(what: &str, inbox: InboxId) -> String {
    format!("linked_commands.{what}:{inbox}")
}

/// Asks the node that holds a session, this one too, and waits.
async fn ask_owner(
    engine: &Engine,
    row: &LinkedSessionRow,
    question: SessionQuestion,
) -> Result<SessionAnswer, SendError> {
    let (account, inbox, now) = (row.account_id, row.inbox_id, engine.clock.now());
    let text = serde_json::to_vec(&question).map_err(|error| broken(&error))?;
    let sealed = engine.vault.seal(&purpose("command", inbox), &text).map_err(|error| broken(&error))?;
    let mut bell = engine.store.signals().listen(Topic::Sessions);
    let ends_at = now.plus_ms(i64::try_from(PATIENCE.as_millis()).unwrap_or(i64::MAX));
    let asked = engine.store.write(move |tx| {
        linked_commands::delete_expired(tx, now)?;
        if linked_commands::count_open(tx, inbox, now)? >= MAX_WAITING {
            return Ok(None);
        }
        linked_commands::insert(tx, account, inbox, &sealed, ends_at, now).map(Some)
    });
    let asked: Option<LinkedCommandId> = asked.await.map_err(|error: StoreError| broken(&error))?;
    let Some(id) = asked else {
        let shown = "Too much is asked of this session at once; try again in a moment.".to_owned();
        return Err(SendError { code: "BUSY".to_owned(), shown, ..SendError::not_connected() });
    };
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        bell.mark_unchanged();
        let found = engine.store.read(move |tx| linked_commands::find_answer(tx, id)).await;
        if let Some(sealed) = found.map_err(|error| broken(&error))? {
            let _tidied = engine.store.write(move |tx| linked_commands::delete(tx, id)).await; // or when it expires
            return unseal(engine, inbox, &sealed);
        }
        if tokio::time::Instant::now() >= until {
            let shown = "The session did not answer in time.".to_owned();
            return Err(SendError {
                certain: false,
                code: "TIMEOUT".to_owned(),
                shown,
                ..SendError::not_connected()
            });
        }
        tokio::select! {
            _ = bell.changed() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            () = engine.shutdown.cancelled() => return Err(SendError::not_connected()),
        }
    }
}

fn unseal(engine: &Engine, inbox: InboxId, sealed: &[u8]) -> Result<SessionAnswer, SendError> {
    let text = engine.vault.open(&purpose("answer", inbox), sealed).map_err(|error| broken(&error))?;
    match serde_json::from_slice(&text).map_err(|error| broken(&error))? {
        Kept::Answer(answer) => Ok(answer),
        Kept::Refused { code, shown, certain, lasting } => {
            let retry = if lasting { Retry::Never } else { Retry::OnSchedule };
            Err(SendError { code, shown, certain, retry, ..SendError::not_connected() })
        }
    }
}

/// What is asked of a session of this node and not answered yet.
pub(super) async fn open_questions(
    engine: &Engine,
    inbox: InboxId,
) -> Result<Vec<(LinkedCommandId, SessionQuestion)>, StoreError> {
    let now = engine.clock.now();
    let open = engine.store.read(move |tx| linked_commands::open(tx, inbox, now)).await?;
    let read = |(id, sealed): (LinkedCommandId, Vec<u8>)| {
        let text = engine.vault.open(&purpose("command", inbox), &sealed).ok()?;
        Some((id, serde_json::from_slice(&text).ok()?))
    };
    // What does not open was asked by a program with another key or of another version: it expires.
    Ok(open.into_iter().filter_map(read).collect())
}

/// Keeps the answer for whoever asked.
pub(super) async fn keep_answer(
    engine: &Engine,
    inbox: InboxId,
    id: LinkedCommandId,
    answer: Result<SessionAnswer, SendError>,
) {
    let kept = match answer {
        Ok(answer) => Kept::Answer(answer),
        Err(error) => Kept::Refused {
            lasting: error.retry == Retry::Never,
            code: error.code,
            shown: error.shown,
            certain: error.certain,
        },
    };
    let Ok(text) = serde_json::to_vec(&kept) else { return };
    let Ok(sealed) = engine.vault.seal(&purpose("answer", inbox), &text) else { return };
    if let Err(error) = engine.store.write(move |tx| linked_commands::answer(tx, id, &sealed)).await {
        tracing::warn!(
            inbox.id = inbox.0,
            error = &error as &dyn std::error::Error,
            "a session's answer was lost"
        );
    }
}
