/** Inboxes that are shown in the fake Chatwoot. One waits, for something that was refused there. */
import { http, HttpResponse, type JsonBodyType } from 'msw'
import type { Bridge, CreateBridge, ImportHistory, UpdateBridge } from '@/api/types'
import type { FakeChatwoot } from './chatwoot'

const json = (data: unknown, status = 200) =>
  HttpResponse.json({ success: true, data } as JsonBodyType, { status })

export function bridgeHandlers(chatwoot: FakeChatwoot) {
  let bridges: Bridge[] = [
    {
      ...buildBridge(1, { connectionId: 'conn_1', inboxId: 1 }),
      waiting: 3,
      failed: 1,
      oldestWaitingAt: '2026-01-15T09:30:00Z',
      warnings: [
        'Chatwoot delivers to no private addresses: its operator has to set SAFE_FETCH_ALLOWED_HOSTS.',
      ],
    },
  ]
  const find = (params: Record<string, unknown>) =>
    bridges.find(({ id }) => id === Number(params['id']))!

  return [
    http.get('*/api/v1/sync/bridges', () => json(bridges)),
    http.post('*/api/v1/sync/bridges', async ({ request }) => {
      const made = buildBridge(bridges.length + 1, (await request.json()) as CreateBridge)
      bridges = [...bridges, made]
      return json(made, 201)
    }),
    http.patch('*/api/v1/sync/bridges/:id', async ({ params, request }) => {
      const { settings, status } = (await request.json()) as UpdateBridge
      const found = find(params)
      Object.assign(found.settings, settings)
      if (status) Object.assign(found, { status, lastError: null })
      if (status === 'enabled') found.failed = 0
      return json(found)
    }),
    http.post('*/api/v1/sync/bridges/:id/import', async ({ params, request }) => {
      const wanted = (await request.json()) as ImportHistory
      const run = chatwoot.import(find(params), wanted)
      return json(run, wanted.dryRun ? 200 : 202)
    }),
    http.delete('*/api/v1/sync/bridges/:id', ({ params }) => {
      const id = Number(params['id'])
      bridges = bridges.filter((one) => one.id !== id)
      return json({ id, deleted: true })
    }),
  ]
}

export function buildBridge(id: number, { connectionId, inboxId, settings }: CreateBridge): Bridge {
  return {
    id,
    connectionId,
    inboxId,
    remoteInboxId: id + 2,
    webhookUrl: `https://inbox.example.org/api/v1/sync/chatwoot/webhook/5d${id}`,
    signed: true,
    settings: {
      conversations: settings?.conversations ?? 'single',
      beginAs: settings?.beginAs ?? 'open',
      signature: settings?.signature ?? true,
      followStatus: settings?.followStatus ?? true,
    },
    status: 'enabled',
    lastError: null,
    warnings: [],
    waiting: 0,
    failed: 0,
    oldestWaitingAt: null,
    createdAt: '2026-01-15T08:00:00Z',
    updatedAt: '2026-01-15T08:00:00Z',
  }
}
