//! What is queued next: a little of several conversations at once, in the order in which they fell quiet.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use frontdesk_model::message::Direction;
use frontdesk_model::{ContactId, ConversationId, MessageId, Timestamp};
use frontdesk_store::bridge_history::{self, Thread};
use frontdesk_store::bridges::BridgeRow;
use frontdesk_store::{StoreError, Tx};

use super::cursor::{Cursor, Open, Place, Queued};
use super::{ImportOptions, Tally};
use crate::sync::pairs;

/// Conversations of which something is queued at once.
const OPEN: usize = 10;
/// Messages of one conversation queued at once.
const SLICE: i64 = 20;
/// Chatwoot takes two hundred messages a minute in a conversation: three quarters of that leave room for what is written now.
const MESSAGE_MS: u64 = 60_000 / 150;
/// It takes three thousand requests a minute from one address: two thirds leave room for the bridge.
const REQUEST_MS: u64 = 60_000 / 2_000;
/// Requests for a conversation that is begun, and for what is settled after a slice, at most.
const REQUESTS_OF_CONVERSATION: u64 = 7;

/// What is to be queued next.
#[derive(Default)]
pub(super) struct Plan {
    pub place: Place,
    pub open: Vec<Open>,
    pub queued: Vec<Queued>,
    pub contacts: Tally,
    pub messages: Tally,
    requests: u64,
}

impl Plan {
    /// How long it should take at least.
    pub fn pace(&self) -> Duration {
        let longest = self.queued.iter().map(|queued| queued.messages.len()).max().unwrap_or(0);
        let longest = u64::try_from(longest).unwrap_or(0);
        Duration::from_millis((longest * MESSAGE_MS).max(self.requests * REQUEST_MS))
    }
}

/// The next conversations, and where they end.
pub(super) fn page(
    tx: &mut Tx<'_>,
    bridge: &BridgeRow,
    cursor: &Cursor,
    limit: i64,
) -> Result<(Vec<Thread>, Place), StoreError> {
    let (place, inbox) = (cursor.place, (bridge.account_id, bridge.inbox_id));
    let after = ConversationId(place.after);
    let threads = if place.moved {
        bridge_history::moved(tx, inbox, cursor.until(), after, limit)?
    } else {
        let after = (Timestamp::from_millis(place.at_ms), after);
        bridge_history::quiet(tx, inbox, (cursor.since(), cursor.until()), after, limit)?
    };
    let is_end = i64::try_from(threads.len()).is_ok_and(|found| found < limit);
    let place = match threads.last() {
        _ if is_end && place.moved => Place { over: true, ..place },
        _ if is_end => Place { moved: true, ..Place::default() },
        Some((id, _, at)) => Place { at_ms: at.as_millis(), after: id.0, ..place },
        None => place,
    };
    Ok((threads, place))
}

/// Those of these people who are known there.
pub(super) fn known(
    tx: &mut Tx<'_>,
    bridge: &BridgeRow,
    people: &[ContactId],
) -> Result<HashSet<ContactId>, StoreError> {
    let known = pairs::numbers_of(tx, bridge.account_id, bridge.connection_id, people)?;
    Ok(known.into_iter().map(|(contact, _)| contact).collect())
}

/// Plans what comes after a place.
pub(super) fn next(
    tx: &mut Tx<'_>,
    bridge: &BridgeRow,
    from: &Cursor,
    wanted: ImportOptions,
) -> Result<Plan, StoreError> {
    let of = (bridge.account_id, bridge.id);
    let mut cursor = from.clone();
    let mut plan = Plan::default();
    let mut people: HashMap<ConversationId, ContactId> = HashMap::new();
    while cursor.open.len() < OPEN && !cursor.place.over {
        let (threads, place) = page(tx, bridge, &cursor, whole(OPEN - cursor.open.len()))?;
        cursor.place = place;
        let contacts: Vec<ContactId> = threads.iter().map(|(_, contact, _)| *contact).collect();
        let known = if wanted.contacts { known(tx, bridge, &contacts)? } else { HashSet::new() };
        for (id, contact, _) in threads {
            if wanted.contacts && known.contains(&contact) {
                plan.contacts.skipped += 1;
            } else if wanted.contacts {
                people.insert(id, contact);
            }
            if wanted.messages {
                plan.messages.skipped += bridge_history::count(tx, of, id, from.since(), from.head)?.1;
            }
            // The first of those from `since` on.
            let open = Open { conversation: id, at_ms: from.since_ms - 1, after: MessageId(i64::MAX) };
            cursor.open.push(open);
            plan.requests += REQUESTS_OF_CONVERSATION;
        }
    }
    for open in cursor.open {
        let place = (Timestamp::from_millis(open.at_ms), open.after);
        let slice = match wanted.messages {
            true => bridge_history::next(tx, of, open.conversation, from.head, place, SLICE)?,
            false => Vec::new(),
        };
        // What was written here is told how far it came, too.
        let outbound = slice.iter().filter(|(.., direction)| *direction == Direction::Outbound).count();
        plan.requests += u64::try_from(slice.len() + outbound).unwrap_or(0);
        if let Some((after, at, _)) = slice.last()
            && whole(slice.len()) == SLICE
        {
            plan.open.push(Open { at_ms: at.as_millis(), after: *after, ..open });
        }
        let queued = Queued {
            conversation: open.conversation,
            person: people.get(&open.conversation).copied(),
            messages: slice.into_iter().map(|(id, ..)| id).collect(),
        };
        if queued.person.is_some() || !queued.messages.is_empty() {
            plan.queued.push(queued);
        }
    }
    plan.place = cursor.place;
    Ok(plan)
}

/// A length as SQL counts.
pub(super) fn whole(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
