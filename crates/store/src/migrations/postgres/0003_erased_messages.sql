-- Messages that were erased, by a hash of their id at the provider: delivered again, they do not come back.
CREATE TABLE erased_messages (
    account_id BIGINT NOT NULL,
    inbox_id BIGINT NOT NULL,
    remote_hash BYTEA NOT NULL,
    PRIMARY KEY (account_id, inbox_id, remote_hash)
);
