//! The order of things between nodes.
//!
//! One task per node carries out everything that concerns other nodes: presence changes, and notes (client events,
//! triggers, terminated users) for the others. On PostgreSQL a round is one transaction under a lock that only one
//! node holds: it reads what the others wrote since the last round, makes the node's own changes and writes its own
//! notes. So all nodes see presence change in the same order, and a newcomer's list of members and the events after
//! it fit together. On SQLite there are no others: only presence remains.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_model::AccountId;
pub(super) use frontdesk_store::nodes::DEAD_AFTER_MS;
use frontdesk_store::relays::{self, Relay};
use frontdesk_store::{StoreError, Topic, nodes};
use tokio::sync::mpsc;

use super::hub::Socket;
use super::note::Note;
use super::presence::{self, Change, Departed, Outcome};
use super::protocol::{self, CloseCode, Frame};
use crate::Engine;
use crate::chatwoot::Tag;

/// Steps carried out in one transaction at most.
const MAX_ROUND: usize = 256;
/// Notes read at once.
const PAGE: i64 = 500;
/// How often a node says that it is alive, and looks after the others.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// Notes are forgotten after this long, in milliseconds.
const KEEP_MS: i64 = 60_000;
/// How often notes are looked for without having been rung for.
const SAFETY_POLL: Duration = Duration::from_secs(1);
/// How long a stopping node waits for its sockets to end.
const FAREWELL: Duration = Duration::from_secs(2);

/// Something to be carried out in the order of the cluster.
#[derive(Debug, Clone)]
pub enum Step {
    /// A socket comes to a presence channel.
    Join {
        /// Which.
        socket: Arc<Socket>,
        /// Where.
        channel: String,
        /// As whom.
        user_id: String,
        /// JSON.
        user_info: String,
    },
    /// A socket leaves a presence channel.
    Leave {
        /// Which.
        socket: Arc<Socket>,
        /// Where.
        channel: String,
        /// As whom.
        user_id: String,
    },
    /// Tell the other nodes.
    Tell {
        /// Whose matter.
        account_id: AccountId,
        /// What.
        note: Note,
    },
}

/// Carries out steps until the engine stops; then says good-bye to the other nodes.
pub(super) async fn run(engine: Engine, mut steps: mpsc::UnboundedReceiver<Step>) {
    let mut node = Node { shared: engine.store.is_postgres(), cursor: 0, engine };
    let engine = node.engine.clone();
    let mut bell = engine.store.signals().listen(Topic::Relays);
    let mut heartbeat = every(HEARTBEAT);
    let mut safety = every(SAFETY_POLL);
    node.until_done(Work::Start).await;
    let mut round = Vec::with_capacity(MAX_ROUND);
    loop {
        tokio::select! {
            biased;
            () = engine.shutdown.cancelled() => break,
            _ = heartbeat.tick() => {
                node.until_done(Work::Beat).await;
            }
            count = steps.recv_many(&mut round, MAX_ROUND) => {
                engine.realtime().steps_done(count);
                node.carry_out(&round).await;
                round.clear();
            }
            Ok(()) = bell.changed(), if node.shared => {
                node.until_done(Work::Listen).await;
            }
            _ = safety.tick(), if node.shared => {
                node.until_done(Work::Listen).await;
            }
        }
    }
    node.say_good_bye(&mut steps).await;
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    interval
}

struct Node {
    engine: Engine,
    /// The last note seen.
    cursor: i64,
    /// Whether there may be other nodes.
    shared: bool,
}

/// Something to do with the database, again if need be.
enum Work {
    Start,
    Beat,
    Listen,
    Store { changes: Arc<Vec<Change>>, notes: Arc<Vec<(AccountId, String)>> },
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::Beat => "heartbeat",
            Self::Listen => "listen",
            Self::Store { .. } => "store",
        })
    }
}

/// What a round did to the database.
#[derive(Default)]
struct Round {
    heard: Vec<Relay>,
    outcomes: Vec<Outcome>,
    last_id: i64,
}

