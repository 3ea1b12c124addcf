//! The first answer by itself: to a person who wrote for the first time, once for ever, and only while nobody of ours has
//! answered.
//!
//! Intake notes who is to be welcomed in the transaction that makes the contact. Here the note becomes a message and its
//! outbox row, or nothing, in one transaction: ten webhooks at once are one contact, one note, one message.

use frontdesk_model::MessageId;
use frontdesk_store::crm::welcomes::{self, Newcomer, WelcomeState};
use frontdesk_store::crm::{opt_outs, settings};
use frontdesk_store::{StoreError, Tx, contacts, messages};

use super::{CrmError, quick_replies};
use crate::Engine;
use crate::inboxes::{self, InboxBook};
use crate::replies::{self, ReplyError};

/// Who has waited longer than this is not greeted by a machine any more, in milliseconds: a day, as for the reply window.
const MAX_WAIT_MS: i64 = 86_400_000;
/// How many are welcomed before the next look.
const AT_ONCE: i64 = 100;

/// Welcomes those who wait; true when there may be more.
pub(super) async fn welcome_all(engine: &Engine) -> Result<bool, StoreError> {
    let waiting = engine.store.read(|tx| welcomes::waiting(tx, AT_ONCE)).await?;
    let more = waiting.len() as i64 == AT_ONCE;
    for newcomer in waiting {
        if engine.shutdown.is_cancelled() {
            return Ok(false);
        }
        match welcome(engine, newcomer).await {
            Ok(()) => {}
            Err(Obstacle::Store(error)) => return Err(error),
            Err(Obstacle::Refused(reason)) => {
                tracing::warn!(contact.id = newcomer.contact.0, reason, "a newcomer was not welcomed");
                let now = engine.clock.now();
                let skip = move |tx: &mut Tx<'_>| welcomes::settle(tx, &newcomer, WelcomeState::Skipped, now);
                engine.store.write(skip).await?;
            }
        }
    }
    Ok(more)
}

/// Why a welcome is not stored.
enum Obstacle {
    Store(StoreError),
    Refused(String),
}

impl From<StoreError> for Obstacle {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<CrmError> for Obstacle {
    fn from(error: CrmError) -> Self {
        match error {
            CrmError::Store(error) => Self::Store(error),
            // The names of variables, never what stands in them.
            CrmError::Invalid(fields) => {
                Self::Refused(fields.into_iter().map(|(field, _)| field).collect::<Vec<_>>().join(", "))
            }
            other => Self::Refused(other.to_string()),
        }
    }
}

impl From<ReplyError> for Obstacle {
    fn from(error: ReplyError) -> Self {
        match error {
            ReplyError::Store(error) => Self::Store(error),
            other => Self::Refused(other.to_string()),
        }
    }
}

async fn welcome(engine: &Engine, newcomer: Newcomer) -> Result<(), Obstacle> {
    let book = inboxes::book(engine).await?;
    let (content_max, now) = (engine.settings.content_max, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            if !welcomes::lock(tx, &newcomer)? {
                return Ok(()); // another node was here first
            }
            let state = match text_for(tx, &newcomer, now)? {
                Some(text) => {
                    send(tx, &book, &newcomer, text, content_max, now)?;
                    WelcomeState::Sent
                }
                None => WelcomeState::Skipped,
            };
            Ok(welcomes::settle(tx, &newcomer, state, now)?)
        })
        .await
}

/// What to say; `None` when there is nothing to say any more.
fn text_for(
    tx: &mut Tx<'_>,
    newcomer: &Newcomer,
    now: frontdesk_model::Timestamp,
) -> Result<Option<String>, CrmError> {
    let Newcomer { account, contact, conversation, since } = *newcomer;
    let (settings, _) = settings::get(tx, account)?;
    let is_late = now.millis_since(since) > MAX_WAIT_MS;
    if !settings.welcome.enabled || is_late || opt_outs::is_out(tx, account, contact)? {
        return Ok(None);
    }
    // Whoever of ours was faster, here or in another app, has said hello.
    if !messages::newer_outbound(tx, account, conversation, MessageId(0))?.is_empty() {
        return Ok(None);
    }
    let contact = contacts::find(tx, account, contact)?;
    let values = quick_replies::known(tx, contact.as_ref(), &settings, "", now)?;
    quick_replies::fill_in(&settings.welcome.text, &values).map(Some)
}

fn send(
    tx: &mut Tx<'_>,
    book: &InboxBook,
    newcomer: &Newcomer,
    text: String,
    content_max: usize,
    now: frontdesk_model::Timestamp,
) -> Result<(), ReplyError> {
    let to = (newcomer.account, newcomer.conversation);
    replies::store_by_itself(tx, book, to, text, content_max, now).map(drop)
}
