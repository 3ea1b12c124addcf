//! People: lists, search, filters, their conversations, merging.

use serde_json::{Map, Value, json};

use super::call::{Call, integer, text};
use super::filter::{self, Condition};
use super::refusal::Refusal;
use super::shape;
use super::state::{Contact, ContactInbox};
use super::turn::Turn;

/// Contacts on a page.
const PAGE: usize = 15;
/// Conversations of a contact that are shown.
const CONVERSATIONS_SHOWN: usize = 20;

pub(super) fn list(turn: &Turn<'_>, call: &Call) -> Value {
    let labels: Vec<&str> =
        call.query.iter().filter(|(name, _)| name == "labels").map(|(_, label)| label.as_str()).collect();
    // Who has neither address nor number nor identifier is not listed.
    let listed = |contact: &&Contact| {
        (contact.email.is_some() || contact.phone_number.is_some() || contact.identifier.is_some())
            && (labels.is_empty() || contact.labels.iter().any(|label| labels.contains(&label.as_str())))
    };
    let mut found: Vec<&Contact> = turn.account.contacts.values().filter(listed).collect();
    sort(&mut found, call.param("sort"));
    let shown = page(turn, call, &found);
    json!({"meta": {"count": found.len(), "current_page": call.param("page").unwrap_or("1")}, "payload": shown})
}

pub(super) fn search(turn: &Turn<'_>, call: &Call) -> Result<Value, Refusal> {
    let Some(query) = call.param("q").map(str::trim) else {
        return Err(Refusal::Unprocessable("Specify search string with parameter q".to_owned()));
    };
    if query.is_empty() {
        return Ok(json!({"meta": {"count": 0, "current_page": 1, "has_more": false}, "payload": []}));
    }
    let query = query.to_lowercase();
    let has = |text: &str| text.to_lowercase().contains(&query);
    let matches = |contact: &&Contact| {
        has(&contact.name)
            || [&contact.email, &contact.phone_number, &contact.identifier]
                .into_iter()
                .flatten()
                .any(|text| has(text))
    };
    let mut found: Vec<&Contact> = turn.account.contacts.values().filter(matches).collect();
    sort(&mut found, call.param("sort"));
    let shown = page(turn, call, &found);
    let has_more = found.len() > (call.page() + 1) * PAGE;
    let meta = json!({"count": shown.len(), "current_page": call.page() + 1, "has_more": has_more});
    Ok(json!({"meta": meta, "payload": shown}))
}

pub(super) fn filter(turn: &Turn<'_>, call: &Call) -> Result<Value, Refusal> {
    let conditions = Condition::read(call)?;
    let fields = |contact: &Contact| {
        let mut fields = contact.custom_attributes.clone();
        fields.extend(contact.additional_attributes.clone());
        fields.extend(Map::from_iter([
            ("name".to_owned(), json!(contact.name)),
            ("email".to_owned(), json!(contact.email)),
            ("phone_number".to_owned(), json!(contact.phone_number)),
            ("identifier".to_owned(), json!(contact.identifier)),
            ("labels".to_owned(), json!(contact.labels)),
            ("blocked".to_owned(), json!(contact.blocked)),
            ("created_at".to_owned(), json!(shape::seconds(contact.created_at_ms))),
            ("last_activity_at".to_owned(), json!(contact.last_activity_at_ms.map(shape::seconds))),
        ]));
        fields
    };
    let found: Vec<&Contact> = turn
        .account
        .contacts
        .values()
        .filter(|contact| filter::matches(&conditions, &fields(contact)))
        .collect();
    let shown = page(turn, call, &found);
    Ok(json!({"meta": {"count": found.len(), "current_page": call.page() + 1}, "payload": shown}))
}

fn page(turn: &Turn<'_>, call: &Call, found: &[&Contact]) -> Vec<Value> {
    let with_inboxes = call.param("include_contact_inboxes") != Some("false");
    let page = found.iter().skip(call.page() * PAGE).take(PAGE);
    page.map(|contact| shape::contact(turn.account, contact, with_inboxes)).collect()
}

fn sort(found: &mut [&Contact], by: Option<&str>) {
    let (by, backwards) = match by {
        Some(by) => (by.trim_start_matches('-'), by.starts_with('-')),
        None => return,
    };
    match by {
        "email" => found.sort_by_key(|contact| contact.email.clone()),
        "phone_number" => found.sort_by_key(|contact| contact.phone_number.clone()),
        "last_activity_at" => found.sort_by_key(|contact| contact.last_activity_at_ms),
        "created_at" => found.sort_by_key(|contact| (contact.created_at_ms, contact.id)),
        _ => found.sort_by_key(|contact| contact.name.clone()),
    }
    if backwards {
        found.reverse();
    }
}

pub(super) fn read(turn: &Turn<'_>, id: i64) -> Result<Value, Refusal> {
    let contact = turn.account.contacts.get(&id).ok_or(Refusal::NotFound)?;
    Ok(json!({"payload": shape::contact(turn.account, contact, true)}))
}

