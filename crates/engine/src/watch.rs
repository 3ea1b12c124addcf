//! Keeps an eye on inboxes behind which a phone is linked: whether somebody is signed in, and whether the provider delivers
//! here. Webhooks tell most of it; this is the net below them.

use std::collections::HashMap;
use std::time::Duration;

use frontdesk_channels::contract::{Connection, DeliveryTarget};
use frontdesk_model::inbox::{ConnectionCode, ConnectionState};
use frontdesk_model::{InboxId, Timestamp};
use frontdesk_store::{StoreError, Topic, leases};
use tokio::task::JoinSet;

use crate::Engine;
use crate::inboxes::{self, Inbox};

/// How often an inbox is looked at, in milliseconds.
const EVERY_MS: i64 = 60_000;
/// How often it is looked whether the provider still delivers here, in milliseconds.
const ARRANGE_EVERY_MS: i64 = 3_600_000;
/// When a provider that did not take where to deliver is told again, in milliseconds: telling it may restart it.
const ARRANGE_AGAIN_MS: i64 = 600_000;
/// Looks which inboxes are due at least this often.
const PAUSE: Duration = Duration::from_secs(5);
/// A look that takes longer is given up.
const LONGEST_LOOK: Duration = Duration::from_secs(180);

/// What is remembered of an inbox between two looks.
#[derive(Clone, Default)]
struct Seen {
    version: i64,
    looked_at: Timestamp,
    /// When it is to be looked again where the provider delivers.
    arrange_at: Timestamp,
    /// Why it does not deliver here.
    problem: Option<ConnectionState>,
}

