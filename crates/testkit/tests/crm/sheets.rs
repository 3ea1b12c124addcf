use serde_json::{Value, json};

use crate::{Desk, SITI, desks};

async fn import(desk: &Desk, what: &str, sheet: &str) -> Value {
    let call = desk.server.post(&format!("/api/crm/import/{what}")).bearer(&desk.admin);
    call.header("content-type", "text/csv").body(sheet.as_bytes().to_vec()).send().await.ok(200)["data"]
        .clone()
}

fn counts(report: &Value) -> [i64; 4] {
    ["created", "updated", "skipped", "errors"].map(|name| report[name].as_i64().unwrap())
}

const GIFTS: &str = "external_id,phone,amount,received_at,method\n\
    INV-1,+6281390045512,250000,2025-11-30,transfer\n\
    INV-2,081390045512,100000.00,2025-12-01T09:30:00Z,\n\
    INV-3,6281390045577,75000,2025-12-02,cash\n";

#[tokio::test]
async fn a_rehearsal_tells_what_an_import_would_do_and_does_nothing() {
    for desk in desks().await {
        desk.settle(json!({ "calling_code": "62" })).await;
        let report = import(&desk, "donations?dry_run=true", GIFTS).await;
        assert_eq!((counts(&report), &report["dry_run"]), ([3, 0, 0, 0], &json!(true)));
        assert_eq!(desk.get("/api/crm/donations").await["data"], json!([]));
        assert_eq!(desk.get("/api/crm/contacts").await["data"], json!([]));
    }
}

#[tokio::test]
async fn a_sheet_of_gifts_is_taken_once_and_changes_what_it_changed() {
    for desk in desks().await {
        desk.settle(json!({ "calling_code": "62" })).await;
        assert_eq!(counts(&import(&desk, "donations", GIFTS).await), [3, 0, 0, 0]);
        assert_eq!(
            counts(&import(&desk, "donations", GIFTS).await),
            [0, 0, 3, 0],
            "a second time it is here"
        );
        let metrics = desk.get(&format!("/api/crm/contacts/{SITI}")).await["metrics"].clone();
        assert_eq!((&metrics["lifetime_value"], &metrics["donation_count"]), (&json!(350_000), &json!(2)));
        let changed = GIFTS.replace("250000", "300000");
        assert_eq!(counts(&import(&desk, "donations", &changed).await), [0, 1, 2, 0]);
        let metrics = desk.get(&format!("/api/crm/contacts/{SITI}")).await["metrics"].clone();
        assert_eq!(metrics["lifetime_value"], 400_000);
    }
}

#[tokio::test]
async fn a_wrong_line_is_told_and_the_others_are_taken() {
    for desk in desks().await {
        let sheet = "external_id;phone;amount;status\n\
            A;+6281390045512;1.5;completed\n\
            B;+6281390045512;100;completed\n\
            B;+6281390045512;100;completed\n\
            ;+6281390045512;100;\n\
            C;nobody;100;\n\
            D;+6281390045512;100;paid\n";
        let report = import(&desk, "donations", sheet).await;
        assert_eq!(counts(&report), [1, 0, 0, 5]);
        let told: Vec<(i64, &str)> = report["errorMessages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|wrong| (wrong["line"].as_i64().unwrap(), wrong["field"].as_str().unwrap()))
            .collect();
        assert_eq!(
            told,
            [(2, "amount"), (4, "external_id"), (5, "external_id"), (6, "phone"), (7, "status")]
        );
        let call = desk.server.post("/api/crm/import/donations").bearer(&desk.admin);
        let call = call.header("content-type", "text/csv").body(b"name\nSiti\n".to_vec());
        call.send().await.refused(422, "VALIDATION_ERROR");
        let call = desk.server.post("/api/crm/import/donations").bearer(&desk.agent);
        let call = call.header("content-type", "text/csv").body(sheet.as_bytes().to_vec());
        call.send().await.refused(403, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn what_is_written_out_can_be_taken_back() {
    for desk in desks().await {
        let sheet = "phone,name,email,opted_out,custom.city\n\
            +6281390045512,=Siti,SITI@example.org,yes,Bandung\n\
            +6281390045577,\"Budi, Pak\",,,\n";
        assert_eq!(counts(&import(&desk, "contacts", sheet).await), [2, 0, 0, 0]);
        assert_eq!(counts(&import(&desk, "contacts", sheet).await), [0, 0, 2, 0]);
        let siti = desk.get(&format!("/api/crm/contacts/{SITI}")).await["donatur"].clone();
        assert_eq!(
            (&siti["name"], &siti["email"], &siti["opted_out"]),
            (&json!("=Siti"), &json!("siti@example.org"), &json!(true))
        );
        assert_eq!(siti["custom_fields"], json!({ "city": "Bandung" }));
        desk.give(SITI, 250_000).await;

        let out = desk.server.get("/api/crm/export/contacts.csv").bearer(&desk.admin).send().await;
        let out = out.text();
        assert!(
            out.contains("'=Siti") && out.contains("\"Budi, Pak\"") && out.contains(",250000,1,"),
            "{out}"
        );
        assert_eq!(counts(&import(&desk, "contacts", &out).await), [0, 0, 2, 0], "{out}");
        import(&desk, "donations", "external_id,phone,amount,fee\nX,+6281390045577,5000,100\n").await;
        let out = desk.server.get("/api/crm/export/donations.csv").bearer(&desk.admin).send().await.text();
        let report = import(&desk, "donations", &out).await;
        assert_eq!(counts(&report), [0, 0, 1, 1], "one was noted by hand: {out} {report}");
        desk.server
            .get("/api/crm/export/contacts.csv")
            .bearer(&desk.agent)
            .send()
            .await
            .refused(403, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn donors_are_found_by_words_groups_and_figures() {
    for desk in desks().await {
        let sheet =
            "phone,name\n+6281390045512,Siti Aminah\n+6281390045577,João Budi\n+6281390045588,Siti Zahra\n";
        import(&desk, "contacts", sheet).await;
        desk.give(SITI, 900_000).await;
        desk.give("6281390045577", 100_000).await;
        desk.settle(json!({ "vip_floor": 500_000 })).await;
        frontdesk_engine::crm::catch_up(&desk.server.engine).await.unwrap();
        let names = async |query: &str| -> Vec<Value> {
            let found = desk.get(&format!("/api/crm/contacts?{query}")).await;
            found["data"].as_array().unwrap().iter().map(|donor| donor["name"].clone()).collect()
        };
        assert_eq!(names("q=siti").await, ["Siti Zahra", "Siti Aminah"], "the newest first");
        assert_eq!(names("q=joao").await, ["João Budi"]);
        assert_eq!(names("q=aminah%20siti").await, ["Siti Aminah"], "in whatever order");
        assert_eq!(names("segment=VIP").await, ["Siti Aminah"]);
        assert_eq!(names("segment=New").await, ["Siti Zahra", "João Budi"], "who gave nothing is new");
        assert_eq!(names("sort=lifetime").await, ["Siti Aminah", "João Budi"]);
        assert_eq!(names("min_lifetime=100001").await, ["Siti Aminah"]);
        assert_eq!(names("sort=last_donation&limit=1").await.len(), 1);
        let page = desk.get("/api/crm/contacts?sort=lifetime&limit=1").await;
        let next = page["next_cursor"].as_str().unwrap();
        assert_eq!(names(&format!("sort=lifetime&limit=1&cursor={next}")).await, ["João Budi"]);
        assert_eq!(names("q=%25").await.len(), 3, "a sign of the database is no word");
    }
}