impl Node {
    async fn start(&mut self) -> Result<(), StoreError> {
        let (me, now, shared) = (self.engine.node_id.clone(), self.engine.clock.now(), self.shared);
        // Alone on the database: whoever else is on record is a former self.
        let seen_before = if shared { now.plus_ms(-DEAD_AFTER_MS) } else { now.plus_ms(i64::MAX) };
        let (last_id, departed) = self
            .engine
            .store
            .write(move |tx| {
                relays::lock(tx)?;
                nodes::beat(tx, &me, now)?;
                let departed = presence::remove_dead_nodes(tx, &me, seen_before)?;
                if shared {
                    tell_departed(tx, &me, &departed, now)?;
                }
                Ok::<_, StoreError>((relays::last_id(tx)?, departed))
            })
            .await?;
        self.cursor = last_id;
        self.publish_departed(&departed);
        Ok(())
    }

    async fn beat(&mut self) -> Result<(), StoreError> {
        self.listen().await?;
        let (me, now, shared) = (self.engine.node_id.clone(), self.engine.clock.now(), self.shared);
        let is_known = self
            .engine
            .store
            .write(move |tx| {
                let is_known = nodes::touch(tx, &me, now)?;
                if shared {
                    relays::delete_before(tx, now.plus_ms(-KEEP_MS))?;
                }
                Ok::<_, StoreError>(is_known)
            })
            .await?;
        if !is_known {
            // We were silent for so long that the others gave us up: our members are gone and we may have missed
            // notes. Everyone comes back at once and starts from a true state.
            tracing::warn!("this node was given up by the others: its sockets are asked to come back");
            self.engine.realtime().hub.close_all(CloseCode::GoingAway, "The server was interrupted");
            self.engine.chatwoot().forget(Tag::All);
            return self.start().await;
        }
        if self.shared { self.bury_the_dead().await } else { Ok(()) }
    }

    async fn bury_the_dead(&mut self) -> Result<(), StoreError> {
        let (me, now) = (self.engine.node_id.clone(), self.engine.clock.now());
        let seen_before = now.plus_ms(-DEAD_AFTER_MS);
        let any = {
            let me = me.clone();
            self.engine.store.read(move |tx| presence::dead_nodes(tx, &me, seen_before)).await?
        };
        if any.is_empty() {
            return Ok(());
        }
        let cursor = self.cursor;
        let (heard, departed, last_id) = self
            .engine
            .store
            .write(move |tx| {
                relays::lock(tx)?;
                let (heard, _) = read_notes(tx, cursor)?;
                let departed = presence::remove_dead_nodes(tx, &me, seen_before)?;
                tell_departed(tx, &me, &departed, now)?;
                Ok::<_, StoreError>((heard, departed, relays::last_id(tx)?))
            })
            .await?;
        self.hear(heard);
        self.publish_departed(&departed);
        self.cursor = self.cursor.max(last_id);
        Ok(())
    }

    /// Reads what the other nodes wrote.
    async fn listen(&mut self) -> Result<(), StoreError> {
        if !self.shared {
            return Ok(());
        }
        let cursor = self.cursor;
        let (heard, last_id) = self.engine.store.read(move |tx| read_notes(tx, cursor)).await?;
        self.hear(heard);
        self.cursor = last_id;
        Ok(())
    }

    /// One transaction for all steps, then their effects on this node's sockets, in the same order.
    async fn carry_out(&mut self, steps: &[Step]) {
        let realtime = self.engine.realtime().clone();
        let changes: Arc<Vec<Change>> =
            Arc::new(steps.iter().filter_map(|s| change_of(s, &realtime.hub)).collect());
        let notes: Arc<Vec<(AccountId, String)>> = Arc::new(steps.iter().filter_map(note_of).collect());
        let Some(round) = self.until_done(Work::Store { changes, notes }).await else { return };
        self.hear(round.heard);
        let mut outcomes = round.outcomes.into_iter();
        for step in steps {
            if !matches!(step, Step::Tell { .. })
                && let Some(outcome) = outcomes.next()
            {
                show(&realtime.hub, step, outcome, realtime.settings.limits.max_presence_members);
            }
        }
        self.cursor = self.cursor.max(round.last_id);
    }

