//! What agents change about contacts, and what networks tell about them on request.

use std::time::Duration;

use frontdesk_channels::contract::{Connection, MediaAddress};
use frontdesk_model::content::{MediaKind, MediaRef};
use frontdesk_model::outbound::Recipient;
use frontdesk_model::{AccountId, ContactId, InboxId};
use frontdesk_store::attachments::{self, NewUpload};
use frontdesk_store::contacts::{self, ContactRow};
use frontdesk_store::events::{EventKind, NewEvent};
use frontdesk_store::{StoreError, Topic, conversations};

use crate::audit::{self, Deed};
use crate::caller::Actor;
use crate::conversations::ConversationError;
use crate::{Engine, inboxes, media};

/// Looks for new contacts at least this often.
const PAUSE: Duration = Duration::from_secs(5);
/// The largest profile picture kept.
const MAX_PICTURE_BYTES: u64 = 2 * 1024 * 1024;
/// How many new contacts are looked at together.
const BATCH: i64 = 50;
const MAX_NAME: usize = 120;

/// What to change; `None` leaves it, `Some(None)` empties it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactChanges {
    /// The name; emptied, the profile's name counts again.
    pub name: Option<Option<String>>,
    /// The e-mail address.
    pub email: Option<Option<String>>,
}

/// Changes a contact's details.
pub async fn change(
    engine: &Engine,
    actor: Actor,
    id: ContactId,
    changes: ContactChanges,
) -> Result<(), ConversationError> {
    let name = changes.name.map(|n| n.map(|n| n.trim().to_owned()).filter(|n| !n.is_empty()));
    let email = changes.email.map(|e| e.map(|e| e.trim().to_lowercase()).filter(|e| !e.is_empty()));
    let mut wrong = Vec::new();
    if name.iter().flatten().any(|n| n.chars().count() > MAX_NAME) {
        wrong.push((
            "name".to_owned(),
            format!("The name field must not be greater than {MAX_NAME} characters."),
        ));
    }
    if email.iter().flatten().any(|e| !crate::users::is_email(e)) {
        wrong.push(("email".to_owned(), "The email field must be a valid email address.".to_owned()));
    }
    if !wrong.is_empty() {
        return Err(ConversationError::Invalid(wrong));
    }
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
    while !engine.shutdown.is_cancelled() {
        bell.mark_unchanged();
        match engine.store.read(|tx| contacts::without_profile(tx, BATCH)).await {
            Ok(found) if found.is_empty() => {}
            Ok(found) => {
                for contact in found {
                    if let Err(error) = learn_profile(&engine, &contact).await {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "a profile could not be stored"
                        );
                        tokio::time::sleep(PAUSE).await;
                    }
                }
                continue;
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "new contacts could not be read");
            }
        }
        tokio::select! {
            () = engine.shutdown.cancelled() => {}
            _ = bell.changed() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Asks the network once who a contact is. A courtesy: failures are not told.
async fn learn_profile(engine: &Engine, contact: &ContactRow) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let (account, id) = (contact.account_id, contact.id);
    let (talks, identities) = engine
        .store
        .write(move |tx| {
            contacts::set_profile_asked(tx, account, id, now)?;
            let identities = contacts::identities(tx, account, id)?;
            Ok::<_, StoreError>((conversations::of_contact(tx, account, id)?, identities))
        })
        .await?;
    let book = inboxes::book(engine).await?;
    for row in talks {
        let Some(inbox) = book.find(row.inbox_id).filter(|i| i.enabled) else { continue };
        let line = engine.connections().line(engine, inbox);
        let Ok(connection) = &line.connection else { continue };
        let Some(profiles) = connection.profiles() else { continue };
        let recipient = Recipient { thread: row.thread.clone(), identities: identities.clone() };
        match profiles.profile(&recipient).await {
            Ok(Some(profile)) => {
                store_name(engine, account, id, profile.name).await?;
                if let Some(MediaAddress(address)) = profile.picture {
                    let source = Picture { account, contact: id, inbox: row.inbox_id, address };
                    if let Err(reason) = keep_picture(engine, &**connection, source).await {
                        tracing::debug!(contact.id = id.0, reason, "a profile picture was not kept");
                    }
                }
                return Ok(());
            }
            Ok(None) => {}
            Err(error) => tracing::debug!(contact.id = id.0, code = error.code, "no profile was told"),
        }
    }
    Ok(())
}

async fn store_name(
    engine: &Engine,
    account: AccountId,
    id: ContactId,
    name: Option<String>,
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
        };
        if let Some(avatar) = attachments::insert_upload(tx, &upload, now)? {
            contacts::set_avatar(tx, account, contact, avatar, now)?;
            tx.emit(updated(account, contact));
        }
        Ok::<_, StoreError>(())
    });
    stored.await.map_err(|e| e.to_string())
}

fn updated(account_id: AccountId, id: ContactId) -> NewEvent {
    NewEvent {
        account_id,
        kind: EventKind::ContactUpdated,
        conversation_id: None,
        message_id: None,
        data: Some(id.0.to_string()),
    }
}
