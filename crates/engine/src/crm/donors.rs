//! Donors in a list: found by words, by group and by what their gifts come to.

use frontdesk_model::AccountId;
use frontdesk_model::crm::segment::SegmentSet;
use frontdesk_store::StoreError;
use frontdesk_store::contacts::{self, ContactRow};
use frontdesk_store::crm::donors::{self, DonorFilter, Order, Place};
use frontdesk_store::crm::settings;

use super::profile::{self, Metrics};
use crate::Engine;

/// A donor of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Who.
    pub contact: ContactRow,
    /// What their gifts come to.
    pub metrics: Metrics,
    /// Where in the list they stand.
    pub place: Place,
}

/// Donors after a place, in their order.
pub async fn list(
    engine: &Engine,
    account: AccountId,
    filter: DonorFilter,
    order: Order,
    after: Place,
    limit: i64,
) -> Result<Vec<Listed>, StoreError> {
    let now = engine.clock.now();
    engine
        .store
        .read(move |tx| {
            let (settings, _) = settings::get(tx, account)?;
            let filter = DonorFilter { is_folded: settings.segments == SegmentSet::Seed, ..filter.clone() };
            let found = donors::list(tx, account, &filter, order, after, limit)?;
            let ids: Vec<_> = found.iter().map(|(id, _)| *id).collect();
            let mut people = contacts::find_many(tx, account, ids.iter().copied())?;
            let mut metrics = profile::metrics_in(tx, account, &ids, now)?;
            let listed = |(id, value)| {
                let (contact, metrics) = (people.remove(&id)?, metrics.remove(&id)?);
                Some(Listed { contact, metrics, place: (value, id) })
            };
            Ok(found.into_iter().filter_map(listed).collect())
        })
        .await
}
