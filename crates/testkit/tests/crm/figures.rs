use frontdesk_engine::caller::Actor;
use frontdesk_engine::crm::donations::{self, DonationChanges, NewDonation};
use frontdesk_engine::crm::merges::{self, Choices};
use frontdesk_engine::crm::{self, Key};
use frontdesk_model::crm::donation::DonationStatus;
use frontdesk_model::crm::figures::{Basis, Figures};
use frontdesk_model::crm::segment::Segment;
use frontdesk_model::{ContactId, DonationId};
use frontdesk_store::StoreError;
use frontdesk_store::crm::settings;
use frontdesk_store::crm::{donations as rows, donor_figures};
use frontdesk_testkit::size;
use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::{Desk, SITI, desks};

#[tokio::test]
async fn a_number_that_nobody_has_shows_nothing_and_zeros() {
    for desk in desks().await {
        let profile = desk.get("/api/crm/contacts/6289999999999").await;
        assert_eq!((&profile["whatsapp"], &profile["donatur"]), (&Value::Null, &Value::Null));
        let metrics = &profile["metrics"];
        assert_eq!(metrics["lifetime_value"], 0);
        assert_eq!((&metrics["avg_donation"], &metrics["segment"]), (&Value::Null, &Value::Null));
        assert_eq!((&metrics["engagement_score"], &metrics["status"]), (&json!(0), &json!("none")));
        desk.server
            .get("/api/crm/contacts/id:999")
            .bearer(&desk.agent)
            .send()
            .await
            .refused(404, "NOT_FOUND");
        let refusal = desk.server.get("/api/crm/contacts/abc").bearer(&desk.agent).send().await;
        let refusal = refusal.refused(422, "VALIDATION_ERROR");
        assert_eq!(refusal["success"], false);
        assert!(refusal["errors"]["phone"].is_array());
    }
}

#[tokio::test]
async fn a_number_is_one_donor_however_it_is_written() {
    for desk in desks().await {
        desk.settle(json!({ "calling_code": "62" })).await;
        for phone in ["081390045512", "+6281390045512", SITI, "0062 813-9004-5512"] {
            desk.give(&phone.replace(' ', "%20").replace('+', "%2B"), 1_000).await;
        }
        let profile = desk.get("/api/crm/contacts/0813-9004-5512").await;
        assert_eq!(
            (&profile["metrics"]["donation_count"], &profile["metrics"]["lifetime_value"]),
            (&json!(4), &json!(4_000))
        );
        assert_eq!(profile["donatur"]["phone"], "+6281390045512");
    }
}

#[tokio::test]
async fn gifts_refunds_and_removals_move_the_figures_at_once() {
    for desk in desks().await {
        let noted = desk.give(SITI, 500_000).await;
        assert_eq!(
            (&noted["metrics"]["segment"], &noted["metrics"]["avg_donation"]),
            (&json!("New"), &json!(500_000))
        );
        let second = desk.give(SITI, 250_001).await["data"]["id"].clone();
        let metrics = async || desk.get(&format!("/api/crm/contacts/{SITI}")).await["metrics"].clone();
        let now = metrics().await;
        assert_eq!(
            (&now["lifetime_value"], &now["avg_donation"]),
            (&json!(750_001), &json!(375_000)),
            "half-even"
        );

        let refund = format!("/api/crm/donations/{second}/refund");
        desk.post(&refund, json!({ "amount": 50_001 }), 200).await;
        assert_eq!(metrics().await["lifetime_value"], 700_000);
        let call = desk.server.post(&refund).bearer(&desk.agent).json(&json!({ "amount": 200_001 }));
        call.send().await.refused(422, "VALIDATION_ERROR");
        let whole = desk.post(&refund, json!({}), 200).await;
        assert_eq!((&whole["data"]["status"], &whole["data"]["counts"]), (&json!("refunded"), &json!(false)));
        let now = metrics().await;
        assert_eq!((&now["lifetime_value"], &now["donation_count"]), (&json!(500_000), &json!(1)));

        let first = noted["data"]["id"].clone();
        let gone = desk.server.delete(&format!("/api/crm/donations/{first}")).bearer(&desk.agent);
        gone.send().await.ok(200);
        let now = metrics().await;
        assert_eq!((&now["lifetime_value"], &now["last_donation"]), (&json!(0), &Value::Null));
    }
}

#[tokio::test]
async fn a_gift_of_another_program_is_noted_once() {
    for desk in desks().await {
        let path = format!("/api/crm/contacts/{SITI}/donations");
        let gift = json!({ "amount": 10, "external_id": "INV-1", "received_at": "2026-01-01T00:00:00Z" });
        let first = desk.post(&path, gift.clone(), 201).await;
        let again = desk.post(&path, gift, 200).await;
        assert_eq!(
            (&again["data"]["id"], &again["metrics"]["donation_count"]),
            (&first["data"]["id"], &json!(1))
        );
        let other = json!({ "amount": 11, "external_id": "INV-1", "received_at": "2026-01-01T00:00:00Z" });
        desk.server.post(&path).bearer(&desk.agent).json(&other).send().await.refused(409, "CONFLICT");
    }
}

