//! What agents change about contacts, and what networks tell about them on request.

use std::time::Duration;

use frontdesk_channels::contract::{Connection, MediaAddress};
use frontdesk_model::contact::Identity;
use frontdesk_model::content::{MediaKind, MediaRef};
use frontdesk_model::outbound::Recipient;
use frontdesk_model::{AccountId, ContactId, InboxId, Timestamp};
use frontdesk_store::attachments::{self, NewUpload};
use frontdesk_store::contacts;
use frontdesk_store::events::{EventKind, NewEvent};
use frontdesk_store::{StoreError, Topic, conversations};
use futures_util::{StreamExt, stream};
use serde_json::{Map, Value};

use crate::audit::{self, Deed};
use crate::caller::Actor;
use crate::conversations::ConversationError;
use crate::{Engine, custom_fields, inboxes, media, workers};

/// Looks for new contacts at least this often.
const PAUSE: Duration = Duration::from_secs(5);
/// The largest profile picture kept.
const MAX_PICTURE_BYTES: u64 = 2 * 1024 * 1024;
/// How many new contacts are looked at together.
const BATCH: i64 = 50;
/// How many are asked for together, and how long one may take: a network that hangs keeps those of others waiting no
/// longer than that.
const AT_ONCE: usize = 16;
const LONGEST_QUESTION: Duration = Duration::from_secs(10);
/// Waits before a network that did not answer is asked again, in milliseconds; then it is left.
const ASK_AGAIN_MS: [i64; 4] = [60_000, 600_000, 3_600_000, 21_600_000];
/// How many questions may wait.
const MAX_LATER: usize = 10_000;
const MAX_NAME: usize = 120;

/// What to change; `None` leaves it, `Some(None)` empties it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactChanges {
    /// The name; emptied, the profile's name counts again.
    pub name: Option<Option<String>>,
    /// The e-mail address.
    pub email: Option<Option<String>>,
    /// Fields to set; null takes one away, and what is not named stays.
    pub custom_fields: Map<String, Value>,
}

/// Changes a contact's details.
pub async fn change(
    engine: &Engine,
    actor: Actor,
    id: ContactId,
    changes: ContactChanges,
) -> Result<(), ConversationError> {
    let too_long = changes.name.iter().flatten().any(|n| n.chars().count() > MAX_NAME);
    let name = changes.name.map(|n| n.map(|n| n.trim().to_owned()).filter(|n| !n.is_empty()));
    let email = changes.email.map(|e| e.map(|e| e.trim().to_lowercase()).filter(|e| !e.is_empty()));
    let mut wrong = Vec::new();
    if too_long {
        wrong.push((
            "name".to_owned(),
            format!("The name field must not be greater than {MAX_NAME} characters."),
        ));
    }
    if email.iter().flatten().any(|e| !crate::users::is_email(e)) {
        wrong.push(("email".to_owned(), "The email field must be a valid email address.".to_owned()));
    }
    wrong.extend(custom_fields::check(&changes.custom_fields));
    if !wrong.is_empty() {
        return Err(ConversationError::Invalid(wrong));
    }
    let fields = changes.custom_fields;
    let (account, now) = (actor.account_id, engine.clock.now());
    engine
        .store
        .write(move |tx| {
            let mut contact = contacts::find(tx, account, id)?.ok_or(ConversationError::NotFound)?;
            if let Some(name) = &name {
                contact.name_edited = name.is_some();
                contact.name.clone_from(name);
            }
            if let Some(email) = &email {
                contact.email.clone_from(email);
            }
            contacts::save(tx, &contact, now)?;
            if !fields.is_empty()
                && let Err(sentence) = custom_fields::set(tx, account, contact.id, &fields, now)?
            {
                return Err(ConversationError::Invalid(vec![("custom_fields".to_owned(), sentence)]));
            }
            let edited = [name.as_ref().map(|_| "name"), email.as_ref().map(|_| "email")];
            let edited: Vec<&str> = edited.into_iter().flatten().collect();
            contacts::other_side::note_edits(tx, account, contact.id, &edited, now)?;
            let deed = Deed { action: "contact.updated", subject_type: "contact", subject_id: contact.id.0 };
            audit::record(tx, actor, deed, None, now)?;
            tx.emit(updated(account, contact.id));
            Ok(())
        })
        .await
}

