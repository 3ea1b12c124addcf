//! Meta's side of a test: a signing app, inboxes for the numbers and pages of the recorded bodies, and those bodies.

use std::path::Path;

use bytes::Bytes;
use frontdesk_engine::caller::Actor;
use frontdesk_engine::inboxes::{self, NewInbox};
use frontdesk_engine::settings::{DoorSettings, EngineSettings};
use frontdesk_model::{AccountId, InboxId};
use futures_util::{StreamExt, stream};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::call::{Answer, Call};
use crate::server::{TestServer, TestSettings};
use crate::stage::until;

/// The secret webhooks are signed with.
pub const APP_SECRET: &str = "the secret of the app";
/// The token Meta repeats when the webhook is set up.
pub const VERIFY_TOKEN: &str = "the verify token";
/// The bearer token of relays that cannot sign.
pub const BEARER: &str = "the token of the relay";
/// Where Meta delivers.
pub const DOOR: &str = "/api/webhooks/messages";
/// The first WhatsApp number of the recorded bodies.
pub const NUMBER: &str = "108144372211905";
/// The second one, of the same business account.
pub const SECOND_NUMBER: &str = "110987654321012";
/// The Page of the recorded bodies.
pub const PAGE: &str = "104266588011223";
/// Another one.
pub const SECOND_PAGE: &str = "104266588019999";
/// The Instagram account of the recorded bodies.
pub const INSTAGRAM: &str = "17841400112233445";
/// The account Meta's dashboard names in its test.
pub const DASHBOARD: &str = "0";
/// The business account of both numbers.
pub const BUSINESS: &str = "215589313241560883";

/// The inboxes of the recorded bodies: channel and id.
pub const INBOXES: [(&str, &str); 6] = [
    ("whatsapp_cloud", NUMBER),
    ("whatsapp_cloud", SECOND_NUMBER),
    ("messenger", PAGE),
    ("messenger", SECOND_PAGE),
    ("instagram", INSTAGRAM),
    ("instagram", DASHBOARD),
];

/// How far the clock has to move from the start of a test server until the recorded bodies lie in the past.
pub const AFTER_FIXTURES_MS: i64 = 290 * 86_400_000;

/// A server whose webhooks are signed with [`APP_SECRET`].
pub fn settings() -> TestSettings {
    let doors = DoorSettings {
        meta_app_secrets: vec![APP_SECRET.to_owned()],
        meta_verify_tokens: vec![VERIFY_TOKEN.to_owned()],
        whatsapp_webhook_token: Some(BEARER.to_owned()),
        ..DoorSettings::default()
    };
    TestSettings { engine: EngineSettings { doors, ..EngineSettings::default() }, ..TestSettings::default() }
}

/// A recorded webhook body.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// `whatsapp/01_text`.
    pub name: String,
    /// The bytes as recorded.
    pub body: Bytes,
}

/// All recorded bodies, in the order of their names.
///
/// # Panics
/// When they cannot be read.
#[expect(clippy::expect_used, reason = "a test cannot go on without its fixtures")]
pub fn fixtures() -> Vec<Fixture> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients/meta-graph-client/fixtures");
    let mut all = Vec::new();
    for channel in ["whatsapp", "messenger", "instagram"] {
        for entry in std::fs::read_dir(root.join(channel)).expect("the folder of fixtures") {
            let path = entry.expect("a file").path();
            let stem = path.file_stem().expect("a name").to_string_lossy();
            let name = format!("{channel}/{stem}");
            all.push(Fixture { name, body: std::fs::read(&path).expect("a fixture").into() });
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// One recorded body.
///
/// # Panics
/// When there is none of this name.
#[expect(clippy::expect_used, reason = "a mistake of the test")]
pub fn fixture(name: &str) -> Bytes {
    fixtures().into_iter().find(|f| f.name == name).map(|f| f.body).expect("a fixture of this name")
}

/// The value of `X-Hub-Signature-256`.
///
/// # Panics
/// Never: HMAC takes keys of any length.
#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
pub fn sign(body: &[u8], secret: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key fits");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

impl TestServer {
    /// A delivery signed with [`APP_SECRET`].
    pub fn webhook(&self, body: impl Into<Bytes>) -> Call<'_> {
        self.webhook_signed_with(APP_SECRET, body)
    }

    /// A delivery signed with another secret.
    pub fn webhook_signed_with(&self, secret: &str, body: impl Into<Bytes>) -> Call<'_> {
        let body = body.into();
        let signature = sign(&body, secret);
        self.post(DOOR)
            .header("content-type", "application/json")
            .header("x-hub-signature-256", signature)
            .body(body)
    }

    /// Delivers a signed body that is to be taken.
    ///
    /// # Panics
    /// When it is not answered with an empty 200.
    pub async fn deliver(&self, body: impl Into<Bytes>) -> Answer {
        let answer = self.webhook(body).send().await;
        assert_eq!((answer.status, answer.text()), (200, String::new()));
        answer
    }

    /// Delivers signed bodies in this order, as many at once as there are connections. Returns when messages and news
    /// about them that came at the same moment have met, which takes PostgreSQL a moment.
    pub async fn deliver_all(&self, bodies: impl IntoIterator<Item = Bytes>, connections: usize) {
        const APART: &str = "SELECT COUNT(*) FROM pending_updates p JOIN messages m
            ON m.account_id = p.account_id AND m.inbox_id = p.inbox_id AND m.remote_id = p.remote_id";
        let sent = stream::iter(bodies).map(|body| self.deliver(body)).buffer_unordered(connections);
        sent.for_each(|_| std::future::ready(())).await;
        until("all news has found its message", || async {
            (self.database.number(APART).await == 0).then_some(())
        })
        .await;
    }

    /// Connects an inbox of one of Meta's channels in an account.
    ///
    /// # Panics
    /// When it cannot be connected.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its inbox")]
    pub async fn connect(
        &self,
        account: AccountId,
        channel: &str,
        id: &str,
        more: &[(&str, &str)],
    ) -> InboxId {
        let mut settings = vec![("access_token", "EAAGtoken")];
        match channel {
            "whatsapp_cloud" => settings.extend([("phone_number_id", id), ("business_account_id", BUSINESS)]),
            "messenger" => settings.push(("page_id", id)),
            _ => settings.push(("instagram_id", id)),
        }
        settings.extend(more);
        let new = NewInbox {
            channel: channel.to_owned(),
            name: format!("{channel} {id}"),
            settings: settings.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        };
        let made = inboxes::create(&self.engine, Actor::server(account), new).await;
        made.expect("the inbox can be connected").config.id
    }

    /// Connects all inboxes of the recorded bodies and moves the clock beyond them.
    pub async fn connect_all(&self) {
        self.clock.advance_ms(AFTER_FIXTURES_MS);
        for (channel, id) in INBOXES {
            self.connect(self.account, channel, id, &[]).await;
        }
    }
}
