-- When something of ours was written in a conversation: whoever asks need not go through all that the customer wrote.
CREATE INDEX messages_outbound ON messages (account_id, conversation_id, sent_at) WHERE direction = 'outbound';
