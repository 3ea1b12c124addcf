//! What Chatwoot's database cannot keep is taken out of requests.

use serde_json::Value;

/// Takes NUL characters out of every text: PostgreSQL keeps none, and Chatwoot answers 500 to them.
pub(crate) fn sanitised(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains('\0') => Value::String(text.replace('\0', "")),
        Value::Array(items) => items.into_iter().map(sanitised).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, sanitised(value))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nul_characters_go_and_everything_else_stays() {
        let body = json!({"content": "a\0b", "list": ["\0", "é\n", 7], "deep": {"x": "ok\0"}});
        assert_eq!(sanitised(body), json!({"content": "ab", "list": ["", "é\n", 7], "deep": {"x": "ok"}}));
    }
}
