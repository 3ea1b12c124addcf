-- When an inbox with a pace of its own last sent: what all nodes send together keeps to it, and so does a node that was
-- started anew.
CREATE TABLE send_turns (
    account_id BIGINT NOT NULL,
    inbox_id BIGINT NOT NULL,
    given TEXT NOT NULL,
    PRIMARY KEY (account_id, inbox_id)
);
