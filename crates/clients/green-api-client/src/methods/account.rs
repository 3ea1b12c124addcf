//! The instance itself: state, settings, signing in and out.

use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::sending::phone_number;
use crate::{
    GreenClient, InstanceState,
    client::{NO_BODY, unreadable},
    error::GreenCallError,
    method,
    method::Method,
    webhook::lenient,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct State {
    state_instance: InstanceState,
}

/// `yes` or `no`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// On.
    Yes,
    /// Off.
    No,
}

impl From<bool> for Switch {
    fn from(on: bool) -> Self {
        if on { Self::Yes } else { Self::No }
    }
}

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $name:ident = $wire:literal,)*) => {
        /// Settings of an instance: what is set is changed, the rest stays. On a new instance every switch is off.
        ///
        /// Dead ones (`deviceWebhook`, `statusInstanceWebhook`, `incomingBlockWebhook`, `countryInstance`, `typeAccount`,
        /// `sharedSession`, `proxyInstance`, `enableMessagesHistory`) are left out.
        #[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct Settings {
            /// The instance's own chat id; read only.
            #[serde(skip_serializing, deserialize_with = "lenient::scalar")]
            pub wid: Option<String>,
            /// Where webhooks go; empty: nowhere, they are polled.
            #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::scalar")]
            pub webhook_url: Option<String>,
            /// Sent in `Authorization` of each webhook.
            #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::scalar")]
            pub webhook_url_token: Option<String>,
            /// Pause between two messages, 500 to 600000.
            #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::scalar")]
            pub delay_send_messages_milliseconds: Option<i64>,
            $(
                $(#[doc = $doc])+
                #[serde(rename = $wire, skip_serializing_if = "Option::is_none", serialize_with = "yes_or_no",
                    deserialize_with = "lenient::scalar")]
                pub $name: Option<bool>,
            )*
        }

        impl Settings {
            /// Which of the settings asked for are not so in `stored`: Green API has answered "saved" without saving.
            pub fn missing_in(&self, stored: &Self) -> Vec<&'static str> {
                let mut missing = Vec::new();
                let texts = [
                    ("webhookUrl", &self.webhook_url, &stored.webhook_url),
                    ("webhookUrlToken", &self.webhook_url_token, &stored.webhook_url_token),
                ];
                for (name, asked, stored) in texts {
                    if asked.as_deref().is_some_and(|asked| asked != stored.as_deref().unwrap_or_default()) {
                        missing.push(name);
                    }
                }
                let asked = self.delay_send_messages_milliseconds;
                if asked.is_some() && asked != stored.delay_send_messages_milliseconds {
                    missing.push("delaySendMessagesMilliseconds");
                }
                $(
                    if self.$name.is_some() && self.$name != stored.$name {
                        missing.push($wire);
                    }
                )*
                missing
            }
        }
    };
}

settings! {
    /// Mark what comes in as read.
    mark_incoming_messages_readed = "markIncomingMessagesReaded",
    /// Mark what came in as read when it is answered.
    mark_incoming_messages_readed_on_reply = "markIncomingMessagesReadedOnReply",
    /// Tell how far sent messages came.
    outgoing_webhook = "outgoingWebhook",
    /// Tell what is written on the phone.
    outgoing_message_webhook = "outgoingMessageWebhook",
    /// Tell what is sent by the API.
    outgoing_api_message_webhook = "outgoingAPIMessageWebhook",
    /// Tell what comes in.
    incoming_webhook = "incomingWebhook",
    /// Tell changes of the state.
    state_webhook = "stateWebhook",
    /// Show the instance as online.
    keep_online_status = "keepOnlineStatus",
    /// Tell votes in polls.
    poll_message_webhook = "pollMessageWebhook",
    /// Tell incoming calls.
    incoming_call_webhook = "incomingCallWebhook",
    /// Tell outgoing calls.
    outgoing_call_webhook = "outgoingCallWebhook",
    /// Tell changes of messages.
    edited_message_webhook = "editedMessageWebhook",
    /// Tell deletions of messages.
    deleted_message_webhook = "deletedMessageWebhook",
    /// Show "typing…" before every message.
    auto_typing = "autoTyping",
}

fn yes_or_no<S: serde::Serializer>(on: &Option<bool>, serializer: S) -> Result<S::Ok, S::Error> {
    on.map(Switch::from).serialize(serializer)
}

/// Without the webhook's address and token.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("has_webhook_url", &self.webhook_url.as_deref().is_some_and(|url| !url.is_empty()))
            .field("incoming_webhook", &self.incoming_webhook)
            .field("outgoing_webhook", &self.outgoing_webhook)
            .field("state_webhook", &self.state_webhook)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Saved {
    save_settings: bool,
}