pub(super) fn create(turn: &mut Turn<'_>, call: &Call) -> Result<Value, Refusal> {
    let id = turn.next_id();
    let mut contact = Contact { id, created_at_ms: turn.now, updated_at_ms: turn.now, ..Contact::default() };
    assign(&mut contact, call);
    check(turn, &contact)?;
    turn.account.contacts.insert(id, contact);
    let contact_inbox = match call.integer("inbox_id") {
        Some(inbox_id) => Some(enter(turn, id, inbox_id, call.text("source_id"))?),
        None => None,
    };
    turn.tell_contact("contact_created", id, &[]);
    let made = contact_inbox.and_then(|id| turn.account.contact_inboxes.get(&id));
    let contact_inbox = made.map(|made| shape::contact_inbox(turn.account, made));
    let contact = turn.account.contacts.get(&id).ok_or(Refusal::NotFound)?;
    let contact = shape::contact(turn.account, contact, true);
    Ok(json!({"payload": {"contact": contact, "contact_inbox": contact_inbox.unwrap_or(json!({}))}}))
}

pub(super) fn update(turn: &mut Turn<'_>, id: i64, call: &Call) -> Result<Value, Refusal> {
    let before = turn.contact(id)?.clone();
    let mut contact = before.clone();
    assign(&mut contact, call);
    check(turn, &contact)?;
    contact.updated_at_ms = turn.now;
    let mut changed = Vec::new();
    let was = comparable(&before);
    for ((field, after), (_, before)) in comparable(&contact).into_iter().zip(was) {
        if before != after {
            changed.push((field, before, after));
        }
    }
    turn.account.contacts.insert(id, contact);
    if !changed.is_empty() {
        turn.tell_contact("contact_updated", id, &changed);
    }
    read(turn, id)
}

