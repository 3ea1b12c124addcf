-- Times are milliseconds since 1970 (UTC). JSON is TEXT. Every table leads with account_id where it has one.

CREATE TABLE accounts (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    event_seq BIGINT NOT NULL DEFAULT 0,
    realtime_app_id TEXT NOT NULL,
    realtime_key TEXT NOT NULL,
    realtime_secret BLOB NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX accounts_realtime_key ON accounts (realtime_key);
CREATE UNIQUE INDEX accounts_realtime_app_id ON accounts (realtime_app_id);
CREATE UNIQUE INDEX accounts_name ON accounts (name);

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('agent', 'admin')),
    password_hash TEXT NOT NULL,
    disabled_at BIGINT,
    last_seen_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_email ON users (email);
CREATE INDEX users_account ON users (account_id, id);

CREATE TABLE sessions (
    token_hash BLOB PRIMARY KEY,
    account_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (account_id, user_id);

CREATE TABLE api_tokens (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    token_hash BLOB NOT NULL,
    abilities TEXT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    revoked_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX api_tokens_user ON api_tokens (account_id, user_id, id);

CREATE TABLE inboxes (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    channel TEXT NOT NULL,
    name TEXT NOT NULL,
    route_key TEXT NOT NULL,
    settings TEXT NOT NULL,
    secrets BLOB NOT NULL,
    enabled BOOLEAN NOT NULL DEFAULT TRUE,
    state_code TEXT NOT NULL,
    state_message TEXT NOT NULL,
    state_action TEXT,
    state_since BIGINT NOT NULL,
    last_webhook_at BIGINT,
    version BIGINT NOT NULL DEFAULT 1,
    deleted_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX inboxes_route ON inboxes (channel, route_key) WHERE deleted_at IS NULL;
CREATE INDEX inboxes_account ON inboxes (account_id, id);

CREATE TABLE contacts (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    name TEXT,
    name_edited BOOLEAN NOT NULL DEFAULT FALSE,
    name_at BIGINT NOT NULL DEFAULT 0,
    email TEXT,
    phone TEXT,
    phone_at BIGINT NOT NULL DEFAULT 0,
    avatar_id BIGINT,
    search_text TEXT NOT NULL DEFAULT '',
    profile_at BIGINT,
    merged_into BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX contacts_account ON contacts (account_id, id);
CREATE INDEX contacts_without_profile ON contacts (id) WHERE profile_at IS NULL AND merged_into IS NULL;

CREATE TABLE contact_identities (
    account_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    contact_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, kind, value)
) WITHOUT ROWID;
CREATE INDEX contact_identities_contact ON contact_identities (account_id, contact_id);

CREATE TABLE conversations (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    inbox_id BIGINT NOT NULL,
    contact_id BIGINT NOT NULL,
    thread TEXT NOT NULL,
    subject TEXT,
    status TEXT NOT NULL CHECK (status IN ('active', 'archived', 'closed')),
    unread_count BIGINT NOT NULL DEFAULT 0,
    starred BOOLEAN NOT NULL DEFAULT FALSE,
    assignee_id BIGINT,
    labels TEXT NOT NULL DEFAULT '[]',
    snoozed_until BIGINT,
    last_message_id BIGINT,
    last_message_at BIGINT NOT NULL,
    last_inbound_at BIGINT,
    last_inbound_id BIGINT,
    delivered_until BIGINT NOT NULL DEFAULT 0,
    read_until BIGINT NOT NULL DEFAULT 0,
    status_changed_at BIGINT NOT NULL DEFAULT 0,
    next_send_at BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX conversations_contact ON conversations (account_id, contact_id, inbox_id);
CREATE INDEX conversations_recent ON conversations (account_id, last_message_at, id);
CREATE INDEX conversations_by_status ON conversations (account_id, status, last_message_at, id);
CREATE INDEX conversations_unread ON conversations (account_id, last_message_at, id) WHERE unread_count > 0;
CREATE INDEX conversations_by_assignee ON conversations (account_id, assignee_id, last_message_at, id)
    WHERE assignee_id IS NOT NULL;

CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    inbox_id BIGINT NOT NULL,
    conversation_id BIGINT NOT NULL,
    contact_id BIGINT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    sender_type TEXT NOT NULL CHECK (sender_type IN ('customer', 'admin', 'system')),
    sender_id BIGINT,
    sender_name TEXT,
    kind TEXT NOT NULL,
    content TEXT,
    payload TEXT,
    remote_id TEXT,
    client_key TEXT,
    client_ref TEXT,
    reply_to TEXT,
    forwarded BOOLEAN NOT NULL DEFAULT FALSE,
    status TEXT NOT NULL,
    status_rank BIGINT NOT NULL,
    error_code TEXT,
    error_message TEXT,
    error_action TEXT,
    sent_at BIGINT NOT NULL,
    edit_version BIGINT NOT NULL DEFAULT 0,
    edited_at BIGINT,
    read_at BIGINT,
    deleted_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX messages_remote ON messages (account_id, inbox_id, remote_id);
CREATE UNIQUE INDEX messages_client_key ON messages (account_id, conversation_id, client_key) WHERE client_key IS NOT NULL;
CREATE UNIQUE INDEX messages_client_ref ON messages (account_id, client_ref) WHERE client_ref IS NOT NULL;
CREATE INDEX messages_thread ON messages (account_id, conversation_id, sent_at, id);

CREATE VIRTUAL TABLE messages_fts USING fts5 (content, content = 'messages', content_rowid = 'id', tokenize = "unicode61 remove_diacritics 2");
-- Fewer merges while messages come in: a search looks into up to eight segments of a level instead of four.
INSERT INTO messages_fts (messages_fts, rank) VALUES ('automerge', 8);
-- The index follows the messages a moment later, many at once (search_index.rs): it holds those up to `reached`.
CREATE TABLE messages_fts_progress (reached BIGINT NOT NULL);
INSERT INTO messages_fts_progress (reached) VALUES (0);
CREATE TRIGGER messages_fts_update AFTER UPDATE OF content ON messages
    WHEN old.content IS NOT new.content AND old.id <= (SELECT reached FROM messages_fts_progress) BEGIN
    INSERT INTO messages_fts (messages_fts, rowid, content) SELECT 'delete', old.id, old.content WHERE old.content IS NOT NULL;
    INSERT INTO messages_fts (rowid, content) SELECT new.id, new.content WHERE new.content IS NOT NULL;
END;
CREATE TRIGGER messages_fts_delete AFTER DELETE ON messages WHEN old.id <= (SELECT reached FROM messages_fts_progress) BEGIN
    INSERT INTO messages_fts (messages_fts, rowid, content) SELECT 'delete', old.id, old.content WHERE old.content IS NOT NULL;
    -- The next message may take the number of the last one that went away.
    UPDATE messages_fts_progress SET reached = MIN(reached, (SELECT COALESCE(MAX(id), 0) FROM messages));
END;

CREATE TABLE attachments (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    inbox_id BIGINT,
    message_id BIGINT,
    uploaded_by BIGINT,
    kind TEXT NOT NULL,
    mime_type TEXT,
    file_name TEXT,
    size_bytes BIGINT,
    sha256 TEXT,
    storage_key TEXT,
    source TEXT,
    state TEXT NOT NULL CHECK (state IN ('pending', 'ready', 'failed', 'too_large', 'discarded')),
    error TEXT,
    attempts BIGINT NOT NULL DEFAULT 0,
    due_at BIGINT,
    lease_until BIGINT NOT NULL DEFAULT 0,
    claim_token TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX attachments_message ON attachments (account_id, message_id);
CREATE INDEX attachments_due ON attachments (due_at) WHERE state = 'pending';

CREATE TABLE media_chunks (
    account_id BIGINT NOT NULL,
    storage_key TEXT NOT NULL,
    position BIGINT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (account_id, storage_key, position)
);

CREATE TABLE reactions (
    account_id BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    sender_key TEXT NOT NULL,
    sender_type TEXT NOT NULL,
    sender_name TEXT,
    emoji TEXT,
    reacted_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, message_id, sender_key)
) WITHOUT ROWID;

CREATE TABLE reaction_sends (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    inbox_id BIGINT NOT NULL,
    conversation_id BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    emoji TEXT,
    reacted_at BIGINT NOT NULL,
    before_emoji TEXT,
    before_name TEXT,
    before_at BIGINT NOT NULL,
    sender_id BIGINT,
    sender_name TEXT,
    client_key TEXT,
    client_ref TEXT NOT NULL,
    remote_id TEXT,
    status TEXT NOT NULL,
    status_rank BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX reaction_sends_client_key ON reaction_sends (account_id, conversation_id, client_key) WHERE client_key IS NOT NULL;
CREATE UNIQUE INDEX reaction_sends_client_ref ON reaction_sends (account_id, client_ref);
CREATE INDEX reaction_sends_remote ON reaction_sends (account_id, inbox_id, remote_id) WHERE remote_id IS NOT NULL;
CREATE INDEX reaction_sends_message ON reaction_sends (account_id, message_id, reacted_at);

CREATE TABLE message_edits (
    account_id BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    content TEXT,
    edited_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, message_id, version, edited_at)
) WITHOUT ROWID;

CREATE TABLE pending_updates (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    inbox_id BIGINT NOT NULL,
    remote_id TEXT NOT NULL,
    update_key TEXT NOT NULL,
    data TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX pending_updates_target ON pending_updates (account_id, inbox_id, remote_id, update_key);
CREATE INDEX pending_updates_age ON pending_updates (created_at);

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    inbox_id BIGINT NOT NULL,
    conversation_id BIGINT NOT NULL,
    message_id BIGINT,
    kind TEXT NOT NULL,
    data TEXT,
    state TEXT NOT NULL CHECK (state IN ('queued', 'claimed', 'sending', 'unknown')),
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    claim_token TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX outbox_due ON outbox (due_at, id);
CREATE INDEX outbox_conversation ON outbox (account_id, conversation_id, id);
CREATE INDEX outbox_message ON outbox (account_id, message_id);

CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    outbox_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    outcome TEXT,
    http_status BIGINT,
    provider_code TEXT,
    error TEXT,
    remote_id TEXT
);
CREATE INDEX deliveries_message ON deliveries (account_id, message_id, id);

CREATE TABLE webhook_logs (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    inbox_id BIGINT,
    door TEXT NOT NULL,
    body_hash BLOB,
    body BLOB NOT NULL,
    verified_by BIGINT,
    state TEXT NOT NULL CHECK (state IN ('pending', 'applied', 'failed', 'unrouted', 'unreadable')),
    error TEXT,
    events BIGINT NOT NULL DEFAULT 0,
    attempts BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    applied_at BIGINT
);
CREATE UNIQUE INDEX webhook_logs_body ON webhook_logs (body_hash) WHERE body_hash IS NOT NULL;
CREATE INDEX webhook_logs_open_body ON webhook_logs (body_hash) WHERE state <> 'applied';
CREATE INDEX webhook_logs_open ON webhook_logs (state, id) WHERE state <> 'applied';
CREATE INDEX webhook_logs_account ON webhook_logs (account_id, id);

CREATE TABLE events (
    account_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    conversation_id BIGINT,
    message_id BIGINT,
    data TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, seq)
) WITHOUT ROWID;

CREATE TABLE audit_entries (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    user_id BIGINT,
    token_id BIGINT,
    action TEXT NOT NULL,
    subject_type TEXT NOT NULL,
    subject_id BIGINT,
    details TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX audit_entries_account ON audit_entries (account_id, id);

CREATE TABLE rate_limits (
    name TEXT PRIMARY KEY,
    window_start BIGINT NOT NULL,
    used BIGINT NOT NULL
);
CREATE INDEX rate_limits_age ON rate_limits (window_start);

CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    until BIGINT NOT NULL
);

CREATE TABLE nodes (
    id TEXT PRIMARY KEY,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);

CREATE TABLE presence_members (
    account_id BIGINT NOT NULL,
    channel TEXT NOT NULL,
    user_id TEXT NOT NULL,
    node_id TEXT NOT NULL,
    user_info TEXT NOT NULL,
    sockets BIGINT NOT NULL,
    PRIMARY KEY (account_id, channel, user_id, node_id)
);
CREATE INDEX presence_members_node ON presence_members (node_id);

CREATE TABLE relays (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    node_id TEXT NOT NULL,
    data TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX relays_age ON relays (created_at);

CREATE TABLE server_settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
