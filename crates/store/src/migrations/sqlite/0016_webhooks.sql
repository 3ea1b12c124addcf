-- Addresses of other programs that are told what happens, and by which secrets they know us.
CREATE TABLE webhook_endpoints (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    inbox_id BIGINT,
    url TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    events TEXT NOT NULL,
    secret BLOB NOT NULL,
    old_secret BLOB,
    old_secret_until BIGINT,
    status TEXT NOT NULL,
    last_error TEXT,
    event_cursor BIGINT NOT NULL,
    failures BIGINT NOT NULL DEFAULT 0,
    failing_since BIGINT,
    rest_until BIGINT NOT NULL DEFAULT 0,
    delivered_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX webhook_endpoints_account ON webhook_endpoints (account_id, id);
-- What they are told: one row for each event and address.
CREATE TABLE webhook_sends (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    endpoint_id BIGINT NOT NULL,
    event_key TEXT NOT NULL,
    event TEXT NOT NULL,
    lane TEXT NOT NULL,
    message_id BIGINT,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    is_held BOOLEAN NOT NULL DEFAULT FALSE,
    due_at BIGINT NOT NULL,
    give_up_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    claim_token TEXT,
    http_status BIGINT,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE UNIQUE INDEX webhook_sends_key ON webhook_sends (endpoint_id, event_key);
CREATE INDEX webhook_sends_open ON webhook_sends (endpoint_id, due_at) WHERE state IN ('queued', 'claimed');
CREATE INDEX webhook_sends_lane ON webhook_sends (endpoint_id, lane, id) WHERE state IN ('queued', 'claimed');
CREATE INDEX webhook_sends_log ON webhook_sends (account_id, endpoint_id, id);
CREATE INDEX webhook_sends_message ON webhook_sends (account_id, message_id) WHERE message_id IS NOT NULL;
CREATE INDEX webhook_sends_created ON webhook_sends (created_at);
-- Every try, with what was answered.
CREATE TABLE webhook_attempts (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    send_id BIGINT NOT NULL,
    tried_at BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    http_status BIGINT,
    error TEXT,
    answer TEXT
);
CREATE INDEX webhook_attempts_send ON webhook_attempts (account_id, send_id, id);
-- The chats of one session in the order of its list.
CREATE INDEX conversations_by_inbox ON conversations (account_id, inbox_id, last_message_at, id);
