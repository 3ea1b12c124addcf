-- What an alert is about that no rule made: the sentence that the inbox's state had.
ALTER TABLE alerts ADD COLUMN reason TEXT;
-- When the provider last said that its allowance for the inbox is used up, and in which words.
ALTER TABLE inboxes ADD COLUMN used_up_message TEXT;
ALTER TABLE inboxes ADD COLUMN used_up_at BIGINT;
