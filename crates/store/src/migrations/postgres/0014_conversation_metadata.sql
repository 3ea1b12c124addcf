-- What other programs know of a conversation, as JSON.
ALTER TABLE conversations ADD COLUMN metadata TEXT;
