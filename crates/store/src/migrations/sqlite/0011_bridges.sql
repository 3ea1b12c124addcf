-- Inboxes that are bridged to an API inbox of a Chatwoot.
CREATE TABLE bridges (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    connection_id BIGINT NOT NULL,
    inbox_id BIGINT NOT NULL,
    remote_inbox_id BIGINT,
    webhook_key TEXT NOT NULL,
    secret BLOB,
    settings TEXT NOT NULL,
    status TEXT NOT NULL,
    last_error TEXT,
    event_cursor BIGINT NOT NULL,
    pulled_until BIGINT NOT NULL,
    pull_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX bridges_inbox ON bridges (account_id, inbox_id);
CREATE UNIQUE INDEX bridges_webhook_key ON bridges (webhook_key);
-- Which conversations there belong to one of ours: several, one after the other, where each matter gets its own.
CREATE TABLE bridge_threads (
    account_id BIGINT NOT NULL,
    bridge_id BIGINT NOT NULL,
    remote_id BIGINT NOT NULL,
    remote_contact_id BIGINT,
    conversation_id BIGINT NOT NULL,
    remote_status TEXT NOT NULL,
    pulled_message_id BIGINT NOT NULL DEFAULT 0,
    seen_message_id BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, bridge_id, remote_id)
) WITHOUT ROWID;
CREATE INDEX bridge_threads_conversation ON bridge_threads (account_id, bridge_id, conversation_id);
-- Which message there is which of ours, and what was told of it.
CREATE TABLE bridge_messages (
    account_id BIGINT NOT NULL,
    bridge_id BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    remote_id BIGINT NOT NULL,
    remote_conversation_id BIGINT NOT NULL,
    is_theirs BOOLEAN NOT NULL,
    told TEXT NOT NULL DEFAULT '{}',
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, bridge_id, message_id)
) WITHOUT ROWID;
CREATE INDEX bridge_messages_remote ON bridge_messages (account_id, bridge_id, remote_id);
-- Work of bridges, both ways. In a lane one thing is done after the other.
CREATE TABLE bridge_jobs (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    bridge_id BIGINT NOT NULL,
    lane TEXT NOT NULL,
    kind TEXT NOT NULL,
    job_key TEXT NOT NULL,
    data TEXT NOT NULL,
    state TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    claim_token TEXT,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX bridge_jobs_key ON bridge_jobs (bridge_id, job_key);
CREATE INDEX bridge_jobs_due ON bridge_jobs (state, due_at);
CREATE INDEX bridge_jobs_lane ON bridge_jobs (bridge_id, lane, id);
