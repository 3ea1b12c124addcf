//! WhatsApp: notices about the account, its numbers and templates, and customers' preferences.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Item, ReadError, UnixMillis, items, tolerant, whatsapp::read_part};

/// A notice for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// `message_template_status_update`
    TemplateStatus(TemplateStatus),
    /// `message_template_quality_update`
    TemplateQuality(TemplateQuality),
    /// `template_category_update`
    TemplateCategory(TemplateCategory),
    /// `message_template_components_update`: the template's text changed
    TemplateComponents(TemplateName),
    /// `account_update`
    AccountUpdate(AccountUpdate),
    /// `account_review_update`
    AccountReview(AccountReview),
    /// `account_alerts`
    AccountAlert(AccountAlert),
    /// `phone_number_quality_update`
    PhoneQuality(PhoneQuality),
    /// `phone_number_name_update`
    PhoneName(PhoneName),
    /// `business_capability_update`
    BusinessCapability(BusinessCapability),
    /// `security`
    Security(Security),
}

/// Reads a notice; `None` = the field is none.
pub(super) fn read_notice(field: &str, raw: &RawValue) -> Result<Option<Notice>, ReadError> {
    Ok(Some(match field {
        "message_template_status_update" => Notice::TemplateStatus(read_part(raw)?),
        "message_template_quality_update" => Notice::TemplateQuality(read_part(raw)?),
        "template_category_update" => Notice::TemplateCategory(read_part(raw)?),
        "message_template_components_update" => Notice::TemplateComponents(read_part(raw)?),
        "account_update" => Notice::AccountUpdate(read_part(raw)?),
        "account_review_update" => Notice::AccountReview(read_part(raw)?),
        "account_alerts" => Notice::AccountAlert(read_part(raw)?),
        "phone_number_quality_update" => Notice::PhoneQuality(read_part(raw)?),
        "phone_number_name_update" => Notice::PhoneName(read_part(raw)?),
        "business_capability_update" => Notice::BusinessCapability(read_part(raw)?),
        "security" => Notice::Security(read_part(raw)?),
        _ => return Ok(None),
    }))
}

