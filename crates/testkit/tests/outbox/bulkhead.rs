//! Instances that are dead slow nobody else's messages.

use frontdesk_model::MessageId;
use frontdesk_model::message::MessageStatus;
use frontdesk_sandbox::customer::NewCustomer;
use frontdesk_testkit::abyss::Abyss;
use frontdesk_testkit::stage::{Stage, StageSettings, id_of};
use futures_util::future::join_all;
use serde_json::json;
use tokio::net::TcpListener;

const ALIVE: usize = 40;
/// Take connections and never answer.
const HANGING: usize = 5;
/// Nobody is there.
const GONE: usize = 5;
/// Conversations of each dead instance: together more than the node has places for.
const DEAD_CHATS: usize = 6;
/// Messages to one guest of each living instance.
const EACH: usize = 2;

/// An address where nobody is.
async fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

async fn connect(stage: &Stage, name: String, api_url: Option<&str>) -> i64 {
    let name: &'static str = name.leak();
    stage.prepare_instance(name);
    let mut more = vec![("rate_limit_per_second", "0"), ("rate_limit_per_minute", "0")];
    more.extend(api_url.map(|url| ("api_url", url)));
    stage.connect_unasked(name, &more).await.0
}

async fn write(stage: &Stage, inbox: i64, guest: usize, text: &str) -> MessageId {
    let body = json!({ "inbox_id": inbox, "phone": phone(guest), "content": text });
    let (status, answer) = stage.call("POST", "/api/v1/messages", body).await;
    assert_eq!(status, 201, "{answer}");
    id_of(&answer)
}

fn phone(guest: usize) -> String {
    format!("62813900455{guest:02}")
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_instances_deliver_everything_while_ten_are_dead() {
    let mut settings = StageSettings::default();
    settings.engine.outbox.concurrency = 16;
    for stage in Stage::on_all(settings).await {
        for guest in 0..DEAD_CHATS {
            let new: NewCustomer =
                serde_json::from_value(json!({ "name": "Guest", "phone": phone(guest) })).unwrap();
            stage.sandbox.world().add_customer(new).unwrap();
        }
        let abyss = Abyss::open().await;
        let gone = nowhere().await;
        let alive = join_all((0..ALIVE).map(|n| connect(&stage, format!("alive-{n}"), None))).await;
        let hanging =
            join_all((0..HANGING).map(|n| connect(&stage, format!("hanging-{n}"), Some(&abyss.url)))).await;
        let gone = join_all((0..GONE).map(|n| connect(&stage, format!("gone-{n}"), Some(&gone)))).await;

        let (mut lost, mut refused, mut sent) = (Vec::new(), Vec::new(), Vec::new());
        for guest in 0..DEAD_CHATS {
            lost.extend(join_all(hanging.iter().map(|inbox| write(&stage, *inbox, guest, "Hello?"))).await);
            refused.extend(join_all(gone.iter().map(|inbox| write(&stage, *inbox, guest, "Hello?"))).await);
        }
        for n in 0..EACH {
            let text = format!("number {n}");
            sent.extend(join_all(alive.iter().map(|inbox| write(&stage, *inbox, 0, &text))).await);
        }
        for id in sent {
            stage.arrives(id).await;
        }

        // All of that while the dead were holding what they had been given: not one of them has ended.
        for id in lost.into_iter().chain(refused) {
            let status = stage.message(id).await.status;
            assert!(matches!(status, MessageStatus::Queued | MessageStatus::Sending), "{status:?}");
        }
        assert!(abyss.held() >= HANGING, "{} wait for an answer", abyss.held());
        for n in 0..ALIVE {
            let texts: Vec<_> =
                stage.delivered(&format!("alive-{n}")).into_iter().filter_map(|d| d.text).collect();
            assert_eq!(texts, ["number 0", "number 1"], "alive-{n} on {}", stage.database.kind);
        }
    }
}
