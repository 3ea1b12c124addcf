//! The approved templates of an inbox, as its provider lists them: asked for when someone looks, and remembered.

use std::sync::Arc;

use frontdesk_model::template::ApprovedTemplate;
use frontdesk_model::{AccountId, InboxId, Timestamp};

use super::link::{LinkError, line};
use crate::Engine;

/// Templates change rarely; who has just made one asks anew.
const REMEMBERED_MS: i64 = 5 * 60_000;
/// However often people ask anew, the provider is asked this seldom.
const AT_LEAST_MS: i64 = 3_000;

/// What an open connection remembers of them.
pub(crate) type Remembered = tokio::sync::Mutex<Option<(Timestamp, Arc<Vec<ApprovedTemplate>>)>>;

/// The templates that can be sent through an inbox, by name and language. `anew`: not those remembered.
pub async fn templates(
    engine: &Engine,
    account: AccountId,
    id: InboxId,
    anew: bool,
) -> Result<Arc<Vec<ApprovedTemplate>>, LinkError> {
    let line = line(engine, account, id).await?;
    let connection = line.connection.clone().map_err(|_reason| LinkError::NotPossible)?;
    let provider = connection.templates().ok_or(LinkError::NotPossible)?;
    // Held while the provider is asked: of many who look at once, one asks.
    let mut remembered = line.templates.lock().await;
    let oldest = engine.clock.now().as_millis() - if anew { AT_LEAST_MS } else { REMEMBERED_MS };
    if let Some((at, found)) = remembered.as_ref()
        && at.as_millis() > oldest
    {
        return Ok(found.clone());
    }
    let mut found = provider.approved().await?;
    found.sort_by(|a, b| (&a.name, &a.language).cmp(&(&b.name, &b.language)));
    let found = Arc::new(found);
    *remembered = Some((engine.clock.now(), found.clone()));
    Ok(found)
}
