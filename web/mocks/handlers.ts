/** The HTTP contract over [`FakeServer`]: paths, statuses, bodies. */
import { delay, http, HttpResponse, type JsonBodyType } from 'msw'
import type { Ability, Contact, Reply, Role } from '@/api/types'
import { bridgeHandlers } from './bridges'
import { buildInbox, opened } from './builders'
import { chatwootHandlers } from './chatwoot'
import { donorHandlers } from './donors'
import type { FakeServer, Refusal } from './fake-server'
import { linkedPhoneHandlers } from './linked-phone'
import { linkedSessionHandlers } from './linked-session'
import { outgoingWebhooks } from './outgoing-webhooks'
import { monitoringHandlers } from './monitoring'
import { suggestionHandlers } from './suggestions'
import { templateHandlers } from './templates'

const json = (body: unknown, status = 200) => HttpResponse.json(body as JsonBodyType, { status })

function refuse({ status, ...body }: Refusal) {
  return HttpResponse.json(
    {
      details: {},
      ...body,
      ...(body.errors ? { message: 'The given data was invalid.' } : {}),
    },
    {
      status,
      headers: body.retry_after ? { 'Retry-After': String(body.retry_after) } : {},
    },
  )
}

const NOT_FOUND: Refusal = { status: 404, code: 'NOT_FOUND', error: 'Not found.' }