    async fn store_round(
        &self,
        changes: Arc<Vec<Change>>,
        notes: Arc<Vec<(AccountId, String)>>,
    ) -> Result<Round, StoreError> {
        let (me, now, shared, cursor) =
            (self.engine.node_id.clone(), self.engine.clock.now(), self.shared, self.cursor);
        let max_members = self.engine.realtime().settings.limits.max_presence_members;
        self.engine
            .store
            .write(move |tx| {
                if !shared {
                    let outcomes = presence::apply(tx, &me, &changes, max_members)?;
                    return Ok::<_, StoreError>(Round { heard: Vec::new(), outcomes, last_id: 0 });
                }
                relays::lock(tx)?;
                let (heard, mut last_id) = read_notes(tx, cursor)?;
                let outcomes = presence::apply(tx, &me, &changes, max_members)?;
                for (change, outcome) in changes.iter().zip(&outcomes) {
                    if let Some(frame) = frame_of(change, outcome) {
                        let note = Note::text_of_frame(&change.channel, &frame);
                        last_id = relays::insert(tx, change.account_id, &me, &note, now)?;
                    }
                }
                for (account, note) in notes.iter() {
                    last_id = relays::insert(tx, *account, &me, note, now)?;
                }
                Ok(Round { heard, outcomes, last_id })
            })
            .await
    }

    fn hear(&self, heard: Vec<Relay>) {
        for relay in heard {
            if relay.node_id == self.engine.node_id {
                continue;
            }
            match serde_json::from_str(&relay.data) {
                Ok(Note::Chatwoot(tag)) => self.engine.chatwoot().forget(tag),
                Ok(note) => self.engine.realtime().hear(relay.account_id, note),
                // A newer version of this program may say things we do not know.
                Err(error) => tracing::warn!(%error, relay.id, "a note of another node is not understood"),
            }
        }
    }

    fn publish_departed(&self, departed: &[Departed]) {
        for gone in departed {
            let frame = protocol::member_removed(&gone.channel, &gone.user_id);
            self.engine.realtime().hub.publish(gone.account_id, &gone.channel, &frame, None);
        }
    }

    /// Closes the sockets, carries out their leaving, and removes this node.
    async fn say_good_bye(&mut self, steps: &mut mpsc::UnboundedReceiver<Step>) {
        let realtime = self.engine.realtime().clone();
        realtime.hub.close_all(CloseCode::GoingAway, "The server is going away");
        let farewell = async {
            while realtime.hub.count() > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
            tracing::info!(sockets = realtime.hub.count(), "some sockets did not close in time");
        }
        let mut rest = Vec::new();
        while let Ok(step) = steps.try_recv() {
            if matches!(step, Step::Tell { .. }) {
                rest.push(step);
            }
        }
        realtime.steps_done(rest.len());
        let notes: Vec<_> = rest.iter().filter_map(note_of).collect();
        let (me, now, shared) = (self.engine.node_id.clone(), self.engine.clock.now(), self.shared);
        let removed = self
            .engine
            .store
            .write(move |tx| {
                relays::lock(tx)?;
                let departed = presence::remove_node(tx, &me)?;
                if shared {
                    tell_departed(tx, &me, &departed, now)?;
                    for (account, note) in &notes {
                        relays::insert(tx, *account, &me, note, now)?;
                    }
                }
                Ok::<_, StoreError>(())
            })
            .await;
        if let Err(error) = removed {
            tracing::warn!(%error, "this node could not sign off: the others will notice in {DEAD_AFTER_MS} ms");
        }
    }

    /// Repeats `work` until the database takes it; `None` when the engine stops before that, or when the database
    /// refuses for good: then the sockets are asked to come back, because what they were told may not be true.
    async fn until_done(&mut self, work: Work) -> Option<Round> {
        const MAX_REFUSALS: u32 = 5;
        let mut pause = Duration::from_millis(100);
        let mut refusals = 0;
        loop {
            match self.try_once(&work).await {
                Ok(round) => return Some(round),
                Err(error) => {
                    let cause = &error as &dyn std::error::Error;
                    tracing::error!(
                        error = cause,
                        ?work,
                        "what nodes share could not be read or written; trying again"
                    );
                    refusals += u32::from(!error.is_unavailable());
                }
            }
            if refusals == MAX_REFUSALS {
                self.engine.realtime().hub.close_all(CloseCode::GoingAway, "The server was interrupted");
                return None;
            }
            tokio::select! {
                () = self.engine.shutdown.cancelled() => return None,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(Duration::from_secs(2)),
            }
        }
    }

