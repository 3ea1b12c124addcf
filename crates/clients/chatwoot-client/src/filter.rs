//! Conditions for `…/filter`.

use serde::Serialize;
use serde_json::Value;

/// Conditions joined by AND and OR, from left to right.
///
/// ```
/// use frontdesk_chatwoot_client::Filter;
/// let filter = Filter::equal("status", "open").and("inbox_id", "equal_to", 3).or("priority", "equal_to", "urgent");
/// let body = serde_json::to_value(&filter).unwrap();
/// assert_eq!(body["payload"][1]["query_operator"], "or");
/// assert_eq!(body["payload"][2]["query_operator"], serde_json::Value::Null);
/// ```
#[derive(Debug, Clone, Serialize)]
pub struct Filter {
    payload: Vec<Condition>,
}

#[derive(Debug, Clone, Serialize)]
struct Condition {
    attribute_key: String,
    filter_operator: String,
    values: Vec<Value>,
    query_operator: Option<&'static str>,
}

impl Filter {
    /// A field equal to a value.
    pub fn equal(field: &str, value: impl Into<Value>) -> Self {
        Self::of(field, "equal_to", value)
    }

    /// A field that an operator fits: `equal_to`, `not_equal_to`, `contains`, `does_not_contain`, `is_present`,
    /// `is_not_present`, `is_greater_than`, `is_less_than`.
    pub fn of(field: &str, operator: &str, value: impl Into<Value>) -> Self {
        Self { payload: vec![condition(field, operator, value.into())] }
    }

    /// Both what stands before and this.
    #[must_use]
    pub fn and(self, field: &str, operator: &str, value: impl Into<Value>) -> Self {
        self.join("and", field, operator, value.into())
    }

    /// Either what stands before or this.
    #[must_use]
    pub fn or(self, field: &str, operator: &str, value: impl Into<Value>) -> Self {
        self.join("or", field, operator, value.into())
    }

    fn join(mut self, word: &'static str, field: &str, operator: &str, value: Value) -> Self {
        if let Some(last) = self.payload.last_mut() {
            last.query_operator = Some(word);
        }
        self.payload.push(condition(field, operator, value));
        self
    }
}

fn condition(field: &str, operator: &str, value: Value) -> Condition {
    let values = match value {
        Value::Array(values) => values,
        Value::Null => Vec::new(),
        value => vec![value],
    };
    Condition {
        attribute_key: field.to_owned(),
        filter_operator: operator.to_owned(),
        values,
        query_operator: None,
    }
}
