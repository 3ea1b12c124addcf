//! The fake Chatwoot beside what its OpenAPI document lists, and its refusals.

use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::Stage;

async fn call(stage: &Stage, verb: &str, path: &str, token: Option<&str>, body: Value) -> (u16, Value) {
    let verb: Method = verb.parse().unwrap();
    let mut request = stage.http.request(verb.clone(), format!("{}/chatwoot{path}", stage.url));
    if let Some(token) = token {
        request = request.header("api_access_token", token);
    }
    if verb != Method::GET {
        request = request.json(&body);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

#[tokio::test]
async fn every_operation_of_the_list_is_served_or_refused_as_it_says() {
    let stage = Stage::start().await;
    let unknown = json!({"status": 404, "error": "Not Found"});
    let mut served = 0;
    for line in include_str!("../chatwoot_operations.txt").lines().filter(|line| !line.starts_with('#')) {
        let [says, verb, path] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let path = path.replace("{account_id}", "1");
        let path: Vec<&str> =
            path.split('/').map(|part| if part.starts_with('{') { "999999" } else { part }).collect();
        let (_, body) = call(&stage, verb, &path.join("/"), Some("any"), json!({})).await;
        assert_eq!(body != unknown, says == "served", "{line}: {body}");
        served += usize::from(says == "served");
    }
    assert!(served > 60, "{served}");
}

#[tokio::test]
async fn refusals_are_chatwoots_own() {
    let stage = Stage::start().await;
    let account = "/api/v1/accounts/1";
    stage.set("PATCH", "/chatwoot", json!({"tokens": {"admin": 1, "agent": 2, "stranger": 9}})).await;
    let webhooks = format!("{account}/webhooks");
    let signed_in = json!({"errors": ["You need to sign in or sign up before continuing."]});
    let not_allowed = json!({"error": "You are not authorized to do this action"});
    for (token, path, status, body) in [
        (None, account, 401, signed_in),
        (Some("wrong"), account, 401, json!({"error": "Invalid Access Token"})),
        (Some("stranger"), account, 401, not_allowed.clone()),
        (Some("agent"), &webhooks, 401, not_allowed),
        (Some("admin"), "/api/v1/accounts/7", 404, json!({"error": "Resource could not be found"})),
    ] {
        assert_eq!(call(&stage, "GET", path, token, json!({})).await, (status, body), "{path}");
    }
    let contacts = format!("{account}/contacts");
    let ana = json!({"phone_number": "+5511987654321"});
    assert_eq!(call(&stage, "POST", &contacts, Some("agent"), ana.clone()).await.0, 200);
    let taken = json!({"message": "Phone number has already been taken", "attributes": ["phone_number"]});
    assert_eq!(call(&stage, "POST", &contacts, Some("agent"), ana).await, (422, taken));
    stage.set("PATCH", "/chatwoot", json!({"tokens": {}})).await;
    assert_eq!(call(&stage, "GET", account, Some("wrong"), json!({})).await.0, 200, "any token again");
    stage.set("PATCH", "/chatwoot", json!({"requests_per_minute": 0})).await;
    let (status, body) = call(&stage, "GET", &contacts, Some("agent"), json!({})).await;
    assert_eq!((status, body), (429, json!("Retry later\n")));
}

#[tokio::test]
async fn a_reset_forgets_people_and_keeps_the_set_up() {
    let stage = Stage::start().await;
    let account = json!({"id": 2, "name": "Other"});
    stage.set("POST", "/chatwoot/accounts", account).await;
    stage.set("POST", "/chatwoot/accounts/2/crowd", json!({"contacts": 40, "messages_each": 1})).await;
    let count = async || {
        call(&stage, "GET", "/api/v1/accounts/2/contacts", Some("any"), json!({})).await.1["meta"]["count"]
            .clone()
    };
    assert_eq!(count().await, 40);
    stage.sandbox.reset();
    assert_eq!(count().await, 0);
    let inboxes = call(&stage, "GET", "/api/v1/accounts/2/inboxes", Some("any"), json!({})).await.1;
    assert_eq!(inboxes["payload"][0]["id"], 2);
}