    async fn try_once(&mut self, work: &Work) -> Result<Round, StoreError> {
        match work {
            Work::Start => self.start().await?,
            Work::Beat => self.beat().await?,
            Work::Listen => self.listen().await?,
            Work::Store { changes, notes } => return self.store_round(changes.clone(), notes.clone()).await,
        }
        Ok(Round::default())
    }
}

fn read_notes(tx: &mut frontdesk_store::Tx<'_>, after: i64) -> Result<(Vec<Relay>, i64), StoreError> {
    let (mut all, mut last) = (Vec::new(), after);
    loop {
        let page = relays::list_after(tx, last, PAGE)?;
        let is_full = page.len() as i64 == PAGE;
        last = page.last().map_or(last, |relay| relay.id);
        all.extend(page);
        if !is_full {
            return Ok((all, last));
        }
    }
}

fn tell_departed(
    tx: &mut frontdesk_store::Tx<'_>,
    me: &str,
    departed: &[Departed],
    now: frontdesk_model::Timestamp,
) -> Result<(), StoreError> {
    for gone in departed {
        let note =
            Note::text_of_frame(&gone.channel, &protocol::member_removed(&gone.channel, &gone.user_id));
        relays::insert(tx, gone.account_id, me, &note, now)?;
    }
    Ok(())
}

fn change_of(step: &Step, hub: &super::hub::Hub) -> Option<Change> {
    let (socket, channel, user_id, comes_with) = match step {
        Step::Join { socket, channel, user_id, user_info } => {
            (socket, channel, user_id, Some(user_info.clone()))
        }
        Step::Leave { socket, channel, user_id } => (socket, channel, user_id, None),
        Step::Tell { .. } => return None,
    };
    Some(Change {
        account_id: socket.account_id,
        channel: channel.clone(),
        socket_id: socket.id.clone(),
        user_id: user_id.clone(),
        comes_with,
        was_there: hub.is_subscribed(socket, channel),
    })
}

fn note_of(step: &Step) -> Option<(AccountId, String)> {
    match step {
        Step::Tell { account_id, note } => serde_json::to_string(note).ok().map(|text| (*account_id, text)),
        Step::Join { .. } | Step::Leave { .. } => None,
    }
}

/// What the members of the channel are told.
fn frame_of(change: &Change, outcome: &Outcome) -> Option<Frame> {
    match (outcome, &change.comes_with) {
        (Outcome::Joined { first: true, .. }, Some(info)) => {
            Some(protocol::member_added(&change.channel, &change.user_id, info))
        }
        (Outcome::Left { last: true }, _) => Some(protocol::member_removed(&change.channel, &change.user_id)),
        _ => None,
    }
}

/// What the sockets of this node see of a step.
fn show(hub: &super::hub::Hub, step: &Step, outcome: Outcome, max_members: usize) {
    match (step, outcome) {
        (Step::Join { socket, channel, user_id, user_info }, Outcome::Joined { first, users }) => {
            let users = users.iter().map(|user| (user.user_id.as_str(), user.user_info.as_str()));
            let data = protocol::presence_data(users);
            hub.subscribe(socket, channel, protocol::subscription_succeeded(channel, &data));
            if first {
                let frame = protocol::member_added(channel, user_id, user_info);
                hub.publish(socket.account_id, channel, &frame, Some(&socket.id));
            }
        }
        (Step::Join { socket, channel, .. }, _) => {
            let message = format!("The channel has {max_members} members, which is as many as it may");
            socket.queue.push(protocol::subscription_error(channel, "LimitReached", &message, 4004));
        }
        (Step::Leave { socket, channel, user_id }, outcome) => {
            hub.unsubscribe(socket, channel);
            if outcome == (Outcome::Left { last: true }) {
                let frame = protocol::member_removed(channel, user_id);
                hub.publish(socket.account_id, channel, &frame, None);
            }
        }
        (Step::Tell { .. }, _) => {}
    }
}
