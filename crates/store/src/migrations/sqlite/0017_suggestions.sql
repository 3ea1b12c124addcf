-- What customers asked and people of ours answered, under the id of the answer; texts to answer with under ids below zero.
-- Of a removed one nothing but the id is left, until every node has heard of it.
CREATE TABLE suggest_pairs (
    account_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    question TEXT NOT NULL,
    before_text TEXT,
    reply TEXT NOT NULL,
    said_at BIGINT NOT NULL,
    accepted BIGINT NOT NULL DEFAULT 0,
    dismissed BIGINT NOT NULL DEFAULT 0,
    removed BOOLEAN NOT NULL DEFAULT FALSE,
    changed BIGINT NOT NULL,
    PRIMARY KEY (account_id, id)
) WITHOUT ROWID;
CREATE INDEX suggest_pairs_changed ON suggest_pairs (account_id, changed, id);
CREATE INDEX suggest_pairs_age ON suggest_pairs (account_id, removed, said_at, id);
-- How far the pairs of an account follow its events; `walked_until` is the conversation reached while all are read anew.
-- `version` rises with each change of its pairs; removed ones up to `forgotten` are not kept any more.
CREATE TABLE suggest_progress (
    account_id BIGINT PRIMARY KEY,
    event_cursor BIGINT NOT NULL DEFAULT 0,
    walked_until BIGINT,
    version BIGINT NOT NULL DEFAULT 0,
    forgotten BIGINT NOT NULL DEFAULT 0
);
-- The language model an account has its drafts from, as JSON; its key, sealed; until when it is left alone and why.
CREATE TABLE suggest_settings (
    account_id BIGINT PRIMARY KEY,
    settings TEXT NOT NULL,
    api_key BLOB,
    version BIGINT NOT NULL DEFAULT 1,
    paused_until BIGINT,
    paused_for TEXT,
    updated_at BIGINT NOT NULL
);
-- What an account used of it, by month in UTC (2026-01).
CREATE TABLE suggest_usage (
    account_id BIGINT NOT NULL,
    month TEXT NOT NULL,
    calls BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    PRIMARY KEY (account_id, month)
) WITHOUT ROWID;
