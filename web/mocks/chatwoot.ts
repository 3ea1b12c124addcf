/** Connected accounts of Chatwoot. The token "wrong" is refused. */
import { http, HttpResponse, type JsonBodyType } from 'msw'
import type { ChangeSyncConnection, ConnectSync, SyncConnection } from '@/api/types'

const json = (data: unknown, status = 200) =>
  HttpResponse.json({ success: true, data } as JsonBodyType, { status })

const refuse = (status: number, code: string, error: string, details = {}) =>
  HttpResponse.json({ success: false, error, message: error, code, details } as JsonBodyType, {
    status,
  })

const NOT_FOUND = () => refuse(404, 'NOT_FOUND', 'Not found.')
const REFUSED =
  'Connection test failed: Chatwoot does not take the token. Make a new one under Profile settings, Access token.'

export class FakeChatwoot {
  connections: SyncConnection[] = [buildConnection('conn_1', 'Help desk')]
  /** Every change asked for, to see what the page really sent. */
  changes: ChangeSyncConnection[] = []
  private nextId = 2

  connect(body: ConnectSync): SyncConnection {
    const id = `conn_${this.nextId++}`
    const connection = buildConnection(id, body.name ?? `Chatwoot ${String(body.config.accountId)}`)
    connection.config.webhookSecrets = 0
    this.connections.push(connection)
    return this.change(id, body)!
  }

  change(id: string, change: ChangeSyncConnection): SyncConnection | undefined {
    const connection = this.connections.find((one) => one.id === id)
    if (!connection) return undefined
    const { config, apiKey, name } = change
    const fails = apiKey === 'wrong' || (apiKey === undefined && connection.status === 'error')
    return Object.assign(connection, {
      name: name ?? connection.name,
      config: {
        accountId: String(config?.accountId ?? connection.config.accountId),
        apiUrl: config?.apiUrl ?? connection.config.apiUrl,
        webhookSecrets: config?.webhookSecrets?.length ?? connection.config.webhookSecrets,
      },
      status: fails ? 'error' : 'connected',
      error: fails ? REFUSED : null,
    })
  }
}

function buildConnection(id: string, name: string): SyncConnection {
  return {
    id,
    provider: 'chatwoot',
    name,
    status: 'connected',
    error: null,
    config: { accountId: '1', apiUrl: 'https://chatwoot.example.org', webhookSecrets: 1 },
    schedule: null,
    nextRunAt: null,
    lastSyncAt: null,
    webhookUrl: 'https://inbox.example.org/api/v1/sync/chatwoot/webhook',
    createdAt: '2026-01-15T08:00:00Z',
    updatedAt: '2026-01-15T08:00:00Z',
  }
}

export function chatwootHandlers(fake: FakeChatwoot) {
  /** The connection as it is now, or why it does not work. */
  const tried = (connection: SyncConnection | undefined, status = 200) => {
    if (!connection) return NOT_FOUND()
    if (connection.status !== 'error') return json(connection, status)
    return refuse(422, 'CONNECTION_TEST_FAILED', connection.error ?? '', { connection })
  }
  const connection = (params: Record<string, unknown>) =>
    fake.connections.find(({ id }) => id === params['id'])
  const set = (found: SyncConnection | undefined, status: 'connected' | 'paused') =>
    found && Object.assign(found, { status, error: null })

  return [
    http.get('*/api/v1/sync/connections', () => json(fake.connections)),
    http.post('*/api/v1/sync/connections', async ({ request }) =>
      tried(fake.connect((await request.json()) as ConnectSync), 201),
    ),
    http.patch('*/api/v1/sync/connections/:id', async ({ params, request }) => {
      const change = (await request.json()) as ChangeSyncConnection
      fake.changes.push(change)
      return tried(fake.change(String(params['id']), change))
    }),
    http.delete('*/api/v1/sync/connections/:id', ({ params }) => {
      fake.connections = fake.connections.filter(({ id }) => id !== params['id'])
      return json({ id: params['id'], deleted: true })
    }),
    http.post('*/api/v1/sync/connections/:id/test', ({ params }) => {
      const found = connection(params)
      return tried(found?.status === 'paused' ? set(found, 'connected') : found)
    }),
    http.post('*/api/v1/sync/connections/:id/pause', ({ params }) =>
      tried(set(connection(params), 'paused')),
    ),
    http.post('*/api/v1/sync/connections/:id/resume', ({ params }) =>
      tried(set(connection(params), 'connected')),
    ),
  ]
}
