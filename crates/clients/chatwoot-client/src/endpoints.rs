//! Paths, which may be set, and the account's prefix, which they may lack.

use std::sync::Once;

/// Paths as templates with `{account_id}` and `{conversation_id}`. Those without an account get Chatwoot's own prefix:
/// `/api/v1/conversations` becomes `/api/v1/accounts/{account_id}/conversations`, which is the only one that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Conversations.
    pub conversations: String,
    /// Messages of a conversation.
    pub messages: String,
    /// Contacts.
    pub contacts: String,
    /// Accounts; the rest of an account (inboxes, labels, agents, webhooks) is below it too.
    pub accounts: String,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            conversations: "/api/v1/accounts/{account_id}/conversations".to_owned(),
            messages: "/api/v1/accounts/{account_id}/conversations/{conversation_id}/messages".to_owned(),
            contacts: "/api/v1/accounts/{account_id}/contacts".to_owned(),
            accounts: "/api/v1/accounts".to_owned(),
        }
    }
}

const ACCOUNT: &str = "{account_id}";
const CONVERSATION: &str = "{conversation_id}";

impl Endpoints {
    pub(crate) fn conversations(&self, account_id: i64) -> Vec<String> {
        filled(&with_account(&self.conversations), account_id, None)
    }

    pub(crate) fn messages(&self, account_id: i64, conversation_id: i64) -> Vec<String> {
        let template = if self.messages.contains(CONVERSATION) {
            with_account(&self.messages)
        } else {
            let (before, last) = self.messages.trim_end_matches('/').rsplit_once('/').unwrap_or_default();
            let before = before.trim_end_matches("/conversations");
            with_account(&format!("{before}/conversations/{CONVERSATION}/{last}"))
        };
        filled(&template, account_id, Some(conversation_id))
    }

    pub(crate) fn contacts(&self, account_id: i64) -> Vec<String> {
        filled(&with_account(&self.contacts), account_id, None)
    }

    pub(crate) fn account(&self, account_id: i64) -> Vec<String> {
        let template = self.accounts.trim_end_matches('/');
        let template =
            if template.contains(ACCOUNT) { template.to_owned() } else { format!("{template}/{ACCOUNT}") };
        filled(&template, account_id, None)
    }
}

/// Puts the account in before what `/api/v1` is followed by.
fn with_account(template: &str) -> String {
    static WARNED: Once = Once::new();
    if template.contains(ACCOUNT) {
        return template.to_owned();
    }
    WARNED.call_once(|| {
        tracing::warn!(path = template, "A path of Chatwoot lacks /accounts/{{account_id}}; it is put in");
    });
    let rest = template.strip_prefix("/api/v1").unwrap_or(template);
    format!("/api/v1/accounts/{ACCOUNT}{rest}")
}

fn filled(template: &str, account_id: i64, conversation_id: Option<i64>) -> Vec<String> {
    let path = template.replace(ACCOUNT, &account_id.to_string());
    let path = path.replace(CONVERSATION, &conversation_id.unwrap_or_default().to_string());
    path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_without_an_account_get_one() {
        let old = Endpoints {
            conversations: "/api/v1/conversations".to_owned(),
            messages: "/api/v1/messages".to_owned(),
            contacts: "/api/v1/contacts".to_owned(),
            accounts: "/api/v1/accounts".to_owned(),
        };
        for endpoints in [old, Endpoints::default()] {
            assert_eq!(endpoints.conversations(7).join("/"), "api/v1/accounts/7/conversations");
            assert_eq!(endpoints.messages(7, 12).join("/"), "api/v1/accounts/7/conversations/12/messages");
            assert_eq!(endpoints.contacts(7).join("/"), "api/v1/accounts/7/contacts");
            assert_eq!(endpoints.account(7).join("/"), "api/v1/accounts/7");
        }
    }

    #[test]
    fn a_proxys_own_paths_are_taken_as_they_are() {
        let endpoints = Endpoints {
            messages: "/crm/{account_id}/talks/{conversation_id}/lines".to_owned(),
            ..Endpoints::default()
        };
        assert_eq!(endpoints.messages(7, 12).join("/"), "crm/7/talks/12/lines");
    }
}
