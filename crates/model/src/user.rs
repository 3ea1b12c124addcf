//! Someone who signs in, and what they or their tokens may do.

crate::words! {
    /// What a user may do.
    pub enum Role {
        /// Answers customers.
        Agent = "agent",
        /// Also manages inboxes, users and tokens.
        Admin = "admin",
    }
}

crate::words! {
    /// What an API token may do; never more than its user.
    pub enum Ability {
        /// Everything its user may.
        All = "*",
        /// Read conversations and contacts.
        InboxRead = "inbox:read",
        /// Also reply, mark and change them.
        InboxWrite = "inbox:write",
        /// Manage inboxes, users and tokens, for an admin's token.
        Admin = "admin",
    }
}
