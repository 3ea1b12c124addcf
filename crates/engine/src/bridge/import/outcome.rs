//! What became of what was queued.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use frontdesk_model::{AccountId, BridgeId, ContactId, MessageId};
use frontdesk_store::sync_runs::SyncCounts;
use frontdesk_store::{StoreError, Tx, bridge_history, bridge_jobs};

use super::Tally;
use super::cursor::{Cursor, history_key, person_key};
use super::plan::known;
use super::walk::standing;
use crate::Engine;
use crate::sync::apply::note_error;
use crate::sync::claim::Claim;
use crate::sync::worker::Ended;

/// How often it is looked whether what was queued is done.
const LOOK: Duration = Duration::from_millis(100);
/// After so many looks it is noted that the run goes on, and seen whether it shall.
const LOOKS_OF_A_NOTE: u32 = 15;

/// Waits until everything that was queued is done or given up.
pub(super) async fn done(
    engine: &Engine,
    claim: &mut Claim,
    of: (AccountId, BridgeId),
    cursor: &Cursor,
) -> Result<(), Ended> {
    let mut looks = 0;
    while engine.store.read(move |tx| bridge_jobs::importing(tx, of.0, of.1)).await? > 0 {
        claim.waiting(tokio::time::sleep(LOOK)).await?;
        looks += 1;
        if looks % LOOKS_OF_A_NOTE == 0 {
            standing(engine, of).await?;
            claim.step(cursor.to_json(), |_, _, _| Ok(())).await?;
        }
    }
    Ok(())
}

/// Notes what became of what was queued.
pub(super) async fn note(
    engine: &Engine,
    claim: &mut Claim,
    of: (AccountId, BridgeId),
    cursor: &mut Cursor,
) -> Result<(), Ended> {
    let bridge = standing(engine, of).await?;
    let queued = std::mem::take(&mut cursor.queued);
    let messages: Vec<MessageId> = queued.iter().flat_map(|part| part.messages.clone()).collect();
    let people: Vec<ContactId> = queued.iter().filter_map(|part| part.person).collect();
    let (ids, names) = (messages.clone(), people.clone());
    let (linked, there, failed) = engine
        .store
        .read(move |tx| -> Result<_, StoreError> {
            let linked: HashSet<MessageId> =
                bridge_history::linked(tx, of.0, of.1, &ids)?.into_iter().collect();
            let failed: HashMap<String, String> =
                bridge_jobs::failed_imports(tx, of.0, of.1)?.into_iter().collect();
            Ok((linked, known(tx, &bridge, &names)?, failed))
        })
        .await?;
    let (mut contacts, mut written, mut refused) = (Tally::default(), Tally::default(), Vec::new());
    for part in &queued {
        if let Some(contact) = part.person {
            let why = failed.get(&person_key(part.conversation)).map(String::as_str);
            let refusal = settle(&mut contacts, there.contains(&contact), why);
            refused.extend(refusal.map(|why| format!("Contact {contact}: {why}")));
        }
        for message in &part.messages {
            let why = failed.get(&history_key(*message)).map(String::as_str);
            let refusal = settle(&mut written, linked.contains(message), why);
            refused.extend(refusal.map(|why| format!("Message {message}: {why}")));
        }
    }
    cursor.contacts.add(contacts);
    cursor.messages.add(written);
    let step = move |_: &mut Tx<'_>, counts: &mut SyncCounts, _| {
        counts.created += contacts.created + written.created;
        counts.skipped += contacts.skipped + written.skipped;
        for sentence in &refused {
            note_error(counts, sentence.clone());
        }
        Ok(())
    };
    Ok(claim.step(cursor.to_json(), step).await?)
}

/// Counts one thing; returns why it was refused.
fn settle<'a>(tally: &mut Tally, is_there: bool, why: Option<&'a str>) -> Option<&'a str> {
    match why {
        _ if is_there => tally.created += 1,
        Some(_) => tally.errors += 1,
        // It was taken back or removed here before its turn came.
        None => tally.skipped += 1,
    }
    why.filter(|_| !is_there)
}
