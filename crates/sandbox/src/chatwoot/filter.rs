//! `POST …/filter`: conditions joined by AND and OR, from left to right.

use serde_json::{Map, Value};

use super::call::{Call, text};
use super::refusal::Refusal;

/// One condition.
#[derive(Debug)]
pub(super) struct Condition {
    field: String,
    operator: String,
    values: Vec<String>,
    or_next: bool,
}

impl Condition {
    /// The conditions of a body.
    ///
    /// Errors: 422 when there are none, or an operator is unknown.
    pub fn read(call: &Call) -> Result<Vec<Self>, Refusal> {
        let items = call.body.get("payload").and_then(Value::as_array);
        let items = items.filter(|items| !items.is_empty()).ok_or_else(|| Refusal::missing("payload"))?;
        items.iter().map(Self::of).collect()
    }

    fn of(item: &Value) -> Result<Self, Refusal> {
        let word = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
        let values = match item.get("values") {
            Some(Value::Array(values)) => values.iter().filter_map(text).collect(),
            Some(value) => text(value).into_iter().collect(),
            None => Vec::new(),
        };
        let condition = Self {
            field: word("attribute_key").to_owned(),
            operator: word("filter_operator").to_owned(),
            values,
            or_next: word("query_operator").eq_ignore_ascii_case("or"),
        };
        let known = [
            "equal_to",
            "not_equal_to",
            "contains",
            "does_not_contain",
            "is_present",
            "is_not_present",
            "is_greater_than",
            "is_less_than",
            "starts_with",
        ];
        if condition.field.is_empty() || !known.contains(&condition.operator.as_str()) {
            let message = format!("Invalid attribute key - [{}]", condition.field);
            return Err(Refusal::Unprocessable(message));
        }
        Ok(condition)
    }

    fn holds(&self, fields: &Map<String, Value>) -> bool {
        let found = fields.get(&self.field).filter(|value| !value.is_null());
        let texts: Vec<String> = match found {
            Some(Value::Array(items)) => items.iter().filter_map(text).collect(),
            Some(Value::Bool(flag)) => vec![flag.to_string()],
            Some(value) => text(value).into_iter().collect(),
            None => Vec::new(),
        };
        // Numbers are stored with `+`, and asked for with or without it.
        let plain = |text: &str| {
            let text = if self.field == "phone_number" { text.trim_start_matches('+') } else { text };
            text.to_lowercase()
        };
        let any = |test: fn(&str, &str) -> bool| {
            texts.iter().any(|text| self.values.iter().any(|value| test(&plain(text), &plain(value))))
        };
        let compare = |greater: bool| {
            let number = |text: &String| text.parse::<f64>().ok();
            let (Some(ours), Some(theirs)) =
                (texts.first().and_then(number), self.values.first().and_then(number))
            else {
                return false;
            };
            if greater { ours > theirs } else { ours < theirs }
        };
        match self.operator.as_str() {
            "equal_to" => any(|text, value| text == value) || self.values.iter().any(|value| value == "all"),
            "not_equal_to" => !any(|text, value| text == value),
            "contains" => any(|text, value| text.contains(value)),
            "does_not_contain" => !any(|text, value| text.contains(value)),
            "starts_with" => any(|text, value| text.starts_with(value)),
            "is_present" => !texts.is_empty(),
            "is_not_present" => texts.is_empty(),
            "is_greater_than" => compare(true),
            _ => compare(false),
        }
    }
}

/// Does something fit all conditions?
pub(super) fn matches(conditions: &[Condition], fields: &Map<String, Value>) -> bool {
    let mut fits = true;
    let mut or = false;
    for condition in conditions {
        let holds = condition.holds(fields);
        fits = if or { fits || holds } else { fits && holds };
        or = condition.or_next;
    }
    fits
}
