//! Out, first half: an agent's reply becomes a message with its outbox row, in one transaction.

mod check;
mod reaction;
mod recipient;
mod settle;

use frontdesk_channels::contract::Channel;
use frontdesk_model::capabilities::Capabilities;
use frontdesk_model::content::{ContactCard, Location, MediaKind, Payload, Template};
use frontdesk_model::conversation::{ConversationStatus, WindowState};
use frontdesk_model::message::{Direction, MessageKind, MessageStatus, SenderType};
use frontdesk_model::outbound::Interactive;
use frontdesk_model::{AccountId, AttachmentId, ConversationId, MessageId, Timestamp};
use frontdesk_store::attachments::{self, AttachmentRow};
use frontdesk_store::conversations::{self, ConversationRow};
use frontdesk_store::events::{EventKind, NewEvent};
use frontdesk_store::messages::{self, MessageRow, NewMessage};
use frontdesk_store::outbox::{self, NewWork, OutboxKind};
use frontdesk_store::{StoreError, Tx, reaction_sends};

use crate::caller::Actor;
use crate::inboxes::InboxBook;
use crate::media::{self, FileLink, LinkError, MediaStoreError, UploadError};
use crate::origin::Origin;
use crate::{Engine, inboxes};
use check::{Check, check_client_key, check_file, check_special, check_text};
pub use reaction::{NewReaction, react};
pub use recipient::Recipient;
pub use settle::{Verdict, settle};

/// How many files one reply may carry; each becomes a message of its own.
pub const MAX_FILES: usize = 10;
/// Who the server is when it writes by itself.
const ITSELF: &str = "Frontdesk";

/// What an agent wants to send.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reply {
    /// The text, or the caption of the files.
    pub content: Option<String>,
    /// Uploaded files.
    pub attachments: Vec<AttachmentId>,
    /// A file that is still at its address; goes without uploaded ones.
    pub link: Option<FileLink>,
    /// Something other than text and files.
    pub special: Option<Special>,
    /// The message it quotes.
    pub reply_to: Option<MessageId>,
    /// Made by the client: the same key is the same message.
    pub client_key: Option<String>,
    /// The newest message the agent had seen; newer replies of colleagues stop the send.
    pub last_seen: Option<MessageId>,
    /// Send although a colleague was faster.
    pub force: bool,
    /// Files go as documents, also pictures and films.
    pub as_document: bool,
}

impl Reply {
    /// The text as it is stored; `None` when there is nothing but white space.
    fn text(&self) -> Option<&str> {
        self.content.as_deref().map(str::trim_end).filter(|text| !text.trim().is_empty())
    }
}

/// Content other than text and files.
#[derive(Debug, Clone, PartialEq)]
pub enum Special {
    /// An approved template: possible outside the window.
    Template(Template),
    /// A place.
    Location(Location),
    /// Contact cards.
    Contacts(Vec<ContactCard>),
    /// Buttons or a list.
    Interactive(Interactive),
}

impl Special {
    fn kind(&self) -> MessageKind {
        match self {
            Self::Template(_) => MessageKind::Template,
            Self::Location(_) => MessageKind::Location,
            Self::Contacts(_) => MessageKind::Contacts,
            Self::Interactive(_) => MessageKind::Interactive,
        }
    }

    fn payload(&self) -> Payload {
        match self.clone() {
            Self::Template(template) => Payload { template: Some(template), ..Payload::default() },
            Self::Location(location) => Payload { location: Some(location), ..Payload::default() },
            Self::Contacts(contacts) => Payload { contacts, ..Payload::default() },
            Self::Interactive(interactive) => {
                Payload { interactive: serde_json::to_value(interactive).ok(), ..Payload::default() }
            }
        }
    }
}

