//! Limits of interactive messages.

use std::collections::HashSet;

use serde_json::Value;

use super::super::error::GraphError;

const BODY_MAX: usize = 1024;
const LIST_BODY_MAX: usize = 4096;
const SHORT_MAX: usize = 60;
const BUTTONS_MAX: usize = 3;
const BUTTON_TITLE_MAX: usize = 20;
const BUTTON_ID_MAX: usize = 256;
const ROWS_MAX: usize = 10;
const ROW_TITLE_MAX: usize = 24;
const ROW_ID_MAX: usize = 200;
const ROW_DESCRIPTION_MAX: usize = 72;

/// Checks an `interactive` object; returns its body text.
///
/// Errors: 131008 for missing fields, 131009 for limits.
pub(super) fn check(interactive: &Value) -> Result<String, GraphError> {
    let kind = interactive["type"]
        .as_str()
        .ok_or_else(|| GraphError::required("Parameter 'type' is mandatory for 'interactive'"))?;
    let action = &interactive["action"];
    if !action.is_object() {
        return Err(GraphError::required("Parameter 'action' is mandatory for 'interactive'"));
    }
    let body_max = if kind == "list" { LIST_BODY_MAX } else { BODY_MAX };
    let body = match interactive["body"].get("text") {
        Some(text) => limited(text, "Body text", 1, body_max)?.to_owned(),
        None if kind == "product" => String::new(),
        None => return Err(GraphError::required("Parameter 'body' is mandatory for 'interactive'")),
    };
    if let Some(footer) = interactive["footer"].get("text") {
        limited(footer, "Footer text", 1, SHORT_MAX)?;
    }
    if let Some(header) = interactive["header"].get("text") {
        limited(header, "Header text", 1, SHORT_MAX)?;
    }
    match kind {
        "button" => check_buttons(action)?,
        "list" => check_list(action)?,
        "cta_url" => {
            limited(&action["parameters"]["display_text"], "Button text", 1, BUTTON_TITLE_MAX)?;
            limited(&action["parameters"]["url"], "Button url", 1, 2000)?;
        }
        "flow"
            if action["parameters"]["flow_id"].is_null() && action["parameters"]["flow_name"].is_null() =>
        {
            return Err(GraphError::required("Parameter 'flow_id' or 'flow_name' is mandatory for 'flow'"));
        }
        "flow"
        | "location_request_message"
        | "product"
        | "product_list"
        | "catalog_message"
        | "call_permission_request"
        | "address_message"
        | "carousel" => {}
        other => return Err(GraphError::invalid(format!("Interactive type '{other}' is not supported"))),
    }
    Ok(body)
}

fn check_buttons(action: &Value) -> Result<(), GraphError> {
    let buttons = action["buttons"].as_array().map_or(&[][..], Vec::as_slice);
    if buttons.is_empty() || buttons.len() > BUTTONS_MAX {
        let details =
            format!("Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: {BUTTONS_MAX}");
        return Err(GraphError::invalid(details));
    }
    let (mut ids, mut titles) = (HashSet::new(), HashSet::new());
    for button in buttons {
        if button["type"] != "reply" {
            return Err(GraphError::invalid("Button type must be 'reply'"));
        }
        let title = limited(&button["reply"]["title"], "Button title", 1, BUTTON_TITLE_MAX)?;
        let id = limited(&button["reply"]["id"], "Button reply id", 1, BUTTON_ID_MAX)?;
        if !ids.insert(id) || !titles.insert(title) {
            return Err(GraphError::invalid("Duplicated title or id in buttons"));
        }
    }
    Ok(())
}

fn check_list(action: &Value) -> Result<(), GraphError> {
    limited(&action["button"], "List button text", 1, BUTTON_TITLE_MAX)?;
    let sections = action["sections"].as_array().map_or(&[][..], Vec::as_slice);
    if sections.is_empty() || sections.len() > ROWS_MAX {
        return Err(GraphError::invalid(format!("Invalid sections count. Min: 1, Max: {ROWS_MAX}")));
    }
    let mut ids = HashSet::new();
    for section in sections {
        if sections.len() > 1 || section.get("title").is_some() {
            limited(&section["title"], "Section title", 1, ROW_TITLE_MAX)?;
        }
        let rows = section["rows"].as_array().map_or(&[][..], Vec::as_slice);
        if rows.is_empty() {
            return Err(GraphError::required("Parameter 'rows' is mandatory for 'section'"));
        }
        for row in rows {
            limited(&row["title"], "Row title", 1, ROW_TITLE_MAX)?;
            if let Some(description) = row.get("description") {
                limited(description, "Row description", 0, ROW_DESCRIPTION_MAX)?;
            }
            if !ids.insert(limited(&row["id"], "Row id", 1, ROW_ID_MAX)?) {
                return Err(GraphError::invalid("Row ids must be unique"));
            }
        }
    }
    if ids.len() > ROWS_MAX {
        return Err(GraphError::invalid(format!("Total row count exceed max allowed count: {ROWS_MAX}")));
    }
    Ok(())
}

fn limited<'a>(value: &'a Value, name: &str, min: usize, max: usize) -> Result<&'a str, GraphError> {
    let text = value.as_str().ok_or_else(|| GraphError::required(format!("{name} is required")))?;
    if (min..=max).contains(&text.chars().count()) {
        return Ok(text);
    }
    Err(GraphError::invalid(format!("{name} length invalid. Min length: {min}, Max length: {max}")))
}
