//! The server, the token's owner, and accounts.

use serde::{Deserialize, Serialize};

use super::Attributes;
use crate::tolerant;

/// `GET /api`: what the server says of itself. No token is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInfo {
    /// Chatwoot's version, as `4.16.2`.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub version: Option<String>,
    /// Redis: `ok` or `failing`.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub queue_services: Option<String>,
    /// PostgreSQL: `ok` or `failing`.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub data_services: Option<String>,
}

impl ServerInfo {
    /// Major, minor and patch; 0 for what cannot be read.
    pub fn version_numbers(&self) -> (u32, u32, u32) {
        let mut numbers = self.version.as_deref().unwrap_or_default().split(['.', '-']);
        let mut next = || numbers.next().and_then(|number| number.parse().ok()).unwrap_or(0);
        (next(), next(), next())
    }

    /// Are webhooks of accounts signed? Since 4.11.2.
    pub fn signs_webhooks(&self) -> bool {
        self.version_numbers() >= (4, 11, 2)
    }
}

/// `GET /api/v1/profile`: whose token it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Profile {
    /// Its id.
    #[serde(deserialize_with = "tolerant::id")]
    pub id: i64,
    /// Its name.
    #[serde(default, deserialize_with = "tolerant::words")]
    pub name: String,
    /// Its e-mail.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub email: Option<String>,
    /// Where it may work, and as what.
    #[serde(default, deserialize_with = "tolerant::list")]
    pub accounts: Vec<AccountAccess>,
}

/// An account of a token's owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountAccess {
    /// The account.
    #[serde(deserialize_with = "tolerant::id")]
    pub id: i64,
    /// Its name.
    #[serde(default, deserialize_with = "tolerant::words")]
    pub name: String,
    /// `administrator` or `agent`.
    #[serde(default, deserialize_with = "tolerant::words")]
    pub role: String,
}

/// An account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    #[serde(deserialize_with = "tolerant::id")]
    pub id: i64,
    /// Its name.
    #[serde(default, deserialize_with = "tolerant::words")]
    pub name: String,
    /// Its language.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub locale: Option<String>,
    /// `active` or `suspended`.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub status: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub extra: Attributes,
}
