//! Connections to Chatwoots, and the bridges over them: what does not work, and what has waited for long.

use frontdesk_engine::Engine;
use frontdesk_engine::bridge::setup::{self, BridgeError, BridgeView};
use frontdesk_engine::sync::{SyncConnectionStatus, connections};
use frontdesk_model::Timestamp;
use frontdesk_store::bridges::BridgeStatus;
use frontdesk_store::{StoreError, accounts};

use super::finding::{Finding, chain};

const CONNECTIONS: &str = "connections";
const BRIDGES: &str = "bridges";
/// What has waited for so long is not just waiting for its turn.
const OLD_MS: i64 = 300_000;

/// Looks at what is noted of every connection and bridge. Says nothing when there is none.
pub async fn check(engine: &Engine) -> Vec<Finding> {
    match look(engine).await {
        Ok(findings) => findings,
        Err(error) => vec![Finding::fail(CONNECTIONS, chain(error), "see the database's finding")],
    }
}

async fn look(engine: &Engine) -> Result<Vec<Finding>, StoreError> {
    let now = engine.clock.now();
    let (mut findings, mut connected, mut bridged) = (Vec::new(), 0, 0);
    for account in engine.store.read(accounts::list).await? {
        for row in connections::list(engine, account.id).await? {
            connected += 1;
            if row.status == SyncConnectionStatus::Error {
                let why = row.error.unwrap_or_else(|| "it does not work".to_owned());
                findings.push(Finding::fail(
                    CONNECTIONS,
                    format!("{}: {why}", row.name),
                    "correct it under Settings, Chatwoot",
                ));
            }
        }
        let bridges = match setup::list(engine, account.id).await {
            Err(BridgeError::Store(error)) => return Err(error),
            bridges => bridges.unwrap_or_default(),
        };
        bridged += bridges.len();
        findings.extend(bridges.iter().filter_map(|bridge| of_bridge(bridge, now)));
    }
    if findings.is_empty() && connected > 0 {
        findings.push(Finding::ok(CONNECTIONS, format!("{connected} connected, {bridged} bridged")));
    }
    Ok(findings)
}

/// The worst that there is to say of a bridge.
fn of_bridge(bridge: &BridgeView, now: Timestamp) -> Option<Finding> {
    let name = format!("the bridge of inbox {}", bridge.row.inbox_id);
    if bridge.row.status == BridgeStatus::Error {
        let why = bridge.row.last_error.as_deref().unwrap_or("it does not work");
        return Some(Finding::fail(BRIDGES, format!("{name}: {why}"), "correct it under Settings, Chatwoot"));
    }
    let waited_ms = bridge.oldest_waiting_at.map_or(0, |since| now.millis_since(since));
    if bridge.row.status == BridgeStatus::Enabled && waited_ms > OLD_MS {
        let (waiting, minutes) = (bridge.waiting, waited_ms / 60_000);
        return Some(Finding::warn(
            BRIDGES,
            format!("{name}: {waiting} wait to be carried, the oldest for {minutes} minutes"),
            "look whether Chatwoot answers, and whether the server runs",
        ));
    }
    (bridge.failed > 0).then(|| {
        Finding::warn(
            BRIDGES,
            format!("{name}: {} were refused by Chatwoot for good", bridge.failed),
            "look into the log for why, then switch the bridge off and on: they are tried again",
        )
    })
}

#[cfg(test)]
mod tests {
    use frontdesk_engine::bridge::BridgeSettings;
    use frontdesk_model::{AccountId, BridgeId, InboxId, SyncConnectionId};
    use frontdesk_store::bridges::BridgeRow;

    use super::super::finding::Level;
    use super::*;

    fn bridge() -> BridgeView {
        let row = BridgeRow {
            id: BridgeId(1),
            account_id: AccountId(1),
            connection_id: SyncConnectionId(1),
            inbox_id: InboxId(3),
            remote_inbox_id: Some(7),
            webhook_key: String::new(),
            secret: None,
            settings: "{}".to_owned(),
            status: BridgeStatus::Enabled,
            last_error: None,
            event_cursor: 0,
            pulled_until: Timestamp::default(),
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        };
        BridgeView {
            row,
            settings: BridgeSettings::default(),
            webhook_url: String::new(),
            warnings: Vec::new(),
            waiting: 0,
            failed: 0,
            oldest_waiting_at: None,
        }
    }

    #[test]
    fn a_bridge_that_works_says_nothing_and_others_say_the_worst() {
        let now = Timestamp::from_millis(1_000_000);
        let found = |change: fn(&mut BridgeView)| {
            let mut bridge = bridge();
            change(&mut bridge);
            of_bridge(&bridge, now).map(|finding| (finding.level, finding.message))
        };
        assert!(found(|_| ()).is_none());
        let waits = |bridge: &mut BridgeView| {
            (bridge.waiting, bridge.oldest_waiting_at, bridge.failed) =
                (4, Some(Timestamp::from_millis(0)), 2);
        };
        let (level, message) = found(waits).unwrap();
        assert_eq!(level, Level::Warn);
        assert!(message.contains("4 wait") && message.contains("16 minutes"), "{message}");
        let (_, message) = found(|bridge| bridge.failed = 2).unwrap();
        assert!(message.contains("inbox 3: 2 were refused"), "{message}");
        let broken = |bridge: &mut BridgeView| {
            bridge.row.status = BridgeStatus::Error;
            bridge.row.last_error = Some("Chatwoot does not take the token".to_owned());
        };
        let (level, message) = found(broken).unwrap();
        assert_eq!(level, Level::Fail);
        assert!(message.contains("does not take the token"), "{message}");
        let paused = |bridge: &mut BridgeView| {
            bridge.row.status = BridgeStatus::Paused;
            bridge.oldest_waiting_at = Some(Timestamp::from_millis(0));
        };
        assert!(found(paused).is_none(), "what people stopped may wait");
    }
}