/// Why a reply was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReplyError {
    /// There is no such conversation in this account.
    #[error("there is no such conversation")]
    NotFound,
    /// The conversation is closed.
    #[error("the conversation is closed; reopen it to reply")]
    Closed(ConversationId),
    /// Free text is not possible any more.
    #[error("the customer's last message is too old for a free reply")]
    WindowClosed {
        /// When the window closed; absent when the customer never wrote.
        expired_at: Option<Timestamp>,
        /// The channel has templates for this case.
        templates: bool,
    },
    /// Fields and what is wrong with them.
    #[error("the reply's data are not valid")]
    Invalid(Vec<(String, String)>),
    /// The client key belongs to a message with other content.
    #[error("this client key was used for another message")]
    KeyConflict(MessageId),
    /// Colleagues replied meanwhile.
    #[error("a newer reply exists")]
    Newer(Vec<MessageId>),
    /// The inbox of the conversation was removed.
    #[error("the inbox of this conversation was removed")]
    InboxGone,
    /// There is no such inbox in this account.
    #[error("there is no such inbox")]
    NoInbox,
    /// Nothing speaks against it yet, but its file has to be taken from its address first.
    #[error("the file is still at its address")]
    FileElsewhere,
    /// A file could not be kept.
    #[error("the file could not be kept")]
    NotKept(#[from] MediaStoreError),
    /// The message was not sent yet, so that the network has nothing to react to.
    #[error("the message has not been sent yet")]
    NotSentYet,
    /// Only an unknown or failed message can be settled or sent again.
    #[error("only a message that failed or whose fate is unknown can be sent again")]
    NotSettleable,
    /// The database failed.
    #[error("the reply could not be stored")]
    Store(#[from] StoreError),
}

/// A stored reply: one message per request to the provider. The first is the one answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The messages in the order in which they are sent.
    pub messages: Vec<MessageId>,
    /// False when the same client key had stored them before.
    pub new: bool,
}

/// Who writes.
#[derive(Debug, Clone)]
pub struct Author {
    /// For the audit and the account.
    pub actor: Actor,
    /// The name shown.
    pub name: String,
}

/// To whom somebody writes.
#[derive(Debug, Clone)]
pub enum To {
    /// Whoever a conversation is with.
    Conversation(ConversationId),
    /// Somebody known by number, who may never have written.
    Recipient(Recipient),
}

impl From<ConversationId> for To {
    fn from(id: ConversationId) -> Self {
        Self::Conversation(id)
    }
}

/// Stores a reply and queues it for sending.
pub async fn reply(
    engine: &Engine,
    author: Author,
    to: impl Into<To>,
    reply: Reply,
) -> Result<Stored, ReplyError> {
    let to = to.into();
    match store(engine, &author, &to, &reply).await {
        Err(ReplyError::FileElsewhere) => {}
        stored => return stored,
    }
    let Some(link) = &reply.link else { return Err(ReplyError::FileElsewhere) };
    let file = media::take_from(engine, author.actor, link).await.map_err(not_taken)?;
    store(engine, &author, &to, &Reply { attachments: vec![file.id], ..reply }).await
}

fn not_taken(error: LinkError) -> ReplyError {
    let sentence = match error {
        LinkError::Upload(UploadError::Store(error)) => return ReplyError::Store(error),
        LinkError::Upload(UploadError::NotKept(error)) => return ReplyError::NotKept(error),
        LinkError::Upload(error) => format!("The file cannot be sent: {error}."),
        error => error.to_string(),
    };
    ReplyError::Invalid(vec![("file.url".to_owned(), sentence)])
}

async fn store(engine: &Engine, author: &Author, to: &To, reply: &Reply) -> Result<Stored, ReplyError> {
    let book = inboxes::book(engine).await?;
    let (author, to, reply) = (author.clone(), to.clone(), reply.clone());
    let moment = Moment {
        content_max: engine.settings.content_max,
        sender: SenderType::Admin,
        now: engine.clock.now(),
        origin: Origin::current(),
    };
    let body = move |tx: &mut Tx<'_>| store_reply(tx, &book, &author, &to, &reply, &moment);
    let stored = engine.store.write(body).await?;
    // The line has the id of the request, and so have those of the sends that follow.
    let ids: Vec<i64> = stored.messages.iter().map(|id| id.0).collect();
    tracing::debug!(message.ids = ?ids, "a reply was queued");
    Ok(stored)
}

/// What a reply is stored under: one for all messages of it.
struct Moment {
    content_max: usize,
    sender: SenderType,
    now: Timestamp,
    origin: Origin,
}

