//! Who holds a cookie or a token: looked up in the database, remembered for a few seconds.
//!
//! What is remembered is dropped on every node as soon as someone's access changes ([`Topic::Access`] rings after the
//! commit); the few seconds only bound what a lost notification could cost.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_model::{AccountId, Timestamp, UserId};
use frontdesk_store::{Store, StoreError, Topic, Tx, accounts, api_tokens, users};
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::Engine;
use crate::caller::{Caller, CallerToken};

const REMEMBERED: Duration = Duration::from_secs(3);
const MAX_REMEMBERED: u64 = 10_000;
/// `last_seen_at` and `last_used_at` are exact to this, in milliseconds.
const TOUCH_EVERY_MS: i64 = 60_000;

/// A key of the cache: the digest of what was presented, apart for cookies and tokens.
pub(crate) type AccessKey = [u8; 32];

pub(crate) fn access_key(kind: &str, presented: &str) -> AccessKey {
    Sha256::new().chain_update(kind).chain_update([0]).chain_update(presented).finalize().into()
}

/// Someone's access as the database states it.
#[derive(Clone)]
pub(crate) struct Access {
    pub caller: Caller,
    pub expires_at: Option<Timestamp>,
    pub user_seen_at: Option<Timestamp>,
    pub token_used_at: Option<Timestamp>,
}

/// What was looked up lately.
pub(crate) struct AccessCache {
    found: moka::future::Cache<AccessKey, (u64, Arc<Access>)>,
    bell: watch::Receiver<u64>,
}

impl AccessCache {
    pub(crate) fn new(store: &Store) -> Self {
        let found =
            moka::future::Cache::builder().max_capacity(MAX_REMEMBERED).time_to_live(REMEMBERED).build();
        Self { found, bell: store.signals().listen(Topic::Access) }
    }
}

/// Finds who is behind `key`, with `look_up` when it is not remembered.
pub(crate) async fn find<F>(
    engine: &Engine,
    key: AccessKey,
    look_up: F,
) -> Result<Option<Arc<Access>>, StoreError>
where
    F: Fn(&mut Tx<'_>) -> Result<Option<Access>, StoreError> + Send + 'static,
{
    let cache = &engine.state.access;
    let rung = *cache.bell.borrow(); // before looking: a change in between makes what is remembered too old
    let remembered = cache.found.get(&key).await.filter(|(at, _)| *at == rung).map(|(_, access)| access);
    let access = match remembered {
        Some(access) => access,
        None => {
            let Some(access) = engine.store.read(look_up).await? else { return Ok(None) };
            let access = Arc::new(access);
            cache.found.insert(key, (rung, access.clone())).await;
            note_use(engine, &access);
            access
        }
    };
    let expired = access.expires_at.is_some_and(|at| at <= engine.clock.now());
    Ok(if expired { None } else { Some(access) })
}

/// The caller for a user who may sign in; `None` when they are gone or disabled.
pub(crate) fn load_caller(
    tx: &mut Tx<'_>,
    account: AccountId,
    user: UserId,
    token: Option<CallerToken>,
) -> Result<Option<(Caller, Option<Timestamp>)>, StoreError> {
    let Some(user) = users::find(tx, account, user)?.filter(|u| u.disabled_at.is_none()) else {
        return Ok(None);
    };
    let Some(account) = accounts::find(tx, account)? else { return Ok(None) };
    let caller = Caller {
        account_id: account.id,
        account_name: account.name,
        user_id: user.id,
        email: user.email,
        name: user.name,
        role: user.role,
        token,
    };
    Ok(Some((caller, user.last_seen_at)))
}

/// Notes that user and token were used, at most once a minute and beside the request: a failure changes nothing.
fn note_use(engine: &Engine, access: &Access) {
    let now = engine.clock.now();
    let due = |last: Option<Timestamp>| last.is_none_or(|at| now.millis_since(at) >= TOUCH_EVERY_MS);
    let (account, user) = (access.caller.account_id, access.caller.user_id);
    let user_due = due(access.user_seen_at);
    let token = access.caller.token.as_ref().map(|t| t.id).filter(|_| due(access.token_used_at));
    if !user_due && token.is_none() {
        return;
    }
    let store = engine.store.clone();
    tokio::spawn(async move {
        let noted: Result<(), StoreError> = store
            .write(move |tx| {
                if user_due {
                    users::touch(tx, account, user, now)?;
                }
                token.map_or(Ok(()), |id| api_tokens::touch(tx, account, id, now))
            })
            .await;
        if let Err(error) = noted {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the last use of an access was not noted"
            );
        }
    });
}
