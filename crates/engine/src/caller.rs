//! Who makes a request, and what they may do.

use frontdesk_model::user::{Ability, Role};
use frontdesk_model::{AccountId, TokenId, UserId};

/// A user who signed in, or a program holding one of their tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Where they belong: every query of theirs is bound to it.
    pub account_id: AccountId,
    /// Its name.
    pub account_name: String,
    /// Who they are.
    pub user_id: UserId,
    /// Their e-mail address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// The token they came with; `None` for the cookie of the page.
    pub token: Option<CallerToken>,
}

/// The token a program came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerToken {
    /// Its id.
    pub id: TokenId,
    /// What it may do, within what its user may.
    pub abilities: Vec<Ability>,
}

impl Caller {
    /// True when both the role and the token (if any) allow it.
    pub fn may(&self, ability: Ability) -> bool {
        let by_role = ability != Ability::Admin || self.role == Role::Admin;
        let by_token = self.token.as_ref().is_none_or(|t| t.abilities.iter().any(|a| covers(*a, ability)));
        by_role && by_token
    }

    /// Who the audit trail names.
    pub fn actor(&self) -> Actor {
        Actor {
            account_id: self.account_id,
            user_id: Some(self.user_id),
            token_id: self.token.as_ref().map(|t| t.id),
        }
    }
}

fn covers(held: Ability, wanted: Ability) -> bool {
    held == Ability::All || held == wanted || (held == Ability::InboxWrite && wanted == Ability::InboxRead)
}

/// Whoever changes something: a user, or the server itself and its command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    /// In which account.
    pub account_id: AccountId,
    /// Who; `None` for the server itself and its command line.
    pub user_id: Option<UserId>,
    /// With which token.
    pub token_id: Option<TokenId>,
}

impl Actor {
    /// The server itself, or its command line.
    pub fn server(account_id: AccountId) -> Self {
        Self { account_id, user_id: None, token_id: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(role: Role, abilities: Option<&[Ability]>) -> Caller {
        Caller {
            account_id: AccountId(1),
            account_name: "Hotel".to_owned(),
            user_id: UserId(1),
            email: "ada@example.org".to_owned(),
            name: "Ada".to_owned(),
            role,
            token: abilities.map(|a| CallerToken { id: TokenId(1), abilities: a.to_vec() }),
        }
    }

    #[test]
    fn a_token_never_allows_more_than_its_user_and_its_abilities() {
        use Ability::{Admin, All, InboxRead, InboxWrite};
        let allowed = |role, abilities| {
            let caller = caller(role, abilities);
            [All, InboxRead, InboxWrite, Admin].map(|a| caller.may(a))
        };
        assert_eq!(allowed(Role::Admin, None), [true, true, true, true]);
        assert_eq!(allowed(Role::Agent, None), [true, true, true, false]);
        assert_eq!(allowed(Role::Admin, Some(&[All])), [true, true, true, true]);
        assert_eq!(allowed(Role::Agent, Some(&[All])), [true, true, true, false]);
        assert_eq!(allowed(Role::Admin, Some(&[InboxRead])), [false, true, false, false]);
        assert_eq!(allowed(Role::Admin, Some(&[InboxWrite])), [false, true, true, false]);
        assert_eq!(allowed(Role::Admin, Some(&[Admin])), [false, false, false, true]);
        assert_eq!(allowed(Role::Agent, Some(&[Admin])), [false, false, false, false]);
        assert_eq!(allowed(Role::Admin, Some(&[])), [false, false, false, false]);
    }
}
