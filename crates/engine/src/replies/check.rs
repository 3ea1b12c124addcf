//! What a reply may hold on its channel, so that it is refused before it is stored.

use frontdesk_model::AttachmentId;
use frontdesk_model::capabilities::Capabilities;
use frontdesk_model::content::MediaKind;
use frontdesk_model::outbound::Interactive;
use frontdesk_store::attachments::{AttachmentRow, AttachmentState};

use super::{ReplyError, Special};

/// Collects what is wrong with a request.
#[derive(Default)]
pub(super) struct Check(Vec<(String, String)>);

impl Check {
    pub(super) fn add(&mut self, field: &str, message: String) {
        self.0.push((field.to_owned(), message));
    }

    pub(super) fn done(&mut self) -> Result<(), ReplyError> {
        if self.0.is_empty() { Ok(()) } else { Err(ReplyError::Invalid(std::mem::take(&mut self.0))) }
    }
}

/// The longest key a client may make.
const MAX_CLIENT_KEY: usize = 200;

pub(super) fn check_client_key(wrong: &mut Check, key: Option<&str>) {
    let Some(key) = key else { return };
    if key.is_empty() || key.chars().count() > MAX_CLIENT_KEY || key.chars().any(char::is_control) {
        wrong.add(
            "client_key",
            format!("The client_key field must have 1 to {MAX_CLIENT_KEY} printable characters."),
        );
    }
}

pub(super) fn check_text(wrong: &mut Check, can: &Capabilities, label: &str, text: &str, content_max: usize) {
    let characters = text.chars().count();
    if characters > content_max {
        wrong.add("content", format!("The content field must not be greater than {content_max} characters."));
    } else if can.text_max.measure(text) > can.text_max.count {
        let (count, unit) = (can.text_max.count, can.text_max.unit);
        wrong.add("content", format!("{label} takes at most {count} {unit} of text in one message."));
    }
}

pub(super) fn check_special(wrong: &mut Check, can: &Capabilities, label: &str, special: &Special) {
    let (field, possible) = match special {
        Special::Template(_) => ("template", can.templates),
        Special::Location(_) => ("location", can.location),
        Special::Contacts(_) => ("contacts", can.contacts),
        Special::Interactive(_) => ("interactive", can.interactive),
    };
    if !possible {
        wrong.add(field, format!("{label} cannot carry this kind of message."));
        return;
    }
    match special {
        Special::Template(t) if t.name.trim().is_empty() || t.language.trim().is_empty() => {
            wrong.add(field, "The template needs a name and a language.".to_owned());
        }
        Special::Location(l)
            if !(-90.0..=90.0).contains(&l.latitude) || !(-180.0..=180.0).contains(&l.longitude) =>
        {
            wrong.add(
                field,
                "The location needs a latitude of -90 to 90 and a longitude of -180 to 180.".to_owned(),
            );
        }
        Special::Contacts(cards) if cards.is_empty() || cards.iter().any(|c| c.name.trim().is_empty()) => {
            wrong.add(field, "Every contact needs a name.".to_owned());
        }
        Special::Interactive(i) => check_interactive(wrong, i),
        _ => {}
    }
}

fn check_interactive(wrong: &mut Check, interactive: &Interactive) {
    let mut refuse = |message: &str| wrong.add("interactive", message.to_owned());
    let body = interactive.body.chars().count();
    if body == 0 || body > 1024 {
        refuse("The interactive body must have 1 to 1024 characters.");
    }
    match (interactive.buttons.len(), interactive.rows.len()) {
        (1..=3, 0) => {
            if interactive.buttons.iter().any(|b| b.title.is_empty() || b.title.chars().count() > 20) {
                refuse("Every button needs a title of 1 to 20 characters.");
            }
        }
        (0, 1..=10) => {
            if interactive.list_label.as_deref().is_none_or(|l| l.is_empty() || l.chars().count() > 20) {
                refuse("A list needs a list_label of 1 to 20 characters.");
            }
            if interactive.rows.iter().any(|r| r.title.is_empty() || r.title.chars().count() > 24) {
                refuse("Every row needs a title of 1 to 24 characters.");
            }
        }
        _ => refuse("Give one to three buttons, or one to ten rows."),
    }
    let mut ids: Vec<&str> =
        interactive.buttons.iter().chain(&interactive.rows).map(|c| c.id.as_str()).collect();
    ids.sort_unstable();
    if ids.iter().any(|id| id.is_empty() || id.len() > 200) || ids.windows(2).any(|pair| pair[0] == pair[1]) {
        refuse("Every choice needs an id of its own of 1 to 200 characters.");
    }
}

pub(super) fn check_file(
    wrong: &mut Check,
    can: &Capabilities,
    label: &str,
    id: AttachmentId,
    file: Option<AttachmentRow>,
    wants_document: bool,
) -> Option<AttachmentRow> {
    let free = file.filter(|f| f.message_id.is_none() && f.state == AttachmentState::Ready);
    let Some(mut file) = free else {
        wrong.add("attachments", format!("There is no uploaded file {id} that is still free."));
        return None;
    };
    let size = u64::try_from(file.size_bytes.unwrap_or(0)).unwrap_or(0);
    let mime = file.mime_type.clone().unwrap_or_default();
    let as_itself =
        can.attachments.iter().find(|a| a.kind == file.kind && a.takes(&mime) && size <= a.max_bytes);
    // What does not go as a picture or film may still go as a document.
    let as_document = can
        .attachments
        .iter()
        .find(|a| a.kind == MediaKind::Document && a.takes(&mime) && size <= a.max_bytes);
    let preferred = if wants_document { as_document.or(as_itself) } else { as_itself.or(as_document) };
    match preferred {
        Some(limit) => {
            file.kind = limit.kind;
            Some(file)
        }
        None => {
            let limit = can.attachments.iter().filter(|a| a.kind == file.kind).map(|a| a.max_bytes).max();
            let name = file.file_name.as_deref().unwrap_or("The file");
            wrong.add(
                "attachments",
                match limit {
                    Some(max) if size > max => {
                        format!(
                            "{name} is too large: {label} takes at most {} MB of this kind.",
                            max / 1_000_000
                        )
                    }
                    _ => format!("{name} is of a kind {label} does not take ({mime})."),
                },
            );
            None
        }
    }
}
