//! Checks and reads a webhook body from a file:
//! `cargo run --example read_webhook -- BODY.json`, the app secret and the header's value in
//! `META_APP_SECRET` and `X_HUB_SIGNATURE_256`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{env, error::Error, fs};

use frontdesk_meta_graph_client::{verify_signature, webhook};

fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args().nth(1).ok_or("which file?")?;
    let body = fs::read(path)?;
    if let (Ok(secret), Ok(header)) = (env::var("META_APP_SECRET"), env::var("X_HUB_SIGNATURE_256")) {
        let genuine = verify_signature(header.as_bytes(), &body, &[secret.into()]).is_some();
        println!("genuine: {genuine}");
    }
    println!("for: {:?}", webhook::route::routes(&body)?);
    let webhook = webhook::parse(&body)?;
    println!("{webhook:#?}");
    for problem in webhook.problems() {
        println!("not readable: {}", problem.error);
    }
    Ok(())
}
