//! Who somebody is: WhatsApp names people by number (`628…@s.whatsapp.net`), by an id of its own (`…@lid`), or now the one and now the
//! other. A chat is named by the number where it is known, so that one person stays one chat.

use frontdesk_channels::linked_whatsapp::address;
use frontdesk_model::contact::ContactHint;
use frontdesk_model::outbound::Recipient;
use whatsapp_rust::wacore::types::message::MessageSource;
use whatsapp_rust::wacore_binary::JidExt as _;
use whatsapp_rust::{Client, Jid};

/// The longest name that is taken over, in characters.
const MAX_NAME: usize = 255;

/// The other side of a thread.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Party {
    /// The chat.
    pub(crate) thread: String,
    /// Who it is.
    pub(crate) hint: ContactHint,
    /// Who of a group wrote.
    pub(crate) author: Option<String>,
    /// The id and the number (E.164) that are one person, where both were told.
    pub(crate) mapping: Option<(String, String)>,
}

/// Both names of somebody.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Names {
    /// The number, digits.
    pub(crate) digits: Option<String>,
    /// `…@lid`.
    pub(crate) lid: Option<String>,
}

impl Names {
    /// The names among these.
    pub(crate) fn of<'j>(jids: impl IntoIterator<Item = &'j Jid>) -> Self {
        let mut names = Self::default();
        for jid in jids {
            if jid.is_pn() && names.digits.is_none() {
                names.digits = Some(jid.user_base().to_owned());
            } else if jid.is_lid() && names.lid.is_none() {
                names.lid = Some(format!("{}@lid", jid.user_base()));
            }
        }
        names
    }

    /// The number in E.164.
    pub(crate) fn phone(&self) -> Option<String> {
        address::identities(self.digits.as_deref(), None).into_iter().next().map(|identity| identity.value)
    }

    fn thread(&self) -> Option<String> {
        self.digits.as_deref().map(address::of_phone).or_else(|| self.lid.clone())
    }
}

/// The other side of the chat that something happened in; `None` for chats that nobody is behind (statuses, channels, broadcasts).
/// `push_name`: what the writer calls themselves.
pub(crate) async fn party(client: &Client, source: &MessageSource, push_name: &str) -> Option<Party> {
    let chat = &source.chat;
    if chat.is_group() {
        let thread = chat.to_non_ad_string();
        let hint = ContactHint { identities: address::identities(None, Some(&thread)), name: None };
        let author = (!source.is_from_me).then(|| author(source, push_name)).flatten();
        return Some(Party { thread, hint, author, mapping: None });
    }
    if !chat.is_pn() && !chat.is_lid() {
        return None;
    }
    let others: Vec<&Jid> = if source.is_from_me {
        [Some(chat), source.recipient.as_ref(), source.recipient_alt.as_ref()].into_iter().flatten().collect()
    } else {
        [Some(chat), Some(&source.sender), source.sender_alt.as_ref()].into_iter().flatten().collect()
    };
    let told = Names::of(others);
    let names = complete(client, told).await;
    let mapping = names.lid.clone().zip(names.phone());
    let name = (!source.is_from_me).then(|| name(push_name)).flatten();
    let identities = address::identities(names.digits.as_deref(), names.lid.as_deref());
    Some(Party { thread: names.thread()?, hint: ContactHint { identities, name }, author: None, mapping })
}

/// The other name of somebody, as far as this session has heard of it.
pub(crate) async fn complete(client: &Client, mut names: Names) -> Names {
    if names.digits.is_some() && names.lid.is_some() {
        return names;
    }
    let Some(known) = names.thread().and_then(|thread| thread.parse::<Jid>().ok()) else { return names };
    if let Ok(Some(entry)) = client.get_lid_pn_entry(&known).await {
        names.digits.get_or_insert_with(|| entry.phone_number.to_string());
        names.lid.get_or_insert_with(|| format!("{}@lid", entry.lid));
    }
    names
}

fn author(source: &MessageSource, push_name: &str) -> Option<String> {
    let names = Names::of([Some(&source.sender), source.sender_alt.as_ref()].into_iter().flatten());
    name(push_name).or_else(|| names.phone())
}

/// A name that somebody gave themselves, as far as it is shown.
pub(crate) fn name(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.chars().take(MAX_NAME).collect())
}

/// The chat to write to.
pub(crate) fn chat_of(to: &Recipient) -> Option<Jid> {
    let jid: Jid = to.thread.parse().ok()?;
    (!jid.user.is_empty() && (jid.is_pn() || jid.is_lid() || jid.is_group())).then_some(jid)
}
