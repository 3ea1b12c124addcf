//! People from Chatwoot to here: page after page in the order of making, several fetched ahead, each applied with the place
//! where it ends.

use frontdesk_chatwoot_client::{ChatwootClient, ChatwootError, Contact, ContactQuery, ErrorCode, Page};
use frontdesk_model::{AccountId, Timestamp};
use frontdesk_store::external_entity_maps::{self as maps, EntityMap};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use super::apply::{self, Batch, Source, Told};
use super::claim::{Claim, Stop};
use super::fields::Theirs;
use crate::Engine;

/// Pages asked for ahead. Chatwoot gives fifteen people on each.
const PAGES_AHEAD: usize = 4;
/// People who should have been on a page and were not are asked for one by one, so many of a page and of a run.
const MISSED_OF_PAGE: i64 = 30;
const MISSED_OF_RUN: u32 = 600;

/// Where a run goes on.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cursor {
    /// The next page, from 1.
    page: u32,
    /// The highest id on the pages before.
    last: i64,
    /// People on the pages before.
    seen: i64,
    /// People who were asked for one by one.
    asked: u32,
}

/// A page, and when it was asked for.
struct Asked {
    at: Timestamp,
    page: Result<Page<Contact>, ChatwootError>,
}

/// Pulls all people, from where the run stands.
pub(super) async fn people(
    engine: &Engine,
    claim: &mut Claim,
    client: &ChatwootClient,
    source: &Source,
) -> Result<(), Stop> {
    let known = claim.run.cursor.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let mut cursor = known.unwrap_or(Cursor { page: 1, last: 0, seen: 0, asked: 0 });
    let fetch = |page: u32| async move {
        let at = engine.clock.now();
        Asked { at, page: client.list_contacts(&ContactQuery::page(page)).await }
    };
    let mut pages = std::pin::pin!(stream::iter(cursor.page..).map(fetch).buffered(PAGES_AHEAD));
    loop {
        let Some(Asked { at, page }) = claim.waiting(pages.next()).await? else { return Ok(()) };
        let page = page?;
        let total = page.count("count");
        let here = i64::try_from(page.data.len() + page.unreadable).unwrap_or(0);
        let number = cursor.page;
        cursor.page += 1;
        cursor.seen += here;
        let is_last = here == 0 || total.is_some_and(|total| cursor.seen >= total);
        let highest = page.data.iter().map(|contact| contact.id).max().unwrap_or(0).max(cursor.last);
        let until = if is_last { i64::MAX } else { highest };
        let missed =
            missed(engine, claim, client, source, &page.data, cursor.last..=until, &mut cursor.asked).await?;
        cursor.last = highest;
        let (people, refused) = read(page.data.iter().chain(&missed.there), source.shelf.account);
        let mut gone = missed.gone;
        gone.extend(vanished_owners(engine, claim, client, source, &people).await?);
        let (unreadable, source) = (page.unreadable, source.clone());
        let text = serde_json::to_string(&cursor).unwrap_or_default();
        claim
            .step(text, move |tx, counts, now| {
                counts.total = total.or(counts.total);
                for sentence in &refused {
                    apply::note_error(counts, sentence.clone());
                }
                for _ in 0..unreadable {
                    apply::note_error(counts, format!("Page {number}: a contact cannot be read"));
                }
                let told = Told { asked_at: at, changed_at: None };
                let batch = Batch { people: &people, gone: &gone, told };
                apply::apply(tx, &source, &batch, counts, now)
            })
            .await?;
        if is_last {
            return Ok(());
        }
    }
}

/// Reads contacts; tells of those that cannot be people of ours why.
pub(super) fn read<'a>(
    contacts: impl Iterator<Item = &'a Contact>,
    account: AccountId,
) -> (Vec<Theirs>, Vec<String>) {
    let (mut people, mut refused) = (Vec::new(), Vec::new());
    for contact in contacts {
        match Theirs::read(contact, account) {
            Ok(theirs) => people.push(theirs),
            Err(sentence) => refused.push(sentence),
        }
    }
    (people, refused)
}

/// People who are known and were not where they should have been.
#[derive(Default)]
struct Missed {
    /// They are there: others before them went, and moved them to a page that was read already.
    there: Vec<Contact>,
    /// Deleted there, or made part of another.
    gone: Vec<EntityMap>,
}

async fn missed(
    engine: &Engine,
    claim: &Claim,
    client: &ChatwootClient,
    source: &Source,
    page: &[Contact],
    range: std::ops::RangeInclusive<i64>,
    asked: &mut u32,
) -> Result<Missed, Stop> {
    let shelf = source.shelf.clone();
    let (after, until, limit) =
        (*range.start(), *range.end(), MISSED_OF_PAGE + i64::try_from(page.len()).unwrap_or(0));
    let known = engine.store.read(move |tx| maps::in_range(tx, &shelf, after, until, limit)).await?;
    let mut missed = Missed::default();
    for map in known {
        if page.iter().any(|contact| contact.id == map.external_number) {
            continue;
        }
        *asked += 1;
        if *asked > MISSED_OF_RUN {
            break;
        }
        match find(claim, client, map.external_number).await? {
            Some(contact) => missed.there.push(contact),
            None => missed.gone.push(map),
        }
    }
    Ok(missed)
}

/// Of people whose number belongs to another here: those others that are gone there. They were merged there.
async fn vanished_owners(
    engine: &Engine,
    claim: &Claim,
    client: &ChatwootClient,
    source: &Source,
    people: &[Theirs],
) -> Result<Vec<EntityMap>, Stop> {
    let (shelf, theirs) = (source.clone(), people.to_vec());
    let doubts = engine.store.read(move |tx| apply::doubts(tx, &shelf, &theirs)).await?;
    let mut gone = Vec::new();
    for map in doubts {
        if find(claim, client, map.external_number).await?.is_none() {
            gone.push(map);
        }
    }
    Ok(gone)
}

/// One contact; `None` when it is gone.
pub(super) async fn find(
    claim: &Claim,
    client: &ChatwootClient,
    number: i64,
) -> Result<Option<Contact>, Stop> {
    match claim.waiting(client.get_contact(number)).await? {
        Ok(contact) => Ok(Some(contact)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
