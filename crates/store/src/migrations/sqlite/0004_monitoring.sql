-- What happened in an inbox within ten seconds (older ones: within five minutes), as one node saw it.
CREATE TABLE metric_slots (
    account_id BIGINT NOT NULL,
    span_secs BIGINT NOT NULL,
    slot_at BIGINT NOT NULL,
    inbox_id BIGINT NOT NULL,
    node_id TEXT NOT NULL,
    counts TEXT NOT NULL,
    durations BLOB,
    last_request_at BIGINT,
    PRIMARY KEY (account_id, span_secs, slot_at, inbox_id, node_id)
) WITHOUT ROWID;
CREATE INDEX metric_slots_age ON metric_slots (span_secs, slot_at);
-- Where the news of an account's alerts go. A row says that the account was given the default rules.
CREATE TABLE alert_targets (
    account_id BIGINT PRIMARY KEY,
    webhook_url TEXT,
    webhook_secret BLOB,
    emails TEXT NOT NULL DEFAULT '[]',
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE TABLE alert_rules (
    account_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    title TEXT NOT NULL,
    metric TEXT NOT NULL,
    operator TEXT NOT NULL,
    threshold DOUBLE PRECISION NOT NULL,
    duration_secs BIGINT NOT NULL,
    severity TEXT NOT NULL,
    inbox_id BIGINT,
    enabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, name)
) WITHOUT ROWID;
-- Firing alerts and those of the past.
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    rule_name TEXT NOT NULL,
    rule_title TEXT NOT NULL,
    inbox_id BIGINT NOT NULL,
    inbox_name TEXT NOT NULL,
    metric TEXT NOT NULL,
    operator TEXT NOT NULL,
    threshold DOUBLE PRECISION NOT NULL,
    duration_secs BIGINT NOT NULL,
    severity TEXT NOT NULL,
    state TEXT NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    last_value DOUBLE PRECISION,
    fired_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    resolved_at BIGINT
);
CREATE UNIQUE INDEX alerts_firing ON alerts (account_id, rule_name, inbox_id) WHERE state = 'firing';
CREATE INDEX alerts_of_account ON alerts (account_id, id);
-- News of alerts on their way out, and what came of them.
CREATE TABLE alert_deliveries (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    alert_id BIGINT NOT NULL,
    event TEXT NOT NULL,
    target TEXT NOT NULL,
    address TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    due_at BIGINT NOT NULL,
    http_status BIGINT,
    error TEXT,
    created_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX alert_deliveries_due ON alert_deliveries (due_at) WHERE state = 'waiting';
CREATE INDEX alert_deliveries_of_account ON alert_deliveries (account_id, id);
