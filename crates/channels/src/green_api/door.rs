//! The door of Green API's webhooks: `/api/v1/webhooks/green-api` for every instance.
//!
//! Green API does not sign. It sends the instance's `webhookUrlToken` in `Authorization`, and the body says of which
//! instance it is: the two must belong together. A relay in front of us may sign with the secret of the settings.
//!
//! Source: Green API's page on the webhook technology, its official receivers; read 2026.

use frontdesk_green_api_client::{SIGNATURE_HEADERS, verify_signature, verify_token, webhook};
use secrecy::SecretString;

use super::{NAME, inbound};
use crate::contract::{
    Door, DoorField, DoorInfo, DoorKeys, DoorSecret, DoorSettings, ParseError, Refusal, RoutedEvent,
    VerifiedBy, WebhookRequest,
};

/// Pictures come by address; only their thumbnails are in the body, which may take more than a megabyte.
const MAX_BODY_BYTES: usize = 5 * 1024 * 1024;
/// How notifications are counted that the client has no name for.
const OTHER_KIND: &str = "other";

static INFO: DoorInfo = DoorInfo {
    name: "green_api",
    provider: "Green API",
    about: "Webhooks of all instances of Green API, one notification each. The token of the instance that the body names \
        comes in `Authorization`; an instance without one of its own has the server's. A signature is checked where \
        there is one.",
    question: &[],
    headers: &[
        DoorField {
            name: "Authorization",
            help: "The instance's webhook token, as `Bearer`, `Basic` or alone. Absent only with a signature.",
            required: false,
            pattern: None,
            example: "Bearer words-of-your-choice",
        },
        DoorField {
            name: "X-Webhook-Signature",
            help: "HMAC-SHA256 of the body's bytes with the server's secret, in hex. Also taken as `X-Hub-Signature-256` \
                or `X-Green-Api-Signature`.",
            required: false,
            pattern: Some("^(sha256=)?[0-9a-fA-F]{64}$"),
            example: "sha256=bb16c9e0ef8bc9ad5a0d3ed2a3d9b2e4a3a8ae8d0a5f1b1b3b0ed3c5a8dfb9f1",
        },
    ],
    example: r#"{"typeWebhook":"incomingMessageReceived",
        "instanceData":{"idInstance":1101000001,"wid":"15550100001@c.us","typeInstance":"whatsapp"},
        "timestamp":1760000000,"idMessage":"A0B1C2D3E4F5061728394A5B6C7D8E01",
        "senderData":{"chatId":"15550100002@c.us","chatName":"Ada Guest","sender":"15550100002@c.us",
        "senderName":"Ada Guest"},
        "messageData":{"typeMessage":"textMessage","textMessageData":{"textMessage":"Is breakfast included?"}}}"#,
};

/// Where all instances of Green API come in.
#[derive(Debug)]
pub(super) struct GreenDoor;

impl Door for GreenDoor {
    fn path(&self) -> &'static str {
        "/api/v1/webhooks/green-api"
    }

    fn info(&self) -> &'static DoorInfo {
        &INFO
    }

    fn max_body_bytes(&self, settings: &DoorSettings) -> usize {
        settings.green_api_max_body_bytes.unwrap_or(MAX_BODY_BYTES)
    }

    fn kind_of(&self, body: &[u8]) -> Option<&'static str> {
        let kind = webhook::kind_of(body)?;
        Some(webhook::KINDS.into_iter().find(|known| *known == kind).unwrap_or(OTHER_KIND))
    }

    fn claimed(&self, body: &[u8]) -> Option<(&'static str, String)> {
        Some((NAME, webhook::instance_of(body)?.to_string()))
    }

    fn server_keys(&self, settings: &DoorSettings) -> DoorKeys {
        DoorKeys {
            secrets: settings.green_api_webhook_secret.iter().map(DoorSecret::of_server).collect(),
            signature_required: settings.green_api_signature_required,
            // `verify` has looked whether the instance has a token of its own.
            server_vouches_for_all: true,
            ..DoorKeys::default()
        }
    }

    /// Only 200 takes a notification out of Green API's queue; all others wait behind it for a day.
    fn takes_unreadable(&self) -> bool {
        true
    }

    fn verify(&self, request: &WebhookRequest<'_>, keys: &DoorKeys) -> Result<VerifiedBy, Refusal> {
        let signed = is_signed(request, keys)?;
        let by_token = if keys.signature_required { None } else { by_token(request, keys)? };
        match by_token {
            Some(verified_by) => Ok(verified_by),
            None if signed => Ok(VerifiedBy::Settings),
            None if keys.signature_required => Err(Refusal::BadSignature),
            None => Err(Refusal::BadToken),
        }
    }

    fn parse(&self, body: &[u8]) -> Result<Vec<RoutedEvent>, ParseError> {
        inbound::parse(body)
    }
}

/// True when there is a signature and it is right; one that is wrong is refused whatever else there is.
fn is_signed(request: &WebhookRequest<'_>, keys: &DoorKeys) -> Result<bool, Refusal> {
    let secrets: Vec<SecretString> = of_server(keys).map(|key| key.secret.as_str().into()).collect();
    let mut signed = false;
    for header in SIGNATURE_HEADERS {
        match request.count(header) {
            0 => {}
            1 => {
                let signature = request.header(header).unwrap_or_default().as_bytes();
                verify_signature(signature, request.body, &secrets).ok_or(Refusal::BadSignature)?;
                signed = true;
            }
            // Which of them a proxy in front of us looked at is anyone's guess.
            _ => return Err(Refusal::BadSignature),
        }
    }
    Ok(signed)
}

/// Which token came along: the one of the instance that the body names, or the server's where it has none.
fn by_token(request: &WebhookRequest<'_>, keys: &DoorKeys) -> Result<Option<VerifiedBy>, Refusal> {
    let header = match request.count("authorization") {
        0 => return Ok(None),
        1 => request.header("authorization").unwrap_or_default().as_bytes(),
        _ => return Err(Refusal::BadToken),
    };
    // A body that names no instance cannot be read; any token shows that it is Green API's, so that it can be kept.
    let instance = webhook::instance_of(request.body).map(|id| id.to_string());
    let is_own =
        |key: &&DoorSecret| key.inbox.is_some() && instance.as_ref().is_none_or(|id| *id == key.route);
    let own: Vec<&DoorSecret> = keys.secrets.iter().filter(is_own).collect();
    let tokens: Vec<SecretString> = own.iter().map(|key| key.secret.as_str().into()).collect();
    if let Some(key) = verify_token(header, &tokens).and_then(|index| own.get(index)) {
        return Ok(key.inbox.map(VerifiedBy::Inbox));
    }
    let has_own = instance.is_some() && !own.is_empty();
    let server: Vec<SecretString> = of_server(keys).map(|key| key.secret.as_str().into()).collect();
    let by_server = verify_token(header, &server).map(|_| VerifiedBy::Settings);
    Ok(by_server.filter(|_| !has_own))
}

fn of_server(keys: &DoorKeys) -> impl Iterator<Item = &DoorSecret> {
    keys.secrets.iter().filter(|key| key.inbox.is_none())
}
