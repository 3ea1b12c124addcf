-- A list of three words or more in a CHECK is a table that SQLite makes, fills and drops for each row written. The same said
-- word by word is not. What is stored does not change, only the text of the constraint
-- (https://www.sqlite.org/lang_altertable.html, "Making Other Kinds Of Table Schema Changes").
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql,
    'CHECK (sender_type IN (''customer'', ''admin'', ''system''))',
    'CHECK (sender_type = ''customer'' OR sender_type = ''admin'' OR sender_type = ''system'')')
WHERE type = 'table' AND name = 'messages';
UPDATE sqlite_schema SET sql = replace(sql,
    'CHECK (status IN (''active'', ''archived'', ''closed''))',
    'CHECK (status = ''active'' OR status = ''archived'' OR status = ''closed'')')
WHERE type = 'table' AND name = 'conversations';
UPDATE sqlite_schema SET sql = replace(sql,
    'CHECK (state IN (''pending'', ''applied'', ''failed'', ''unrouted'', ''unreadable''))',
    'CHECK (state = ''pending'' OR state = ''applied'' OR state = ''failed'' OR state = ''unrouted'' OR state = ''unreadable'')')
WHERE type = 'table' AND name = 'webhook_logs';
UPDATE sqlite_schema SET sql = replace(sql,
    'CHECK (state IN (''queued'', ''claimed'', ''sending'', ''unknown''))',
    'CHECK (state = ''queued'' OR state = ''claimed'' OR state = ''sending'' OR state = ''unknown'')')
WHERE type = 'table' AND name = 'outbox';
UPDATE sqlite_schema SET sql = replace(sql,
    'CHECK (state IN (''pending'', ''ready'', ''failed'', ''too_large'', ''discarded''))',
    'CHECK (state = ''pending'' OR state = ''ready'' OR state = ''failed'' OR state = ''too_large'' OR state = ''discarded'')')
WHERE type = 'table' AND name = 'attachments';
PRAGMA writable_schema = RESET;
