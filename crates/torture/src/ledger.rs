//! What was promised to whom, and what became of it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::database::{Database, Stored};
use crate::provider::Provider;
use crate::report::Tally;

/// A reply that the server took.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The id it was given.
    pub id: i64,
    /// The conversation.
    pub conversation: i64,
    /// Place among the replies of its conversation.
    pub place: usize,
    /// Its text.
    pub text: String,
}

/// Everything that was sent, noted by those who sent it.
#[derive(Debug, Default)]
pub struct Ledger {
    /// What customers wrote: the provider's id and the text.
    written: Mutex<Vec<(String, String)>>,
    /// Replies the server took.
    accepted: Mutex<Vec<Accepted>>,
    /// Answers that no one should get.
    refused: Mutex<Vec<String>>,
    /// Someone else writes too.
    strangers: AtomicBool,
}

/// A tally with what was found.
#[derive(Debug, Default)]
pub struct Account {
    /// The counts.
    pub tally: Tally,
    /// What is wrong, in words.
    pub findings: Vec<String>,
}

fn locked<T>(list: &Mutex<T>) -> MutexGuard<'_, T> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ledger {
    /// A customer wrote.
    pub fn wrote(&self, remote_id: String, text: String) {
        locked(&self.written).push((remote_id, text));
    }

    /// The server took a reply.
    pub fn accept(&self, reply: Accepted) {
        locked(&self.accepted).push(reply);
    }

    /// An agent was answered with something that is neither yes nor "later".
    pub fn refuse(&self, answer: String) {
        locked(&self.refused).push(answer);
    }

    /// From now on messages that no customer wrote are no ghosts: someone else writes as well.
    pub fn expect_strangers(&self) {
        self.strangers.store(true, Ordering::Relaxed);
    }

    /// How many messages customers wrote.
    pub fn count_written(&self) -> usize {
        locked(&self.written).len()
    }

    /// How many replies were taken.
    pub fn count_accepted(&self) -> usize {
        locked(&self.accepted).len()
    }

    /// The replies that were taken.
    pub fn accepted(&self) -> Vec<Accepted> {
        locked(&self.accepted).clone()
    }

    /// Compares everything with what is stored and with what reached the customers, and the counters with both.
    pub async fn settle(&self, database: &Database, provider: &Provider) -> anyhow::Result<Account> {
        let mut account = self.settle_promises(database, provider).await?;
        self.settle_counters(&mut account, database).await?;
        Ok(account)
    }

    /// Compares everything with what is stored and with what reached the customers.
    pub async fn settle_promises(&self, database: &Database, provider: &Provider) -> anyhow::Result<Account> {
        let stored = database.messages().await?;
        let mut account = Account::default();
        self.settle_inbound(&mut account, &stored, provider);
        self.settle_replies(&mut account, &stored, provider);
        let refused = locked(&self.refused);
        account.expect(refused.is_empty(), || {
            format!("{} strange answers: {:?}", refused.len(), refused.first())
        });
        let strange = provider.strange_answers();
        account.expect(strange.is_empty(), || format!("webhooks were answered with {strange:?}"));
        Ok(account)
    }

    fn settle_inbound(&self, account: &mut Account, stored: &[Stored], provider: &Provider) {
        let written = locked(&self.written);
        let acknowledged = provider.acknowledged();
        let texts: HashMap<&str, &str> =
            written.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
        let mut times: HashMap<&str, usize> = HashMap::new();
        let mut ghosts = 0;
        for message in stored.iter().filter(|m| m.inbound) {
            let text = message.remote_id.as_deref().and_then(|id| texts.get(id));
            match text {
                Some(text) if message.content.as_deref() == Some(*text) => {
                    *times.entry(*text).or_default() += 1
                }
                _ => ghosts += 1,
            }
        }
        if self.strangers.load(Ordering::Relaxed) {
            ghosts = 0;
        }
        let promised = written.iter().filter(|(id, _)| acknowledged.contains(id));
        let lost = promised.clone().filter(|(_, text)| !times.contains_key(text.as_str())).count();
        account.tally.promised += promised.count();
        account.tally.doubled += times.values().filter(|count| **count > 1).count();
        account.tally.ghosts += ghosts;
        account.tally.lost += lost;
        let given_up = written.iter().filter(|(id, _)| !acknowledged.contains(id)).count();
        account.expect(given_up == 0, || format!("the provider gave up {given_up} webhooks"));
        account.expect(lost + ghosts == 0, || format!("{lost} webhooks are lost, {ghosts} nobody sent"));
    }

    fn settle_replies(&self, account: &mut Account, stored: &[Stored], provider: &Provider) {
        let accepted = locked(&self.accepted);
        let ours: HashMap<i64, &Stored> = stored.iter().filter(|m| !m.inbound).map(|m| (m.id, m)).collect();
        // Texts are unique, so what reached a phone is told apart by its text; the place in the list is the order.
        let mut arrivals: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, delivery) in provider.sandbox.world().deliveries.iter().enumerate() {
            arrivals.entry(delivery.entry.text.clone().unwrap_or_default()).or_default().push(place);
        }
        let mut in_conversation: HashMap<i64, Vec<(usize, usize)>> = HashMap::new();
        let tally = &mut account.tally;
        tally.promised += accepted.len();
        let mut wrong = Vec::new();
        for reply in accepted.iter() {
            let places = arrivals.remove(&reply.text).unwrap_or_default();
            if let Some(first) = places.first() {
                in_conversation.entry(reply.conversation).or_default().push((reply.place, *first));
            }
            tally.doubled += usize::from(places.len() > 1);
            let Some(message) = ours.get(&reply.id).filter(|m| m.content.as_ref() == Some(&reply.text))
            else {
                tally.lost += 1;
                continue;
            };
            match message.status.as_str() {
                "unknown" => tally.unknown += 1,
                "sent" | "delivered" | "read" if places.len() == 1 => {}
                // A message that is said to be sent and is not there is as good as lost.
                "sent" | "delivered" | "read" => tally.lost += usize::from(places.is_empty()),
                other => wrong.push(format!("{} is {other}, arrived {} times", reply.text, places.len())),
            }
        }
        tally.ghosts += arrivals.len() + ours.len().abs_diff(accepted.len());
        for places in in_conversation.values_mut() {
            places.sort_unstable();
            tally.disorder += places.windows(2).filter(|pair| pair[0].1 > pair[1].1).count();
        }
        let all = *tally;
        account.expect(ours.len() == accepted.len(), || {
            format!("{} replies were taken, {} are stored", accepted.len(), ours.len())
        });
        account.expect(wrong.is_empty(), || format!("{} replies: {:?}", wrong.len(), wrong.first()));
        account.expect(all.lost + all.doubled + all.ghosts + all.disorder == 0, || format!("{all:?}"));
    }

    /// What is kept beside the messages must agree with them.
    async fn settle_counters(&self, account: &mut Account, database: &Database) -> anyhow::Result<()> {
        let written = i64::try_from(self.count_written())?;
        let unread = database.number("SELECT COALESCE(SUM(unread_count), 0) FROM conversations").await?;
        account.expect(unread == written, || format!("{unread} unread, {written} written"));
        let open = database.number("SELECT COUNT(*) FROM webhook_logs WHERE state <> 'applied'").await?;
        account.expect(open == 0, || format!("{open} webhooks are kept but not applied"));
        let messages = database.number("SELECT COUNT(*) FROM messages").await?;
        let unnumbered = wait_for_numbers(database).await?;
        account.expect(unnumbered == 0, || format!("{unnumbered} events wait for their numbers"));
        let told = database.number("SELECT COUNT(*) FROM events WHERE kind = 'message_received'").await?;
        account.expect(told == messages, || format!("{messages} messages, but {told} were told to browsers"));
        let numbers = database.number("SELECT COALESCE(MAX(seq), 0) - COUNT(*) FROM events").await?;
        account.expect(numbers == 0, || format!("{numbers} numbers of events are missing"));
        Ok(())
    }
}

/// PostgreSQL's events get their numbers a moment after the commit. How many still wait after five seconds.
async fn wait_for_numbers(database: &Database) -> anyhow::Result<i64> {
    if database.file().is_some() {
        return Ok(0);
    }
    let mut waiting = 0;
    for _ in 0..100 {
        waiting = database.number("SELECT COUNT(*) FROM events_to_number").await?;
        if waiting == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(waiting)
}

impl Account {
    fn expect(&mut self, holds: bool, finding: impl FnOnce() -> String) {
        if !holds {
            self.findings.push(finding());
        }
    }
}
