//! A template send against the template.

use serde_json::Value;

use super::super::error::GraphError;
use crate::template::Template;

/// Checks a `template` object against the account's templates; returns the text as the customer reads it.
/// Component types are compared without regard to case.
///
/// Errors: 132001 unknown, 132015 paused, 132016 disabled, 132000 count, 132012 format, 131008 missing fields.
pub(super) fn check(content: &Value, templates: &[Template]) -> Result<String, GraphError> {
    let name = content["name"]
        .as_str()
        .ok_or_else(|| GraphError::required("Parameter 'name' is mandatory for 'template'"))?;
    let language = content["language"]["code"]
        .as_str()
        .ok_or_else(|| GraphError::required("Parameter 'language' is mandatory for 'template'"))?;
    let template = templates
        .iter()
        .find(|template| {
            template.name == name && template.language == language && template.status != "REJECTED"
        })
        .ok_or_else(|| {
            GraphError::of_code(132_001)
                .with_details(format!("template name ({name}) does not exist in {language}"))
        })?;
    match template.status.as_str() {
        "PAUSED" => return Err(GraphError::of_code(132_015)),
        "DISABLED" => return Err(GraphError::of_code(132_016)),
        _ => {}
    }
    let components = content["components"].as_array().map_or(&[][..], Vec::as_slice);
    let given = |kind: &str| components.iter().find(|component| is_kind(component, kind));
    check_header(template, given("header"))?;
    let body_text = template.component("BODY").and_then(|body| body["text"].as_str()).unwrap_or_default();
    let parameters = given("body").map_or(&[][..], parameters_of);
    let filled = fill(template, body_text, parameters)?;
    check_buttons(template, components)?;
    Ok(filled)
}

fn is_kind(component: &Value, kind: &str) -> bool {
    component["type"].as_str().is_some_and(|given| given.eq_ignore_ascii_case(kind))
}

fn parameters_of(component: &Value) -> &[Value] {
    component["parameters"].as_array().map_or(&[][..], Vec::as_slice)
}

fn check_header(template: &Template, given: Option<&Value>) -> Result<(), GraphError> {
    let format = template.component("HEADER").and_then(|header| header["format"].as_str());
    let parameters = given.map_or(&[][..], parameters_of);
    match format {
        None | Some("TEXT") => {
            let text = template.component("HEADER").and_then(|header| header["text"].as_str());
            count(Template::variables(text.unwrap_or_default()).len(), parameters.len(), "header")
        }
        Some(format) => {
            count(1, parameters.len(), "header")?;
            let kind = parameters[0]["type"].as_str().unwrap_or_default();
            if !kind.eq_ignore_ascii_case(format) {
                let details =
                    format!("header: Format mismatch, expected {format}, received {}", kind.to_uppercase());
                return Err(GraphError::of_code(132_012).with_details(details));
            }
            let media = &parameters[0][kind];
            if format != "LOCATION" && media["id"].is_null() && media["link"].is_null() {
                return Err(GraphError::required(format!("header: {kind} must contain either id or link")));
            }
            Ok(())
        }
    }
}

fn fill(template: &Template, text: &str, parameters: &[Value]) -> Result<String, GraphError> {
    let variables = Template::variables(text);
    count(variables.len(), parameters.len(), "body")?;
    let mut filled = text.to_owned();
    for (index, variable) in variables.iter().enumerate() {
        let parameter = if template.parameter_format == "NAMED" {
            parameters.iter().find(|parameter| parameter["parameter_name"].as_str() == Some(variable))
        } else {
            parameters.get(index)
        };
        let parameter = parameter.ok_or_else(|| {
            GraphError::of_code(132_000).with_details(format!("body: parameter '{variable}' is missing"))
        })?;
        let value = match parameter["type"].as_str() {
            Some("currency") => parameter["currency"]["fallback_value"].as_str(),
            Some("date_time") => parameter["date_time"]["fallback_value"].as_str(),
            _ => parameter["text"].as_str(),
        };
        let value = value.ok_or_else(|| GraphError::of_code(132_012))?;
        filled = filled.replace(&format!("{{{{{variable}}}}}"), value);
    }
    Ok(filled)
}

/// URL buttons with a variable need one parameter each; quick replies may go without payload.
fn check_buttons(template: &Template, components: &[Value]) -> Result<(), GraphError> {
    let declared = template.component("BUTTONS").and_then(|buttons| buttons["buttons"].as_array());
    for (index, button) in declared.into_iter().flatten().enumerate() {
        if !button["url"].as_str().is_some_and(|url| url.contains("{{")) {
            continue;
        }
        let wanted = index.to_string();
        let at_index = |component: &&Value| {
            let given = &component["index"];
            is_kind(component, "button")
                && (given.as_str() == Some(&wanted) || given.as_u64() == Some(index as u64))
        };
        let given = components.iter().find(at_index).map_or(0, |component| parameters_of(component).len());
        count(1, given, "buttons")?;
    }
    Ok(())
}

fn count(expected: usize, given: usize, part: &str) -> Result<(), GraphError> {
    if expected == given {
        return Ok(());
    }
    let details = format!(
        "{part}: number of localizable_params ({given}) does not match the expected number of params ({expected})"
    );
    Err(GraphError::of_code(132_000).with_details(details))
}
