//! Webhooks as WhatsApp sends them: signed bodies of one message or of many.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::load::http;
use crate::{clock, words};

/// Where the product takes them.
pub const PATH: &str = "/api/webhooks/messages";
/// What they are signed with.
pub const SECRET: &str = "bench-app-secret";
/// The number written to.
pub const PHONE_NUMBER_ID: &str = "108144372211905";
/// The business it belongs to.
pub const BUSINESS_ID: &str = "215589313241560883";

/// One message of a customer.
#[derive(Debug, Clone)]
pub struct Message {
    /// Ends the message's id.
    pub number: u64,
    /// Who writes.
    pub customer: u64,
    /// When, in seconds since 1970.
    pub at_secs: u64,
    /// What.
    pub text: String,
}

impl Message {
    /// A new one, written now.
    pub fn of(customer: u64) -> Self {
        let number = next_number();
        Self { number, customer, at_secs: clock::now_secs(), text: words::text(number) }
    }
}

/// A number that no message of this run has.
pub fn next_number() -> u64 {
    static NUMBERS: AtomicU64 = AtomicU64::new(0);
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

/// The body that tells of `messages`. Texts are written as they are: they hold nothing that JSON would escape.
pub fn body(messages: &[Message]) -> String {
    let mut body = String::with_capacity(320 + messages.len() * 340);
    body.push_str(r#"{"object":"whatsapp_business_account","entry":[{"id":""#);
    body.push_str(BUSINESS_ID);
    body.push_str(r#"","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15551797781","phone_number_id":""#);
    body.push_str(PHONE_NUMBER_ID);
    body.push_str(r#""},"contacts":["#);
    let mut written = Ok(());
    for (place, message) in messages.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        let phone = Phone(message.customer);
        written = written.and(write!(
            body,
            r#"{comma}{{"profile":{{"name":"Customer {}"}},"wa_id":"{phone}"}}"#,
            message.customer
        ));
    }
    body.push_str(r#"],"messages":["#);
    for (place, Message { number, customer, at_secs, text }) in messages.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        let phone = Phone(*customer);
        written = written.and(write!(
            body,
            r#"{comma}{{"from":"{phone}","id":"wamid.HBgNbench{number:012}","timestamp":"{at_secs}","text":{{"body":"{text}"}},"type":"text"}}"#
        ));
    }
    debug_assert!(written.is_ok(), "writing to a string cannot fail");
    body.push_str(r#"]},"field":"messages"}]}]}"#);
    body
}

/// The body that tells of what one of ours answered on the phone: `messages` have the customer who was answered.
pub fn echoes(messages: &[Message]) -> String {
    let echoes: Vec<serde_json::Value> = messages
        .iter()
        .map(|Message { number, customer, at_secs, text }| {
            serde_json::json!({ "from": "15551797781", "to": Phone(*customer).to_string(),
                "id": format!("wamid.HBgNbench{number:012}"), "timestamp": at_secs.to_string(),
                "type": "text", "text": { "body": text } })
        })
        .collect();
    let value = serde_json::json!({ "messaging_product": "whatsapp", "message_echoes": echoes,
        "metadata": { "display_phone_number": "15551797781", "phone_number_id": PHONE_NUMBER_ID } });
    let change = serde_json::json!({ "field": "smb_message_echoes", "value": value });
    serde_json::json!({ "object": "whatsapp_business_account", "entry": [{ "id": BUSINESS_ID, "changes": [change] }] })
        .to_string()
}

/// A customer's number, as WhatsApp writes it.
struct Phone(u64);

impl std::fmt::Display for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "62812{:08}", self.0)
    }
}

/// The whole signed request.
pub fn request(address: &str, path: &str, body: &str) -> Vec<u8> {
    let headers = format!(
        "Content-Type: application/json\r\nX-Hub-Signature-256: sha256={}\r\n",
        signature(body.as_bytes())
    );
    http::post(address, path, &headers, body.as_bytes())
}

fn signature(body: &[u8]) -> String {
    hex::encode(mac(body).finalize().into_bytes())
}

/// The signature's calculation over `body`.
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
pub fn mac(body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key of any length");
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_of_many_messages_is_json_with_all_of_them() {
        let messages: Vec<Message> = (0..3).map(Message::of).collect();
        let value: serde_json::Value = serde_json::from_str(&body(&messages)).unwrap();
        let change = &value["entry"][0]["changes"][0]["value"];
        assert_eq!(change["messages"].as_array().unwrap().len(), 3);
        assert_eq!(change["contacts"][2]["wa_id"], change["messages"][2]["from"]);
        assert_ne!(change["messages"][0]["id"], change["messages"][1]["id"]);
    }

    #[test]
    fn a_request_carries_the_signature_of_its_body() {
        let body = body(&[Message::of(1)]);
        let request = String::from_utf8(request("127.0.0.1:1", PATH, &body)).unwrap();
        let signed =
            request.lines().find_map(|line| line.strip_prefix("X-Hub-Signature-256: sha256=")).unwrap();
        mac(body.as_bytes()).verify_slice(&hex::decode(signed).unwrap()).unwrap();
        assert!(request.ends_with(&format!("Content-Length: {}\r\n\r\n{body}", body.len())));
    }
}
