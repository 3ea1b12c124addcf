//! Messages at a set rate, each at its time whatever became of the ones before.

use std::time::Duration;

use md5::{Digest, Md5};
use serde_json::json;

use super::http::{self, Connection};
use super::mark::{self, Epoch};
use super::sockets::signed;
use crate::product::{APP_ID, APP_KEY};
use crate::webhook::{self, Message};
use crate::{clock, words};

/// Connections that messages are sent over, in turn.
const LANES: u32 = 4;
/// Bytes of an event beside its mark.
const PAYLOAD: usize = 200;

/// How a message is made known to the server.
#[derive(Debug, Clone, Copy)]
pub enum Source {
    /// An event, through the Pusher HTTP API.
    Event {
        /// Where to.
        channel: &'static str,
        /// Its name.
        name: &'static str,
    },
    /// A webhook, as a customer's message causes it.
    Webhook {
        /// Customers who write, in turn.
        customers: u64,
    },
}

/// So many messages a second for so long.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// As `127.0.0.1:8080`.
    pub address: String,
    /// What is sent.
    pub source: Source,
    /// Messages a second.
    pub per_second: u32,
    /// When the first one is due, from the epoch on.
    pub first: Duration,
    /// How many.
    pub count: u32,
}

impl Schedule {
    /// Sends all of them; fails when one is not taken.
    pub async fn run(&self, epoch: Epoch) -> anyhow::Result<()> {
        let lanes: Vec<_> = (0..LANES).map(|lane| tokio::spawn(send(self.clone(), epoch, lane))).collect();
        for lane in lanes {
            lane.await??;
        }
        Ok(())
    }

    /// When a message is due, from the epoch on.
    pub fn due(&self, number: u32) -> Duration {
        self.first + Duration::from_secs(1) * number / self.per_second
    }

    fn request(&self, number: u32) -> Vec<u8> {
        let mark = mark::write(self.due(number));
        match self.source {
            Source::Event { channel, name } => event(&self.address, channel, name, &mark),
            Source::Webhook { customers } => {
                let mut message = Message::of(u64::from(number) % customers);
                message.text = format!("{mark} {}", words::text(message.number));
                webhook::request(&self.address, webhook::PATH, &webhook::body(&[message]))
            }
        }
    }
}

async fn send(schedule: Schedule, epoch: Epoch, lane: u32) -> anyhow::Result<()> {
    let mut connection = Connection::new(&schedule.address);
    for number in (lane..schedule.count).step_by(LANES as usize) {
        tokio::time::sleep_until(epoch.at(schedule.due(number)).into()).await;
        let (status, body) = connection.send(&schedule.request(number)).await?;
        if status != 200 {
            anyhow::bail!("a message was answered {status}: {}", String::from_utf8_lossy(&body));
        }
    }
    Ok(())
}

/// `POST /apps/{id}/events`, signed as Pusher's libraries do.
fn event(address: &str, channel: &str, name: &str, mark: &str) -> Vec<u8> {
    let data = json!({ "mark": mark, "padding": "x".repeat(PAYLOAD) }).to_string();
    let body = json!({ "name": name, "channels": [channel], "data": data }).to_string();
    let path = format!("/apps/{APP_ID}/events");
    let query = format!(
        "auth_key={APP_KEY}&auth_timestamp={}&auth_version=1.0&body_md5={}",
        clock::now_secs(),
        hex::encode(Md5::digest(body.as_bytes()))
    );
    let signature = signed(&format!("POST\n{path}\n{query}"));
    let target = format!("{path}?{query}&auth_signature={signature}");
    http::post(address, &target, "Content-Type: application/json\r\n", body.as_bytes())
}
