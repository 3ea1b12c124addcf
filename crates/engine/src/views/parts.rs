//! What belongs to messages beside their rows, asked for all at once: a page would otherwise be a hundred questions.

use std::collections::HashMap;

use frontdesk_model::message::MessageKind;
use frontdesk_model::{AccountId, InboxId, MessageId, RemoteId};
use frontdesk_store::attachments::{self, AttachmentRow};
use frontdesk_store::messages::{self, MessageRow};
use frontdesk_store::reactions::{self, ReactionRow};
use frontdesk_store::{StoreError, Tx};

use super::people::People;

/// The parts of some messages.
#[derive(Default)]
pub(super) struct Parts {
    pub people: People,
    files: HashMap<MessageId, Vec<AttachmentRow>>,
    reactions: HashMap<MessageId, Vec<ReactionRow>>,
    quoted: HashMap<MessageId, MessageRow>,
    quoted_remotes: HashMap<(InboxId, RemoteId), MessageRow>,
}

impl Parts {
    pub fn read(tx: &mut Tx<'_>, account: AccountId, rows: &[MessageRow]) -> Result<Self, StoreError> {
        let shown = || rows.iter().filter(|row| row.deleted_at.is_none());
        let remotes = rows.iter().filter_map(|row| Some((account, row.inbox_id, row.reply_to.clone()?)));
        let remotes = messages::find_many_by_remote(tx, remotes)?.into_iter();
        let own = rows.iter().filter(|row| row.reply_to.is_none()).filter_map(|row| row.payload.answers);
        let own = messages::find_many(tx, account, own)?.into_iter();
        Ok(Self {
            people: People::read(tx, account, rows.iter().map(|row| row.contact_id))?,
            files: attachments::of_messages(
                tx,
                account,
                shown().filter(|row| may_have_files(row.kind)).map(|row| row.id),
            )?,
            reactions: reactions::list_many(tx, account, shown().map(|row| row.id))?,
            quoted: own.map(|row| (row.id, row)).collect(),
            quoted_remotes: remotes
                .filter_map(|row| Some(((row.inbox_id, row.remote_id.clone()?), row)))
                .collect(),
        })
    }

    pub fn files(&self, message: MessageId) -> &[AttachmentRow] {
        self.files.get(&message).map_or(&[], Vec::as_slice)
    }

    pub fn reactions(&mut self, message: MessageId) -> Vec<ReactionRow> {
        self.reactions.remove(&message).unwrap_or_default()
    }

    /// Whether a message answers another one, and that one if it is here.
    pub fn quoted(&self, row: &MessageRow) -> Option<Option<&MessageRow>> {
        match (&row.reply_to, row.payload.answers) {
            (Some(remote), _) => Some(self.quoted_remotes.get(&(row.inbox_id, remote.clone()))),
            (None, Some(id)) => Some(self.quoted.get(&id)),
            (None, None) => None,
        }
    }
}

fn may_have_files(kind: MessageKind) -> bool {
    !matches!(kind, MessageKind::Text | MessageKind::System | MessageKind::Location | MessageKind::Contacts)
}