/// Stores what the server says by itself, in a transaction that is under way.
pub(crate) fn store_by_itself(
    tx: &mut Tx<'_>,
    book: &InboxBook,
    to: (AccountId, ConversationId),
    text: String,
    content_max: usize,
    now: Timestamp,
) -> Result<Stored, ReplyError> {
    let (account, conversation) = to;
    let author = Author { actor: Actor::server(account), name: ITSELF.to_owned() };
    let reply = Reply { content: Some(text), ..Reply::default() };
    let moment = Moment { content_max, sender: SenderType::System, now, origin: Origin::default() };
    store_reply(tx, book, &author, &To::Conversation(conversation), &reply, &moment)
}

fn store_reply(
    tx: &mut Tx<'_>,
    book: &InboxBook,
    author: &Author,
    to: &To,
    reply: &Reply,
    moment: &Moment,
) -> Result<Stored, ReplyError> {
    let now = moment.now;
    let account = author.actor.account_id;
    let conversation = match to {
        To::Conversation(id) => *id,
        To::Recipient(recipient) => recipient::find_or_begin(tx, book, account, recipient, now)?,
    };
    // Of replies written at once each sees those before it: keys, newer messages and the order hold on every node.
    let row = conversations::find_locked(tx, account, conversation)?.ok_or(ReplyError::NotFound)?;
    if let Some(earlier) = find_earlier(tx, &row, reply)? {
        return Ok(Stored { messages: earlier, new: false });
    }
    if row.status == ConversationStatus::Closed {
        return Err(ReplyError::Closed(row.id));
    }
    let inbox = book.find(row.inbox_id).ok_or(ReplyError::InboxGone)?;
    let is_elsewhere = reply.link.is_some() && reply.attachments.is_empty();
    let parts =
        if is_elsewhere { Vec::new() } else { plan(tx, &row, inbox.channel, reply, moment.content_max)? };
    let is_template = matches!(reply.special, Some(Special::Template(_)));
    check_window(&row, inbox.channel.capabilities(), is_template, now)?;
    check_newer(tx, &row, reply)?;
    let quoted = find_quoted(tx, &row, reply)?;
    if is_elsewhere {
        return Err(ReplyError::FileElsewhere);
    }
    let mut stored = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        stored.push(store_part(tx, author, &row, part, quoted.as_ref(), reply, index, moment)?);
    }
    Ok(Stored { messages: stored, new: true })
}

/// One message of a reply.
struct Part {
    kind: MessageKind,
    content: Option<String>,
    payload: Payload,
    /// The file, and as what it is shown.
    file: Option<(AttachmentId, MediaKind)>,
}

/// The key of one message of a reply: one key stands for the whole, the first message carries it.
fn key_of_part(key: &str, index: usize) -> String {
    // No key of a client holds a control character, so that the two never meet.
    if index == 0 { key.to_owned() } else { format!("{key}\u{1f}{index}") }
}

/// The messages an earlier request with the same key stored.
fn find_earlier(
    tx: &mut Tx<'_>,
    row: &ConversationRow,
    reply: &Reply,
) -> Result<Option<Vec<MessageId>>, ReplyError> {
    let Some(key) = reply.client_key.as_deref() else { return Ok(None) };
    if let Some(send) = reaction_sends::find_by_client_key(tx, row.account_id, row.id, key)? {
        return Err(ReplyError::KeyConflict(send.message_id));
    }
    let (mut earlier, mut files) = (Vec::new(), Vec::new());
    while let Some(message) =
        messages::find_by_client_key(tx, row.account_id, row.id, &key_of_part(key, earlier.len()))?
    {
        files.extend(attachments::of_message(tx, row.account_id, message.id)?);
        earlier.push(message);
    }
    let Some(first) = earlier.first() else { return Ok(None) };
    if is_same(tx, &earlier, &files, reply)? {
        Ok(Some(earlier.iter().map(|message| message.id).collect()))
    } else {
        Err(ReplyError::KeyConflict(first.id))
    }
}

