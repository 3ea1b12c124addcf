//! Who is on a presence channel, on all nodes together.
//!
//! Each node counts the sockets of each user in `presence_members`. A user is there while any node counts one: the
//! first socket anywhere makes `member_added`, the last one `member_removed`. Changes are made under
//! [`relays::lock`](frontdesk_store::relays::lock), one node at a time, so that exactly one node sees "first" and
//! exactly one sees "last".

use std::collections::HashSet;

use frontdesk_model::{AccountId, Timestamp};
use frontdesk_store::presence_members::{self, PresentUser};
use frontdesk_store::{StoreError, Tx, nodes};

/// A socket comes to or leaves a presence channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Whose channel.
    pub account_id: AccountId,
    /// The channel.
    pub channel: String,
    /// The socket, to know whether it was counted.
    pub socket_id: String,
    /// As whom.
    pub user_id: String,
    /// Comes with this information (JSON), or leaves.
    pub comes_with: Option<String>,
    /// Whether the socket was on the channel before the changes at hand.
    pub was_there: bool,
}

/// What a change came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The socket is counted. `first`: the user was not there before. `users`: everyone now.
    Joined {
        /// The others are to be told.
        first: bool,
        /// Everyone there.
        users: Vec<PresentUser>,
    },
    /// The channel has as many users as it may.
    Full,
    /// The socket is not counted any more. `last`: the user is gone, the others are to be told.
    Left {
        /// The others are to be told.
        last: bool,
    },
}

/// Carries out changes of one node in their order.
pub fn apply(
    tx: &mut Tx<'_>,
    node: &str,
    changes: &[Change],
    max_members: usize,
) -> Result<Vec<Outcome>, StoreError> {
    let mut joined_now: HashSet<(&str, &str)> = HashSet::new();
    let mut outcomes = Vec::with_capacity(changes.len());
    for change in changes {
        let place = (change.socket_id.as_str(), change.channel.as_str());
        let (account, channel, user) = (change.account_id, change.channel.as_str(), change.user_id.as_str());
        outcomes.push(match &change.comes_with {
            Some(info) => {
                let before = presence_members::list(tx, account, channel)?;
                let first = !before.iter().any(|present| present.user_id == user);
                if first && before.len() >= max_members {
                    Outcome::Full
                } else {
                    presence_members::add(tx, account, channel, user, node, info)?;
                    joined_now.insert(place);
                    let users = presence_members::list(tx, account, channel)?;
                    Outcome::Joined { first, users }
                }
            }
            None => {
                let was_counted = joined_now.remove(&place) || change.was_there;
                let gone = was_counted
                    && presence_members::subtract(tx, account, channel, user, node)?
                    && !presence_members::is_present(tx, account, channel, user)?;
                Outcome::Left { last: gone }
            }
        });
    }
    Ok(outcomes)
}

/// A user nobody counts any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departed {
    /// Whose channel.
    pub account_id: AccountId,
    /// The channel.
    pub channel: String,
    /// Who.
    pub user_id: String,
}

/// Removes a node and everyone only it had counted; returns those.
pub fn remove_node(tx: &mut Tx<'_>, node: &str) -> Result<Vec<Departed>, StoreError> {
    let mut departed = Vec::new();
    for (account_id, channel, user_id) in presence_members::delete_of_node(tx, node)? {
        if !presence_members::is_present(tx, account_id, &channel, &user_id)? {
            departed.push(Departed { account_id, channel, user_id });
        }
    }
    nodes::delete(tx, node)?;
    Ok(departed)
}

/// Removes every node but `me` that was last seen before `seen_before`.
pub fn remove_dead_nodes(
    tx: &mut Tx<'_>,
    me: &str,
    seen_before: Timestamp,
) -> Result<Vec<Departed>, StoreError> {
    let mut departed = Vec::new();
    for node in dead_nodes(tx, me, seen_before)? {
        tracing::info!(node.id = node, "a node went silent: those it had counted as present are gone");
        departed.extend(remove_node(tx, &node)?);
    }
    Ok(departed)
}

/// The nodes other than `me` that were last seen before `seen_before`.
pub fn dead_nodes(tx: &mut Tx<'_>, me: &str, seen_before: Timestamp) -> Result<Vec<String>, StoreError> {
    let silent = nodes::list_seen_before(tx, seen_before)?;
    Ok(silent.into_iter().map(|(id, _)| id).filter(|id| id != me).collect())
}
