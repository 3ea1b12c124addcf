//! Taking a customer's data away, in steps so small that nobody waits for them.
//!
//! An erasure is noted first and struck out last: one that was interrupted is found and gone on with. Audit entries stay
//! and hold ids alone.

use frontdesk_model::sync::SyncEntity;
use frontdesk_model::{AccountId, ContactId, ConversationId, InboxId, MessageId, Timestamp, WebhookLogId};

use crate::db::statement::{both, each};
use crate::events::{EventKind, NewEvent};
use crate::{StoreError, Topic, Tx, crm, erased_messages, external_entity_maps, suggest_pairs};

/// A statement that takes rows away by (account, id): one by one, or all at once.
macro_rules! by_id {
    ($table:literal, $column:literal) => {
        each(
            concat!("DELETE FROM ", $table, " WHERE account_id = $1 AND ", $column, " = $2"),
            concat!(
                "DELETE FROM ",
                $table,
                " t USING UNNEST($1::BIGINT[], $2::BIGINT[]) AS n (account_id, id)
                WHERE t.account_id = n.account_id AND t.",
                $column,
                " = n.id"
            ),
        )
    };
}

statements! {
    NOTE = both(
        "INSERT INTO erasures (account_id, contact_id, requested_at)
         SELECT account_id, id, $3 FROM contacts WHERE account_id = $1 AND id = $2
         ON CONFLICT (account_id, contact_id) DO NOTHING");
    IS_NOTED = both("SELECT COUNT(*) FROM erasures WHERE account_id = $1 AND contact_id = $2");
    LIST = both("SELECT account_id, contact_id FROM erasures ORDER BY requested_at, contact_id LIMIT $1");
    STRIKE_OUT = both("DELETE FROM erasures WHERE account_id = $1 AND contact_id = $2");
    CONTACTS = both("SELECT id FROM contacts WHERE account_id = $1 AND (id = $2 OR merged_into = $2)");
    NAMES = both(
        "SELECT value FROM contact_identities WHERE account_id = $1 AND contact_id = $2
         UNION SELECT phone FROM contacts WHERE account_id = $1 AND id = $2 AND phone IS NOT NULL
         UNION SELECT thread FROM conversations WHERE account_id = $1 AND contact_id = $2");
    BODIES_AFTER = both(
        "SELECT id, body FROM webhook_logs WHERE account_id IN ($1, $4) AND id > $2 ORDER BY id LIMIT $3");
    // A repeat is still recognised: by the hash of the body, which stays, or by its messages (`erased_messages`).
    EMPTY_BODY = both(
        "UPDATE webhook_logs SET body = $3, state = 'applied', error = 'erased' WHERE id = $1 AND account_id IN ($2, $4)");
    PENDING = both("SELECT id, remote_id FROM pending_updates WHERE account_id = $1");
    REMOVE_PENDING = both("DELETE FROM pending_updates WHERE account_id = $1 AND id = $2");
    REMOVE_PENDING_OF = both("DELETE FROM pending_updates WHERE account_id = $1 AND inbox_id = $2 AND remote_id = $3");
    CONVERSATIONS = both(
        "SELECT id, inbox_id, thread FROM conversations WHERE account_id = $1 AND contact_id = $2 ORDER BY id");
    FORGET_EVENT_DATA = both(
        "UPDATE events SET data = NULL WHERE account_id = $1 AND seq > $2 AND seq <= $3 AND conversation_id = $4
         AND data IS NOT NULL AND kind <> 'conversation_merged'");
    REMOVE_OUTBOX = both("DELETE FROM outbox WHERE account_id = $1 AND conversation_id = $2");
    OF_CONVERSATION = both(
        "SELECT id, inbox_id, remote_id FROM messages WHERE account_id = $1 AND conversation_id = $2 LIMIT $3");
    OLDEST = both(
        "SELECT account_id, id, inbox_id, remote_id, conversation_id FROM messages
         WHERE id IN (SELECT id FROM messages ORDER BY id LIMIT $2) AND created_at < $1");
    DISCARD_FILES = each(
        "UPDATE attachments SET message_id = NULL, inbox_id = NULL, state = 'discarded', source = NULL, due_at = NULL,
            file_name = NULL, error = NULL WHERE account_id = $1 AND message_id = $2",
        "UPDATE attachments t SET message_id = NULL, inbox_id = NULL, state = 'discarded', source = NULL, due_at = NULL,
            file_name = NULL, error = NULL FROM UNNEST($1::BIGINT[], $2::BIGINT[]) AS n (account_id, id)
         WHERE t.account_id = n.account_id AND t.message_id = n.id");
    DISCARD_PICTURE = both(
        "UPDATE attachments SET inbox_id = NULL, state = 'discarded', source = NULL, due_at = NULL, file_name = NULL
         WHERE account_id = $1 AND id = (SELECT avatar_id FROM contacts WHERE account_id = $1 AND id = $2)");
    REMOVE_REACTIONS = by_id!("reactions", "message_id");
    REMOVE_REACTION_SENDS = by_id!("reaction_sends", "message_id");
    REMOVE_EDITS = by_id!("message_edits", "message_id");
    REMOVE_DELIVERIES = by_id!("deliveries", "message_id");
    REMOVE_LINKS = each(
        "DELETE FROM bridge_messages WHERE account_id = $1 AND message_id = $2
         AND bridge_id IN (SELECT id FROM bridges WHERE account_id = $1)",
        "DELETE FROM bridge_messages t
         USING UNNEST($1::BIGINT[], $2::BIGINT[]) AS n (account_id, id), bridges b
         WHERE b.account_id = n.account_id AND t.account_id = n.account_id AND t.bridge_id = b.id AND t.message_id = n.id");
    // What waits of a bridge may hold words. That the conversations there are known stays: else their answers came anew.
    REMOVE_BRIDGE_JOBS = both(
        "DELETE FROM bridge_jobs WHERE account_id = $1 AND (lane = $2 OR lane IN
            (SELECT 'r' || remote_id FROM bridge_threads WHERE account_id = $1 AND conversation_id = $3))");
    REMOVE_SENDS = by_id!("outbox", "message_id");
    REMOVE_WEBHOOK_ATTEMPTS = each(
        "DELETE FROM webhook_attempts WHERE account_id = $1
         AND send_id IN (SELECT id FROM webhook_sends WHERE account_id = $1 AND message_id = $2)",
        "DELETE FROM webhook_attempts t USING UNNEST($1::BIGINT[], $2::BIGINT[]) AS n (account_id, id), webhook_sends s
         WHERE s.account_id = n.account_id AND s.message_id = n.id AND t.account_id = n.account_id AND t.send_id = s.id");
    REMOVE_WEBHOOK_SENDS = by_id!("webhook_sends", "message_id");
    REMOVE_MESSAGES = by_id!("messages", "id");
    REMOVE_IDENTITIES = both("DELETE FROM contact_identities WHERE account_id = $1 AND contact_id = $2");
    REMOVE_CONTACT = both("DELETE FROM contacts WHERE account_id = $1 AND id = $2");
    REMOVE_CONVERSATION = both("DELETE FROM conversations WHERE account_id = $1 AND id = $2");
    FORGET_DETAILS = both(
        "UPDATE audit_entries SET details = NULL WHERE account_id = $1 AND subject_type = $2 AND subject_id = $3");
    // Nobody reads freed space, but it can be found in the file.
    OVERWRITE = each("PRAGMA secure_delete = ON", "SELECT 1");
    LEAVE = each("PRAGMA secure_delete = OFF", "SELECT 1");
    SILENT = both(
        "SELECT DISTINCT account_id, contact_id FROM conversations WHERE account_id = $1 AND last_message_at < $2
         AND NOT EXISTS (SELECT 1 FROM conversations v WHERE v.account_id = $1
            AND v.contact_id = conversations.contact_id AND v.last_message_at >= $2) LIMIT $3");
}

/// Webhooks that concern no account, or several, are kept under this one.
const SHARED: AccountId = AccountId(0);

/// Notes that a contact's data are to go. False when there is no such contact.
pub fn note(
    tx: &mut Tx<'_>,
    account: AccountId,
    contact: ContactId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    tx.execute(&NOTE, p![account, contact, now])?;
    Ok(tx.find::<(i64,)>(&IS_NOTED, p![account, contact])?.is_some_and(|(n,)| n > 0))
}

/// Erasures that are not finished, the oldest first.
pub fn list(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<(AccountId, ContactId)>, StoreError> {
    tx.query(&LIST, p![limit])
}

/// What a contact is called by networks, as it stands in raw bodies: ids, and phone numbers without their plus.
pub fn names(tx: &mut Tx<'_>, account: AccountId, contact: ContactId) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    for (id,) in tx.query::<(ContactId,)>(&CONTACTS, p![account, contact])? {
        names.extend(tx.query::<(String,)>(&NAMES, p![account, id])?.into_iter().map(|(name,)| name));
    }
    let mut bare: Vec<String> = names.iter().map(|name| name.trim_start_matches('+').to_owned()).collect();
    bare.retain(|name| !name.is_empty());
    bare.sort_unstable();
    bare.dedup();
    Ok(bare)
}

/// Raw bodies after an id, in their order.
pub fn bodies_after(
    tx: &mut Tx<'_>,
    account: AccountId,
    after: WebhookLogId,
    limit: i64,
) -> Result<Vec<(WebhookLogId, Vec<u8>)>, StoreError> {
    tx.query(&BODIES_AFTER, p![account, after, limit, SHARED])
}

/// Empties raw bodies, and forgets the news in them that waited for their messages.
pub fn empty_bodies(
    tx: &mut Tx<'_>,
    account: AccountId,
    bodies: &[(WebhookLogId, Vec<u8>)],
) -> Result<(), StoreError> {
    overwriting(tx, |tx| {
        for (id, remote_id) in tx.query::<(i64, String)>(&PENDING, p![account])? {
            if bodies.iter().any(|(_, body)| contains(body, remote_id.as_bytes())) {
                tx.execute(&REMOVE_PENDING, p![account, id])?;
            }
        }
        for (id, _) in bodies {
            tx.execute(&EMPTY_BODY, p![id, account, [0_u8; 0], SHARED])?;
        }
        Ok(())
    })
}

/// Does something in such a way that nothing can be found afterwards where it was.
fn overwriting<T>(
    tx: &mut Tx<'_>,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    tx.query::<(i64,)>(&OVERWRITE, p![])?;
    let done = work(tx)?;
    tx.query::<(i64,)>(&LEAVE, p![])?;
    Ok(done)
}

/// True when `part` is in `whole`.
pub fn contains(whole: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && whole.windows(part.len()).any(|window| window == part)
}

/// A contact's conversations.
pub fn conversations(
    tx: &mut Tx<'_>,
    account: AccountId,
    contact: ContactId,
) -> Result<Vec<ConversationId>, StoreError> {
    let found = tx.query::<(ConversationId, InboxId, String)>(&CONVERSATIONS, p![account, contact])?;
    Ok(found.into_iter().map(|(id, ..)| id).collect())
}

/// Nothing more is sent to a conversation.
pub fn stop_sending(
    tx: &mut Tx<'_>,
    account: AccountId,
    conversation: ConversationId,
) -> Result<(), StoreError> {
    tx.execute(&REMOVE_OUTBOX, p![account, conversation]).map(drop)
}

/// Forgets what events of a conversation tell beside ids, from the number after `after` to `until`.
pub fn forget_event_data(
    tx: &mut Tx<'_>,
    account: AccountId,
    conversation: ConversationId,
    after: i64,
    until: i64,
) -> Result<(), StoreError> {
    tx.execute(&FORGET_EVENT_DATA, p![account, after, until, conversation]).map(drop)
}

/// A message to be taken away.
struct Doomed {
    account: AccountId,
    id: MessageId,
    inbox: InboxId,
    remote_id: Option<String>,
}

/// Takes at most `limit` messages of a conversation away, with all that belongs to them; false when there were none.
/// Their files are left as discarded.
pub fn remove_messages(
    tx: &mut Tx<'_>,
    account: AccountId,
    conversation: ConversationId,
    limit: i64,
) -> Result<bool, StoreError> {
    overwriting(tx, |tx| erase_slice(tx, account, conversation, limit))
}

fn erase_slice(
    tx: &mut Tx<'_>,
    account: AccountId,
    conversation: ConversationId,
    limit: i64,
) -> Result<bool, StoreError> {
    let found =
        tx.query::<(MessageId, InboxId, Option<String>)>(&OF_CONVERSATION, p![account, conversation, limit])?;
    let doomed: Vec<_> =
        found.into_iter().map(|(id, inbox, remote_id)| Doomed { account, id, inbox, remote_id }).collect();
    let named = doomed.iter().filter_map(|m| Some((m.account, m.inbox, m.remote_id.as_deref()?)));
    erased_messages::note_many(tx, named)?;
    remove(tx, &doomed)?;
    Ok(!doomed.is_empty())
}

/// Takes messages stored before `before` away, among the `limit` oldest; returns the conversations they were in.
pub fn remove_oldest_messages(
    tx: &mut Tx<'_>,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<(AccountId, ConversationId)>, StoreError> {
    let found = tx.query::<(AccountId, MessageId, InboxId, Option<String>, ConversationId)>(
        &OLDEST,
        p![before, limit],
    )?;
    let mut touched: Vec<_> =
        found.iter().map(|(account, .., conversation)| (*account, *conversation)).collect();
    let doomed: Vec<_> = found
        .into_iter()
        .map(|(account, id, inbox, remote_id, _)| Doomed { account, id, inbox, remote_id })
        .collect();
    remove(tx, &doomed)?;
    touched.sort_unstable();
    touched.dedup();
    Ok(touched)
}

fn remove(tx: &mut Tx<'_>, doomed: &[Doomed]) -> Result<(), StoreError> {
    for message in doomed {
        if let Some(remote_id) = &message.remote_id {
            tx.execute(&REMOVE_PENDING_OF, p![message.account, message.inbox, remote_id])?;
        }
    }
    let ids: Vec<_> = doomed.iter().map(|message| (message.account, message.id)).collect();
    suggest_pairs::remove_with_messages(tx, &ids)?;
    let all = [
        &DISCARD_FILES,
        &REMOVE_REACTIONS,
        &REMOVE_REACTION_SENDS,
        &REMOVE_EDITS,
        &REMOVE_DELIVERIES,
        &REMOVE_LINKS,
        &REMOVE_SENDS,
        &REMOVE_WEBHOOK_ATTEMPTS,
        &REMOVE_WEBHOOK_SENDS,
        &REMOVE_MESSAGES,
    ];
    for statement in all {
        let rows = doomed.iter().map(|message| row![message.account, message.id]).collect();
        tx.execute_many(statement, rows)?;
    }
    Ok(())
}

/// The last step: the contact itself, its conversations and what came meanwhile, in one go. Open pages drop them. Of
/// several nodes that come here with the same contact, one does it.
pub fn finish(tx: &mut Tx<'_>, account: AccountId, contact: ContactId) -> Result<(), StoreError> {
    if tx.execute(&STRIKE_OUT, p![account, contact])? == 0 {
        return Ok(()); // another node was here first: it was waited for
    }
    overwriting(tx, |tx| {
        // The names first: whoever is about to store a message waits here, and finds a new contact afterwards.
        for (id,) in tx.query::<(ContactId,)>(&CONTACTS, p![account, contact])? {
            tx.execute(&REMOVE_IDENTITIES, p![account, id])?;
            tx.execute(&DISCARD_PICTURE, p![account, id])?;
            tx.execute(&REMOVE_CONTACT, p![account, id])?;
            external_entity_maps::forget(tx, account, SyncEntity::Contacts, id.0)?;
            crm::forget(tx, account, id)?;
        }
        let conversations =
            tx.query::<(ConversationId, InboxId, String)>(&CONVERSATIONS, p![account, contact])?;
        for (conversation, inbox, thread) in conversations {
            tx.execute(&REMOVE_PENDING_OF, p![account, inbox, thread])?;
            erase_conversation(tx, account, conversation)?;
        }
        tx.execute(&FORGET_DETAILS, p![account, "contact", contact])?;
        tx.signal(Topic::Inboxes); // every node learns that this account has erased messages
        Ok(())
    })
}

fn erase_conversation(
    tx: &mut Tx<'_>,
    account: AccountId,
    conversation: ConversationId,
) -> Result<(), StoreError> {
    tx.execute(&REMOVE_CONVERSATION, p![account, conversation])?;
    tx.execute(&REMOVE_OUTBOX, p![account, conversation])?;
    tx.execute(&REMOVE_BRIDGE_JOBS, p![account, format!("c{conversation}"), conversation])?;
    while erase_slice(tx, account, conversation, 1_000)? {}
    tx.execute(&FORGET_DETAILS, p![account, "conversation", conversation])?;
    tx.emit(NewEvent {
        account_id: account,
        kind: EventKind::ConversationMerged, // into none
        conversation_id: Some(conversation),
        message_id: None,
        data: None,
    });
    Ok(())
}

/// Contacts of an account of whom nothing was heard, and to whom nothing was said, since `since`.
pub fn silent(
    tx: &mut Tx<'_>,
    account: AccountId,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<(AccountId, ContactId)>, StoreError> {
    tx.query(&SILENT, p![account, since, limit])
}
