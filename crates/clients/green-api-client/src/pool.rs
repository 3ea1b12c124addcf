//! Many instances over one HTTP stack: connections are pooled per host, limits and breakers kept per instance, so that a
//! dead one slows no other.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use frontdesk_provider_http::{ProviderHttp, ProviderSettings, SetupError};

use crate::{client::GreenClient, instance::Instance};

/// The instances of an operator: one per hotel, shop, number. Clones share everything.
#[derive(Debug, Clone)]
pub struct InstancePool {
    http: ProviderHttp,
    clients: Arc<RwLock<BTreeMap<u64, GreenClient>>>,
}

impl InstancePool {
    /// A pool over a stack of its own: see [`crate::client::provider_settings`].
    ///
    /// Errors: [`SetupError`] when the base URL is one that is never called.
    pub fn new(settings: ProviderSettings) -> Result<Self, SetupError> {
        Ok(Self::over(ProviderHttp::new(settings)?))
    }

    /// A pool over a stack that is there already, perhaps with somebody who listens to every call.
    pub fn over(http: ProviderHttp) -> Self {
        Self { http, clients: Arc::default() }
    }

    /// Adds an instance, or replaces the one of the same id (a new token, other limits). Its breaker and what it has used
    /// of its limits stay.
    pub fn put(&self, instance: Instance) -> GreenClient {
        let client = GreenClient::new(self.http.clone(), instance);
        let mut clients = self.clients.write().unwrap_or_else(PoisonError::into_inner);
        clients.insert(client.instance().id, client.clone());
        client
    }

    /// The client of an instance.
    pub fn find(&self, id: u64) -> Option<GreenClient> {
        self.clients.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// Takes an instance out; clients that were handed out go on working.
    pub fn remove(&self, id: u64) -> bool {
        self.clients.write().unwrap_or_else(PoisonError::into_inner).remove(&id).is_some()
    }

    /// All of them, by id.
    pub fn clients(&self) -> Vec<GreenClient> {
        self.clients.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The stack below.
    pub fn http(&self) -> &ProviderHttp {
        &self.http
    }
}
