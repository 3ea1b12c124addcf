/** Phones linked to the fake server itself: `sessions` by name, codes that change when told, a phone that scans. */
import { http, HttpResponse } from 'msw'
import type { LinkedSession, SessionState, ShownCode } from '@/api/types'
import type { FakeServer } from './fake-server'
import { CODE } from './linked-phone'

const HOUR_MS = 3_600_000

export class FakeSessions {
  readonly byName = new Map<string, LinkedSession>()
  /** Which code is shown, from 1. */
  attempt = 1

  constructor(private readonly server: FakeServer) {}

  /** The session of a name; made when an inbox is first asked about. */
  find(name: string): LinkedSession {
    const known = this.byName.get(name)
    if (known) return known
    const inbox = this.server.data.inboxes.find(({ settings }) => settings['session_id'] === name)
    const now = new Date().toISOString()
    const made: LinkedSession = {
      id: inbox?.id ?? 0,
      session_id: name,
      user_id: null,
      name: inbox?.name ?? name,
      status: 'connecting',
      state: 'created',
      reason: null,
      since: now,
      banned_until: null,
      phone_number: null,
      active_chats: 0,
      last_activity: null,
      webhook_url: null,
      idempotent_sends: true,
      driver: 'simulated',
      created_at: now,
      updated_at: now,
    }
    this.byName.set(name, made)
    return made
  }

  /** It is in another state from now on; pages hear of it. */
  become(name: string, state: SessionState, given: Partial<LinkedSession> = {}): void {
    const session = this.find(name)
    Object.assign(session, given, { state })
    const inbox = this.server.data.inboxes.find(({ id }) => id === session.id)
    if (!inbox) return
    const code = state === 'connected' ? 'connected' : 'reconnect'
    inbox.state = { code, message: '', action: null, since: new Date().toISOString() }
    this.server.emit('InboxStateChanged', { inbox_id: inbox.id, state: inbox.state })
  }

  /** Another code follows. */
  renew(name: string): void {
    this.attempt += 1
    const session = this.find(name)
    this.server.tell('SessionQr', { inbox_id: session.id, session_id: name })
  }

  code(state: SessionState): ShownCode {
    const text = `code-${this.attempt}`
    const isPicture = state === 'qr'
    return {
      qr: isPicture ? text : null,
      qr_code: isPicture ? text : null,
      image: isPicture ? `${CODE}#${text}` : null,
      code: state === 'code' ? 'ABCD-1234' : null,
      challenge: null,
      state,
      expires_at: new Date(Date.now() + HOUR_MS).toISOString(),
      attempt: this.attempt,
    }
  }
}

export function linkedSessionHandlers({ sessions }: FakeServer) {
  const nameOf = (params: Record<string, unknown>) => String(params['id'])
  const told = <Data>(data: Data) => HttpResponse.json({ success: true, data, message: '' })
  const refused = (status: number, code: string, message: string, errors = {}) =>
    HttpResponse.json(
      { success: false, data: null, message, error: message, code, errors },
      { status },
    )

  return [
    http.get('*/api/v1/sessions/:id/status', ({ params }) => told(sessions.find(nameOf(params)))),
    http.get('*/api/v1/sessions/:id/qr', ({ params }) => {
      const name = nameOf(params)
      const { state } = sessions.find(name)
      if (state === 'connected' || state === 'banned') return refused(409, 'CONFLICT', 'Linked.')
      if (state !== 'code') sessions.find(name).state = 'qr'
      return told(sessions.code(sessions.find(name).state))
    }),
    http.post('*/api/v1/sessions/:id/pairing-code', async ({ params, request }) => {
      const { phone } = (await request.json()) as { phone: string }
      if (phone.length < 5) {
        const sentence = 'The phone field must be a number with its country code.'
        return refused(422, 'VALIDATION_FAILED', sentence, { phone: [sentence] })
      }
      sessions.find(nameOf(params)).state = 'code'
      return told(sessions.code('code'))
    }),
    http.post('*/api/v1/sessions/:id/restart', ({ params }) => {
      const session = sessions.find(nameOf(params))
      session.state = 'qr'
      return told(session)
    }),
  ]
}
