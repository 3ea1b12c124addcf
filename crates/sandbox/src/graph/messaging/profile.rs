//! `GET /{psid}` and `GET /{igsid}`: who a customer is.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::error::GraphError;
use super::super::selected;
use crate::channel::Channel;
use crate::sandbox::Sandbox;

/// Errors: 100/33 for an unknown id; 230 on Instagram before the customer wrote.
pub(in crate::graph) fn get(sandbox: &Sandbox, call: &Call, scoped_id: &str) -> Result<Value, GraphError> {
    let world = sandbox.world();
    let (inbox, customer) = world
        .find_scoped_anywhere(scoped_id)
        .ok_or_else(|| GraphError::unknown_object(call.method.as_str(), scoped_id))?;
    let picture = format!("{}/sandbox/faces/{}.png", sandbox.public_url(), customer.id);
    if inbox.channel == Channel::Instagram {
        let wrote = world
            .find_chat(&customer.id, &inbox.id)
            .is_some_and(|chat| chat.last_customer_message_ms.is_some());
        if !wrote {
            let consent = "User consent is required to access user profile";
            return Err(GraphError { http_status: 400, code: 230, ..GraphError::parameter(consent) });
        }
        let profile = json!({
            "id": scoped_id,
            "name": customer.name,
            "username": customer.username.clone().unwrap_or_else(|| customer.name.to_lowercase().replace(' ', ".")),
            "profile_pic": picture,
            "follower_count": 321,
            "is_verified_user": false,
            "is_user_follow_business": true,
            "is_business_follow_user": false,
        });
        return Ok(selected(profile, call));
    }
    let (first_name, last_name) = customer.split_name();
    let profile = json!({
        "id": scoped_id, "name": customer.name, "first_name": first_name, "last_name": last_name,
        "profile_pic": picture,
    });
    Ok(selected(profile, call))
}
