//! Tokens in the form of JWT (RFC 7519, HS256), for programs that sign in with e-mail and password.
//!
//! Each is a sign-in of its own: the token names it, so that a changed password, a disabled user or a sign-out ends it at
//! once, before its time. Whoever holds one may do what the user may.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use frontdesk_model::Timestamp;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::Engine;
use crate::caller::Caller;
use crate::sessions::{self, SignInError};
use frontdesk_store::StoreError;

/// How long a token holds, in seconds.
pub const HOLDS_SECS: i64 = 86_400;
/// No token of ours is longer.
const MAX_LENGTH: usize = 1_024;
/// The header of every token of ours, and the only one taken.
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// What a token says.
#[derive(Serialize, Deserialize)]
struct Claims {
    /// The user.
    sub: String,
    /// When it was given, in seconds since 1970.
    iat: i64,
    /// When it ends.
    exp: i64,
    /// The sign-in it is.
    sid: String,
}

/// A token just given.
pub struct WebToken {
    /// The token; not kept here.
    pub token: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Whose it is.
    pub caller: Caller,
}

/// Signs a user in and gives a token.
///
/// Errors: as [`sessions::sign_in`].
pub async fn sign_in(
    engine: &Engine,
    email: &str,
    password: &str,
    address: IpAddr,
) -> Result<WebToken, SignInError> {
    let signed_in = sessions::sign_in_for(engine, email, password, address, HOLDS_SECS).await?;
    let now = engine.clock.now();
    let expires_at = now.plus_ms(signed_in.max_age_secs * 1_000);
    let claims = Claims {
        sub: signed_in.caller.user_id.to_string(),
        iat: now.as_millis() / 1_000,
        exp: expires_at.as_millis() / 1_000,
        sid: signed_in.token,
    };
    // Texts and numbers: this cannot fail.
    let claims = serde_json::to_string(&claims).unwrap_or_default();
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(mac(engine, &signed).finalize().into_bytes());
    Ok(WebToken { token: format!("{signed}.{signature}"), expires_at, caller: signed_in.caller })
}

/// True for what looks like a token of this kind.
pub fn is_web_token(token: &str) -> bool {
    token.starts_with("eyJ") && token.bytes().filter(|b| *b == b'.').count() == 2
}

/// Who holds this token; `None` when it is not ours or has ended.
pub async fn find_caller(engine: &Engine, token: &str) -> Result<Option<Caller>, StoreError> {
    let Some(claims) = read(engine, token) else { return Ok(None) };
    if claims.exp <= engine.clock.now().as_millis() / 1_000 {
        return Ok(None);
    }
    sessions::find_caller(engine, &claims.sid).await
}

fn read(engine: &Engine, token: &str) -> Option<Claims> {
    if token.len() > MAX_LENGTH {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    mac(engine, signed).verify_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
    if URL_SAFE_NO_PAD.decode(header).ok()? != HEADER.as_bytes() {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

/// The signature so far, under a key that signs nothing else.
fn mac(engine: &Engine, signed: &str) -> Hmac<Sha256> {
    let key = engine.vault.sign("web_tokens", "HS256");
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key.as_bytes())
        .unwrap_or_else(|_| unreachable!("HMAC takes any key"));
    mac.update(signed.as_bytes());
    mac
}