export function handlers(server: FakeServer, latencyMs = 0) {
  const id = (params: Record<string, unknown>, name = 'id') => Number(params[name])
  const required = (body: Record<string, unknown>, ...names: string[]): Refusal | null => {
    const missing = names.filter((name) => !String(body[name] ?? '').trim())
    if (missing.length === 0) return null
    return {
      status: 422,
      code: 'VALIDATION_ERROR',
      error: 'The given data was invalid.',
      errors: Object.fromEntries(missing.map((name) => [name, ['This field is required.']])),
    }
  }

  const session = [
    http.get('*/api/v1/session', () =>
      server.me
        ? json(server.me)
        : refuse({ status: 401, code: 'INVALID_TOKEN', error: 'You are not signed in.' }),
    ),
    http.post('*/api/v1/session', async ({ request }) => {
      const { email, password } = (await request.json()) as { email: string; password: string }
      const outcome = server.signIn(email, password)
      return 'status' in outcome ? refuse(outcome) : json(outcome)
    }),
    http.post('*/api/v1/session/password', async ({ request }) => {
      const { current_password } = (await request.json()) as { current_password: string }
      if (current_password === 'correct horse') return new HttpResponse(null, { status: 204 })
      const message = 'The current password is wrong.'
      return json(
        { error: message, code: 'VALIDATION_ERROR', errors: { current_password: [message] } },
        422,
      )
    }),
    http.delete('*/api/v1/session', () => {
      server.me = null
      return new HttpResponse(null, { status: 204 })
    }),
    http.all('*/api/v1/*', async () => {
      await delay(latencyMs)
      if (server.me) return undefined
      return refuse({ status: 401, code: 'INVALID_TOKEN', error: 'You are not signed in.' })
    }),
  ]

  const listed = ({ data, ...page }: ReturnType<FakeServer['list']>) => ({
    ...page,
    data: data.map(opened),
    event_seq: server.seq,
  })
  const conversations = [
    http.get('*/api/v1/conversations', ({ request }) =>
      json(listed(server.list(new URL(request.url).searchParams))),
    ),
    http.get('*/api/v1/conversations/:id', ({ params }) => {
      const found = server.conversation(id(params))
      return found ? json(opened(found)) : refuse(NOT_FOUND)
    }),
    http.patch('*/api/v1/conversations/:id', async ({ params, request }) => {
      const { assignee_id, ...change } = (await request.json()) as {
        assignee_id?: number | null
        starred?: boolean
        labels?: string[]
      }
      const person = server.data.users.find((user) => user.id === assignee_id)
      const conversation = server.changeConversation(id(params), {
        ...change,
        ...(assignee_id === undefined
          ? {}
          : { assignee: person ? { id: person.id, name: person.name } : null }),
      })
      server.emit('ConversationUpdated', { conversation })
      return json(opened(conversation))
    }),
    http.get('*/api/v1/conversations/:id/messages', ({ params, request }) => {
      const query = new URL(request.url).searchParams
      const thread = server.messages(id(params))
      const end = query.has('before') ? Number(query.get('before')) : thread.length
      const start = Math.max(0, end - Number(query.get('limit') ?? 40))
      return json({
        data: thread.slice(start, end),
        previous_cursor: start > 0 ? String(start) : null,
        event_seq: server.seq,
      })
    }),
    http.post('*/api/v1/conversations/:id/read', ({ params }) => {
      const conversation = server.changeConversation(id(params), { unread_count: 0 })
      server.emit('ConversationUpdated', { conversation })
      return json(opened(conversation))
    }),
    http.post('*/api/v1/conversations/:id/unread', ({ params }) => {
      const { unread_count } = server.conversation(id(params))!
      const conversation = server.changeConversation(id(params), {
        unread_count: Math.max(unread_count, 1),
      })
      server.emit('ConversationUpdated', { conversation })
      return json(opened(conversation))
    }),
    http.post('*/api/v1/conversations/:id/typing', () => new HttpResponse(null, { status: 204 })),
    http.post('*/admin/inbox/:id/messages', async ({ params, request }) => {
      await delay(latencyMs)
      const outcome = server.reply(id(params), (await request.json()) as Reply)
      return 'message' in outcome ? json(outcome.message, outcome.status) : refuse(outcome)
    }),
    http.post('*/admin/inbox/:id/messages/:mid/retry', ({ params }) => {
      const message = server.setMessageStatus(id(params, 'mid'), 'queued')
      if (!message) return refuse(NOT_FOUND)
      server.deliver({ ...message, content: '' })
      return json(message)
    }),
    http.post('*/admin/inbox/:id/messages/:mid/resolve', async ({ params, request }) => {
      const { outcome } = (await request.json()) as { outcome: 'sent' | 'resend' }
      const status = outcome === 'sent' ? 'sent' : 'queued'
      const message = server.setMessageStatus(id(params, 'mid'), status)
      if (message && outcome === 'resend') server.deliver({ ...message, content: '' })
      return message ? json(message) : refuse(NOT_FOUND)
    }),
    http.delete('*/admin/inbox/:id/messages/:mid', ({ params }) => {
      const message = server.changeMessage(id(params, 'mid'), {
        content: null,
        attachments: [],
        deleted_at: new Date().toISOString(),
      })
      if (!message) return refuse(NOT_FOUND)
      server.emit('MessageUpdated', { message })
      return new HttpResponse(null, { status: 204 })
    }),
    http.post('*/admin/inbox/:id/status', async ({ params, request }) => {
      const { status } = (await request.json()) as { status: 'active' | 'archived' | 'closed' }
      const before = server.conversation(id(params))
      if (!before) return refuse(NOT_FOUND)
      const conversation = server.changeConversation(before.id, { status })
      server.emit('ConversationStatusChanged', {
        conversation_id: before.id,
        status,
        previous_status: before.status,
        conversation,
      })
      return json({ id: before.id, status, updated_at: conversation.updated_at })
    }),
    http.get('*/api/v1/messages/:id/deliveries', () =>
      json({
        data: [
          {
            id: 1,
            attempt: 1,
            started_at: '2024-02-19T10:30:00Z',
            finished_at: '2024-02-19T10:30:01Z',
            outcome: 'retry',
            http_status: 500,
            provider_code: '131000',
            error: 'Something went wrong at the provider.',
          },
          {
            id: 2,
            attempt: 2,
            started_at: '2024-02-19T10:30:05Z',
            finished_at: '2024-02-19T10:30:06Z',
            outcome: 'sent',
            http_status: 200,
            provider_code: null,
            error: null,
          },
        ],
      }),
    ),
    http.post('*/api/v1/attachments/:id/fetch', ({ params }) =>
      server.fetchMedia(id(params)) ? new HttpResponse(null, { status: 204 }) : refuse(NOT_FOUND),
    ),
    http.post('*/api/v1/media', async ({ request }) => {
      const file = (await request.formData()).get('file') as File
      const kinds = ['image', 'video', 'audio'] as const
      const kind = kinds.find((name) => file.type.startsWith(name)) ?? ('document' as const)
      const media = {
        id: 700 + server.media.size,
        kind,
        mime_type: file.type,
        file_name: file.name,
        size_bytes: file.size,
        url: `data:${file.type};base64,${btoa(String.fromCharCode(...new Uint8Array(await file.arrayBuffer()).subarray(0, 60_000)))}`,
      }
      server.media.set(media.id, media)
      return json(media, 201)
    }),
  ]

  const contacts = [
    http.get('*/api/v1/contacts/:id', ({ params }) => {
      const contact = server.contact(id(params))
      return contact ? json(contact) : refuse(NOT_FOUND)
    }),
    http.delete('*/api/v1/contacts/:id', ({ params }) => {
      if (!server.contact(id(params))) return refuse(NOT_FOUND)
      server.eraseContact(id(params))
      return new HttpResponse(null, { status: 204 })
    }),
    http.patch('*/api/v1/contacts/:id', async ({ params, request }) => {
      const { custom_fields: fields, ...body } = (await request.json()) as {
        name?: string
        email?: string | null
        custom_fields?: Contact['custom_fields']
      }
      if (body.email && !body.email.includes('@')) {
        return refuse({
          status: 422,
          code: 'VALIDATION_ERROR',
          error: 'The given data was invalid.',
          errors: { email: ['This is not an e-mail address.'] },
        })
      }
      if (fields) server.changeFields(id(params), fields)
      for (const item of server.data.conversations) {
        if (item.customer_id === id(params)) {
          server.changeConversation(item.id, { customer: { ...item.customer, ...body } })
        }
      }
      server.emit('ContactUpdated', { contact_id: id(params) })
      return json(server.contact(id(params)))
    }),
  ]

  const settings = [
    http.get('*/api/v1/channels', () => json({ data: server.data.channels })),
    http.get('*/api/v1/inboxes', () => json({ data: server.data.inboxes, next_cursor: null })),
    http.post('*/api/v1/inboxes', async ({ request }) => {
      const body = (await request.json()) as {
        channel: string
        name: string
        settings: Record<string, string>
      }
      const channel = server.data.channels.find(({ name }) => name === body.channel)!
      const invalid = required(
        body.settings,
        ...channel.fields.filter((field) => field.required).map(({ key }) => key),
      )
      if (invalid) {
        return refuse({
          ...invalid,
          errors: Object.fromEntries(
            Object.entries(invalid.errors ?? {}).map(([key, value]) => [`settings.${key}`, value]),
          ),
        })
      }
      const secrets = new Set(channel.fields.filter(({ secret }) => secret).map(({ key }) => key))
      const inbox = buildInbox({
        id: 1 + Math.max(0, ...server.data.inboxes.map((item) => item.id)),
        name: body.name,
        webhook_url: channel.webhook_url,
        channel: channel.name,
        platform: channel.platform,
        settings: Object.fromEntries(
          Object.entries(body.settings).map(([key, value]) => [
            key,
            secrets.has(key) ? true : value,
          ]),
        ),
        last_webhook_at: null,
        state: {
          code: 'connecting',
          message: 'Waiting for the first message.',
          action: null,
          since: new Date().toISOString(),
        },
      })
      server.data.inboxes.push(inbox)
      return json(inbox, 201)
    }),
    http.patch('*/api/v1/inboxes/:id', async ({ params, request }) => {
      const body = (await request.json()) as {
        name?: string
        enabled?: boolean
        settings?: Record<string, string>
      }
      const index = server.data.inboxes.findIndex((item) => item.id === id(params))
      const before = server.data.inboxes[index]!
      server.data.inboxes[index] = {
        ...before,
        ...(body.name === undefined ? {} : { name: body.name }),
        ...(body.enabled === undefined ? {} : { enabled: body.enabled }),
        settings: { ...before.settings, ...body.settings },
      }
      return json(server.data.inboxes[index])
    }),
    http.delete('*/api/v1/inboxes/:id', ({ params }) => {
      server.data.inboxes = server.data.inboxes.filter((item) => item.id !== id(params))
      return new HttpResponse(null, { status: 204 })
    }),
    http.post('*/api/v1/inboxes/:id/check', ({ params }) => {
      const inbox = server.data.inboxes.find((item) => item.id === id(params))!
      inbox.state = {
        code: 'connected',
        message: 'Messages are sent and received.',
        action: null,
        since: new Date().toISOString(),
      }
      return json(inbox)
    }),
    http.get('*/api/v1/users/agents', () =>
      json({
        data: server.data.users
          .filter((user) => !user.disabled)
          .map(({ id: userId, name }) => ({ id: userId, name })),
      }),
    ),
    http.get('*/api/v1/users', () => json({ data: server.data.users, next_cursor: null })),
    http.post('*/api/v1/users', async ({ request }) => {
      const body = (await request.json()) as {
        email: string
        name: string
        role: Role
        password: string
      }
      const invalid = required(body, 'email', 'name', 'password')
      if (invalid) return refuse(invalid)
      if (server.data.users.some(({ email }) => email === body.email)) {
        return refuse({
          status: 422,
          code: 'VALIDATION_ERROR',
          error: 'The given data was invalid.',
          errors: { email: ['This e-mail is already in use.'] },
        })
      }
      const user = {
        id: server.data.users.length + 1,
        email: body.email,
        name: body.name,
        role: body.role,
        disabled: false,
        created_at: new Date().toISOString(),
        last_seen_at: null,
      }
      server.data.users.push(user)
      return json(user, 201)
    }),
    http.patch('*/api/v1/users/:id', async ({ params, request }) => {
      const change = (await request.json()) as Record<string, unknown>
      delete change['password']
      const index = server.data.users.findIndex((user) => user.id === id(params))
      server.data.users[index] = { ...server.data.users[index]!, ...change }
      return json(server.data.users[index])
    }),
    http.get('*/api/v1/tokens', () => json({ data: server.data.tokens, next_cursor: null })),
    http.post('*/api/v1/tokens', async ({ request }) => {
      const body = (await request.json()) as {
        name: string
        abilities: Ability[]
        expires_at?: string
      }
      const token = {
        id: server.data.tokens.length + 1,
        name: body.name,
        user: { id: server.me!.id, name: server.me!.name },
        abilities: body.abilities,
        last_used_at: null,
        expires_at: body.expires_at ?? null,
        created_at: new Date().toISOString(),
      }
      server.data.tokens.push(token)
      return json({ ...token, token: `${token.id}|9fK2nQ8sVbT4xWcY7mRd` }, 201)
    }),
    http.delete('*/api/v1/tokens/:id', ({ params }) => {
      server.data.tokens = server.data.tokens.filter((token) => token.id !== id(params))
      return new HttpResponse(null, { status: 204 })
    }),
    ...outgoingWebhooks(),
    http.get('*/api/v1/webhook-logs', ({ request }) => {
      const query = new URL(request.url).searchParams
      const rows = server.data.webhooks.filter(
        (log) => !query.get('state') || log.state === query.get('state'),
      )
      return json(paged(rows, query))
    }),
    http.post('*/api/v1/webhook-logs/:id/replay', ({ params }) => {
      const index = server.data.webhooks.findIndex((log) => log.id === id(params))
      const log = server.data.webhooks[index]
      if (!log) return refuse(NOT_FOUND)
      server.data.webhooks[index] = {
        ...log,
        state: 'applied',
        error: null,
        attempts: log.attempts + 1,
      }
      return json(server.data.webhooks[index])
    }),
    http.get('*/api/v1/audit', ({ request }) =>
      json(paged(server.data.audit, new URL(request.url).searchParams)),
    ),
  ]

  const realtime = [
    http.get('*/api/v1/realtime', ({ request }) => {
      const url = new URL(request.url)
      return json({
        key: 'mock',
        host: url.hostname,
        port: Number(url.port || 80),
        scheme: 'http',
        channels: ['private-account.1', 'private-inbox'],
        auth_endpoint: '/broadcasting/auth',
      })
    }),
    http.post('*/broadcasting/auth', async ({ request }) => {
      const form = new URLSearchParams(await request.text())
      const presence = form.get('channel_name')?.startsWith('presence-')
      return json({
        auth: 'mock:signature',
        ...(presence
          ? {
              channel_data: JSON.stringify({
                user_id: String(server.me?.id),
                user_info: { name: server.me?.name },
              }),
            }
          : {}),
      })
    }),
    http.get('*/api/v1/events', ({ request }) => {
      const query = new URL(request.url).searchParams
      const limit = Number(query.get('limit') ?? 100)
      const missed = server.events.filter((row) => row.seq > Number(query.get('after')))
      return json({
        data: missed.slice(0, limit),
        last_seq: server.seq,
        more: missed.length > limit,
        resync: false,
      })
    }),
  ]

  const monitoring = monitoringHandlers(() => server.data.inboxes)

  const phones = linkedPhoneHandlers(server)

  return [
    ...phones,
    ...linkedSessionHandlers(server),
    ...suggestionHandlers(),
    ...templateHandlers(),
    ...donorHandlers(server),
    ...session,
    ...conversations,
    ...contacts,
    ...settings,
    ...monitoring,
    ...chatwootHandlers(server.chatwoot),
    ...bridgeHandlers(server.chatwoot),
    ...realtime,
  ]
}

function paged<Row>(
  rows: Row[],
  query: URLSearchParams,
): { data: Row[]; next_cursor: string | null } {
  const from = Number(query.get('cursor') ?? 0)
  const next = from + Number(query.get('limit') ?? 50)
  return { data: rows.slice(from, next), next_cursor: next < rows.length ? String(next) : null }
}
