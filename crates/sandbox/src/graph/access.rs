//! Who may call: tokens, `appsecret_proof`, and which inbox an id (or `me`) means.

use super::call::Call;
use super::error::GraphError;
use crate::channel::Channel;
use crate::inbox::Inbox;
use crate::sandbox::Sandbox;
use crate::webhooks::signature::app_secret_proof;

/// Refuses calls without a token, and with a wrong or missing `appsecret_proof`.
pub(super) fn check_token(sandbox: &Sandbox, call: &Call) -> Result<(), GraphError> {
    let Some(token) = &call.token else {
        let message = "An access token is required to request this resource.";
        return Err(GraphError {
            code: 2500,
            http_status: 400,
            ..GraphError::of_code(190).with_message(message)
        });
    };
    let world = sandbox.world();
    let proof = call.parameter("appsecret_proof");
    let secret = world.settings.webhook.app_secret.as_ref();
    let inbox_secrets = world.inboxes.values().filter_map(|inbox| inbox.webhook.app_secret.as_ref());
    let secrets: Vec<&String> = secret.into_iter().chain(inbox_secrets).collect();
    match proof {
        None if world.settings.require_appsecret_proof => {
            Err(GraphError::parameter("API calls from the server require an appsecret_proof argument"))
        }
        Some(proof) if !secrets.is_empty() => {
            let matches = secrets.iter().any(|secret| app_secret_proof(secret, token) == proof);
            let invalid = || GraphError::parameter("Invalid appsecret_proof provided in the API argument");
            if matches { Ok(()) } else { Err(invalid()) }
        }
        _ => Ok(()),
    }
}

/// Refuses a token that is not this inbox's, if it has one.
pub(super) fn check_inbox_token(inbox: &Inbox, call: &Call) -> Result<(), GraphError> {
    if inbox.access_token.is_some() && inbox.access_token != call.token {
        return Err(
            GraphError::of_code(190).with_message("Invalid OAuth access token - Cannot parse access token")
        );
    }
    Ok(())
}

/// The inbox that `object` names. `me` is the account of the token; when tokens do not tell, the one that knows the
/// recipient; else the first Messenger inbox.
pub(super) fn find_inbox(sandbox: &Sandbox, call: &Call, object: &str) -> Result<Option<Inbox>, GraphError> {
    let world = sandbox.world();
    if object != "me" {
        return Ok(world.find_inbox_by_account(object).cloned());
    }
    let messaging = |inbox: &&Inbox| inbox.channel != Channel::WhatsappCloud;
    let of_token = || {
        world.inboxes.values().find(|inbox| inbox.access_token.is_some() && inbox.access_token == call.token)
    };
    let of_recipient = || {
        let recipient = call.body.get("recipient")?.get("id")?.as_str()?;
        world.find_scoped_anywhere(recipient).map(|(inbox, _)| inbox)
    };
    let first =
        || world.inboxes.values().filter(messaging).max_by_key(|inbox| inbox.channel == Channel::Messenger);
    Ok(of_token().or_else(of_recipient).or_else(first).cloned())
}
