//! Contacts and gifts as a spreadsheet, page by page. What is written can be taken back by [`super::import`].

use std::collections::{BTreeSet, HashSet};

use frontdesk_model::crm::money::Currency;
use frontdesk_model::{AccountId, ContactId, Timestamp};
use frontdesk_store::contacts::ContactRow;
use frontdesk_store::crm::donations::{self as gifts, DonationRow};
use frontdesk_store::crm::donors::{self, DonorFilter, Order};
use frontdesk_store::crm::opt_outs;
use frontdesk_store::{StoreError, Tx, contacts as rows};

use super::import::{Sheet, shown};
use super::profile::{self, Metrics};
use super::sheet::{CUSTOM, guarded};
use crate::Engine;
use crate::audit::{self, Deed};
use crate::caller::Actor;

/// Rows of a page.
const PAGE: i64 = 500;
/// How many fields of one's own become columns.
const MAX_CUSTOM: usize = 200;

/// A sheet that is being written.
pub struct Export {
    account: AccountId,
    sheet: Sheet,
    /// Fields of one's own that somebody has.
    custom: Vec<String>,
    has_head: bool,
    /// `None` once all is written.
    at: Option<At>,
}

#[derive(Clone, Copy)]
enum At {
    Contact(donors::Place),
    Donation(gifts::Place),
}

impl Export {
    /// Begins a sheet. Who took it is in the audit trail.
    pub async fn begin(engine: &Engine, actor: Actor, sheet: Sheet) -> Result<Self, StoreError> {
        let (account, now) = (actor.account_id, engine.clock.now());
        let (action, at) = match sheet {
            Sheet::Contacts => ("contacts.exported", At::Contact(donors::START)),
            Sheet::Donations => ("donations.exported", At::Donation(gifts::START)),
        };
        let deed = Deed { action, subject_type: "account", subject_id: account.0 };
        engine.store.write(move |tx| audit::record(tx, actor, deed, None, now)).await?;
        let custom = match sheet {
            Sheet::Contacts => custom_columns(engine, account).await?,
            Sheet::Donations => Vec::new(),
        };
        Ok(Self { account, sheet, custom, has_head: false, at: Some(at) })
    }

    /// The next lines; `None` after the last.
    pub async fn next(&mut self, engine: &Engine) -> Result<Option<Vec<u8>>, StoreError> {
        let mut lines = Lines::new();
        if !self.has_head {
            self.has_head = true;
            let names = self.sheet.columns().iter().chain(self.sheet.told()).map(|name| (*name).to_owned());
            lines.add(names.chain(self.custom.iter().map(|name| format!("{CUSTOM}{name}"))))?;
        }
        match self.at {
            None => return Ok(None),
            Some(At::Contact(after)) => self.write_contacts(engine, after, &mut lines).await?,
            Some(At::Donation(before)) => self.write_donations(engine, before, &mut lines).await?,
        }
        lines.done().map(Some)
    }

    async fn write_contacts(
        &mut self,
        engine: &Engine,
        after: donors::Place,
        lines: &mut Lines,
    ) -> Result<(), StoreError> {
        let (account, now) = (self.account, engine.clock.now());
        let page = engine.store.read(move |tx| read_people(tx, account, after, now)).await?;
        self.at = page.last.map(At::Contact);
        for Person { contact, metrics, custom, opted_out } in page.people {
            let money = |minor| metrics.currency.format_amount(minor);
            let own = self.custom.iter().map(|name| custom.get(name).map(shown).unwrap_or_default());
            let cells = [
                name_of(&contact),
                contact.name.unwrap_or_default(),
                contact.email.unwrap_or_default(),
                yes_or_no(opted_out),
                money(metrics.lifetime_value),
                metrics.donation_count.to_string(),
                metrics.last_donation.map(|at| at.to_string()).unwrap_or_default(),
                metrics.segment.map(|segment| segment.to_string()).unwrap_or_default(),
                metrics.engagement_score.to_string(),
            ];
            lines.add(cells.into_iter().chain(own))?;
        }
        Ok(())
    }

    async fn write_donations(
        &mut self,
        engine: &Engine,
        before: gifts::Place,
        lines: &mut Lines,
    ) -> Result<(), StoreError> {
        let account = self.account;
        let (gifts, people) = engine
            .store
            .read(move |tx| {
                let gifts = gifts::list(tx, account, None, Timestamp::from_millis(i64::MIN), before, PAGE)?;
                let people = rows::find_many(tx, account, gifts.iter().map(|gift| gift.contact_id))?;
                Ok::<_, StoreError>((gifts, people))
            })
            .await?;
        let is_full = gifts.len() as i64 == PAGE;
        self.at = gifts.last().filter(|_| is_full).map(|gift| At::Donation((gift.received_at, gift.id)));
        for gift in gifts {
            let contact = people.get(&gift.contact_id);
            lines.add(cells_of(gift, contact))?;
        }
        Ok(())
    }
}