fn comparable(contact: &Contact) -> [(&'static str, Value); 7] {
    [
        ("name", json!(contact.name)),
        ("email", json!(contact.email)),
        ("phone_number", json!(contact.phone_number)),
        ("identifier", json!(contact.identifier)),
        ("blocked", json!(contact.blocked)),
        ("custom_attributes", json!(contact.custom_attributes)),
        ("additional_attributes", json!(contact.additional_attributes)),
    ]
}

/// Takes in what a body gives; attributes are merged.
fn assign(contact: &mut Contact, call: &Call) {
    let given = |name: &str| {
        call.body
            .get(name)
            .map(|value| text(value).map(|text| text.trim().to_owned()).filter(|t| !t.is_empty()))
    };
    if let Some(name) = given("name") {
        contact.name = name.unwrap_or_default();
    }
    if let Some(email) = given("email") {
        contact.email = email.map(|email| email.to_lowercase());
    }
    if let Some(phone) = given("phone_number") {
        contact.phone_number = phone;
    }
    if let Some(identifier) = given("identifier") {
        contact.identifier = identifier;
    }
    if let Some(url) = given("avatar_url") {
        contact.avatar_url = url.unwrap_or_default();
    }
    contact.blocked = call.flag("blocked").unwrap_or(contact.blocked);
    contact.additional_attributes.extend(call.object("additional_attributes").unwrap_or_default());
    contact.custom_attributes.extend(call.object("custom_attributes").unwrap_or_default());
}

/// What Chatwoot refuses about a contact.
fn check(turn: &Turn<'_>, contact: &Contact) -> Result<(), Refusal> {
    if let Some(phone) = &contact.phone_number {
        let digits = phone.strip_prefix('+').unwrap_or_default();
        let fits = (2..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !fits || digits.starts_with('0') {
            let message = "Phone number should be in e164 format".to_owned();
            return Err(Refusal::Invalid(message, vec!["phone_number"]));
        }
    }
    if contact.email.as_ref().is_some_and(|email| !email.contains('@')) {
        return Err(Refusal::Invalid("Email Invalid email".to_owned(), vec!["email"]));
    }
    for other in turn.account.contacts.values().filter(|other| other.id != contact.id) {
        let same = |ours: &Option<String>, theirs: &Option<String>| ours.is_some() && ours == theirs;
        if same(&contact.email, &other.email) {
            return Err(Refusal::taken("email", "Email"));
        }
        if same(&contact.phone_number, &other.phone_number) {
            return Err(Refusal::taken("phone_number", "Phone number"));
        }
        if same(&contact.identifier, &other.identifier) {
            return Err(Refusal::taken("identifier", "Identifier"));
        }
    }
    Ok(())
}

/// The contact within an inbox, found or made.
pub(super) fn enter(
    turn: &mut Turn<'_>,
    contact_id: i64,
    inbox_id: i64,
    source_id: Option<String>,
) -> Result<i64, Refusal> {
    if !turn.account.inboxes.contains_key(&inbox_id) {
        return Err(Refusal::NotFound);
    }
    let here = |found: &&ContactInbox| found.contact_id == contact_id && found.inbox_id == inbox_id;
    let same = |found: &&ContactInbox| source_id.as_ref().is_none_or(|source| *source == found.source_id);
    if let Some(found) = turn.account.contact_inboxes.values().filter(here).find(same) {
        return Ok(found.id);
    }
    let in_use =
        |found: &ContactInbox| found.inbox_id == inbox_id && Some(&found.source_id) == source_id.as_ref();
    if turn.account.contact_inboxes.values().any(in_use) {
        return Err(Refusal::Unprocessable("source_id should be unique".to_owned()));
    }
    let id = turn.next_id();
    let source_id = source_id.unwrap_or_else(|| turn.ids.uuid());
    let made = ContactInbox { id, contact_id, inbox_id, source_id, created_at_ms: turn.now };
    turn.account.contact_inboxes.insert(id, made);
    Ok(id)
}

pub(super) fn add_inbox(turn: &mut Turn<'_>, id: i64, call: &Call) -> Result<Value, Refusal> {
    turn.contact(id)?;
    let inbox_id = call.integer("inbox_id").ok_or_else(|| Refusal::missing("inbox_id"))?;
    let made = enter(turn, id, inbox_id, call.text("source_id"))?;
    let made = turn.account.contact_inboxes.get(&made).ok_or(Refusal::NotFound)?;
    Ok(shape::contact_inbox(turn.account, made))
}

pub(super) fn contactable(turn: &Turn<'_>, id: i64) -> Result<Value, Refusal> {
    let contact = turn.account.contacts.get(&id).ok_or(Refusal::NotFound)?;
    let inboxes = turn.account.inboxes.values().map(|inbox| {
        let found = turn
            .account
            .contact_inboxes
            .values()
            .find(|found| found.contact_id == contact.id && found.inbox_id == inbox.id);
        let source = found.map(|found| found.source_id.clone());
        json!({"inbox": shape::inbox(inbox, false), "source_id": source})
    });
    Ok(json!({"payload": inboxes.collect::<Vec<_>>()}))
}

pub(super) fn delete(turn: &mut Turn<'_>, id: i64) -> Result<Value, Refusal> {
    turn.admin()?;
    turn.account.contacts.remove(&id).ok_or(Refusal::NotFound)?;
    turn.account.contact_inboxes.retain(|_, found| found.contact_id != id);
    turn.account.conversations.retain(|_, found| found.contact_id != id);
    Ok(Value::Null)
}

pub(super) fn conversations(turn: &Turn<'_>, id: i64) -> Result<Value, Refusal> {
    turn.account.contacts.get(&id).ok_or(Refusal::NotFound)?;
    let mut found: Vec<_> =
        turn.account.conversations.values().filter(|conversation| conversation.contact_id == id).collect();
    found.sort_by_key(|conversation| std::cmp::Reverse(conversation.last_activity_at_ms));
    let shown = found.into_iter().take(CONVERSATIONS_SHOWN);
    let shown: Vec<Value> =
        shown.map(|found| shape::conversation(turn.account, found, turn.base_url)).collect();
    Ok(json!({"payload": shown}))
}

pub(super) fn labels(turn: &mut Turn<'_>, id: i64, call: Option<&Call>) -> Result<Value, Refusal> {
    let contact = turn.contact(id)?;
    if let Some(call) = call {
        contact.labels = call.texts("labels").unwrap_or_default();
    }
    Ok(json!({"payload": contact.labels}))
}

pub(super) fn destroy_attributes(turn: &mut Turn<'_>, id: i64, call: &Call) -> Result<Value, Refusal> {
    let gone = call.texts("custom_attributes").unwrap_or_default();
    turn.contact(id)?.custom_attributes.retain(|name, _| !gone.contains(name));
    read(turn, id)
}

/// The mergee goes, and what it had is the base's where the base had nothing.
pub(super) fn merge(turn: &mut Turn<'_>, call: &Call) -> Result<Value, Refusal> {
    let wanted = |name: &str| call.body.get(name).and_then(integer).ok_or(Refusal::NotFound);
    let (base, mergee) = (wanted("base_contact_id")?, wanted("mergee_contact_id")?);
    turn.contact(base)?;
    let other = turn.contact(mergee)?.clone();
    if base == mergee {
        return Err(Refusal::Unprocessable("contact does not belong to the account".to_owned()));
    }
    turn.account.contacts.remove(&mergee);
    let contact = turn.contact(base)?;
    contact.email = contact.email.take().or(other.email);
    contact.phone_number = contact.phone_number.take().or(other.phone_number);
    contact.identifier = contact.identifier.take().or(other.identifier);
    for (mine, theirs) in [
        (&mut contact.custom_attributes, other.custom_attributes),
        (&mut contact.additional_attributes, other.additional_attributes),
    ] {
        for (name, value) in theirs {
            mine.entry(name).or_insert(value);
        }
    }
    turn.account.contact_inboxes.values_mut().filter(|found| found.contact_id == mergee).for_each(|found| {
        found.contact_id = base;
    });
    turn.account.conversations.values_mut().filter(|found| found.contact_id == mergee).for_each(|found| {
        found.contact_id = base;
    });
    turn.tell_contact("contact_updated", base, &[]);
    let contact = turn.account.contacts.get(&base).ok_or(Refusal::NotFound)?;
    Ok(shape::contact(turn.account, contact, true))
}
