-- Programs beside Frontdesk that hold the same people (Chatwoot), and how they are reached.
CREATE TABLE sync_connections (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    provider TEXT NOT NULL,
    name TEXT NOT NULL,
    remote_account TEXT NOT NULL,
    api_url TEXT NOT NULL,
    secrets BLOB NOT NULL,
    schedule TEXT,
    next_run_at BIGINT,
    status TEXT NOT NULL,
    error TEXT,
    -- What its ids are told apart by from those of the account's first one at this provider; NULL until it worked once.
    scope TEXT,
    last_sync_at BIGINT,
    version BIGINT NOT NULL DEFAULT 1,
    deleted_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX sync_connections_remote ON sync_connections (account_id, provider, api_url, remote_account)
    WHERE deleted_at IS NULL;
CREATE INDEX sync_connections_due ON sync_connections (next_run_at) WHERE next_run_at IS NOT NULL;
-- What is the same here and there. `base` holds digests of the fields as they were when both were last the same.
CREATE TABLE external_entity_maps (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    provider TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    external_id TEXT NOT NULL,
    external_number BIGINT NOT NULL,
    scope TEXT NOT NULL,
    connection_id BIGINT NOT NULL,
    internal_id BIGINT NOT NULL,
    fingerprint TEXT NOT NULL,
    base TEXT NOT NULL DEFAULT '{}',
    listed BOOLEAN NOT NULL DEFAULT TRUE,
    remote_updated_at BIGINT NOT NULL DEFAULT 0,
    seen_at BIGINT NOT NULL,
    deleted_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX external_entity_maps_external ON external_entity_maps (account_id, provider, entity_type, external_id);
CREATE INDEX external_entity_maps_internal ON external_entity_maps (account_id, entity_type, internal_id);
CREATE INDEX external_entity_maps_number ON external_entity_maps (account_id, provider, entity_type, scope, external_number);
-- One run of a connection: queued, claimed by a node under a lease with a fencing number, gone on with from its cursor.
CREATE TABLE sync_runs (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    connection_id BIGINT NOT NULL,
    provider TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    direction TEXT NOT NULL,
    cause TEXT NOT NULL,
    status TEXT NOT NULL,
    cursor TEXT,
    total BIGINT,
    created BIGINT NOT NULL DEFAULT 0,
    updated BIGINT NOT NULL DEFAULT 0,
    skipped BIGINT NOT NULL DEFAULT 0,
    errors BIGINT NOT NULL DEFAULT 0,
    error_messages TEXT NOT NULL DEFAULT '[]',
    error TEXT,
    cancel_requested BOOLEAN NOT NULL DEFAULT FALSE,
    owner TEXT,
    fence BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    updated_at BIGINT NOT NULL
);
CREATE INDEX sync_runs_of_account ON sync_runs (account_id, id);
CREATE UNIQUE INDEX sync_runs_active ON sync_runs (account_id, connection_id, entity_type, direction)
    WHERE status IN ('queued', 'running');
CREATE INDEX sync_runs_to_do ON sync_runs (status, lease_until) WHERE status IN ('queued', 'running');
-- Webhooks that were taken: on which node the repetition arrives is no matter.
CREATE TABLE webhook_deliveries (
    account_id BIGINT NOT NULL,
    delivery_key TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, delivery_key)
) WITHOUT ROWID;
CREATE INDEX webhook_deliveries_age ON webhook_deliveries (received_at);
-- Fields of a contact that other programs know, as JSON; and when people changed which of its own.
ALTER TABLE contacts ADD COLUMN custom_fields TEXT;
ALTER TABLE contacts ADD COLUMN edited_at TEXT;
CREATE INDEX contacts_email ON contacts (account_id, email) WHERE email IS NOT NULL;