fn cells_of(gift: DonationRow, contact: Option<&ContactRow>) -> [String; 13] {
    let money = |currency: Currency, minor| currency.format_amount(minor);
    [
        // Empty for one noted by hand: taken back it is refused, not doubled.
        gift.external_id.unwrap_or_default(),
        contact.map(name_of).unwrap_or_default(),
        money(gift.currency, gift.amount),
        gift.currency.to_string(),
        gift.received_at.to_string(),
        gift.status.to_string(),
        gift.method.unwrap_or_default(),
        gift.campaign.unwrap_or_default(),
        money(gift.currency, gift.fee),
        yes_or_no(gift.is_test),
        gift.note.unwrap_or_default(),
        contact.and_then(|contact| contact.name.clone()).unwrap_or_default(),
        money(gift.currency, gift.refunded),
    ]
}

/// How a person is named in a sheet: by number, or by id where they have none.
fn name_of(contact: &ContactRow) -> String {
    contact.phone.clone().unwrap_or_else(|| format!("id:{}", contact.id))
}

fn yes_or_no(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

struct Person {
    contact: ContactRow,
    metrics: Metrics,
    custom: serde_json::Map<String, serde_json::Value>,
    opted_out: bool,
}

#[derive(Default)]
struct People {
    people: Vec<Person>,
    /// Where the next page begins; `None` after the last.
    last: Option<donors::Place>,
}

fn read_people(
    tx: &mut Tx<'_>,
    account: AccountId,
    after: donors::Place,
    now: Timestamp,
) -> Result<People, StoreError> {
    let found = donors::list(tx, account, &DonorFilter::default(), Order::Newest, after, PAGE)?;
    let ids: Vec<ContactId> = found.iter().map(|(id, _)| *id).collect();
    let mut contacts = rows::find_many(tx, account, ids.iter().copied())?;
    let mut metrics = profile::metrics_in(tx, account, &ids, now)?;
    let mut details = rows::other_side::details_many(tx, account, ids.iter().copied())?;
    let out: HashSet<ContactId> = opt_outs::find_many(tx, account, ids.iter().copied())?;
    let people = ids.iter().filter_map(|id| {
        Some(Person {
            contact: contacts.remove(id)?,
            metrics: metrics.remove(id)?,
            custom: details.remove(id).unwrap_or_default().custom_fields,
            opted_out: out.contains(id),
        })
    });
    let people = people.collect();
    let is_full = found.len() as i64 == PAGE;
    Ok(People { people, last: found.last().filter(|_| is_full).map(|(id, value)| (*value, *id)) })
}

/// The names of all fields of one's own, in their order.
async fn custom_columns(engine: &Engine, account: AccountId) -> Result<Vec<String>, StoreError> {
    let (mut names, mut after) = (BTreeSet::new(), donors::START);
    loop {
        let (more, last) = engine
            .store
            .read(move |tx| {
                let found = donors::list(tx, account, &DonorFilter::default(), Order::Newest, after, PAGE)?;
                let ids = found.iter().map(|(id, _)| *id);
                let details = rows::other_side::details_many(tx, account, ids)?;
                let names: BTreeSet<String> = details
                    .into_values()
                    .flat_map(|details| details.custom_fields)
                    .map(|(name, _)| name)
                    .collect();
                let last = found.last().filter(|_| found.len() as i64 == PAGE);
                Ok::<_, StoreError>((names, last.map(|(id, value)| (*value, *id))))
            })
            .await?;
        names.extend(more);
        match last {
            Some(last) if names.len() < MAX_CUSTOM => after = last,
            _ => return Ok(names.into_iter().take(MAX_CUSTOM).collect()),
        }
    }
}

/// Lines on their way out.
struct Lines(csv::Writer<Vec<u8>>);

impl Lines {
    fn new() -> Self {
        Self(csv::Writer::from_writer(Vec::new()))
    }

    fn add(&mut self, cells: impl IntoIterator<Item = String>) -> Result<(), StoreError> {
        let guarded = cells.into_iter().map(|cell| guarded(&cell));
        self.0.write_record(guarded).map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    fn done(self) -> Result<Vec<u8>, StoreError> {
        self.0.into_inner().map_err(|error| StoreError::Unavailable(error.to_string()))
    }
}
