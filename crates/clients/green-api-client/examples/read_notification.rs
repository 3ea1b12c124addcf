//! Reads a webhook body from a file: `cargo run --example read_notification -- BODY.json`. The token it has to come with in
//! `GREEN_API_WEBHOOK_TOKEN`, the `Authorization` it came with in `AUTHORIZATION`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{env, error::Error, fs};

use frontdesk_green_api_client::{verify_token, webhook};

fn main() -> Result<(), Box<dyn Error>> {
    let body = fs::read(env::args().nth(1).ok_or("which file?")?)?;
    if let (Ok(token), Ok(authorization)) = (env::var("GREEN_API_WEBHOOK_TOKEN"), env::var("AUTHORIZATION")) {
        println!("genuine: {}", verify_token(authorization.as_bytes(), &[token.into()]).is_some());
    }
    println!("for instance: {:?}", webhook::instance_of(&body));
    println!("{:#?}", webhook::parse(&body)?);
    Ok(())
}
