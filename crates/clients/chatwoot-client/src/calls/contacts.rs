//! People outside.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    ChatwootClient, ChatwootError, ErrorCode, Page,
    client::{Class, Repeat},
    envelope::{many, one, strip_secrets},
    filter::Filter,
    model::{Contact, ContactChanges, ContactInbox, ContactRef, Conversation, CreatedContact, NewContact},
};

/// Which contacts a list is of. Without a sort Chatwoot's pages overlap, so one is always given.
#[derive(Debug, Clone, Default)]
pub struct ContactQuery {
    /// Page, from 1; 15 on each.
    pub page: Option<u32>,
    /// `name`, `email`, `phone_number`, `last_activity_at`, `created_at`; with `-` backwards. `created_at` if not given.
    pub sort: Option<String>,
    /// With one of these labels.
    pub labels: Vec<String>,
    /// With their names in inboxes, which costs the server more.
    pub with_inboxes: bool,
}

impl ContactQuery {
    /// A page in the order of making.
    pub fn page(page: u32) -> Self {
        Self { page: Some(page), ..Self::default() }
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![
            ("page", self.page.unwrap_or(1).max(1).to_string()),
            ("sort", self.sort.clone().unwrap_or_else(|| "created_at".to_owned())),
            ("include_contact_inboxes", self.with_inboxes.to_string()),
        ];
        pairs.extend(self.labels.iter().map(|label| ("labels[]", label.clone())));
        pairs
    }
}

impl ChatwootClient {
    /// One contact.
    pub async fn get_contact(&self, id: i64) -> Result<Contact, ChatwootError> {
        let answer = self.get("get_contact", self.contacts_url(&[&id.to_string()]), &[]).await;
        answer.and_then(one).map_err(|error| error.within("contact_id", id))
    }

    /// A page of contacts that have an e-mail, number or identifier; Chatwoot lists no others.
    pub async fn list_contacts(&self, query: &ContactQuery) -> Result<Page<Contact>, ChatwootError> {
        many(self.get("list_contacts", self.contacts_url(&[]), &query.pairs()).await?)
    }

    /// A page of contacts with these letters in name, e-mail, number or identifier.
    pub async fn search_contacts(&self, words: &str, page: u32) -> Result<Page<Contact>, ChatwootError> {
        let query =
            [("q", words.to_owned()), ("page", page.max(1).to_string()), ("sort", "created_at".to_owned())];
        many(self.get_in(Class::Search, "search_contacts", self.contacts_url(&["search"]), &query).await?)
    }

    /// A page of the contacts that conditions fit.
    pub async fn filter_contacts(&self, filter: &Filter, page: u32) -> Result<Page<Contact>, ChatwootError> {
        let mut url = self.contacts_url(&["filter"]);
        url.query_pairs_mut().append_pair("page", &page.max(1).to_string());
        many(self.write("filter_contacts", Repeat::Harmless, Method::POST, url, filter).await?)
    }

    /// The contact with exactly this e-mail, number or identifier.
    pub async fn find_contact(&self, wanted: ContactRef<'_>) -> Result<Option<Contact>, ChatwootError> {
        let (field, value) = wanted.parts();
        let page = self.filter_contacts(&Filter::equal(field, value), 1).await?;
        // Chatwoot compares numbers without their `+`.
        let plain = |text: &str| text.trim_start_matches('+').to_lowercase();
        let same = |contact: &Contact| {
            let theirs = match wanted {
                ContactRef::Identifier(_) => &contact.identifier,
                ContactRef::Email(_) => &contact.email,
                ContactRef::Phone(_) => &contact.phone_number,
            };
            theirs.as_deref().is_some_and(|theirs| plain(theirs) == plain(value))
        };
        Ok(page.data.into_iter().find(same))
    }

    /// Makes a contact.
    ///
    /// Errors: `CONFLICT` when another has its e-mail, number or identifier ([`Self::find_contact`] tells which). When the
    /// answer is lost, the contact is looked up by its identifier, e-mail or number before the error is handed on.
    pub async fn create_contact(&self, new: &NewContact) -> Result<CreatedContact, ChatwootError> {
        let url = self.contacts_url(&[]);
        let error = match self.write("create_contact", Repeat::IfCertain, Method::POST, url, new).await {
            Ok(answer) => return created(answer),
            Err(error) => error,
        };
        if error.certain() {
            return Err(error);
        }
        let Some(reference) = new.reference() else { return Err(error) };
        match self.find_contact(reference).await {
            Ok(Some(contact)) => Ok(CreatedContact { contact, contact_inbox: None }),
            Ok(None) | Err(_) => Err(error),
        }
    }

