//! The door of gateways' webhooks: `/api/webhook/whatsapp` for every session, `/webhook/whatsapp` too.
//!
//! Webhooks are signed as Standard Webhooks has it, with the secret of the inbox. A gateway that cannot sign sends that secret as a
//! token in `Authorization`. A signature that is there decides alone.

use frontdesk_whatsapp_gateway_client::signature::{
    ID_HEADER, SIGNATURE_HEADER, Signed, TIMESTAMP_HEADER, verify, verify_token,
};
use frontdesk_whatsapp_gateway_client::webhook;
use secrecy::SecretString;

use super::{NAME, inbound};
use crate::contract::{
    Door, DoorField, DoorInfo, DoorKeys, DoorSecret, DoorSettings, ParseError, Refusal, RoutedEvent,
    VerifiedBy, WebhookRequest,
};

/// Files come by address: bodies are words.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// How webhooks are counted that the client has no name for.
const OTHER_KIND: &str = "other";

static INFO: DoorInfo = DoorInfo {
    name: "whatsapp_gateway",
    provider: "WhatsApp gateways",
    about: "Webhooks of all sessions on gateways, one thing each. They are signed as Standard Webhooks has it with the secret of \
        the session's inbox; a gateway that cannot sign sends that secret in `Authorization`. A body that names \
        no session is for the inbox whose secret came with it.",
    question: &[],
    headers: &[
        DoorField {
            name: "webhook-id",
            help: "Names the delivery; part of what is signed.",
            required: false,
            pattern: None,
            example: "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
        },
        DoorField {
            name: "webhook-timestamp",
            help: "Unix seconds of the attempt, at most 300 off; part of what is signed.",
            required: false,
            pattern: Some("^[0-9]{1,12}$"),
            example: "1760000000",
        },
        DoorField {
            name: "webhook-signature",
            help: "`v1,` and HMAC-SHA256 of `id.timestamp.body` in base64; several, separated by spaces.",
            required: false,
            pattern: None,
            example: "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
        },
        DoorField {
            name: "Authorization",
            help: "The secret itself, as `Bearer` or alone, from gateways that cannot sign.",
            required: false,
            pattern: None,
            example: "Bearer words-of-your-choice",
        },
    ],
    example: r#"{"event":"message.received","data":{"sessionId":"cs-1","from":"6282119499306","pushName":"Siti",
        "message":"Halo","type":"text","id":"3EB0C767D26A8A9CBE08","timestamp":1760000000}}"#,
};

/// Where all sessions on gateways come in.
#[derive(Debug)]
pub(super) struct GatewayDoor;

impl Door for GatewayDoor {
    fn path(&self) -> &'static str {
        "/api/webhook/whatsapp"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["/webhook/whatsapp"]
    }

    fn info(&self) -> &'static DoorInfo {
        &INFO
    }

    fn max_body_bytes(&self, _settings: &DoorSettings) -> usize {
        MAX_BODY_BYTES
    }

    fn delivery_id<'r>(&self, request: &'r WebhookRequest<'_>) -> Option<&'r str> {
        request.header(ID_HEADER)
    }

    fn kind_of(&self, body: &[u8]) -> Option<&'static str> {
        let kind = webhook::parse(body).ok()?.kind;
        Some(webhook::KINDS.into_iter().find(|known| *known == kind).unwrap_or(OTHER_KIND))
    }

    fn claimed(&self, body: &[u8]) -> Option<(&'static str, String)> {
        Some((NAME, webhook::session_of(body)?))
    }

    /// None: sessions of several accounts may have one name, and a key of all would not tell them apart.
    fn server_keys(&self, _settings: &DoorSettings) -> DoorKeys {
        DoorKeys::default()
    }

    fn verify(&self, request: &WebhookRequest<'_>, keys: &DoorKeys) -> Result<VerifiedBy, Refusal> {
        // Those of the session that the body names come first: two inboxes may have one secret.
        let session = webhook::session_of(request.body);
        let is_of =
            |key: &DoorSecret| session.as_deref().is_some_and(|name| super::is_route_of(&key.route, name));
        let mut candidates: Vec<&DoorSecret> = keys.secrets.iter().collect();
        candidates.sort_by_key(|key| !is_of(key));
        let secrets: Vec<SecretString> = candidates.iter().map(|key| key.secret.as_str().into()).collect();
        let index = match request.count(SIGNATURE_HEADER) {
            0 => by_token(request, &secrets)?,
            1 => by_signature(request, &secrets).ok_or(Refusal::BadSignature)?,
            // Which of them a proxy in front of us looked at is anyone's guess.
            _ => return Err(Refusal::BadSignature),
        };
        let key = candidates.get(index).ok_or(Refusal::BadSignature)?;
        Ok(key.inbox.map_or(VerifiedBy::Settings, VerifiedBy::Inbox))
    }

    fn parse(&self, body: &[u8]) -> Result<Vec<RoutedEvent>, ParseError> {
        inbound::parse(body)
    }
}

fn by_signature(request: &WebhookRequest<'_>, secrets: &[SecretString]) -> Option<usize> {
    let one = |name| request.header(name).filter(|_| request.count(name) == 1);
    let signed =
        Signed { id: one(ID_HEADER)?, timestamp: one(TIMESTAMP_HEADER)?, signature: one(SIGNATURE_HEADER)? };
    verify(signed, request.body, secrets, Some(request.now.as_secs())).ok()
}

fn by_token(request: &WebhookRequest<'_>, secrets: &[SecretString]) -> Result<usize, Refusal> {
    match request.count("authorization") {
        0 => Err(Refusal::BadSignature),
        1 => verify_token(request.header("authorization").unwrap_or_default(), secrets)
            .ok_or(Refusal::BadToken),
        _ => Err(Refusal::BadToken),
    }
}
