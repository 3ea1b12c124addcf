-- Customers whose data are to go: noted first, so that an interruption forgets nothing.
CREATE TABLE erasures (
    account_id BIGINT NOT NULL,
    contact_id BIGINT NOT NULL,
    requested_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, contact_id)
);
-- Whether anyone else needs a file; the files that nobody needs.
CREATE INDEX attachments_key ON attachments (account_id, storage_key) WHERE storage_key IS NOT NULL;
CREATE INDEX attachments_discarded ON attachments (id) WHERE state = 'discarded';
