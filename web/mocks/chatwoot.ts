/**
 * Connected accounts of Chatwoot and their runs. The token "wrong" is refused; a run takes a few steps, each of
 * which is told live; two contacts of every run are not right.
 */
import { delay, http, HttpResponse, type JsonBodyType } from 'msw'
import type {
  Bridge,
  ChangeSyncConnection,
  ConnectSync,
  ImportHistory,
  SyncConnection,
  SyncRun,
} from '@/api/types'
import type { FakeServer } from './fake-server'

const json = (data: unknown, status = 200) =>
  HttpResponse.json({ success: true, data } as JsonBodyType, { status })

const refuse = (status: number, code: string, error: string, details = {}) =>
  HttpResponse.json({ success: false, error, message: error, code, details } as JsonBodyType, {
    status,
  })

const NOT_FOUND = () => refuse(404, 'NOT_FOUND', 'Not found.')
const REFUSED =
  'Connection test failed: Chatwoot does not take the token. Make a new one under Profile settings, Access token.'
/** Contacts in the Chatwoot. */
const TOTAL = 1240
const STEPS = 5

export class FakeChatwoot {
  connections: SyncConnection[] = [buildConnection('conn_1', 'Help desk')]
  /** Every change asked for, to see what the page really sent. */
  changes: ChangeSyncConnection[] = []
  runs: SyncRun[] = [buildRun('run_1', 'conn_1')]
  /** Every import asked for. */
  imports: ImportHistory[] = []
  private nextId = 2

  /** `stepMs`: how long a run takes for each of its steps. */
  constructor(
    private readonly server: FakeServer,
    public stepMs = 300,
  ) {}

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
    const { config, apiKey, name, schedule } = change
    const fails = apiKey === 'wrong' || (apiKey === undefined && connection.status === 'error')
    return Object.assign(connection, {
      name: name ?? connection.name,
      schedule: schedule === undefined ? connection.schedule : schedule,
      config: {
        accountId: String(config?.accountId ?? connection.config.accountId),
        apiUrl: config?.apiUrl ?? connection.config.apiUrl,
        webhookSecrets: config?.webhookSecrets?.length ?? connection.config.webhookSecrets,
      },
      status: fails ? 'error' : 'connected',
      error: fails ? REFUSED : null,
    })
  }

  /** A dry run has counted at once; an import goes on. */
  import(bridge: Bridge, wanted: ImportHistory): SyncRun {
    this.imports.push(wanted)
    const dryRun = wanted.dryRun === true
    const tally = (created: number) => ({ created, skipped: 0, errors: 0 })
    const run: SyncRun = {
      ...this.asked(bridge.connectionId, { entityType: 'history', direction: 'push' }),
      import: {
        bridgeId: bridge.id,
        dryRun,
        days: wanted.days ?? null,
        contacts: tally(dryRun ? 37 : 0),
        messages: tally(dryRun ? TOTAL - 37 : 0),
      },
    }
    if (dryRun) {
      Object.assign(run, { synced: TOTAL, created: TOTAL, status: 'completed' })
      run.finishedAt = run.startedAt = run.createdAt
    }
    this.runs.unshift(run)
    if (!dryRun) void this.go(this.runs[0]!)
    return run
  }

  /** A run that nothing was done of yet. */
  asked(
    connectionId: string,
    { entityType, direction }: Pick<SyncRun, 'entityType' | 'direction'>,
  ): SyncRun {
    return {
      ...buildRun(`run_${this.runs.length + 1}`, connectionId),
      entityType,
      direction,
      status: 'queued',
      synced: 0,
      created: 0,
      updated: 0,
      skipped: 0,
      errors: 0,
      errorMessages: [],
      createdAt: new Date().toISOString(),
      startedAt: null,
      finishedAt: null,
    }
  }

  /** A run goes on from where it is to its end, unless it is cancelled. */
  async go(run: SyncRun): Promise<void> {
    run.status = 'running'
    while (run.synced + run.errors < TOTAL) {
      await delay(this.stepMs)
      if (run.status !== 'running') return
      const synced = Math.min(TOTAL - 2, run.synced + TOTAL / STEPS)
      const errors = synced === TOTAL - 2 ? 2 : 0
      Object.assign(run, {
        synced,
        created: Math.round(synced / 10),
        updated: Math.round(synced / 20),
        skipped: synced - Math.round(synced / 10) - Math.round(synced / 20),
        errors,
        errorMessages: errors ? ERRORS : [],
        ...(errors ? { status: 'completed', finishedAt: new Date().toISOString() } : {}),
      })
      // As the server does it: what went wrong is not told live.
      this.server.tell('SyncProgress', { ...run, errorMessages: [] })
    }
  }
}

const ERRORS = [
  'Contact 412: “0812-3” is no phone number.',
  'Contact 903: the e-mail address belongs to another contact.',
]

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

function buildRun(runId: string, connectionId: string): SyncRun {
  return {
    runId,
    connectionId,
    provider: 'chatwoot',
    entityType: 'contacts',
    direction: 'pull',
    cause: 'manual',
    status: 'completed',
    total: TOTAL,
    synced: TOTAL - 2,
    created: 124,
    updated: 62,
    skipped: 1052,
    errors: 2,
    errorMessages: ERRORS,
    error: null,
    createdAt: '2026-01-15T08:05:00Z',
    startedAt: '2026-01-15T08:05:00Z',
    finishedAt: '2026-01-15T08:05:07Z',
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
    http.post('*/api/v1/sync/connections/:id/sync', ({ params, request }) => {
      const query = new URL(request.url).searchParams
      const run = fake.asked(String(params['id']), {
        entityType: query.get('entityType') as SyncRun['entityType'],
        direction: query.get('direction') as SyncRun['direction'],
      })
      fake.runs.unshift(run)
      void fake.go(fake.runs[0]!)
      return json(run, 202)
    }),
    http.get('*/api/v1/sync/runs', () =>
      HttpResponse.json({ success: true, data: fake.runs, nextCursor: null }),
    ),
    http.post('*/api/v1/sync/runs/:id/cancel', ({ params }) => {
      const run = fake.runs.find(({ runId }) => runId === params['id'])
      if (!run) return NOT_FOUND()
      return json(Object.assign(run, { status: 'cancelled', finishedAt: new Date().toISOString() }))
    }),
    http.post('*/api/v1/sync/runs/:id/resume', ({ params }) => {
      const run = fake.runs.find(({ runId }) => runId === params['id'])
      if (!run) return NOT_FOUND()
      void fake.go(Object.assign(run, { finishedAt: null }))
      return json(run)
    }),
  ]
}
