//! Checks and reads a webhook: `cargo run --example read_webhook -- BODY_FILE SIGNATURE TIMESTAMP`, the secrets in
//! `CHATWOOT_WEBHOOK_SECRET`. Without arguments: one of the fixtures, signed here.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{env, error::Error};

use frontdesk_chatwoot_client::{WebhookSettings, WebhookVerifier, event, webhook};
use secrecy::SecretString;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let secrets = env::var("CHATWOOT_WEBHOOK_SECRET").unwrap_or_else(|_| "example".to_owned());
    let secrets: Vec<SecretString> = secrets.split(',').map(SecretString::from).collect();
    let (body, signature, timestamp) = match arguments.as_slice() {
        [file, signature, timestamp] => (std::fs::read(file)?, signature.clone(), timestamp.clone()),
        _ => {
            let body = include_bytes!("../fixtures/message_created.json").to_vec();
            let signature = webhook::sign(&body, Some("1787048130"), &secrets[0]);
            (body, signature, "1787048130".to_owned())
        }
    };
    // Of an old webhook the age does not matter here.
    let settings = WebhookSettings { secrets, timestamp_enabled: false, ..WebhookSettings::default() };
    let verifier = WebhookVerifier::new(settings);
    match verifier.verify(&body, Some(&signature), Some(&timestamp), None, 0) {
        Ok(genuine) => println!("genuine, by secret {}", genuine.secret),
        Err(rejection) => println!("{}: {rejection}", rejection.http_status()),
    }
    let event = event::parse(&body)?;
    println!("{} in conversation {:?}: {:#?}", event.name, event.conversation_id(), event.event);
    Ok(())
}
