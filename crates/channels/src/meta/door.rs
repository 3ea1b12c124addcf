//! The door of Meta's webhooks: `/api/webhooks/messages` for WhatsApp Cloud, Messenger and Instagram.
//!
//! Source: Meta's "Getting started with webhooks" and "Webhooks for Cloud API", read 2026.

use frontdesk_meta_graph_client::{SIGNATURE_HEADER, verify_signature, verify_subscription};
use secrecy::SecretString;
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::parse;
use crate::contract::{
    Door, DoorField, DoorInfo, DoorKeys, DoorSecret, DoorSettings, ParseError, Refusal, RoutedEvent,
    VerifiedBy, WebhookRequest,
};

/// WhatsApp bodies reach 3 MB.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// The longest challenge that is echoed; Meta sends ten digits or so.
const CHALLENGE_MAX_BYTES: usize = 256;

static INFO: DoorInfo = DoorInfo {
    name: "meta",
    provider: "Meta",
    about: "Webhooks of WhatsApp Cloud, Messenger and Instagram, signed with the app secret. A relay that cannot sign \
        may bring the bearer token of the settings instead, for WhatsApp only.",
    question: &[
        DoorField {
            name: "hub.mode",
            help: "`subscribe`.",
            required: true,
            pattern: Some("^subscribe$"),
            example: "subscribe",
        },
        DoorField {
            name: "hub.verify_token",
            help: "The words of your choice which were entered at Meta.",
            required: true,
            pattern: None,
            example: "words-of-your-choice",
        },
        DoorField {
            name: "hub.challenge",
            help: "What is to be answered; 1 to 256 bytes.",
            required: true,
            pattern: Some("^[0-9]{1,256}$"),
            example: "1158201444",
        },
    ],
    headers: &[DoorField {
        name: "X-Hub-Signature-256",
        help: "HMAC-SHA256 of the body's bytes with the app secret, in hex. Absent only with a bearer token.",
        required: false,
        pattern: Some("^sha256=[0-9a-f]{64}$"),
        example: "sha256=bb16c9e0ef8bc9ad5a0d3ed2a3d9b2e4a3a8ae8d0a5f1b1b3b0ed3c5a8dfb9f1",
    }],
    example: r#"{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"field":"messages",
        "value":{"messaging_product":"whatsapp",
        "metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},
        "contacts":[{"profile":{"name":"Sheena Nelson"},"wa_id":"16505551234"}],
        "messages":[{"from":"16505551234","id":"wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQQA=","timestamp":"1749416383",
        "type":"text","text":{"body":"Does it come in another color?"}}]}}]}]}"#,
};

/// Where Meta's three products come in.
#[derive(Debug)]
pub struct MetaDoor;

impl Door for MetaDoor {
    fn path(&self) -> &'static str {
        "/api/webhooks/messages"
    }

    fn info(&self) -> &'static DoorInfo {
        &INFO
    }

    fn max_body_bytes(&self, _settings: &DoorSettings) -> usize {
        MAX_BODY_BYTES
    }

    fn server_keys(&self, settings: &DoorSettings) -> DoorKeys {
        DoorKeys {
            secrets: settings.meta_app_secrets.iter().map(DoorSecret::of_server).collect(),
            verify_tokens: settings.meta_verify_tokens.clone(),
            bearer: settings.whatsapp_webhook_token.clone(),
            ..DoorKeys::default()
        }
    }

    fn challenge(&self, query: &[(String, String)], keys: &DoorKeys) -> Result<String, Refusal> {
        let (Some("subscribe"), Some(challenge)) =
            (single(query, "hub.mode"), single(query, "hub.challenge"))
        else {
            return Err(Refusal::BadChallenge);
        };
        if challenge.is_empty() || challenge.len() > CHALLENGE_MAX_BYTES {
            return Err(Refusal::BadChallenge);
        }
        let token = single(query, "hub.verify_token").ok_or(Refusal::BadVerifyToken)?;
        // Every token is tried, so that the time taken does not tell which one fits.
        let mut answer = Err(Refusal::BadVerifyToken);
        for expected in &keys.verify_tokens {
            let expected = SecretString::from(expected.as_str());
            if let Some(challenge) = verify_subscription("subscribe", challenge, token, &expected) {
                answer = Ok(challenge.to_owned());
            }
        }
        answer
    }

    /// A signature alone decides when there is one. Relays that cannot sign may bring the bearer token, for WhatsApp only.
    fn verify(&self, request: &WebhookRequest<'_>, keys: &DoorKeys) -> Result<VerifiedBy, Refusal> {
        match request.count(SIGNATURE_HEADER) {
            0 => by_bearer(request, keys),
            1 => by_signature(request, keys),
            // Which of them a proxy in front of us looked at is anyone's guess.
            _ => Err(Refusal::BadSignature),
        }
    }

    fn parse(&self, body: &[u8]) -> Result<Vec<RoutedEvent>, ParseError> {
        parse::parse(body)
    }
}

/// A parameter that stands in the query exactly once.
fn single<'q>(query: &'q [(String, String)], name: &str) -> Option<&'q str> {
    let mut values = query.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str());
    values.next().filter(|_| values.next().is_none())
}

/// Tries every secret, so that the time taken does not tell which one fits. A secret of an inbox is named before the
/// same secret in the settings: see [`DoorKeys::vouch_for`].
fn by_signature(request: &WebhookRequest<'_>, keys: &DoorKeys) -> Result<VerifiedBy, Refusal> {
    let header = request.header(SIGNATURE_HEADER).unwrap_or_default().as_bytes();
    let (mut settings, mut inbox) = (None, None);
    for key in &keys.secrets {
        let secret = SecretString::from(key.secret.as_str());
        if verify_signature(header, request.body, std::slice::from_ref(&secret)).is_some() {
            match key.inbox {
                Some(id) => inbox = inbox.or(Some(VerifiedBy::Inbox(id))),
                None => settings = Some(VerifiedBy::Settings),
            }
        }
    }
    inbox.or(settings).ok_or(Refusal::BadSignature)
}

/// The bearer token of the settings; never good for Messenger or Instagram, which always sign.
fn by_bearer(request: &WebhookRequest<'_>, keys: &DoorKeys) -> Result<VerifiedBy, Refusal> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        object: std::borrow::Cow<'a, str>,
    }

    let expected = keys.bearer.as_deref().filter(|token| !token.is_empty()).ok_or(Refusal::BadSignature)?;
    let header = match request.count("authorization") {
        1 => request.header("authorization").unwrap_or_default(),
        _ => return Err(Refusal::BadSignature),
    };
    let token = match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token,
        _ => return Err(Refusal::BadSignature),
    };
    if !bool::from(token.as_bytes().ct_eq(expected.as_bytes())) {
        return Err(Refusal::BadSignature);
    }
    match serde_json::from_slice::<Envelope<'_>>(request.body) {
        Ok(envelope) if envelope.object == "whatsapp_business_account" => Ok(VerifiedBy::Settings),
        _ => Err(Refusal::BadSignature),
    }
}
