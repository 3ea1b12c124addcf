//! WhatsApp message templates of the fake business account.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// A message template in one language, as `GET /{waba-id}/message_templates` lists it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Template {
    /// Id at the provider.
    pub id: String,
    /// Name, lower case with underscores.
    pub name: String,
    /// Language code such as `en_US`.
    pub language: String,
    /// `APPROVED`, `PENDING`, `REJECTED`, `PAUSED` or `DISABLED`.
    pub status: String,
    /// `UTILITY`, `MARKETING` or `AUTHENTICATION`.
    pub category: String,
    /// `POSITIONAL` (`{{1}}`) or `NAMED` (`{{name}}`).
    pub parameter_format: String,
    /// Header, body, footer and buttons in Meta's words.
    #[schema(value_type = Vec<Object>)]
    pub components: Vec<Value>,
}

impl Template {
    /// The component of this type (`HEADER`, `BODY`…).
    #[must_use]
    pub fn component(&self, kind: &str) -> Option<&Value> {
        self.components.iter().find(|component| component["type"].as_str() == Some(kind))
    }

    /// Names of the variables in a text, in order, without repeats.
    #[must_use]
    pub fn variables(text: &str) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for part in text.split("{{").skip(1) {
            if let Some((name, _)) = part.split_once("}}")
                && !names.contains(&name.trim())
            {
                names.push(name.trim());
            }
        }
        names
    }

    /// What a business account starts with: without variables, positional, named, with image header, and one paused.
    #[must_use]
    pub fn built_in() -> Vec<Self> {
        let template = |id: &str, name: &str, language: &str, category: &str, components: Value| Self {
            id: id.to_owned(),
            name: name.to_owned(),
            language: language.to_owned(),
            status: "APPROVED".to_owned(),
            category: category.to_owned(),
            parameter_format: "POSITIONAL".to_owned(),
            components: components.as_array().cloned().unwrap_or_default(),
        };
        let hello = template(
            "920070352646140",
            "hello_world",
            "en_US",
            "UTILITY",
            json!([
                {"type": "HEADER", "format": "TEXT", "text": "Hello World"},
                {"type": "BODY", "text": "Welcome and congratulations!! This message demonstrates your ability to send a WhatsApp message notification."},
                {"type": "FOOTER", "text": "WhatsApp Business Platform sample message"}
            ]),
        );
        let order = template(
            "920070352646141",
            "order_update",
            "id",
            "UTILITY",
            json!([
                {"type": "BODY", "text": "Halo {{1}}, pesanan {{2}} sudah dikirim."},
                {"type": "BUTTONS", "buttons": [
                    {"type": "QUICK_REPLY", "text": "Lacak"}, {"type": "QUICK_REPLY", "text": "Berhenti"}]}
            ]),
        );
        let mut reminder = template(
            "920070352646142",
            "appointment_reminder",
            "en",
            "UTILITY",
            json!([
                {"type": "BODY", "text": "Dear {{customer_name}}, we expect you on {{day}}.",
                 "example": {"body_text_named_params": [
                    {"param_name": "customer_name", "example": "Sari"}, {"param_name": "day", "example": "Monday"}]}}
            ]),
        );
        reminder.parameter_format = "NAMED".to_owned();
        let photo = template(
            "920070352646143",
            "photo_offer",
            "en",
            "MARKETING",
            json!([
                {"type": "HEADER", "format": "IMAGE"},
                {"type": "BODY", "text": "New this week: {{1}}"},
                {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "See", "url": "https://example.com/{{1}}"}]}
            ]),
        );
        let mut paused = template(
            "920070352646144",
            "spring_sale",
            "en",
            "MARKETING",
            json!([
                {"type": "BODY", "text": "Everything must go."}
            ]),
        );
        paused.status = "PAUSED".to_owned();
        vec![hello, order, reminder, photo, paused]
    }
}

#[cfg(test)]
mod tests {
    use super::Template;

    #[test]
    fn variables_are_counted_once() {
        assert_eq!(Template::variables("{{1}} and {{2}} and {{1}}"), ["1", "2"]);
        assert!(Template::variables("none").is_empty());
    }
}
