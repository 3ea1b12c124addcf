-- The words of a note, folded for searches. NULL for notes of a version before: they are folded in the background.
ALTER TABLE contact_notes ADD COLUMN search_text TEXT;
CREATE INDEX contact_notes_to_fold ON contact_notes (id) WHERE search_text IS NULL;
