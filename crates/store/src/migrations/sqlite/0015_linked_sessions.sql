-- Phones that are linked to this server itself: one row for each inbox of such a channel.
CREATE TABLE linked_sessions (
    inbox_id BIGINT NOT NULL PRIMARY KEY,
    account_id BIGINT NOT NULL,
    session_id TEXT NOT NULL,
    user_id BIGINT,
    driver TEXT NOT NULL,
    webhook_url TEXT,
    wanted BOOLEAN NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    since BIGINT NOT NULL,
    banned_until BIGINT,
    phone_number TEXT,
    lid TEXT,
    push_name TEXT,
    code BLOB,
    code_attempt BIGINT NOT NULL DEFAULT 0,
    code_expires_at BIGINT,
    restarts BIGINT NOT NULL DEFAULT 0,
    owner TEXT,
    owned_until BIGINT NOT NULL DEFAULT 0,
    next_cold_at BIGINT NOT NULL DEFAULT 0,
    last_activity BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX linked_sessions_name ON linked_sessions (account_id, session_id);
-- What a driver keeps for its session: keys of the encryption, lists of devices. Values are sealed.
CREATE TABLE linked_keys (
    inbox_id BIGINT NOT NULL,
    ns TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    n1 BIGINT,
    n2 BIGINT,
    PRIMARY KEY (inbox_id, ns, key)
) WITHOUT ROWID;
-- What other nodes ask of the one that holds a session, and its answers. Both are sealed.
CREATE TABLE linked_commands (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    inbox_id BIGINT NOT NULL,
    command BLOB NOT NULL,
    answer BLOB,
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX linked_commands_inbox ON linked_commands (inbox_id, id);
-- Whom a session wrote to first, and when: so many strangers a day.
CREATE TABLE linked_strangers (
    account_id BIGINT NOT NULL,
    inbox_id BIGINT NOT NULL,
    conversation_id BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, inbox_id, conversation_id)
) WITHOUT ROWID;
CREATE INDEX linked_strangers_day ON linked_strangers (inbox_id, first_at);
-- Which session a user writes with unless they say otherwise.
CREATE TABLE active_sessions (
    account_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    inbox_id BIGINT NOT NULL,
    PRIMARY KEY (account_id, user_id)
) WITHOUT ROWID;
-- Chats that wait for somebody, counted for each session.
CREATE INDEX conversations_unread_by_inbox ON conversations (account_id, inbox_id) WHERE unread_count > 0;
-- The sessions in the columns that support staff know.
CREATE VIEW whatsapp_sessions AS
SELECT s.inbox_id AS id, s.session_id, s.user_id, i.name,
    CASE WHEN s.state = 'connected' THEN 'connected'
        WHEN s.state IN ('created', 'starting', 'qr', 'code', 'challenge', 'syncing', 'reconnecting') THEN 'connecting'
        ELSE 'disconnected' END AS status,
    s.phone_number,
    (SELECT COUNT(*) FROM conversations c
        WHERE c.account_id = s.account_id AND c.inbox_id = s.inbox_id AND c.unread_count > 0) AS active_chats,
    s.last_activity, s.created_at, s.updated_at, s.account_id
FROM linked_sessions s JOIN inboxes i ON i.account_id = s.account_id AND i.id = s.inbox_id
WHERE i.deleted_at IS NULL;
