/** Outgoing webhooks of the fake server: kept in memory, and told nothing but tests. */
import { http, HttpResponse } from 'msw'
import type { OutgoingWebhook, WebhookDelivery } from '../src/api/types'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

export function outgoingWebhooks() {
  let hooks: OutgoingWebhook[] = []
  let told: (WebhookDelivery & { hook: number })[] = []
  const now = () => new Date().toISOString()
  const find = (id: unknown) => hooks.find((hook) => hook.id === Number(id))
  const gone = () => HttpResponse.json({ error: 'There is no such webhook.' }, { status: 404 })

  return [
    http.get('*/api/v1/webhooks', () => HttpResponse.json({ data: hooks, next_cursor: null })),
    http.post('*/api/v1/webhooks', async ({ request }) => {
      const body = (await request.json()) as Partial<OutgoingWebhook>
      const hook: OutgoingWebhook = {
        id: hooks.length + 1,
        url: body.url ?? '',
        description: body.description ?? '',
        events: body.events ?? [],
        inbox_id: body.inbox_id ?? null,
        status: 'enabled',
        last_error: null,
        failing_since: null,
        delivered_at: null,
        old_secret_until: null,
        waiting: 0,
        oldest_waiting_at: null,
        failed: 0,
        created_at: now(),
        updated_at: now(),
      }
      hooks.push(hook)
      return HttpResponse.json({ ...hook, secret: SECRET }, { status: 201 })
    }),
    http.patch('*/api/v1/webhooks/:id', async ({ params, request }) => {
      const hook = find(params['id'])
      if (!hook) return gone()
      const { enabled, ...change } = (await request.json()) as { enabled?: boolean }
      Object.assign(hook, change)
      if (enabled !== undefined) hook.status = enabled ? 'enabled' : 'paused'
      return HttpResponse.json(hook)
    }),
    http.delete('*/api/v1/webhooks/:id', ({ params }) => {
      hooks = hooks.filter((hook) => hook.id !== Number(params['id']))
      return new HttpResponse(null, { status: 204 })
    }),
    http.post('*/api/v1/webhooks/:id/secret', ({ params }) => {
      const hook = find(params['id'])
      return hook ? HttpResponse.json({ ...hook, secret: SECRET }) : gone()
    }),
    http.post('*/api/v1/webhooks/:id/test', ({ params }) => {
      const id = told.length + 1
      const delivery: WebhookDelivery = {
        id,
        webhook_id: `msg_1_t${id}`,
        event: 'webhook.test',
        state: 'delivered',
        attempts: 1,
        http_status: 204,
        last_error: null,
        due_at: null,
        created_at: now(),
        ended_at: now(),
      }
      told = [{ ...delivery, hook: Number(params['id']) }, ...told]
      return HttpResponse.json(delivery, { status: 202 })
    }),
    http.get('*/api/v1/webhooks/:id/deliveries', ({ params }) =>
      HttpResponse.json({
        data: told.filter(({ hook }) => hook === Number(params['id'])),
        next_cursor: null,
      }),
    ),
    http.get('*/api/v1/webhooks/:id/deliveries/:delivery', ({ params }) => {
      const delivery = told.find(({ id }) => id === Number(params['delivery']))
      if (!delivery) return gone()
      const tries = [
        { at: delivery.created_at, duration_ms: 12, http_status: 204, error: null, answer: null },
      ]
      return HttpResponse.json({ ...delivery, body: { event: delivery.event, data: {} }, tries })
    }),
    http.post('*/api/v1/webhooks/:id/deliveries/:delivery/replay', ({ params }) => {
      const delivery = told.find(({ id }) => id === Number(params['delivery']))
      return delivery
        ? HttpResponse.json({ ...delivery, state: 'queued' }, { status: 202 })
        : gone()
    }),
    http.post('*/api/v1/webhooks/:id/replay', () =>
      HttpResponse.json({ count: 0 }, { status: 202 }),
    ),
  ]
}
