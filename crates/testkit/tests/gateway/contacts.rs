//! Who has a number. One that nobody has is no error.

use frontdesk_testkit::green::INSTANCE;
use frontdesk_testkit::meta::NUMBER;
use serde_json::{Value, json};

use crate::{SITI, desks};

#[tokio::test]
async fn a_known_number_is_told_whatever_its_notation() {
    for desk in desks().await {
        desk.writes(SITI, "Siti Rahma", "wamid.1", 0, "halo").await;
        let mut settings =
            desk.server.get("/api/crm/settings").bearer(&desk.token).send().await.ok(200)["data"].clone();
        settings["calling_code"] = json!("62");
        desk.server.call("PUT", "/api/crm/settings").bearer(&desk.token).json(&settings).send().await.ok(200);
        for phone in
            [SITI, "%2B6281390045512", "081390045512", "0813-9004-5512", "6281390045512@s.whatsapp.net"]
        {
            let told = desk.get(&format!("/contacts/{phone}")).await;
            let contact = &told["data"];
            assert_eq!(
                (&contact["exists"], &contact["name"]),
                (&json!(true), &json!("Siti Rahma")),
                "{phone}"
            );
            assert_eq!((&contact["phone"], &contact["unread_count"]), (&json!(SITI), &json!(1)));
            assert!(contact["chat_id"].is_string() && contact["last_seen"].is_string(), "{contact}");
            assert_eq!(desk.get(&format!("/contacts/{phone}/picture")).await["data"]["url"], Value::Null);
            let check = desk.get(&format!("/contacts/{phone}/check")).await;
            assert_eq!(
                (&check["data"]["registered"], &check["data"]["checked"]),
                (&json!(true), &json!(false))
            );
        }
    }
}

#[tokio::test]
async fn an_unknown_number_is_nulls_and_zeros() {
    for desk in desks().await {
        let told = desk.get("/contacts/6281399999999").await;
        assert_eq!(told["success"], true);
        assert_eq!(
            told["data"],
            json!({ "phone": "6281399999999", "exists": false, "name": null, "push_name": null, "email": null,
                "picture": null, "chat_id": null, "unread_count": 0, "is_starred": false, "last_seen": null })
        );
        for session in [NUMBER, INSTANCE] {
            // The second has a network that could be asked and does not answer.
            let path = format!("/api/v1/sessions/{session}/contacts/6281399999999/check");
            let check = desk.server.get(&path).bearer(&desk.token).send().await.ok(200);
            assert_eq!(
                (&check["data"]["registered"], &check["data"]["exists"]),
                (&json!(false), &json!(false))
            );
        }
        let picture = desk.get("/contacts/6281399999999/picture").await;
        assert_eq!((&picture["data"]["url"], &picture["data"]["picture"]), (&Value::Null, &Value::Null));
        assert_eq!(desk.count("contacts").await, 0, "asking makes nobody");
    }
}

#[tokio::test]
async fn a_number_without_its_country_says_which_setting_helps() {
    for desk in desks().await {
        let path = format!("/api/v1/sessions/{NUMBER}/contacts/081390045512");
        let sentence = crate::refused(&desk.server.get(&path).bearer(&desk.token).send().await, "phone");
        assert!(sentence.contains("calling_code"), "{sentence}");
        let sent = desk.post("text", json!({ "phone": "081390045512", "message": "halo" })).await;
        assert!(crate::refused(&sent, "phone").contains("calling_code"));
        let path = format!("/api/v1/sessions/{NUMBER}/contacts/nobody");
        let sentence = crate::refused(&desk.server.get(&path).bearer(&desk.token).send().await, "phone");
        assert!(!sentence.contains("calling_code"), "{sentence}");
    }
}
