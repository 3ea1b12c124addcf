-- What an account says about its donors, as JSON; what follows from all of them together; whether newcomers are welcomed.
CREATE TABLE crm_settings (
    account_id BIGINT PRIMARY KEY,
    settings TEXT NOT NULL,
    thresholds TEXT NOT NULL DEFAULT '{}',
    welcomes BOOLEAN NOT NULL DEFAULT FALSE,
    refreshed_at BIGINT NOT NULL DEFAULT 0,
    updated_at BIGINT NOT NULL
);
-- Gifts. Amounts are minor units of the currency. A removed one stays, and counts nowhere.
CREATE TABLE donations (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    contact_id BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    refunded BIGINT NOT NULL DEFAULT 0,
    fee BIGINT NOT NULL DEFAULT 0,
    currency TEXT NOT NULL,
    status TEXT NOT NULL,
    is_test BOOLEAN NOT NULL DEFAULT FALSE,
    method TEXT,
    campaign TEXT,
    note TEXT,
    external_id TEXT,
    fingerprint TEXT,
    received_at BIGINT NOT NULL,
    created_by BIGINT,
    deleted_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX donations_external ON donations (account_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX donations_contact ON donations (account_id, contact_id, received_at, id);
CREATE INDEX donations_recent ON donations (account_id, received_at, id);
-- What the gifts of a contact come to, counted from them whenever one changes, and every night.
CREATE TABLE donor_figures (
    account_id BIGINT NOT NULL,
    contact_id BIGINT NOT NULL,
    lifetime BIGINT NOT NULL,
    donation_count BIGINT NOT NULL,
    recent_sum BIGINT NOT NULL,
    last_at BIGINT,
    segment TEXT NOT NULL,
    held_segment TEXT,
    score BIGINT NOT NULL,
    figures TEXT NOT NULL,
    conversation TEXT NOT NULL DEFAULT '{}',
    refreshed_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, contact_id)
) WITHOUT ROWID;
CREATE INDEX donor_figures_lifetime ON donor_figures (account_id, lifetime, contact_id);
CREATE INDEX donor_figures_segment ON donor_figures (account_id, segment, lifetime, contact_id);
CREATE INDEX donor_figures_score ON donor_figures (account_id, score, contact_id);
CREATE INDEX donor_figures_last ON donor_figures (account_id, last_at, contact_id);
CREATE INDEX donor_figures_age ON donor_figures (account_id, refreshed_at, contact_id);
-- What people of ours noted about a contact: never sent. Earlier wordings stay.
CREATE TABLE contact_notes (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    contact_id BIGINT NOT NULL,
    author_id BIGINT,
    author_name TEXT NOT NULL,
    body TEXT NOT NULL,
    pinned BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX contact_notes_contact ON contact_notes (account_id, contact_id, id);
CREATE TABLE contact_note_edits (
    account_id BIGINT NOT NULL,
    note_id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL,
    editor_name TEXT NOT NULL,
    edited_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, note_id, version)
) WITHOUT ROWID;
-- Something to come back to. `next_at` is when it goes off; NULL when it does not any more.
CREATE TABLE reminders (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    contact_id BIGINT NOT NULL,
    text TEXT NOT NULL,
    anchor_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    time_zone TEXT NOT NULL,
    repeats TEXT NOT NULL,
    assignee_id BIGINT,
    next_at BIGINT,
    fired_at BIGINT,
    was_due BOOLEAN NOT NULL DEFAULT FALSE,
    done_at BIGINT,
    created_by BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX reminders_next ON reminders (next_at, id) WHERE next_at IS NOT NULL;
CREATE INDEX reminders_contact ON reminders (account_id, contact_id, due_at, id);
CREATE INDEX reminders_open ON reminders (account_id, due_at, id) WHERE done_at IS NULL;
-- Texts to answer with. Not what a provider approved: those are asked of the provider.
CREATE TABLE quick_replies (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    shortcut TEXT NOT NULL,
    title TEXT NOT NULL,
    content TEXT NOT NULL,
    created_by BIGINT,
    deleted_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX quick_replies_shortcut ON quick_replies (account_id, shortcut) WHERE deleted_at IS NULL;
-- Who is to be welcomed, noted with the contact: once for ever.
CREATE TABLE welcomes (
    account_id BIGINT NOT NULL,
    contact_id BIGINT NOT NULL,
    conversation_id BIGINT NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    settled_at BIGINT,
    PRIMARY KEY (account_id, contact_id)
) WITHOUT ROWID;
CREATE INDEX welcomes_waiting ON welcomes (created_at) WHERE state = 'waiting';
-- Who wants no messages.
CREATE TABLE opt_outs (
    account_id BIGINT NOT NULL,
    contact_id BIGINT NOT NULL,
    opted_out_by BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, contact_id)
) WITHOUT ROWID;
-- Two contacts made one by a person, and how it was before, as JSON: kept for as long as it can be undone.
CREATE TABLE contact_merges (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    winner_id BIGINT NOT NULL,
    loser_id BIGINT NOT NULL,
    before TEXT NOT NULL,
    merged_by BIGINT,
    created_at BIGINT NOT NULL,
    undone_at BIGINT,
    undone_by BIGINT
);
CREATE INDEX contact_merges_winner ON contact_merges (account_id, winner_id, id);
CREATE INDEX contact_merges_loser ON contact_merges (account_id, loser_id);
CREATE INDEX contact_merges_age ON contact_merges (created_at);
-- The starred ones of a list, without looking at all others.
CREATE INDEX conversations_starred ON conversations (account_id, last_message_at, id) WHERE starred = TRUE;
