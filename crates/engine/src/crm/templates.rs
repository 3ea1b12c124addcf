//! Templates that a provider approved, filled in for somebody by what is known of them.

use std::collections::BTreeMap;

use frontdesk_model::InboxId;
use frontdesk_model::content::Template;
use frontdesk_model::template::{ApprovedTemplate, Unfillable};
use frontdesk_store::conversations;
use frontdesk_store::crm::settings;

use super::people::{self, Key};
use super::{CrmError, quick_replies};
use crate::caller::Caller;
use crate::replies::To;
use crate::{Engine, inboxes};

/// Which template, and what to fill in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Its name, or `name:language`.
    pub name: String,
    /// Its language; `None` takes the first there is.
    pub language: Option<String>,
    /// Values; they stand before what is known of the person.
    pub values: BTreeMap<String, String>,
}

/// A template of the inbox that would write, filled in. Errors: 422 naming `template_id` or the variables without a value.
pub async fn fill(
    engine: &Engine,
    caller: &Caller,
    to: &To,
    key: Key,
    wanted: Wanted,
) -> Result<Template, CrmError> {
    let inbox = inbox_of(engine, caller, to).await?;
    let known = inboxes::templates(engine, caller.account_id, inbox, false).await;
    let known = known.map_err(|error| CrmError::Conflict(error.to_string()))?;
    let Some(template) = find(&known, &wanted) else {
        return Err(CrmError::invalid("template_id", "The selected template_id is invalid."));
    };
    let mut values = wanted.values;
    if template.named {
        let (account, agent, now) = (caller.account_id, caller.name.clone(), engine.clock.now());
        let read = engine.store.read(move |tx| {
            let (settings, _) = settings::get(tx, account)?;
            let contact = people::find(tx, account, &key, &settings)?;
            Ok::<_, CrmError>(quick_replies::known(tx, contact.as_ref(), &settings, &agent, now)?)
        });
        for (name, value) in read.await? {
            values.entry(name).or_insert(value);
        }
    }
    template.fill(&values).map_err(|error| match error {
        Unfillable::Missing(names) => {
            let sentence = |name: &String| {
                (format!("variables.{name}"), format!("The variable {name} has no value here: give it one."))
            };
            CrmError::Invalid(names.iter().map(sentence).collect())
        }
        Unfillable::Incomplete => CrmError::invalid(
            "template_id",
            "This template has parts of its own: send it by POST /admin/inbox/{id}/messages with its components.",
        ),
    })
}

async fn inbox_of(engine: &Engine, caller: &Caller, to: &To) -> Result<InboxId, CrmError> {
    match to {
        To::Recipient(recipient) => Ok(recipient.inbox),
        To::Conversation(id) => {
            let (account, id) = (caller.account_id, *id);
            let row = engine.store.read(move |tx| conversations::find(tx, account, id)).await?;
            Ok(row.ok_or(CrmError::NotFound("conversation"))?.inbox_id)
        }
    }
}

fn find<'a>(known: &'a [ApprovedTemplate], wanted: &Wanted) -> Option<&'a ApprovedTemplate> {
    let (name, language) = match wanted.name.split_once(':') {
        Some((name, language)) => (name, Some(language)),
        None => (wanted.name.as_str(), wanted.language.as_deref()),
    };
    known.iter().find(|template| {
        template.name == name && language.is_none_or(|language| template.language == language)
    })
}
