//! What waits, at a glance: the WhatsApp accounts and the chats in them, how fast we answer, and what is due.

use std::collections::HashMap;

use frontdesk_model::inbox::ConnectionCode;
use frontdesk_model::{AccountId, InboxId, Timestamp, UserId};
use frontdesk_store::crm::{dashboard, reminders};
use frontdesk_store::inboxes::{self, InboxRow};
use frontdesk_store::{StoreError, Tx};

use crate::Engine;
use crate::inboxes as books;

/// How far back answers are looked at, in milliseconds, and in how many conversations.
const LOOK_BACK_MS: i64 = 30 * 86_400_000;
const LOOKED_AT: i64 = 500;
/// Inboxes read at once.
const PAGE: i64 = 200;
/// The word of the API for WhatsApp, by whatever channel.
const WHATSAPP: &str = "whatsapp";

/// A WhatsApp account of ours and what waits in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// The inbox.
    pub inbox: InboxId,
    /// What its provider calls it.
    pub session_id: String,
    /// What people call it.
    pub name: String,
    /// Whether it works.
    pub state: ConnectionCode,
    /// Conversations with unread messages.
    pub active_chats: i64,
    /// When something was last said there.
    pub last_activity: Option<Timestamp>,
    /// When it was added.
    pub created_at: Timestamp,
}

/// What waits in all.
#[derive(Debug, Clone, PartialEq)]
pub struct Dashboard {
    /// The WhatsApp accounts, the oldest first.
    pub sessions: Vec<Session>,
    /// Conversations with unread messages on whatever network.
    pub unread_chats: i64,
    /// The median time until a new customer was answered within thirty days, in milliseconds.
    pub first_response_ms: Option<i64>,
    /// For how long the customer who waits longest has waited, in milliseconds.
    pub waiting_ms: Option<i64>,
    /// Reminders whose time has come and that are not done.
    pub reminders_due: i64,
}

/// Looks; `of` counts only what somebody is to answer, and reminders of theirs.
pub async fn look(engine: &Engine, account: AccountId, of: Option<UserId>) -> Result<Dashboard, StoreError> {
    let now = engine.clock.now();
    let book = books::book(engine).await?;
    engine
        .store
        .read(move |tx| {
            let unread = dashboard::unread(tx, account, of)?;
            let by_inbox: HashMap<_, _> = unread.iter().map(|unread| (unread.inbox, unread.chats)).collect();
            let mut sessions = Vec::new();
            for row in all_inboxes(tx, account)? {
                let Some(inbox) = book.find(row.config.id) else { continue };
                if inbox.channel.info().platform != WHATSAPP {
                    continue;
                }
                let last_activity = dashboard::last_activity(tx, account, row.config.id)?;
                sessions.push(Session {
                    inbox: row.config.id,
                    session_id: inbox.called().to_owned(),
                    active_chats: by_inbox.get(&row.config.id).copied().unwrap_or(0),
                    name: row.config.name,
                    state: row.state.code,
                    last_activity,
                    created_at: row.created_at,
                });
            }
            let answers = dashboard::first_answers(tx, account, of, now.plus_ms(-LOOK_BACK_MS), LOOKED_AT)?;
            let waits =
                answers.into_iter().filter_map(|(first, answered)| Some(answered?.millis_since(first)));
            let since = unread.iter().filter_map(|unread| unread.since).min();
            Ok(Dashboard {
                sessions,
                unread_chats: unread.iter().map(|unread| unread.chats).sum(),
                first_response_ms: median(waits.collect()),
                waiting_ms: since.map(|since| now.millis_since(since).max(0)),
                reminders_due: reminders::count_due(tx, account, of, now)?,
            })
        })
        .await
}

fn all_inboxes(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<InboxRow>, StoreError> {
    let (mut all, mut after) = (Vec::new(), InboxId(0));
    loop {
        let page = inboxes::list(tx, account, after, PAGE)?;
        let is_full = page.len() as i64 == PAGE;
        all.extend(page);
        match all.last() {
            Some(last) if is_full => after = last.config.id,
            _ => return Ok(all),
        }
    }
}

/// The middle one; of two in the middle their mean.
fn median(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len().is_multiple_of(2) { Some(i64::midpoint(values[middle - 1], upper)) } else { Some(upper) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![7]), Some(7));
        assert_eq!(median(vec![9, 1, 5]), Some(5));
        assert_eq!(median(vec![9, 1, 5, 7]), Some(6));
    }
}
