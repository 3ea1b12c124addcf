//! Numbers, templates and subscriptions of a WhatsApp business account.

use axum::http::Method;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::error::GraphError;
use super::super::{selected, success};
use crate::channel::Channel;
use crate::inbox::Inbox;
use crate::sandbox::Sandbox;

/// Templates on a page unless `limit` says otherwise.
const TEMPLATES_PER_PAGE: usize = 25;

/// `None` when the account has no such edge.
pub(super) fn answer(
    sandbox: &Sandbox,
    call: &Call,
    inbox: &Inbox,
    edge: &[&str],
) -> Option<Result<Value, GraphError>> {
    let answer = match (&call.method, edge) {
        (&Method::GET, ["message_templates"]) => templates(sandbox, call),
        (&Method::GET, ["phone_numbers"]) => numbers(sandbox, call, inbox),
        (&Method::GET, ["subscribed_apps"]) => subscriptions(inbox),
        (&Method::POST, ["subscribed_apps"]) => subscribe(sandbox, call, inbox, true),
        (&Method::DELETE, ["subscribed_apps"]) => subscribe(sandbox, call, inbox, false),
        (&Method::GET, []) => selected(
            json!({"id": inbox.entry_id(), "name": inbox.name, "timezone_id": "66", "message_template_namespace": "sandbox"}),
            call,
        ),
        _ => return None,
    };
    Some(Ok(answer))
}

/// `GET /{phone-number-id}`.
pub(super) fn number(call: &Call, inbox: &Inbox) -> Value {
    selected(
        json!({
            "id": inbox.account_id,
            "verified_name": inbox.name,
            "display_phone_number": format!("+{}", inbox.own_number()),
            "quality_rating": "GREEN",
            "code_verification_status": "VERIFIED",
            "platform_type": "CLOUD_API",
            "name_status": "APPROVED",
            "status": "CONNECTED",
            "throughput": {"level": "STANDARD"},
            "messaging_limit_tier": "TIER_2K",
        }),
        call,
    )
}

/// `GET /{phone-number-id}/whatsapp_business_profile`.
pub(super) fn profile(inbox: &Inbox) -> Value {
    json!({"data": [{"messaging_product": "whatsapp", "about": inbox.name, "vertical": "RESTAURANT"}]})
}

fn numbers(sandbox: &Sandbox, call: &Call, inbox: &Inbox) -> Value {
    let world = sandbox.world();
    let siblings = world.inboxes.values().filter(|other| {
        other.channel == Channel::WhatsappCloud && other.business_account_id == inbox.business_account_id
    });
    let data: Vec<Value> = siblings.map(|sibling| number(call, sibling)).collect();
    json!({"data": data, "paging": {}})
}

/// Pages by an opaque cursor, filters by `name` and `status`.
fn templates(sandbox: &Sandbox, call: &Call) -> Value {
    let limit = call.parameter("limit").and_then(|text| text.parse().ok()).unwrap_or(TEMPLATES_PER_PAGE);
    let start: usize = call.parameter("after").and_then(|text| text.parse().ok()).unwrap_or_default();
    let (name, status) = (call.parameter("name"), call.parameter("status"));
    let world = sandbox.world();
    let matching: Vec<_> = world
        .templates
        .iter()
        .filter(|template| name.as_ref().is_none_or(|name| template.name.contains(name.as_str())))
        .filter(|template| status.as_ref().is_none_or(|status| template.status == *status))
        .collect();
    let page: Vec<_> = matching.iter().skip(start).take(limit.max(1)).collect();
    let end = start + page.len();
    let mut answer = json!({
        "data": page,
        "paging": {"cursors": {"before": start.to_string(), "after": end.to_string()}},
    });
    if end < matching.len() {
        let url = format!(
            "{}/graph/{}/message_templates?limit={limit}&after={end}",
            sandbox.public_url(),
            call.segments[0]
        );
        answer["paging"]["next"] = json!(url);
    }
    answer
}

fn subscriptions(inbox: &Inbox) -> Value {
    let app = json!({"whatsapp_business_api_data": {"id": inbox.app_id, "name": "Sandbox app", "link": "https://example.com"}});
    json!({"data": if inbox.subscribed { vec![app] } else { Vec::new() }})
}

/// `override_callback_uri` and `verify_token` replace the account's webhook target.
fn subscribe(sandbox: &Sandbox, call: &Call, inbox: &Inbox, subscribed: bool) -> Value {
    let mut world = sandbox.world();
    let siblings = world.inboxes.values_mut().filter(|other| {
        other.channel == Channel::WhatsappCloud && other.business_account_id == inbox.business_account_id
    });
    for sibling in siblings {
        sibling.subscribed = subscribed;
        if let Some(url) = call.parameter("override_callback_uri") {
            sibling.webhook.url = Some(url);
            sibling.webhook.verify_token = call.parameter("verify_token");
        }
    }
    success()
}
