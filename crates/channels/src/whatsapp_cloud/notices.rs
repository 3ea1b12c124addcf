//! Notices about the account, its numbers and templates, as sentences for the operator.

use frontdesk_meta_graph_client::webhook::account::{AccountUpdate, Notice as Said};
use frontdesk_meta_graph_client::webhook::whatsapp::ErrorNotice;
use frontdesk_model::Timestamp;
use frontdesk_model::inbound::Notice;
use frontdesk_model::inbox::{ConnectionCode, ConnectionState};

use crate::meta::errors;

/// Where an operator looks after an account.
const MANAGER: &str = "Open WhatsApp Manager, Account quality.";

/// The sentence for a notice, and the state of the connection when it changes that.
pub(super) fn read_notice(field: &str, notice: &Said) -> Notice {
    let word = |w: &Option<String>| w.as_deref().unwrap_or("unknown").to_owned();
    let because = |why: &Option<String>| match why.as_deref() {
        Some(why) if !why.is_empty() && why != "NONE" => format!(" ({why})"),
        _ => String::new(),
    };
    let mut state = None;
    let message = match notice {
        Said::TemplateStatus(t) => format!(
            "The template {} ({}) is now {}{}.",
            word(&t.message_template_name),
            word(&t.message_template_language),
            word(&t.event),
            because(&t.reason)
        ),
        Said::TemplateQuality(t) => format!(
            "The quality of the template {} ({}) changed from {} to {}.",
            word(&t.message_template_name),
            word(&t.message_template_language),
            word(&t.previous_quality_score),
            word(&t.new_quality_score)
        ),
        Said::TemplateCategory(t) => format!(
            "The template {} ({}) moved from the category {} to {}.",
            word(&t.message_template_name),
            word(&t.message_template_language),
            word(&t.previous_category),
            word(&t.new_category)
        ),
        Said::TemplateComponents(t) => format!(
            "The text of the template {} ({}) changed.",
            word(&t.message_template_name),
            word(&t.message_template_language)
        ),
        Said::AccountUpdate(update) => {
            let (message, new_state) = account_update(update);
            state = new_state;
            message
        }
        Said::AccountReview(review) => {
            format!("WhatsApp reviewed the business account: {}.", word(&review.decision))
        }
        Said::AccountAlert(alert) => match alert.alert_description.as_deref() {
            Some(text) => format!("WhatsApp warns ({}): {text}", word(&alert.alert_type)),
            None => format!("WhatsApp warns: {}.", word(&alert.alert_type)),
        },
        // One number of perhaps several: what it means for an inbox is found by asking, not told by this.
        Said::PhoneQuality(phone) => format!(
            "WhatsApp reports {} for the number {}; its limit is {}.",
            word(&phone.event),
            ending(&phone.display_phone_number),
            word(&phone.current_limit)
        ),
        Said::PhoneName(phone) => format!(
            "The display name \"{}\" of the number {} was decided on: {}{}.",
            word(&phone.requested_verified_name),
            ending(&phone.display_phone_number),
            word(&phone.decision),
            because(&phone.rejection_reason)
        ),
        Said::BusinessCapability(limits) => {
            let number = |n: Option<i64>| n.map_or_else(|| "unknown".to_owned(), |n| n.to_string());
            format!(
                "The business may now write to {} customers a day by itself and have {} numbers.",
                number(limits.max_daily_conversation_per_phone),
                number(limits.max_phone_numbers_per_business)
            )
        }
        Said::Security(security) => format!(
            "WhatsApp reports {} for the two-step PIN of the number {}.",
            word(&security.event),
            ending(&security.display_phone_number)
        ),
    };
    Notice { kind: field.to_owned(), message, state, used_up: false }
}

/// An error of the number as a whole.
pub(super) fn read_error(error: &ErrorNotice) -> Notice {
    let (message, state) = errors::number_error(error);
    Notice { kind: "errors".to_owned(), message, state, used_up: false }
}

/// The end of a number, enough for its owner to know which.
fn ending(number: &Option<String>) -> String {
    let digits: Vec<char> =
        number.as_deref().unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
    match digits.as_slice() {
        [.., a, b, c, d] => format!("ending in {a}{b}{c}{d}"),
        _ => "of this account".to_owned(),
    }
}

fn account_update(update: &AccountUpdate) -> (String, Option<ConnectionState>) {
    let event = update.event.as_deref().unwrap_or("unknown");
    let ban = update.ban_info.as_ref().and_then(|b| b.waba_ban_state.as_deref());
    let (code, message) = match (event, ban) {
        ("ACCOUNT_RESTRICTION", _) => (
            ConnectionCode::Degraded,
            format!("WhatsApp restricted the business account: {}.", restrictions(update)),
        ),
        ("ACCOUNT_VIOLATION", _) => {
            let what = update.violation_info.as_ref().and_then(|v| v.violation_type.as_deref());
            let message =
                format!("WhatsApp found a violation of its rules: {}.", what.unwrap_or("not told which"));
            (ConnectionCode::Degraded, message)
        }
        ("DISABLED_UPDATE", Some("REINSTATE")) => {
            (ConnectionCode::Connected, "WhatsApp allows the business account again.".to_owned())
        }
        ("DISABLED_UPDATE", Some("SCHEDULE_FOR_DISABLE")) => {
            (ConnectionCode::Degraded, "WhatsApp will disable the business account soon.".to_owned())
        }
        ("DISABLED_UPDATE", _) => {
            (ConnectionCode::Paused, "WhatsApp disabled the business account.".to_owned())
        }
        ("ACCOUNT_DELETED", _) => {
            (ConnectionCode::Reconnect, "The WhatsApp business account was deleted.".to_owned())
        }
        ("PARTNER_REMOVED", _) => (
            ConnectionCode::Reconnect,
            "The business account no longer shares itself with the app behind this inbox.".to_owned(),
        ),
        _ => return (format!("News of the business account: {event}."), None),
    };
    let mut state = ConnectionState::new(code, message.clone());
    match code {
        ConnectionCode::Connected => {}
        ConnectionCode::Reconnect => state = state.with_action("Connect the account again."),
        _ => state = state.with_action(MANAGER),
    }
    (message, Some(state))
}

fn restrictions(update: &AccountUpdate) -> String {
    let parts: Vec<String> = update
        .restriction_info
        .iter()
        .flatten()
        .map(|r| {
            let what = r.restriction_type.as_deref().unwrap_or("unknown");
            match r.expiration {
                Some(end) => format!("{what} until {}", Timestamp::from_millis(end.0)),
                None => what.to_owned(),
            }
        })
        .collect();
    if parts.is_empty() { "not told how".to_owned() } else { parts.join(", ") }
}
