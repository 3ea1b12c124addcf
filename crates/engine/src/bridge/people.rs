//! Whom a conversation is with there, and the conversation itself: found, or made once.

use frontdesk_chatwoot_client::{
    Contact, ContactRef, ConversationQuery, ConversationStatus, ErrorCode, NewContact, NewConversation,
};
use frontdesk_model::contact::parse_phone;
use frontdesk_store::Tx;
use frontdesk_store::bridge_links::{self, ThreadLink};
use frontdesk_store::contacts::ContactRow;
use frontdesk_store::conversations::ConversationRow;

use super::line::{Line, source_id};
use super::settings::{BeginAs, ConversationPolicy};
use super::trouble::Trouble;
use super::worker::Claim;
use crate::Engine;
use crate::sync::fields::identifier_of;
use crate::sync::pairs;

/// The conversation there that what happens now belongs to.
pub(super) async fn thread(
    engine: &Engine,
    claim: &Claim,
    line: &Line,
    conversation: &ConversationRow,
    contact: &ContactRow,
) -> Result<ThreadLink, Trouble> {
    let (account, bridge, ours) = (line.account(), line.bridge.id, conversation.id);
    let known = engine.store.read(move |tx| bridge_links::newest_thread(tx, account, bridge, ours)).await?;
    let is_multiple = line.settings.conversations == ConversationPolicy::Multiple;
    // What was said before the bridge is one conversation, however often it was closed meanwhile.
    let is_one = !is_multiple || claim.is_history();
    let known_contact = match known {
        Some(known) if is_one || known.remote_status != "resolved" => return Ok(known),
        Some(ThreadLink { remote_contact_id: Some(id), .. }) => Some(id),
        _ => number_of(engine, line, contact).await?,
    };
    let begun = match known_contact {
        Some(number) => match begin(claim, line, conversation, number).await {
            // They were deleted there, or made part of another, since we heard of them.
            Err(Trouble::Gone(_)) => {
                forget(engine, line, number).await?;
                None
            }
            begun => Some(begun?),
        },
        None => None,
    };
    let link = match begun {
        Some(link) => link,
        None => {
            let number = find_or_create(engine, claim, line, contact).await?;
            begin(claim, line, conversation, number).await?
        }
    };
    let (stored, now) = (link.clone(), engine.clock.now());
    engine
        .store
        .write(move |tx| {
            bridge_links::link_thread(tx, account, bridge, &stored, now)?;
            // What stood resolved and was opened by this is known to be so.
            bridge_links::set_remote_status(tx, account, bridge, stored.remote_id, &stored.remote_status)
        })
        .await?;
    Ok(link)
}

/// What a conversation of ours is called in the inbox there.
pub(super) fn conversation_source(conversation: frontdesk_model::ConversationId) -> String {
    source_id(frontdesk_model::MessageId(conversation.0), "-conversation")
}

/// Our conversation, by what it is called there.
pub(super) fn conversation_of_source(source: &str) -> Option<frontdesk_model::ConversationId> {
    let id = source.strip_prefix("frontdesk-")?.strip_suffix("-conversation")?;
    id.parse().ok().map(frontdesk_model::ConversationId)
}

async fn begin(
    claim: &Claim,
    line: &Line,
    conversation: &ConversationRow,
    contact_id: i64,
) -> Result<ThreadLink, Trouble> {
    let source = conversation_source(conversation.id);
    let link = |found: frontdesk_chatwoot_client::Conversation| ThreadLink {
        remote_id: found.id,
        remote_contact_id: Some(contact_id),
        conversation_id: conversation.id,
        remote_status: found.status.map_or_else(|| "open".to_owned(), |status| status.as_str().to_owned()),
        pulled_message_id: 0,
        seen_message_id: 0,
    };
    if claim.is_repeated() {
        // It may have been made by the try before.
        let query = ConversationQuery {
            source_id: Some(source.clone()),
            inbox_id: Some(line.remote_inbox),
            sort_by: Some("created_at_desc".to_owned()),
            ..ConversationQuery::default()
        };
        let found = line.client.list_conversations(&query).await?.data.into_iter().next();
        let goes_on = |status: Option<&ConversationStatus>| {
            line.settings.conversations == ConversationPolicy::Single
                || status != Some(&ConversationStatus::Resolved)
        };
        if let Some(found) = found.filter(|found| goes_on(found.status.as_ref())) {
            return Ok(link(found));
        }
    }
    let new = NewConversation {
        inbox_id: Some(line.remote_inbox),
        contact_id: Some(contact_id),
        source_id: Some(source),
        status: Some(match line.settings.begin_as {
            BeginAs::Open => ConversationStatus::Open,
            BeginAs::Pending => ConversationStatus::Pending,
        }),
        ..NewConversation::default()
    };
    claim.check()?;
    Ok(link(line.client.create_conversation(&new).await?))
}

