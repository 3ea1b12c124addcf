//! One test per row of the two tables, and the cases below them.

use super::*;
use Product::{Messaging, WhatsApp};
use Retry::{After, Never, OnSchedule};
use Scope::{Conversation, Inbox, Message};

fn first(product: Product, code: i64, subcode: Option<i64>) -> Decision {
    decide_graph(product, &GraphError::from_code(code, subcode), 1)
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Checks all codes (and subcodes) of one row.
fn check(product: Product, codes: &[(i64, Option<i64>)], expected: (Retry, Scope), flags: &[&str]) {
    for (code, subcode) in codes {
        let decision = first(product, *code, *subcode);
        assert_eq!((decision.retry, decision.scope), expected, "{code} {subcode:?}");
        assert_eq!(decision.reconnect, flags.contains(&"reconnect"), "{code} {subcode:?}");
        assert_eq!(decision.window_closed, flags.contains(&"window_closed"), "{code} {subcode:?}");
        assert_eq!(decision.certain, !flags.contains(&"uncertain"), "{code} {subcode:?}");
        assert!(!decision.advice.is_empty());
    }
}

macro_rules! rows {
    ($($name:ident: $product:ident [$($code:literal $(/ $subcode:literal)?),+] => $retry:expr, $scope:ident $(, $flag:ident)*;)+) => {
        $(#[test]
        fn $name() {
            let codes = [$(($code, None::<i64>$(.or(Some($subcode)))?)),+];
            check($product, &codes, ($retry, $scope), &[$(stringify!($flag)),*]);
        })+
    };
}

rows! {
    whatsapp_token: WhatsApp [0, 190, 190/463, 190/467] => Never, Inbox, reconnect;
    whatsapp_permission: WhatsApp [3, 10, 200, 250, 299, 131005] => Never, Inbox;
    whatsapp_throughput: WhatsApp [4, 80007, 130429] => OnSchedule, Inbox;
    whatsapp_pair_rate: WhatsApp [131056] => After(secs(6)), Conversation;
    whatsapp_spam: WhatsApp [131048] => After(secs(4 * 3600)), Inbox;
    whatsapp_ecosystem: WhatsApp [131049, 130472, 131050] => Never, Message;
    whatsapp_window: WhatsApp [131047] => Never, Conversation, window_closed;
    whatsapp_undeliverable: WhatsApp [131026] => Never, Message;
    whatsapp_not_in_test_list: WhatsApp [131030] => Never, Message;
    whatsapp_bad_parameter: WhatsApp [131051, 131008, 131009, 100] => Never, Message;
    whatsapp_number_gone: WhatsApp [33] => Never, Inbox;
    whatsapp_media: WhatsApp [131052, 131053] => OnSchedule, Message;
    whatsapp_not_allowed_here: WhatsApp [131062, 131063, 131064] => Never, Message;
    whatsapp_receiver: WhatsApp [131021, 130497] => Never, Message;
    whatsapp_account: WhatsApp [131031, 131037, 131042, 131045, 133010] => Never, Inbox;
    whatsapp_maintenance: WhatsApp [131057] => OnSchedule, Inbox;
    whatsapp_template: WhatsApp [132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016, 132018] => Never, Message;
    whatsapp_policy: WhatsApp [368] => Never, Inbox;
    whatsapp_service_down: WhatsApp [1, 2, 131016, 133004] => OnSchedule, Inbox;
    whatsapp_unknown_fault: WhatsApp [131000, 135000] => OnSchedule, Message;

    messaging_window: Messaging [10/2018278, 10/2018065, 10/2534022] => Never, Conversation, window_closed;
    messaging_page_restricted: Messaging [10/1893063] => After(secs(3600)), Inbox;
    messaging_not_available: Messaging [551, 551/1545041, 200/1545041] => Never, Conversation;
    messaging_no_such_user: Messaging [100/2018001, 100/33] => Never, Conversation;
    messaging_attachment: Messaging [100/2018109, 100/2018074] => Never, Message;
    messaging_upload_failed: Messaging [100/2018047] => OnSchedule, Message;
    messaging_bad_parameter: Messaging [100, 100/1] => Never, Message;
    messaging_send_rate: Messaging [613, 613/1893016] => OnSchedule, Inbox;
    messaging_call_limits: Messaging [4, 32, 17] => OnSchedule, Inbox;
    messaging_token: Messaging [190, 190/460, 190/463, 190/467, 190/492] => Never, Inbox, reconnect;
    messaging_permission: Messaging [200, 10] => Never, Inbox;
    messaging_consent: Messaging [230] => Never, Conversation;
    messaging_policy: Messaging [368] => Never, Inbox;
    messaging_temporary: Messaging [1, 2, 1200] => OnSchedule, Message;
    messaging_sent_nevertheless: Messaging [1/1357046] => Never, Message, uncertain;
}

#[test]
fn every_row_can_be_reached() {
    for (product, table) in [(WhatsApp, WHATSAPP), (Messaging, MESSAGING)] {
        for (place, row) in table.iter().enumerate() {
            let subcode = match row.subcodes {
                Subcodes::Only(list) => list.first().copied(),
                Subcodes::Any => Some(999),
                Subcodes::Absent => None,
            };
            let reached = row.codes.iter().any(|codes| {
                let error = GraphError::from_code(*codes.end(), subcode);
                table.iter().position(|row| row.fits(&error)) == Some(place)
            });
            assert!(reached, "{product:?} row {place}");
        }
    }
}

#[test]
fn counted_retries_come_to_an_end() {
    for (product, code, subcode, retries) in [
        (WhatsApp, 131_052, None, 1),
        (WhatsApp, 131_000, None, 2),
        (Messaging, 100, Some(2_018_047), 1),
        (Messaging, 2, None, 3),
    ] {
        let error = GraphError::from_code(code, subcode);
        for attempts in 1..=5 {
            let expected = if attempts <= retries { OnSchedule } else { Never };
            assert_eq!(decide_graph(product, &error, attempts).retry, expected, "{code} after {attempts}");
        }
    }
}

#[test]
fn the_pace_to_one_customer_slows_down() {
    let error = GraphError::from_code(131_056, None);
    let waits: Vec<Retry> = (1..=4).map(|attempts| decide_graph(WhatsApp, &error, attempts).retry).collect();
    assert_eq!(waits, [After(secs(6)), After(secs(16)), After(secs(64)), After(secs(256))]);
    assert_eq!(decide_graph(WhatsApp, &error, u32::MAX).retry, After(secs(4096)));
}

#[test]
fn what_meta_asks_for_is_honoured() {
    let asked =
        |code, seconds| GraphError { retry_after: Some(secs(seconds)), ..GraphError::from_code(code, None) };
    assert_eq!(decide_graph(WhatsApp, &asked(130_429, 90), 1).retry, After(secs(90)));
    assert_eq!(decide_graph(WhatsApp, &asked(130_429, 0), 1).retry, OnSchedule);
    assert_eq!(decide_graph(WhatsApp, &asked(131_056, 90), 1).retry, After(secs(90)));
    assert_eq!(decide_graph(WhatsApp, &asked(131_056, 1), 1).retry, After(secs(6)));
    assert_eq!(decide_graph(WhatsApp, &asked(131_047, 90), 1).retry, Never);
}

#[test]
fn an_unknown_code_is_retried_only_on_metas_word() {
    let unknown = |http_status, is_transient| GraphError {
        http_status,
        is_transient,
        ..GraphError::from_code(987_654, None)
    };
    for product in [WhatsApp, Messaging] {
        assert_eq!(decide_graph(product, &unknown(400, false), 1).retry, Never);
        assert_eq!(decide_graph(product, &unknown(400, true), 1).retry, OnSchedule);
        assert_eq!(decide_graph(product, &unknown(500, false), 1).retry, OnSchedule);
        let throttled = decide_graph(product, &unknown(429, false), 1);
        assert_eq!((throttled.retry, throttled.scope), (OnSchedule, Inbox));
        assert!(decide_graph(product, &unknown(401, false), 1).reconnect);
    }
}

#[test]
fn nothing_uncertain_is_ever_retried() {
    let gateway = frontdesk_provider_http::StatusAnswer {
        status: reqwest::StatusCode::GATEWAY_TIMEOUT,
        headers: reqwest::header::HeaderMap::new(),
        body: bytes::Bytes::new(),
    };
    for error in [
        CallError::TooLarge { max_bytes: 1 },
        CallError::Unreadable("x".into()),
        CallError::Status(Box::new(gateway)),
    ] {
        let decision = decide(WhatsApp, &GraphCallError::Http(error), 1);
        assert_eq!((decision.retry, decision.certain), (Never, false));
    }
    for row in WHATSAPP.iter().chain(MESSAGING) {
        assert!(row.certain || matches!(row.rule, Rule::Never));
    }
}

#[test]
fn what_never_left_waits_as_long_as_it_says() {
    let held = |not_sent: NotSent| decide(Messaging, &GraphCallError::Http(not_sent.into()), 1);
    let open = held(NotSent::BreakerOpen { retry_after: secs(30) });
    assert_eq!((open.retry, open.scope, open.certain), (After(secs(30)), Inbox, true));
    let invalid = held(NotSent::Invalid("x".into()));
    assert_eq!((invalid.retry, invalid.scope, invalid.certain), (Never, Message, true));
}
