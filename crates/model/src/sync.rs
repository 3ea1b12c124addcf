//! Programs beside Frontdesk that hold the same people, and what is kept in step with them.

crate::words! {
    /// Which program.
    pub enum SyncProvider {
        /// Chatwoot, one account there.
        Chatwoot = "chatwoot",
    }
}

crate::words! {
    /// How a connection does.
    pub enum SyncConnectionStatus {
        /// It worked when it was last tried.
        Connected = "connected",
        /// It did not work when it was last tried; `error` says why.
        Error = "error",
        /// Switched off by a person.
        Paused = "paused",
    }
}

crate::words! {
    /// What is kept in step.
    pub enum SyncEntity {
        /// People outside.
        Contacts = "contacts",
        /// Threads with them, their messages and files.
        Conversations = "conversations",
        /// What an inbox had before its bridge: those who wrote, and what was written.
        History = "history",
    }
}

crate::words! {
    /// Which way.
    pub enum SyncDirection {
        /// From the other program to here.
        Pull = "pull",
        /// From here to the other program.
        Push = "push",
    }
}

crate::words! {
    /// How far a run is.
    pub enum SyncRunStatus {
        /// It waits for a node.
        Queued = "queued",
        /// A node works on it, or takes it up again soon.
        Running = "running",
        /// It came to its end.
        Completed = "completed",
        /// It cannot go on; `error` says why. It may be resumed.
        Failed = "failed",
        /// A person stopped it. It may be resumed.
        Cancelled = "cancelled",
    }
}

crate::words! {
    /// Who asked for a run.
    pub enum SyncCause {
        /// A person or a program.
        Manual = "manual",
        /// The schedule of the connection.
        Schedule = "schedule",
    }
}