macro_rules! notice {
    ($(#[$about:meta])* $name:ident { $($(#[$field_about:meta])* $field:ident : $read:literal $type:ty),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
        #[serde(default)]
        pub struct $name {
            $($(#[$field_about])* #[serde(deserialize_with = $read)] pub $field: Option<$type>,)+
        }
    };
}

notice! {
    /// A template was approved, rejected, paused, ...
    TemplateStatus {
        /// `APPROVED`, `REJECTED`, `PENDING`, `PAUSED`, `DISABLED`, ...
        event: "tolerant::optional" String,
        /// The template's id.
        message_template_id: "tolerant::optional_id" String,
        /// Its name.
        message_template_name: "tolerant::optional" String,
        /// Its language, as `pt_BR`.
        message_template_language: "tolerant::optional" String,
        /// `UTILITY`, `MARKETING`, `AUTHENTICATION`.
        message_template_category: "tolerant::optional" String,
        /// Why, as `INVALID_FORMAT`.
        reason: "tolerant::optional" String,
    }
}
notice! {
    /// Customers like a template more or less.
    TemplateQuality {
        /// `GREEN`, `YELLOW`, `RED`, `UNKNOWN`.
        previous_quality_score: "tolerant::optional" String,
        /// The same words.
        new_quality_score: "tolerant::optional" String,
        /// The template's id.
        message_template_id: "tolerant::optional_id" String,
        /// Its name.
        message_template_name: "tolerant::optional" String,
        /// Its language.
        message_template_language: "tolerant::optional" String,
    }
}
notice! {
    /// A template counts as another category.
    TemplateCategory {
        /// The category before.
        previous_category: "tolerant::optional" String,
        /// The category now.
        new_category: "tolerant::optional" String,
        /// The template's id.
        message_template_id: "tolerant::optional_id" String,
        /// Its name.
        message_template_name: "tolerant::optional" String,
        /// Its language.
        message_template_language: "tolerant::optional" String,
    }
}
notice! {
    /// Which template.
    TemplateName {
        /// The template's id.
        message_template_id: "tolerant::optional_id" String,
        /// Its name.
        message_template_name: "tolerant::optional" String,
        /// Its language.
        message_template_language: "tolerant::optional" String,
    }
}
notice! {
    /// The business account was restricted, disabled, removed, ...
    AccountUpdate {
        /// `ACCOUNT_RESTRICTION`, `ACCOUNT_VIOLATION`, `DISABLED_UPDATE`, `PARTNER_REMOVED`,
        /// `ACCOUNT_DELETED`, ...
        event: "tolerant::optional" String,
        /// The number it is about.
        phone_number: "tolerant::optional_id" String,
        /// What is restricted, and until when.
        restriction_info: "tolerant::optional" Vec<Restriction>,
        /// What was violated.
        violation_info: "tolerant::optional" Violation,
        /// The ban.
        ban_info: "tolerant::optional" Ban,
    }
}
notice! {
    /// One restriction.
    Restriction {
        /// As `RESTRICTED_BIZ_INITIATED_MESSAGING`.
        restriction_type: "tolerant::optional" String,
        /// When it ends.
        expiration: "tolerant::optional" UnixMillis,
    }
}
notice! {
    /// One violation.
    Violation {
        /// As `ADULT`.
        violation_type: "tolerant::optional" String,
    }
}
notice! {
    /// A ban.
    Ban {
        /// As `SCHEDULE_FOR_DISABLE`.
        waba_ban_state: "tolerant::optional" String,
    }
}
notice! {
    /// Meta's decision about the business account.
    AccountReview {
        /// `APPROVED`, `REJECTED`, ...
        decision: "tolerant::optional" String,
    }
}
notice! {
    /// Something the operator should look at.
    AccountAlert {
        /// What it is about, as `BUSINESS`.
        entity_type: "tolerant::optional" String,
        /// Its id.
        entity_id: "tolerant::optional_id" String,
        /// How bad it is.
        alert_severity: "tolerant::optional" String,
        /// Whether it is over.
        alert_status: "tolerant::optional" String,
        /// What it is.
        alert_type: "tolerant::optional" String,
        /// A sentence for people.
        alert_description: "tolerant::optional" String,
    }
}
notice! {
    /// A number's throughput or quality changed.
    PhoneQuality {
        /// For people.
        display_phone_number: "tolerant::optional_id" String,
        /// `THROUGHPUT_UPGRADE`, `FLAGGED`, `UNFLAGGED`, `ONBOARDING`, ...
        event: "tolerant::optional" String,
        /// As `TIER_1K`.
        current_limit: "tolerant::optional" String,
    }
}
notice! {
    /// A number's display name was decided on.
    PhoneName {
        /// For people.
        display_phone_number: "tolerant::optional_id" String,
        /// `APPROVED`, `REJECTED`, ...
        decision: "tolerant::optional" String,
        /// The name asked for.
        requested_verified_name: "tolerant::optional" String,
        /// Why it was rejected.
        rejection_reason: "tolerant::optional" String,
    }
}
notice! {
    /// What the business may do changed.
    BusinessCapability {
        /// Customers a day outside the window, per portfolio.
        max_daily_conversation_per_phone: "tolerant::optional_number" i64,
        /// How many numbers it may have.
        max_phone_numbers_per_business: "tolerant::optional_number" i64,
    }
}
notice! {
    /// A number's two-step verification changed.
    Security {
        /// For people.
        display_phone_number: "tolerant::optional_id" String,
        /// `PIN_CHANGED`, `PIN_RESET_REQUEST`, ...
        event: "tolerant::optional" String,
        /// Who did it.
        requester: "tolerant::optional_id" String,
    }
}

/// A customer stopped or resumed marketing messages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct UserPreference {
    /// Phone digits.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub wa_id: Option<String>,
    /// Business-scoped user id.
    #[serde(default, deserialize_with = "tolerant::optional_id")]
    pub user_id: Option<String>,
    /// `marketing_messages`
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub category: Option<String>,
    /// `stop` or `resume`
    pub value: String,
    /// When.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub timestamp: Option<UnixMillis>,
}

/// Meta documents the value as the list itself and sends it wrapped in a messages-like value.
pub(super) fn read_user_preferences(raw: &RawValue) -> Result<Vec<Item<'_, UserPreference>>, ReadError> {
    let list = match raw.get().as_bytes().first() {
        Some(b'[') => Some(raw),
        _ => tolerant::field(raw.get(), "user_preferences")?,
    };
    Ok(items(list, read_part))
}
