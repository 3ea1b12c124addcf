//! A sandbox on a free port, an instance of it, and a client.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::Duration,
};

use frontdesk_green_api_client::{ChatId, GreenClient, Instance, InstanceLimits, InstancePool, client};
use frontdesk_provider_http::{
    AddressPolicy, CallRecord, CallRecorder, Outcome, ProviderHttp, RetryPolicy, install_crypto,
};
use frontdesk_sandbox::{
    Channel, Sandbox, SandboxSettings,
    customer::NewCustomer,
    green::InstanceState,
    inbox::Inbox,
    phone::{self, action::CustomerMessage},
};
use serde_json::{Value, json};

pub const TOKEN: &str = "d75b3a66374942c5b3c019c698abc2067e151558acbd412345";
pub const GUEST: &str = "15550100002";

/// One attempt, as told to the recorder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub key: String,
    pub operation: &'static str,
    pub class: &'static str,
    pub number: u32,
    pub outcome: Outcome,
}

#[derive(Default)]
pub struct Ledger(pub Mutex<Vec<Attempt>>);

impl CallRecorder for Ledger {
    fn record(&self, record: &CallRecord<'_>) {
        self.0.lock().unwrap().push(Attempt {
            key: record.key.to_owned(),
            operation: record.operation,
            class: record.class,
            number: record.attempt,
            outcome: record.outcome,
        });
    }
}

pub struct Stage {
    pub sandbox: Sandbox,
    pub url: String,
    pub pool: InstancePool,
    pub ledger: Arc<Ledger>,
}

/// Limits that no test waits for.
pub fn unlimited() -> InstanceLimits {
    let mut limits = InstanceLimits::default();
    for class in
        [&mut limits.sends, &mut limits.marks, &mut limits.files, &mut limits.qr, &mut limits.account]
    {
        (class.per_second, class.per_minute) = (NonZeroU32::new(10_000), None);
    }
    limits
}

impl Stage {
    pub async fn start() -> Self {
        install_crypto();
        let mut settings = SandboxSettings::default();
        (settings.live.timing.sent_after_ms, settings.live.timing.delivered_after_ms) = (0, 0);
        settings.live.retry.base_ms = 20;
        let (router, sandbox) = Sandbox::new(settings).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        sandbox.set_public_url(&url);
        let mut settings = client::provider_settings(format!("{url}/green").parse().unwrap());
        settings.addresses = AddressPolicy::with_loopback();
        settings.timeout = Duration::from_secs(10);
        settings.retry = RetryPolicy { first: Duration::from_millis(5), ..RetryPolicy::default() };
        let ledger = Arc::new(Ledger::default());
        let http = ProviderHttp::with_recorder(settings, ledger.clone()).unwrap();
        let stage = Self { sandbox, url, pool: InstancePool::over(http), ledger };
        stage.add(1_101_000_001);
        let guest = NewCustomer {
            id: Some("ada".to_owned()),
            name: "Ada Guest".to_owned(),
            phone: Some(GUEST.to_owned()),
            ..NewCustomer::default()
        };
        stage.sandbox.world().add_customer(guest).unwrap();
        stage
    }

    /// Another instance of the fake, with its client.
    pub fn add(&self, id: u64) -> GreenClient {
        let inbox: Inbox = serde_json::from_value(json!({
            "id": id.to_string(), "channel": Channel::GreenApi, "name": "Hotel", "account_id": id.to_string(),
            "access_token": TOKEN, "display_phone_number": "15550100001",
        }))
        .unwrap();
        self.sandbox.world().inboxes.insert(inbox.id.clone(), inbox);
        self.pool.put(Instance::new(id, TOKEN.into()).with_limits(unlimited()))
    }

    pub fn client(&self) -> GreenClient {
        self.pool.find(1_101_000_001).unwrap()
    }

    /// Every notification is wanted from now on.
    pub fn tell_everything(&self) {
        self.sandbox.green("1101000001", |instance| {
            for (name, value) in &mut instance.settings {
                if name.ends_with("Webhook") {
                    *value = json!("yes");
                }
            }
        });
    }

    pub fn put_state(&self, state: InstanceState) {
        self.sandbox.green("1101000001", |instance| instance.state = state);
    }

    pub fn faults(&self, rules: Value) {
        self.sandbox.world().faults.insert(Channel::GreenApi, serde_json::from_value(rules).unwrap());
    }

    /// Ada does something on her phone.
    pub fn act(&self, mut action: Value) -> String {
        action["inbox_id"] = json!("1101000001");
        let message: CustomerMessage = serde_json::from_value(action).unwrap();
        let mut message = message;
        message.action = message.action.with_usual_sample();
        phone::act(&self.sandbox, "ada", &message).unwrap().message_id
    }

    /// Texts on Ada's phone that the business sent.
    pub fn delivered(&self) -> Vec<String> {
        let world = self.sandbox.world();
        world.deliveries.iter().filter_map(|delivery| delivery.entry.text.clone()).collect()
    }

    pub fn attempts(&self) -> Vec<Attempt> {
        std::mem::take(&mut *self.ledger.0.lock().unwrap())
    }
}

pub fn guest() -> ChatId {
    ChatId::of_phone(GUEST).unwrap()
}