fn is_same(
    tx: &mut Tx<'_>,
    earlier: &[MessageRow],
    files: &[AttachmentRow],
    reply: &Reply,
) -> Result<bool, StoreError> {
    if let Some(special) = &reply.special {
        let (kind, payload) = (special.kind(), special.payload());
        let is_special =
            |m: &MessageRow| m.kind == kind && Payload { answers: None, ..m.payload.clone() } == payload;
        return Ok(earlier.iter().all(is_special));
    }
    let said = earlier.iter().find_map(|message| message.content.as_deref());
    if said != reply.text() {
        return Ok(false);
    }
    if let Some(link) = &reply.link {
        let address = |file: &AttachmentRow| file.source.as_ref().and_then(|source| source.url.clone());
        return Ok(matches!(files, [file] if address(file).as_deref() == Some(link.url.as_str())));
    }
    if files.len() != reply.attachments.len() {
        return Ok(false);
    }
    for (file, id) in files.iter().zip(&reply.attachments) {
        // A form that is sent again brings its file again: another row of the same bytes.
        if file.id == *id {
            continue;
        }
        let other = attachments::find(tx, file.account_id, *id)?;
        if other.is_none_or(|other| other.sha256 != file.sha256) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Splits a reply into messages and checks each against what the channel can carry.
fn plan(
    tx: &mut Tx<'_>,
    row: &ConversationRow,
    channel: &dyn Channel,
    reply: &Reply,
    content_max: usize,
) -> Result<Vec<Part>, ReplyError> {
    let can = channel.capabilities();
    let label = channel.info().label;
    let mut wrong = Check::default();
    check_client_key(&mut wrong, reply.client_key.as_deref());
    let content = reply.text();
    if let Some(special) = &reply.special {
        if !reply.attachments.is_empty() {
            wrong.add("attachments", "Files go with text only: send them apart.".to_owned());
        }
        check_special(&mut wrong, can, label, special);
        wrong.done()?;
        let text = content.map(str::to_owned).or_else(|| summary(special));
        return Ok(vec![Part {
            kind: special.kind(),
            content: text,
            payload: special.payload(),
            file: None,
        }]);
    }
    if content.is_none() && reply.attachments.is_empty() {
        wrong.add("content", "The content field is required.".to_owned());
        if reply.content.is_some() {
            wrong.add("content", "The content field must be at least 1 characters.".to_owned());
        }
    }
    if let Some(text) = content {
        check_text(&mut wrong, can, label, text, content_max);
    }
    if reply.attachments.len() > MAX_FILES {
        wrong.add("attachments", format!("The attachments field may have at most {MAX_FILES} files."));
    }
    wrong.done()?;
    let mut parts = Vec::new();
    let mut caption = content.map(str::to_owned);
    for id in &reply.attachments {
        let file = attachments::find(tx, row.account_id, *id)?;
        let Some(file) = check_file(&mut wrong, can, label, *id, file, reply.as_document) else { continue };
        let takes_caption = !matches!(file.kind, MediaKind::Audio | MediaKind::Voice | MediaKind::Sticker);
        let fits = caption.as_deref().is_some_and(|c| takes_caption && c.chars().count() <= can.caption_max);
        let own_caption = if fits { caption.take() } else { None };
        parts.push(Part {
            kind: file.kind.message_kind(),
            content: own_caption,
            payload: Payload::default(),
            file: Some((*id, file.kind)),
        });
    }
    wrong.done()?;
    if let Some(text) = caption {
        parts.push(Part {
            kind: MessageKind::Text,
            content: Some(text),
            payload: Payload::default(),
            file: None,
        });
    }
    Ok(parts)
}

fn summary(special: &Special) -> Option<String> {
    match special {
        Special::Interactive(i) => Some(i.body.clone()),
        Special::Location(l) => l.name.clone(),
        Special::Contacts(cards) => {
            Some(cards.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", "))
        }
        Special::Template(t) => template_text(t),
    }
}

/// The variables of a template's body on one line: the approved text itself is with the provider.
fn template_text(template: &Template) -> Option<String> {
    let texts: Vec<&str> = template
        .components
        .iter()
        .filter(|c| c["type"].as_str().is_some_and(|t| t.eq_ignore_ascii_case("body")))
        .filter_map(|c| c["parameters"].as_array())
        .flatten()
        .filter_map(|p| p["text"].as_str())
        .collect();
    if texts.is_empty() { None } else { Some(texts.join(" · ")) }
}

fn check_window(
    row: &ConversationRow,
    can: &Capabilities,
    is_template: bool,
    now: Timestamp,
) -> Result<(), ReplyError> {
    if is_template {
        return Ok(());
    }
    // A person may answer longer where the channel has a tag for it.
    let reach = can.reply_window.map(|w| frontdesk_model::capabilities::ReplyWindow {
        duration_ms: w.extended_ms.unwrap_or(w.duration_ms),
        extended_ms: None,
    });
    match WindowState::at(reach, row.last_inbound_at, now) {
        WindowState::Closed { expires_at } => {
            Err(ReplyError::WindowClosed { expired_at: expires_at, templates: can.templates })
        }
        _ => Ok(()),
    }
}

fn check_newer(tx: &mut Tx<'_>, row: &ConversationRow, reply: &Reply) -> Result<(), ReplyError> {
    let Some(last_seen) = reply.last_seen.filter(|_| !reply.force) else { return Ok(()) };
    let newer = messages::newer_outbound(tx, row.account_id, row.id, last_seen)?;
    if newer.is_empty() { Ok(()) } else { Err(ReplyError::Newer(newer.into_iter().map(|m| m.id).collect())) }
}

fn find_quoted(
    tx: &mut Tx<'_>,
    row: &ConversationRow,
    reply: &Reply,
) -> Result<Option<MessageRow>, ReplyError> {
    let Some(id) = reply.reply_to else { return Ok(None) };
    let found = messages::find(tx, row.account_id, id)?.filter(|m| m.conversation_id == row.id);
    let missing = || {
        let message = "The selected message is not part of this conversation.".to_owned();
        ReplyError::Invalid(vec![("reply_to_message_id".to_owned(), message)])
    };
    found.ok_or_else(missing).map(Some)
}

/// Stores and queues one message of a reply.
#[expect(clippy::too_many_arguments, reason = "the parts of one row")]
fn store_part(
    tx: &mut Tx<'_>,
    author: &Author,
    row: &ConversationRow,
    part: &Part,
    quoted: Option<&MessageRow>,
    reply: &Reply,
    index: usize,
    moment: &Moment,
) -> Result<MessageId, ReplyError> {
    let now = moment.now;
    let client_ref = new_client_ref();
    let quoted = quoted.filter(|_| index == 0);
    let answers = quoted.filter(|quoted| quoted.remote_id.is_none()).map(|quoted| quoted.id);
    let key = reply.client_key.as_ref().map(|key| key_of_part(key, index));
    let inserted = messages::insert(
        tx,
        &NewMessage {
            account_id: row.account_id,
            inbox_id: row.inbox_id,
            conversation_id: row.id,
            contact_id: row.contact_id,
            direction: Direction::Outbound,
            sender_type: moment.sender,
            sender_id: author.actor.user_id,
            sender_name: Some(&author.name),
            kind: part.kind,
            content: part.content.as_deref(),
            payload: &Payload { answers, ..part.payload.clone() },
            remote_id: None,
            client_key: key.as_deref(),
            client_ref: Some(&client_ref),
            reply_to: quoted.and_then(|q| q.remote_id.as_ref()),
            forwarded: false,
            status: MessageStatus::Queued,
            sent_at: now,
            read_at: None,
        },
        now,
    )?;
    // The conversation is locked and the key was not there.
    let id = inserted.ok_or_else(|| StoreError::Unavailable("a reply could not be inserted".to_owned()))?;
    if let Some((file, kind)) = part.file
        && !attachments::attach(tx, row.account_id, file, id, row.inbox_id, kind)?
    {
        let message = format!("The uploaded file {file} is part of another message.");
        return Err(ReplyError::Invalid(vec![("attachments".to_owned(), message)]));
    }
    queue(tx, row, id, &moment.origin, now)?;
    conversations::record_outbound(tx, row.account_id, row.id, id, now, now)?;
    tx.emit(NewEvent {
        account_id: row.account_id,
        kind: EventKind::MessageReceived,
        conversation_id: Some(row.id),
        message_id: Some(id),
        data: None,
    });
    Ok(id)
}

fn queue(
    tx: &mut Tx<'_>,
    row: &ConversationRow,
    message: MessageId,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), StoreError> {
    let work = NewWork {
        account_id: row.account_id,
        inbox_id: row.inbox_id,
        conversation_id: row.id,
        message_id: Some(message),
        kind: OutboxKind::Message,
        data: None,
        request_id: origin.request_id.as_deref(),
        trace_parent: origin.trace_parent.as_deref(),
    };
    outbox::insert(tx, work, now)
}

fn new_client_ref() -> String {
    format!("fd-{:032x}", rand::random::<u128>())
}