/// Has the contact of a conversation be there.
pub(super) async fn person(
    engine: &Engine,
    claim: &Claim,
    line: &Line,
    contact: &ContactRow,
) -> Result<(), Trouble> {
    match number_of(engine, line, contact).await? {
        Some(_) => Ok(()),
        None => find_or_create(engine, claim, line, contact).await.map(drop),
    }
}

/// Their number there, where sync or a bridge has learnt it.
async fn number_of(engine: &Engine, line: &Line, contact: &ContactRow) -> Result<Option<i64>, Trouble> {
    let (account, connection, id) = (line.account(), line.bridge.connection_id, contact.id);
    let read = move |tx: &mut Tx<'_>| pairs::numbers_of(tx, account, connection, &[id]);
    Ok(engine.store.read(read).await?.pop().map(|(_, number)| number))
}

async fn forget(engine: &Engine, line: &Line, number: i64) -> Result<(), Trouble> {
    let (account, connection, now) = (line.account(), line.bridge.connection_id, engine.clock.now());
    let note = move |tx: &mut Tx<'_>| pairs::note_gone(tx, account, connection, number, now);
    Ok(engine.store.write(note).await?)
}

/// The contact there, from now on known as theirs.
async fn find_or_create(
    engine: &Engine,
    claim: &Claim,
    line: &Line,
    contact: &ContactRow,
) -> Result<i64, Trouble> {
    let there = match find(line, contact).await? {
        Some(found) => found,
        None => create(claim, line, contact).await?,
    };
    let number = there.id;
    let (account, connection, now) = (line.account(), line.bridge.connection_id, engine.clock.now());
    let id = contact.id;
    let note = move |tx: &mut Tx<'_>| pairs::note(tx, account, connection, id, &there, now);
    engine.store.write(note).await?;
    Ok(number)
}

/// The contact of our name there, or the one with their number however it is written.
async fn find(line: &Line, contact: &ContactRow) -> Result<Option<Contact>, Trouble> {
    let identifier = identifier_of(contact.account_id, contact.id);
    if let Some(found) = line.client.find_contact(ContactRef::Identifier(&identifier)).await? {
        return Ok(Some(found));
    }
    for phone in contact.phone.as_deref().map(spellings).unwrap_or_default() {
        if let Some(found) = line.client.find_contact(ContactRef::Phone(&phone)).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

async fn create(claim: &Claim, line: &Line, contact: &ContactRow) -> Result<Contact, Trouble> {
    claim.check()?;
    let new = NewContact {
        name: contact.name.clone().or_else(|| contact.phone.clone()),
        email: contact.email.clone(),
        phone_number: contact.phone.clone(),
        identifier: Some(identifier_of(contact.account_id, contact.id)),
        ..NewContact::default()
    };
    let error = match line.client.create_contact(&new).await {
        Ok(made) => return Ok(made.contact),
        Err(error) => error,
    };
    // Sync, or another conversation of theirs, was quicker; or somebody else there has their e-mail.
    if error.code() == ErrorCode::Conflict {
        if let Some(found) = find(line, contact).await? {
            return Ok(found);
        }
        if let Some(email) = &contact.email
            && let Some(found) = line.client.find_contact(ContactRef::Email(email)).await?
        {
            return Ok(found);
        }
    }
    Err(error.into())
}

/// A number in every way it is written: Brazil without the ninth digit, Mexico with a 1, Argentina with a 9.
fn spellings(phone: &str) -> Vec<String> {
    let mut all = vec![phone.to_owned()];
    let digits = phone.trim_start_matches('+');
    let mut other = |text: String| {
        if !all.contains(&text) && parse_phone(&text).as_deref() == Some(phone) {
            all.push(text);
        }
    };
    if let Some(rest) = digits.strip_prefix("55")
        && let (Some(area), Some(number)) = (rest.get(..2), rest.get(2..))
        && let Some(short) = number.strip_prefix('9')
    {
        other(format!("+55{area}{short}"));
    }
    for (country, inserted) in [("52", "1"), ("54", "9")] {
        if let Some(rest) = digits.strip_prefix(country) {
            other(format!("+{country}{inserted}{rest}"));
            if let Some(without) = rest.strip_prefix(inserted) {
                other(format!("+{country}{without}"));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_looked_for_in_every_way_they_are_written() {
        assert_eq!(spellings("+5511987654321"), ["+5511987654321", "+551187654321"]);
        assert_eq!(spellings("+4915112345678"), ["+4915112345678"]);
        let mexican = parse_phone("+5215512345678").unwrap();
        assert_eq!(spellings(&mexican).len(), 2, "{:?}", spellings(&mexican));
    }

    #[test]
    fn a_conversation_is_known_by_what_it_is_called_there() {
        let id = frontdesk_model::ConversationId(7);
        assert_eq!(conversation_of_source(&conversation_source(id)), Some(id));
        assert_eq!(conversation_of_source("frontdesk-7"), None);
        assert_eq!(conversation_of_source("5511987654321"), None);
    }
}
