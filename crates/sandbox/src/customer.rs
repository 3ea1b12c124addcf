//! Fake customers: people with a phone, known to the business by one or more addresses.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A fake customer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Customer {
    /// The sandbox's own id: `customer-000001`, unless it was given.
    pub id: String,
    /// Full name, as the profile shows it.
    pub name: String,
    /// User name on WhatsApp or Instagram.
    pub username: Option<String>,
    /// WhatsApp number, digits only; `null`: the business sees the BSUID alone.
    pub phone: Option<String>,
    /// WhatsApp business-scoped user id, `CC.digits`.
    pub bsuid: String,
    /// PSID or IGSID per Messenger or Instagram inbox, made when first needed.
    pub scoped_ids: BTreeMap<String, String>,
    /// False: the number is not on WhatsApp, what is sent to it fails with 131026.
    pub on_whatsapp: bool,
    /// False: the phone is off, messages wait for it (`sent` without `delivered`).
    pub online: bool,
    /// True: the customer blocked the business; Messenger and Instagram answer 551.
    pub blocked: bool,
}

/// What the control API needs to make a customer.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCustomer {
    /// Own id; made when absent.
    pub id: Option<String>,
    /// Full name.
    pub name: String,
    /// User name.
    pub username: Option<String>,
    /// WhatsApp number in any spelling. Absent and no `bsuid_only`: a made-up one.
    pub phone: Option<String>,
    /// A customer without a number (uses a WhatsApp user name).
    #[serde(default)]
    pub bsuid_only: bool,
    /// Business-scoped user id; made when absent.
    pub bsuid: Option<String>,
    /// PSID or IGSID per inbox id; made when absent.
    #[serde(default)]
    pub scoped_ids: BTreeMap<String, String>,
}

/// What can be changed about a customer; absent fields stay.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerPatch {
    /// Full name.
    pub name: Option<String>,
    /// User name.
    pub username: Option<String>,
    /// Whether the number is on WhatsApp.
    pub on_whatsapp: Option<bool>,
    /// Whether the phone is on; turning it on delivers what waited.
    pub online: Option<bool>,
    /// Whether the customer blocked the business.
    pub blocked: Option<bool>,
}

impl Customer {
    /// What a WhatsApp message id of this customer's chat is made from: number or BSUID.
    #[must_use]
    pub fn whatsapp_address(&self) -> &str {
        self.phone.as_deref().unwrap_or(&self.bsuid)
    }

    /// First name and rest of the name.
    #[must_use]
    pub fn split_name(&self) -> (&str, &str) {
        self.name.split_once(' ').unwrap_or((&self.name, ""))
    }
}
