//! The record of donors: gifts and what they come to, notes, reminders, texts to answer with.
//!
//! What contacts have here follows them when two become one ([`follow`]) and goes with them ([`forget`]).

pub mod dashboard;
pub mod donations;
pub mod donor_figures;
pub mod donors;
pub mod merges;
pub mod notes;
pub mod opt_outs;
pub mod quick_replies;
pub mod reminders;
pub mod settings;
pub mod talk;
pub mod welcomes;

use frontdesk_model::{AccountId, ContactId};

use crate::{StoreError, Tx};

/// A contact becomes part of another: what it has here is the other's from now on. The figures of both are gone until
/// they are counted anew; the names of those whose are.
pub(crate) fn follow(
    tx: &mut Tx<'_>,
    account: AccountId,
    loser: ContactId,
    winner: ContactId,
) -> Result<(), StoreError> {
    // A gift that is being noted for one of them is waited for.
    for contact in [loser.min(winner), loser.max(winner)] {
        donations::lock_contact(tx, account, contact)?;
    }
    donations::move_to_contact(tx, account, loser, winner)?;
    notes::move_to_contact(tx, account, loser, winner)?;
    reminders::move_to_contact(tx, account, loser, winner)?;
    opt_outs::move_to_contact(tx, account, loser, winner)?;
    welcomes::move_to_contact(tx, account, loser, winner)?;
    donor_figures::expire(tx, account, loser, winner)
}

/// A contact is erased: everything goes.
pub(crate) fn forget(tx: &mut Tx<'_>, account: AccountId, contact: ContactId) -> Result<(), StoreError> {
    donations::remove_of_contact(tx, account, contact)?;
    notes::remove_of_contact(tx, account, contact)?;
    reminders::remove_of_contact(tx, account, contact)?;
    opt_outs::remove(tx, account, contact)?;
    welcomes::remove_of_contact(tx, account, contact)?;
    merges::remove_of_contact(tx, account, contact)?;
    donor_figures::remove(tx, account, contact)
}
