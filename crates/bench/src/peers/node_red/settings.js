// Node-RED as a webhook taker: no editor, no admin API, the database handed to the function node.
const Database = require('better-sqlite3')

const db = new Database(process.env.BENCH_DATABASE)
db.pragma('journal_mode = WAL')
db.pragma('synchronous = FULL')
db.exec(`CREATE TABLE hook (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, provider TEXT NOT NULL,
                            remote_id TEXT NOT NULL, body BLOB NOT NULL);
         CREATE UNIQUE INDEX hook_remote_id ON hook (provider, remote_id)`)

module.exports = {
  uiHost: '127.0.0.1',
  uiPort: Number(process.env.BENCH_PORT),
  httpAdminRoot: false,
  diagnostics: { enabled: false },
  logging: { console: { level: 'warn' } },
  functionGlobalContext: {
    crypto: require('node:crypto'),
    secret: process.env.BENCH_SECRET,
    insert: db.prepare("INSERT INTO hook (at, provider, remote_id, body) VALUES (?, 'meta', ?, ?) ON CONFLICT DO NOTHING"),
  },
}