    /// Makes a contact, or changes the one that has its e-mail, number or identifier already.
    pub async fn create_or_update_contact(&self, new: &NewContact) -> Result<Contact, ChatwootError> {
        let error = match self.create_contact(new).await {
            Ok(created) => return Ok(created.contact),
            Err(error) if error.code() == ErrorCode::Conflict => error,
            Err(error) => return Err(error),
        };
        let references = [
            new.identifier.as_deref().map(ContactRef::Identifier),
            new.email.as_deref().map(ContactRef::Email),
            new.phone_number.as_deref().map(ContactRef::Phone),
        ];
        for reference in references.into_iter().flatten() {
            if let Some(found) = self.find_contact(reference).await? {
                let changes = ContactChanges {
                    name: new.name.clone(),
                    email: new.email.clone().map(Some),
                    phone_number: new.phone_number.clone().map(Some),
                    identifier: new.identifier.clone().map(Some),
                    avatar_url: new.avatar_url.clone(),
                    blocked: new.blocked,
                    custom_attributes: new.custom_attributes.clone(),
                    additional_attributes: new.additional_attributes.clone(),
                };
                return self.update_contact(found.id, &changes).await;
            }
        }
        Err(error)
    }

    /// Changes a contact. Attributes are merged; see [`Self::remove_contact_attributes`].
    pub async fn update_contact(&self, id: i64, changes: &ContactChanges) -> Result<Contact, ChatwootError> {
        let url = self.contacts_url(&[&id.to_string()]);
        let answer = self.write("update_contact", Repeat::Harmless, Method::PUT, url, changes).await;
        answer.and_then(one).map_err(|error| error.within("contact_id", id))
    }

    /// Takes custom attributes away.
    pub async fn remove_contact_attributes(
        &self,
        id: i64,
        names: &[String],
    ) -> Result<Contact, ChatwootError> {
        let url = self.contacts_url(&[&id.to_string(), "destroy_custom_attributes"]);
        let body = json!({"custom_attributes": names});
        one(self.write("remove_contact_attributes", Repeat::Harmless, Method::POST, url, &body).await?)
    }

    /// Deletes a contact with its conversations. An administrator's token is needed.
    pub async fn delete_contact(&self, id: i64) -> Result<(), ChatwootError> {
        self.remove("delete_contact", self.contacts_url(&[&id.to_string()])).await
    }

    /// Makes one of two: `mergee` goes, what it had is `base`'s.
    pub async fn merge_contacts(&self, base: i64, mergee: i64) -> Result<Contact, ChatwootError> {
        let body = json!({"base_contact_id": base, "mergee_contact_id": mergee});
        let url = self.account_url(&["actions", "contact_merge"]);
        one(self.write("merge_contacts", Repeat::IfCertain, Method::POST, url, &body).await?)
    }

    /// A contact's last 20 conversations.
    pub async fn contact_conversations(&self, id: i64) -> Result<Vec<Conversation>, ChatwootError> {
        let url = self.contacts_url(&[&id.to_string(), "conversations"]);
        Ok(many(self.get("contact_conversations", url, &[]).await?)?.data)
    }

    /// Puts a contact into an inbox, by the name it has there.
    pub async fn add_contact_to_inbox(
        &self,
        id: i64,
        inbox_id: i64,
        source_id: Option<&str>,
    ) -> Result<ContactInbox, ChatwootError> {
        let url = self.contacts_url(&[&id.to_string(), "contact_inboxes"]);
        let body = json!({"inbox_id": inbox_id, "source_id": source_id});
        one(self.write("add_contact_to_inbox", Repeat::IfCertain, Method::POST, url, &body).await?)
    }

    /// Labels of a contact.
    pub async fn contact_labels(&self, id: i64) -> Result<Vec<String>, ChatwootError> {
        let url = self.contacts_url(&[&id.to_string(), "labels"]);
        Ok(many(self.get("contact_labels", url, &[]).await?)?.data)
    }

    /// Replaces the labels of a contact.
    pub async fn set_contact_labels(&self, id: i64, labels: &[String]) -> Result<Vec<String>, ChatwootError> {
        let url = self.contacts_url(&[&id.to_string(), "labels"]);
        let body = json!({"labels": labels});
        Ok(many(self.write("set_contact_labels", Repeat::Harmless, Method::POST, url, &body).await?)?.data)
    }
}

fn created(mut answer: Value) -> Result<CreatedContact, ChatwootError> {
    strip_secrets(&mut answer);
    let contact_inbox = answer
        .pointer("/payload/contact_inbox")
        .filter(|found| found.get("source_id").is_some())
        .and_then(|found| serde_json::from_value(found.clone()).ok());
    Ok(CreatedContact { contact: one(answer)?, contact_inbox })
}