#[tokio::test]
async fn other_settings_count_all_donors_anew() {
    for desk in desks().await {
        desk.give(SITI, 500_000).await;
        desk.settle(json!({ "vip_floor": 400_000 })).await;
        crm::catch_up(&desk.server.engine).await.unwrap();
        let profile = desk.get(&format!("/api/crm/contacts/{SITI}")).await;
        assert_eq!(profile["metrics"]["segment"], "VIP");
        let call = desk.server.call("PUT", "/api/crm/settings").bearer(&desk.agent).json(&json!({}));
        call.send().await.refused(403, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn a_new_day_moves_donors_from_group_to_group() {
    for desk in desks().await {
        desk.give(SITI, 500_000).await;
        let mut groups = Vec::new();
        for days in [0, 91, 275, 365] {
            desk.server.clock.advance_ms(days * 86_400_000);
            crm::catch_up(&desk.server.engine).await.unwrap();
            groups.push(desk.get(&format!("/api/crm/contacts/{SITI}")).await["metrics"]["segment"].clone());
        }
        assert_eq!(groups, ["New", "Regular", "At risk", "Lapsed"]);
    }
}

/// What is stored of a contact, and what its gifts come to when they are counted now.
async fn stored_and_counted(desk: &Desk, contact: ContactId) -> (Figures, Figures) {
    let (account, now) = (desk.server.account, desk.server.engine.clock.now());
    let read = desk.server.engine.store.read(move |tx| {
        let (settings, _) = settings::get(tx, account)?;
        let calendar = settings.calendar();
        let gifts = rows::gifts(tx, account, contact)?;
        let counted = Figures::of(&gifts, &Basis::of(&settings, &calendar, now));
        let stored = donor_figures::find(tx, account, contact)?.map(|row| row.figures);
        Ok::<_, StoreError>((stored.unwrap_or_default(), counted))
    });
    read.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_any_steps_what_is_stored_is_what_the_gifts_come_to() {
    // Each step waits for its own commit: the databases are gone through side by side.
    join_all(desks().await.iter().map(take_steps)).await;
}

/// Random gifts, refunds, changes, removals, merges and undoings, one transaction each.
async fn take_steps(desk: &Desk) {
    let engine = &desk.server.engine;
    let actor = Actor::server(desk.server.account);
    let mut chance = StdRng::seed_from_u64(6);
    let mut people: Vec<ContactId> = Vec::new();
    let mut gifts: Vec<DonationId> = Vec::new();
    let mut undoable = Vec::new();
    // Gifts of one donor are counted anew with each: as many donors as people have, so that none has thousands of gifts.
    let (donors, look_every) = (size::pick(20, 500), size::pick(50, 500));
    for step in 0..size::pick(400, 10_000) {
        desk.server.clock.advance_ms(chance.random_range(0..3_600_000));
        match chance.random_range(0..11) {
            0..=4 => {
                let phone = format!("62813{:07}", chance.random_range(0..donors));
                let status = DonationStatus::ALL[chance.random_range(0..DonationStatus::ALL.len())];
                let new = NewDonation {
                    amount: chance.random_range(1..1_000_000),
                    currency: None,
                    status,
                    fee: 0,
                    is_test: chance.random_range(0..10) == 0,
                    method: None,
                    campaign: None,
                    note: None,
                    external_id: None,
                    received_at: None,
                };
                let noted = donations::add(engine, actor, Key::Phone(phone), new).await.unwrap();
                gifts.push(noted.row.id);
                people.push(noted.row.contact_id);
            }
            5 | 6 if !gifts.is_empty() => {
                let id = gifts[chance.random_range(0..gifts.len())];
                let amount = chance.random_bool(0.5).then(|| chance.random_range(1..500_000));
                let _ = donations::refund(engine, actor, id, amount).await; // may be too much, or gone
            }
            7 if !gifts.is_empty() => {
                let id = gifts[chance.random_range(0..gifts.len())];
                let amount = Some(chance.random_range(1..1_000_000));
                let changes = DonationChanges { amount, ..DonationChanges::default() };
                let _ = donations::change(engine, actor, id, changes).await; // may be less than was given back
            }
            8 if !gifts.is_empty() => {
                let id = gifts[chance.random_range(0..gifts.len())];
                let _ = donations::remove(engine, actor, id).await; // may be gone
            }
            9 if people.len() > 1 => {
                let key = |chance: &mut StdRng| Key::Contact(people[chance.random_range(0..people.len())]);
                let (keep, merge) = (key(&mut chance), key(&mut chance));
                // The two may be one already.
                let merged = merges::merge(engine, actor, keep, merge, Choices::default()).await;
                undoable.extend(merged.map(|row| row.id));
            }
            10 if !undoable.is_empty() => {
                let id = undoable.swap_remove(chance.random_range(0..undoable.len()));
                let _ = merges::undo(engine, actor, id).await; // may wait for a later one, or be too old
            }
            _ => {}
        }
        if step % look_every == look_every - 1 {
            crm::catch_up(engine).await.unwrap(); // a new year, and what is two years old by now
            people.sort_unstable();
            people.dedup();
            for contact in &people {
                let (stored, counted) = stored_and_counted(desk, *contact).await;
                // Days pass without anybody counting: what they are is told when it is shown.
                let days =
                    |figures: Figures| Figures { days_since_first: None, days_since_last: None, ..figures };
                assert_eq!(days(stored), days(counted), "{contact} after step {step}");
            }
        }
    }
    assert!(people.len() > 5 && gifts.len() > 100);
}

#[tokio::test]
async fn everybody_sees_the_same_words_for_groups() {
    let words: Vec<&str> = Segment::ALL.iter().map(|segment| segment.as_str()).collect();
    assert_eq!(words, ["VIP", "Loyal", "New", "Regular", "At risk", "Lapsed"]);
}