/// The WhatsApp account behind an instance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WaSettings {
    /// Address of its picture.
    #[serde(deserialize_with = "lenient::scalar")]
    pub avatar: Option<String>,
    /// Its number, digits only.
    #[serde(deserialize_with = "lenient::scalar")]
    pub phone: Option<String>,
    /// As [`GreenClient::get_state_instance`].
    #[serde(deserialize_with = "lenient::scalar")]
    pub state_instance: Option<String>,
    /// The linked device.
    #[serde(deserialize_with = "lenient::scalar")]
    pub device_id: Option<String>,
}

#[derive(Deserialize)]
struct QrAnswer {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    message: String,
}

/// What `qr` gives.
#[derive(Clone, PartialEq, Eq)]
pub enum Qr {
    /// A picture to scan, PNG. Changes every 20 seconds: ask once a second. Whoever scans it signs in: keep it to those
    /// who may.
    Code(Vec<u8>),
    /// Somebody is signed in already.
    AlreadyLogged,
    /// Not now, in Green API's words.
    Error(String),
}

/// Without the picture.
impl std::fmt::Debug for Qr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(png) => f.debug_tuple("Code").field(&format_args!("{} bytes", png.len())).finish(),
            Self::AlreadyLogged => f.write_str("AlreadyLogged"),
            Self::Error(text) => f.debug_tuple("Error").field(text).finish(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Phone {
    phone_number: u64,
}

#[derive(Deserialize)]
struct AuthorizationCode {
    status: bool,
    #[serde(default)]
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewToken {
    api_token_instance: SecretString,
}

impl GreenClient {
    /// The instance's state. Ask each minute, as a net below the webhook.
    pub async fn get_state_instance(&self) -> Result<InstanceState, GreenCallError> {
        Ok(self.call::<State>(&method::GET_STATE_INSTANCE, NO_BODY).await?.state_instance)
    }

    /// Its settings.
    pub async fn get_settings(&self) -> Result<Settings, GreenCallError> {
        self.call(&method::GET_SETTINGS, NO_BODY).await
    }

    /// Changes settings. The instance is started anew and they hold within five minutes; look whether they do:
    /// [`Settings::missing_in`]. `false`: Green API said that they were not saved.
    pub async fn set_settings(&self, settings: &Settings) -> Result<bool, GreenCallError> {
        Ok(self.call::<Saved>(&method::SET_SETTINGS, Some(settings)).await?.save_settings)
    }

    /// The WhatsApp account behind it.
    pub async fn get_wa_settings(&self) -> Result<WaSettings, GreenCallError> {
        self.call(&method::GET_WA_SETTINGS, NO_BODY).await
    }

    /// The picture to scan.
    pub async fn qr(&self) -> Result<Qr, GreenCallError> {
        let answer: QrAnswer = self.call(&method::QR, NO_BODY).await?;
        Ok(match answer.kind.as_str() {
            "qrCode" => {
                let encoded =
                    answer.message.rsplit_once(',').map_or(answer.message.as_str(), |(_, data)| data);
                Qr::Code(STANDARD.decode(encoded).map_err(|_| unreadable("the QR code is not base64"))?)
            }
            "alreadyLogged" => Qr::AlreadyLogged,
            _ => Qr::Error(answer.message),
        })
    }

    /// A code to enter on the phone in place of scanning, for a number in any spelling. `None`: not now. Not twice in
    /// a row: that has left instances hanging while they start.
    ///
    /// Errors: also [`GreenCallError::Http`] when the number is none.
    pub async fn get_authorization_code(&self, phone: &str) -> Result<Option<String>, GreenCallError> {
        let invalid = |error| frontdesk_provider_http::NotSent::Invalid(Box::new(error)).into();
        let phone_number = phone_number(phone).map_err(|error| GreenCallError::Http(invalid(error)))?;
        let answer: AuthorizationCode =
            self.call(&method::GET_AUTHORIZATION_CODE, Some(&Phone { phone_number })).await?;
        Ok(answer.code.filter(|_| answer.status))
    }

    /// Starts the instance anew. `false`: it was not.
    pub async fn reboot(&self) -> Result<bool, GreenCallError> {
        self.did(&method::REBOOT, "isReboot").await
    }

    /// Signs the phone out. `false`: it was not.
    pub async fn logout(&self) -> Result<bool, GreenCallError> {
        self.did(&method::LOGOUT, "isLogout").await
    }

    async fn did(&self, method: &Method, what: &str) -> Result<bool, GreenCallError> {
        let answer: serde_json::Value = self.call(method, NO_BODY).await?;
        Ok(answer.get(what).and_then(serde_json::Value::as_bool).unwrap_or(false))
    }

    /// Makes another token; this client's own is worth nothing from then on.
    pub async fn update_api_token(&self) -> Result<SecretString, GreenCallError> {
        Ok(self.call::<NewToken>(&method::UPDATE_API_TOKEN, NO_BODY).await?.api_token_instance)
    }
}
