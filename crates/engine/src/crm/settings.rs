//! What an account says about its donors.

use frontdesk_model::AccountId;
use frontdesk_model::crm::settings::CrmSettings;
use frontdesk_store::StoreError;
use frontdesk_store::crm::settings;
use serde_json::json;

use super::CrmError;
use crate::Engine;
use crate::audit::{self, Deed};
use crate::caller::Actor;

/// The settings of an account.
pub async fn get(engine: &Engine, account: AccountId) -> Result<CrmSettings, StoreError> {
    Ok(engine.store.read(move |tx| settings::get(tx, account)).await?.0)
}

/// Stores settings. Figures follow within seconds, of many donors within minutes.
pub async fn save(engine: &Engine, actor: Actor, new: CrmSettings) -> Result<(), CrmError> {
    let complaints = new.complaints();
    if !complaints.is_empty() {
        let owned = |(field, why): (&str, &str)| (field.to_owned(), why.to_owned());
        return Err(CrmError::Invalid(complaints.into_iter().map(owned).collect()));
    }
    let (account, now) = (actor.account_id, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            settings::save(tx, account, &new, now)?;
            let deed = Deed { action: "crm_settings.updated", subject_type: "account", subject_id: account.0 };
            let details = json!({ "currency": new.currency, "time_zone": new.time_zone, "welcome": new.welcome.enabled });
            Ok(audit::record(tx, actor, deed, Some(&details), now)?)
        })
        .await
}
