-- A filled database of the first version, on top of its schema (0001_start). To be replaced: {messages}, {contacts} (a
-- tenth of them) and {secret} (some bytes, as the database writes them).
CREATE TABLE schema_migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL);
INSERT INTO schema_migrations VALUES (1, '0001_start', 1);
INSERT INTO accounts (id, name, event_seq, realtime_app_id, realtime_key, realtime_secret, created_at)
   VALUES (1, 'Hotel', {messages}, 'a', 'k', {secret}, 1);
INSERT INTO inboxes (id, account_id, channel, name, route_key, settings, secrets, state_code, state_message,
       state_since, created_at, updated_at)
   VALUES (1, 1, 'messenger', 'Page', '1', '{}', {secret}, 'connected', '', 1, 1, 1);
INSERT INTO contacts (id, account_id, name, phone, search_text, created_at, updated_at)
   WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {contacts})
   SELECT i, 1, 'Zoë ' || i, '+62813' || i, 'zoe ' || i, i, i FROM n;
INSERT INTO contact_identities (account_id, kind, value, contact_id, created_at)
   SELECT 1, 'phone', phone, id, 1 FROM contacts;
INSERT INTO conversations (id, account_id, inbox_id, contact_id, thread, status, last_message_at, created_at,
       updated_at)
   SELECT id, 1, 1, id, phone, 'active', id, 1, 1 FROM contacts;
INSERT INTO messages (account_id, inbox_id, conversation_id, contact_id, direction, sender_type, kind, content,
       remote_id, status, status_rank, sent_at, created_at, updated_at)
   WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {messages})
   SELECT 1, 1, 1 + i % {contacts}, 1 + i % {contacts}, 'inbound', 'customer', 'text',
       'Is room ' || i || ' free? 你好', 'mid.' || i, 'delivered', 4, i, i, i FROM n;
INSERT INTO events (account_id, seq, kind, conversation_id, message_id, created_at)
   SELECT 1, id, 'message_received', conversation_id, id, 1 FROM messages;
INSERT INTO webhook_logs (account_id, door, body_hash, body, state, created_at)
   VALUES (1, 'meta', {secret}, {secret}, 'applied', 1);