/// Looks after inboxes until shutdown. Each look is a task of its own: a provider that hangs keeps no other waiting.
pub(crate) async fn run(engine: Engine) {
    let mut bell = engine.store.signals().listen(Topic::Inboxes);
    let mut seen: HashMap<InboxId, Seen> = HashMap::new();
    let mut looks: JoinSet<(InboxId, Seen)> = JoinSet::new();
    let mut under_way: Vec<InboxId> = Vec::new();
    loop {
        bell.mark_unchanged();
        while let Some(ended) = looks.try_join_next() {
            let Ok((inbox, now_seen)) = ended else { continue };
            under_way.retain(|id| *id != inbox);
            seen.insert(inbox, now_seen);
        }
        match due(&engine, &seen, &under_way).await {
            Ok(due) => {
                for (inbox, before) in due {
                    under_way.push(inbox);
                    let engine = engine.clone();
                    looks.spawn(async move {
                        let look = look(&engine, inbox, before.clone());
                        let looked = tokio::time::timeout(LONGEST_LOOK, look).await;
                        let now = engine.clock.now();
                        let again = Seen { looked_at: now, ..before };
                        match looked {
                            Ok(Ok(seen)) => (inbox, seen),
                            Ok(Err(error)) => {
                                tracing::warn!(
                                    inbox.id = inbox.0,
                                    error = &error as &dyn std::error::Error,
                                    "the state of an inbox could not be written"
                                );
                                (inbox, again)
                            }
                            Err(_) => (inbox, again),
                        }
                    });
                }
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "inboxes could not be read");
            }
        }
        tokio::select! {
            () = engine.shutdown.cancelled() => return,
            _ = bell.changed() => {}
            Some(ended) = looks.join_next(), if !looks.is_empty() => {
                if let Ok((inbox, now_seen)) = ended {
                    under_way.retain(|id| *id != inbox);
                    seen.insert(inbox, now_seen);
                }
            }
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// The inboxes to look at now, with what is remembered of each.
async fn due(
    engine: &Engine,
    seen: &HashMap<InboxId, Seen>,
    under_way: &[InboxId],
) -> Result<Vec<(InboxId, Seen)>, StoreError> {
    let (book, now) = (inboxes::book(engine).await?, engine.clock.now());
    let watched = book.all().filter(|inbox| inbox.enabled && !under_way.contains(&inbox.config.id));
    let due = watched.filter_map(|inbox| {
        let id = inbox.config.id;
        let before = match seen.get(&id) {
            Some(seen) if seen.version == inbox.version => {
                if now.millis_since(seen.looked_at) < EVERY_MS {
                    return None;
                }
                seen.clone()
            }
            _ => Seen { version: inbox.version, ..Seen::default() },
        };
        let line = engine.connections().line(engine, inbox);
        line.connection.as_ref().is_ok_and(|c| c.linking().is_some()).then_some((id, before))
    });
    Ok(due.collect())
}

/// Looks at one inbox, unless another node just did.
async fn look(engine: &Engine, id: InboxId, before: Seen) -> Result<Seen, StoreError> {
    let now = engine.clock.now();
    let seen = Seen { looked_at: now, ..before };
    let (name, owner) = (format!("watch:{id}:{}", seen.version), engine.node_id.clone());
    let until = now.plus_ms(EVERY_MS - 5_000);
    if !engine.store.write(move |tx| leases::claim(tx, &name, &owner, until, now)).await? {
        return Ok(seen);
    }
    let book = inboxes::book(engine).await?;
    let Some(inbox) = book.find(id).filter(|inbox| inbox.version == seen.version) else { return Ok(seen) };
    let line = engine.connections().line(engine, inbox);
    let Ok(connection) = &line.connection else { return Ok(seen) };
    let state = connection.check().await;
    // Somebody has set it right since, and looked.
    let is_mended = seen.problem.is_some() && is_connected(engine, inbox).await?;
    let seen = if is_mended { Seen { problem: None, ..seen } } else { seen };
    let seen = if now >= seen.arrange_at {
        let problem = arrange(engine, inbox, &**connection, &state).await;
        let wait_ms = if problem.is_none() { ARRANGE_EVERY_MS } else { ARRANGE_AGAIN_MS };
        Seen { arrange_at: now.plus_ms(wait_ms), problem, ..seen }
    } else {
        seen
    };
    let state = worse(state, seen.problem.clone());
    // Asked before we asked is older than what a webhook told meanwhile.
    let state = ConnectionState { since: Some(now), ..state };
    inboxes::set_state_unless_newer(engine, inbox.config.account_id, id, state).await?;
    Ok(seen)
}

async fn is_connected(engine: &Engine, inbox: &Inbox) -> Result<bool, StoreError> {
    match inboxes::get(engine, inbox.config.account_id, inbox.config.id).await {
        Ok(row) => Ok(row.state.code == ConnectionCode::Connected),
        Err(inboxes::InboxError::Store(error)) => Err(error),
        Err(_) => Ok(false),
    }
}

/// Makes the provider deliver here; what is wrong with it, if anything.
pub(crate) async fn arrange(
    engine: &Engine,
    inbox: &Inbox,
    connection: &dyn Connection,
    state: &ConnectionState,
) -> Option<ConnectionState> {
    if state.code == ConnectionCode::Unreachable {
        return None; // it says so itself
    }
    let (delivery, target) = (connection.delivery()?, target(engine, inbox)?);
    delivery.arrange(&target).await.err()
}

/// Where the webhooks of an inbox are to go, and what has to come with them.
pub(crate) fn target(engine: &Engine, inbox: &Inbox) -> Option<DeliveryTarget> {
    let (channel, doors) = (inbox.channel, &engine.settings.doors);
    let server = || channel.door()?.server_keys(doors).secrets.into_iter().next().map(|key| key.secret);
    let token = channel.own_keys(&inbox.config.settings).secret.or_else(server);
    Some(DeliveryTarget { url: inboxes::webhook_url(engine, channel)?, token })
}

/// The state to show: an account that works but does not deliver here does not work.
pub(crate) fn worse(state: ConnectionState, problem: Option<ConnectionState>) -> ConnectionState {
    match problem {
        Some(problem) if state.code == ConnectionCode::Connected => problem,
        _ => state,
    }
}
