//! Whether a connection works, and if not, what to put right: in words for the person who made it.

use std::time::Duration;

use frontdesk_chatwoot_client::{ChatwootClient, ChatwootError, ContactQuery, ErrorCode};

use super::clients::{self, Access};
use crate::Engine;

/// A person waits for the answer.
const READ_TIMEOUT: Duration = Duration::from_secs(8);

/// What every sentence about a test that failed begins with.
const FAILED: &str = "Connection test failed: ";

/// Tries a connection: is the key somebody's, is it good for the account, may it read contacts?
///
/// Errors: what to put right, beginning with `Connection test failed: `.
pub(super) async fn test(engine: &Engine, access: &Access) -> Result<(), String> {
    let told = |words: String| format!("{FAILED}{words}");
    let mut settings = clients::settings(engine, access).map_err(told)?;
    settings.read_timeout = READ_TIMEOUT;
    settings.retry_attempts = 0;
    let client = ChatwootClient::new(settings).map_err(|error| told(clients::reason(error)))?;
    let query = ContactQuery { page: Some(1), ..ContactQuery::default() };
    match client.list_contacts(&query).await {
        Ok(_) => Ok(()),
        Err(error) => Err(told(explain(&client, access, &error).await)),
    }
}

async fn explain(client: &ChatwootClient, access: &Access, error: &ChatwootError) -> String {
    let Access { api_url, remote_account, .. } = access;
    match error.code() {
        // The account is looked for before the token's owner is.
        ErrorCode::Unauthorized | ErrorCode::Forbidden | ErrorCode::NotFound => {
            match client.profile().await {
                Ok(profile) => {
                    let theirs: Vec<String> =
                        profile.accounts.iter().map(|account| account.id.to_string()).collect();
                    if theirs.contains(remote_account) {
                        return "the owner of the API key may not read contacts: use an administrator's key."
                            .to_owned();
                    }
                    format!(
                        "the API key is good, but not for account {remote_account}; it is for {}. Correct the Account ID: it is \
                     the number in the addresses of Chatwoot's pages, /app/accounts/…",
                        if theirs.is_empty() {
                            "no account".to_owned()
                        } else {
                            format!("account {}", theirs.join(", "))
                        }
                    )
                }
                Err(error) if matches!(error.code(), ErrorCode::Unauthorized | ErrorCode::Forbidden) => {
                    "Chatwoot does not accept the API key. Copy it again from Profile Settings, Access Token."
                        .to_owned()
                }
                Err(_) => {
                    format!("nothing that is a Chatwoot answers at {api_url}. Correct the address (apiUrl).")
                }
            }
        }
        ErrorCode::BadGateway | ErrorCode::BadRequest => {
            format!("nothing that is a Chatwoot answers at {api_url}. Correct the address (apiUrl).")
        }
        _ => format!("{} Its address is {api_url}.", error.user_message()),
    }
}