/// Asks for the profiles of new contacts, until shutdown. Only channels that tell profiles are asked.
pub(crate) async fn run(engine: Engine) {
    let mut bell = engine.store.signals().listen(Topic::Media);
    let mut later = Later::default();
    while !engine.shutdown.is_cancelled() {
        bell.mark_unchanged();
        let found =
            engine.store.read(|tx| contacts::without_profile(tx, BATCH)).await.unwrap_or_else(|error| {
                tracing::warn!(error = &error as &dyn std::error::Error, "new contacts could not be read");
                Vec::new()
            });
        let new =
            found.into_iter().map(|contact| Question { of: (contact.account_id, contact.id), tries: 0 });
        let questions: Vec<Question> = new.chain(later.take_due(engine.clock.now())).collect();
        if questions.is_empty() {
            tokio::select! {
                () = engine.shutdown.cancelled() => {}
                () = workers::rung(&mut bell) => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
        let asking = &engine;
        let ask = |question: Question| async move {
            let learnt = tokio::time::timeout(LONGEST_QUESTION, learn_profile(asking, question.of)).await;
            (question, learnt.unwrap_or(Ok(Answer::AskAgain)))
        };
        let mut answers = std::pin::pin!(stream::iter(questions).map(ask).buffer_unordered(AT_ONCE));
        loop {
            let answered = tokio::select! {
                () = engine.shutdown.cancelled() => return,
                answered = answers.next() => answered,
            };
            match answered {
                None => break,
                Some((_, Ok(Answer::Final))) => {}
                Some((question, Ok(Answer::AskAgain))) => later.put(question, engine.clock.now()),
                Some((_, Err(error))) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a profile could not be stored");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// A profile to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Question {
    of: (AccountId, ContactId),
    tries: usize,
}

/// What became of a question.
enum Answer {
    /// The network told, or never will.
    Final,
    /// It did not answer properly.
    AskAgain,
}

/// Questions the network did not answer, and when to ask them again. A courtesy: in memory, bounded, gone at the end.
#[derive(Default)]
struct Later(Vec<(Timestamp, Question)>);

impl Later {
    fn put(&mut self, question: Question, now: Timestamp) {
        if let Some(wait_ms) = ASK_AGAIN_MS.get(question.tries)
            && self.0.len() < MAX_LATER
        {
            self.0.push((now.plus_ms(*wait_ms), Question { tries: question.tries + 1, ..question }));
        }
    }

    fn take_due(&mut self, now: Timestamp) -> Vec<Question> {
        self.0.extract_if(.., |(due, _)| *due <= now).map(|(_, question)| question).collect()
    }
}

/// Asks the network once who a contact is.
async fn learn_profile(engine: &Engine, (account, id): (AccountId, ContactId)) -> Result<Answer, StoreError> {
    let now = engine.clock.now();
    let (talks, identities) = engine
        .store
        .write(move |tx| {
            contacts::set_profile_asked(tx, account, id, now)?;
            let identities = contacts::identities(tx, account, id)?;
            Ok::<_, StoreError>((conversations::of_contact(tx, account, id)?, identities))
        })
        .await?;
    let book = inboxes::book(engine).await?;
    let mut answer = Answer::Final;
    for row in talks {
        let Some(inbox) = book.find(row.inbox_id).filter(|i| i.enabled) else { continue };
        let line = engine.connections().line(engine, inbox);
        let Ok(connection) = &line.connection else { continue };
        let Some(profiles) = connection.profiles() else { continue };
        let recipient = Recipient { thread: row.thread.clone(), identities: identities.clone() };
        match profiles.profile(&recipient).await {
            Ok(Some(profile)) => {
                store_names(engine, account, id, profile.name, profile.identities).await?;
                if let Some(MediaAddress(address)) = profile.picture {
                    let source = Picture { account, contact: id, inbox: row.inbox_id, address };
                    if let Err(reason) = keep_picture(engine, &**connection, source).await {
                        tracing::debug!(contact.id = id.0, reason, "a profile picture was not kept");
                    }
                }
                return Ok(Answer::Final);
            }
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(contact.id = id.0, code = error.code, "no profile was told");
                answer = Answer::AskAgain;
            }
        }
    }
    Ok(answer)
}

async fn store_names(
    engine: &Engine,
    account: AccountId,
    id: ContactId,
    name: Option<String>,
    identities: Vec<Identity>,
) -> Result<(), StoreError> {
    let now = engine.clock.now();
    engine
        .store
        .write(move |tx| {
            let Some(mut contact) = contacts::find(tx, account, id)? else { return Ok(()) };
            if !contact.name_edited && name.is_some() && contact.name != name {
                contact.name.clone_from(&name);
                contacts::save(tx, &contact, now)?;
                tx.emit(updated(account, contact.id));
            }
            // Last: the person may be known under the new name already, and is then one contact with this one.
            if contacts::add_names(tx, account, id, &identities, now)? {
                tx.emit(updated(account, id));
            }
            Ok(())
        })
        .await
}

/// Where a profile picture is, and whose.
struct Picture {
    account: AccountId,
    contact: ContactId,
    inbox: InboxId,
    address: String,
}

/// Brings a profile picture here: its address at the network expires in days.
async fn keep_picture(engine: &Engine, connection: &dyn Connection, picture: Picture) -> Result<(), String> {
    let source = MediaRef {
        kind: MediaKind::Image,
        remote_id: None,
        url: Some(picture.address),
        mime_type: None,
        file_name: None,
        sha256: None,
    };
    let scratch = engine.media().scratch().await.map_err(|e| e.to_string())?;
    let fetched =
        connection.fetch_media(&source, &scratch.path, MAX_PICTURE_BYTES).await.map_err(|e| e.to_string())?;
    let (mime_type, kind) =
        media::sniff(&scratch.path, fetched.mime_type.as_deref(), None).await.map_err(|e| e.to_string())?;
    if kind != MediaKind::Image {
        return Err(format!("it is no picture but {mime_type}"));
    }
    let key =
        engine.media().keep(picture.account, scratch, &fetched.sha256).await.map_err(|e| e.to_string())?;
    let (now, account, contact, inbox) =
        (engine.clock.now(), picture.account, picture.contact, picture.inbox);
    let size_bytes = i64::try_from(fetched.size_bytes).unwrap_or(i64::MAX);
    let stored = engine.store.write(move |tx| {
        let upload = NewUpload {
            account_id: account,
            uploaded_by: None,
            kind,
            mime_type: &mime_type,
            file_name: "picture",
            size_bytes,
            sha256: &fetched.sha256,
            storage_key: &key,
            inbox_id: Some(inbox),
            source: None,
        };
        if let Some(avatar) = attachments::insert_upload(tx, &upload, now)? {
            contacts::set_avatar(tx, account, contact, avatar, now)?;
            tx.emit(updated(account, contact));
        }
        Ok::<_, StoreError>(())
    });
    stored.await.map_err(|e| e.to_string())
}

/// The news that a contact is another.
pub(crate) fn updated(account_id: AccountId, id: ContactId) -> NewEvent {
    NewEvent {
        account_id,
        kind: EventKind::ContactUpdated,
        conversation_id: None,
        message_id: None,
        data: Some(id.0.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_that_does_not_answer_is_asked_less_and_less_and_then_left() {
        let (mut later, start) = (Later::default(), Timestamp::from_secs(1_000));
        let mut question = Question { of: (AccountId(1), ContactId(1)), tries: 0 };
        for wait_ms in ASK_AGAIN_MS {
            later.put(question, start);
            assert!(later.take_due(start.plus_ms(wait_ms - 1)).is_empty());
            let due = later.take_due(start.plus_ms(wait_ms));
            assert_eq!(due.len(), 1);
            question = due[0];
        }
        later.put(question, start);
        assert!(later.0.is_empty());
    }
}
