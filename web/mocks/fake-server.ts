/**
 * The server's behaviour in memory, as far as the page can see it: conversations, replies with their
 * ticks, events in sequence. No HTTP here (see `handlers.ts`) and no sockets (see `pusher.ts`).
 *
 * Words in a reply decide its fate: "fail" fails, "unknown" stays unsettled, others are delivered and read.
 */
import type {
  Contact,
  Conversation,
  EventRow,
  Me,
  Message,
  MessageStatus,
  Reply,
} from '@/api/types'
import { buildAttachment, buildMessage } from './builders'
import { FakeSessions } from './linked-session'
import { FakeChatwoot } from './chatwoot'
import { picture } from './media'
import { PASSWORD, type Seed, seed, summaryOf } from './seed'

export interface Refusal {
  status: number
  code: string
  error: string
  details?: Record<string, unknown>
  errors?: Record<string, string[]>
  retry_after?: number
}

export class FakeServer {
  data: Seed
  me: Me | null = null
  seq = 100
  events: EventRow[] = []
  media = new Map<
    number,
    {
      kind: 'image' | 'document' | 'video' | 'audio'
      file_name: string
      mime_type: string
      size_bytes: number
      url: string
    }
  >()
  /** Delay between the ticks of a reply; 0 keeps replies queued. */
  tickMs: number
  failedSignIns = 0
  /** The Chatwoot beside it. */
  readonly chatwoot = new FakeChatwoot(this)
  /** Phones linked to it itself. */
  readonly sessions = new FakeSessions(this)
  /** Inboxes whose phone is linked. */
  linked = new Set([4])
  /** Every reply posted, to see what the page really sent. */
  posted: Reply[] = []
  private nextId = 9_000_000
  private customFields = new Map<number, Contact['custom_fields']>()
  private listeners = new Set<(row: EventRow) => void>()

  constructor(options: { conversations?: number; nowMs?: number; tickMs?: number } = {}) {
    this.data = seed(options.conversations ?? 40, options.nowMs ?? Date.now())
    this.tickMs = options.tickMs ?? 700
  }

  onEvent(listener: (row: EventRow) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  emit(name: string, data: Record<string, unknown>): void {
    const row = { seq: ++this.seq, name: `App\\Events\\${name}`, data: { ...data, seq: this.seq } }
    this.events.push(row)
    for (const listener of this.listeners) listener(row)
  }

  /** News that are not kept: who is away does not hear them. */
  tell(name: string, data: Record<string, unknown>): void {
    const row = { seq: this.seq, name: `App\\Events\\${name}`, data }
    for (const listener of this.listeners) listener(row)
  }

  signIn(email: string, password: string): Me | Refusal {
    if (this.failedSignIns >= 5) {
      return { status: 429, code: 'RATE_LIMITED', error: 'Too many attempts.', retry_after: 30 }
    }
    const user = this.data.users.find((item) => item.email === email && !item.disabled)
    if (!user || password !== PASSWORD) {
      this.failedSignIns += 1
      return { status: 401, code: 'INVALID_CREDENTIALS', error: 'E-mail or password is wrong.' }
    }
    this.failedSignIns = 0
    this.me = {
      id: user.id,
      name: user.name,
      email,
      role: user.role,
      account: { id: 1, name: 'Yayasan Hijau' },
    }
    return this.me
  }

  conversation(id: number): Conversation | undefined {
    return this.data.conversations.find((item) => item.id === id)
  }

  messages(id: number): Message[] {
    return this.data.messages.get(id) ?? []
  }

  list(query: URLSearchParams): { data: Conversation[]; next_cursor: string | null } {
    const limit = Number(query.get('limit') ?? 50)
    const from = Number(query.get('cursor') ?? 0)
    const q = fold(query.get('q') ?? '')
    const found = this.data.conversations
      .filter((item) => !query.get('status') || item.status === query.get('status'))
      .filter((item) => !query.get('platform') || item.platform === query.get('platform'))
      .filter((item) => !query.get('inbox_id') || item.inbox.id === Number(query.get('inbox_id')))
      .filter((item) => query.get('unread') !== 'true' || item.unread_count > 0)
      .filter((item) => query.get('assignee') !== 'me' || item.assignee?.id === this.me?.id)
      .filter((item) => query.get('assignee') !== 'none' || item.assignee === null)
      .filter(
        (item) =>
          !q ||
          fold(item.customer.name ?? '').includes(q) ||
          this.messages(item.id).some((message) => fold(message.content ?? '').includes(q)),
      )
      .sort((a, b) => Date.parse(b.last_message_at ?? '') - Date.parse(a.last_message_at ?? ''))
    const next = from + limit
    return { data: found.slice(from, next), next_cursor: next < found.length ? String(next) : null }
  }

  changeConversation(id: number, change: Partial<Conversation>): Conversation {
    const index = this.data.conversations.findIndex((item) => item.id === id)
    const changed = { ...this.data.conversations[index]!, ...change, updated_at: now() }
    this.data.conversations[index] = changed
    return changed
  }

  /** A customer writes. */
  receive(conversationId: number, given: Partial<Message> = {}): Message {
    const message = buildMessage({
      content: 'Are you there?',
      created_at: now(),
      conversation_id: conversationId,
      customer_id: conversationId + 1000,
      ...given,
      id: this.nextId++,
    })
    this.store(message)
    const before = this.conversation(conversationId)!
    const conversation = this.changeConversation(conversationId, {
      status: 'active',
      unread_count: before.unread_count + 1,
      last_message_at: message.created_at,
      last_message: summaryOf(message),
      reply_window: {
        state: 'open',
        expires_at: new Date(Date.now() + 24 * 3_600_000).toISOString(),
      },
    })
    this.emit('MessageReceived', { message, conversation })
    return message
  }

  /** A colleague answers. */
  colleagueReplies(conversationId: number, content: string, silently = false): Message {
    const message = buildMessage({
      id: this.nextId++,
      conversation_id: conversationId,
      direction: 'outbound',
      sender_id: 2,
      sender_name: 'Bruno Almeida',
      content,
      status: 'sent',
      created_at: now(),
    })
    this.store(message)
    const conversation = this.changeConversation(conversationId, {
      last_message_at: message.created_at,
      last_message: summaryOf(message),
    })
    if (!silently) this.emit('MessageReceived', { message, conversation })
    return message
  }

  reply(conversationId: number, body: Reply): { status: 200 | 201; message: Message } | Refusal {
    this.posted.push(body)
    const conversation = this.conversation(conversationId)
    if (!conversation) return { status: 404, code: 'NOT_FOUND', error: 'No such conversation.' }
    const thread = this.messages(conversationId)
    const same = body.client_key && thread.find((item) => item.client_key === body.client_key)
    if (same) return { status: 200, message: same }
    if (conversation.status === 'closed') {
      return { status: 409, code: 'CONVERSATION_CLOSED', error: 'The conversation is closed.' }
    }
    if (conversation.reply_window.state === 'closed' && body.type !== 'template') {
      return { status: 422, code: 'WINDOW_CLOSED', error: 'The reply window is closed.' }
    }
    const newer = thread.filter(
      (item) =>
        item.direction === 'outbound' &&
        item.sender_id !== this.me?.id &&
        item.id > (body.last_seen_message_id ?? Number.MAX_SAFE_INTEGER),
    )
    if (newer.length > 0 && !body.force) {
      return {
        status: 409,
        code: 'NEWER_MESSAGES',
        error: 'A newer reply exists.',
        details: { message_ids: newer.map(({ id }) => id) },
      }
    }
    if (body.type === 'reaction') return { status: 201, message: this.react(conversationId, body) }
    const answered = thread.find((item) => item.id === body.reply_to_message_id)
    const file = this.media.get(body.attachments?.[0] ?? -1)
    const message = buildMessage({
      id: this.nextId++,
      conversation_id: conversationId,
      customer_id: conversation.customer_id,
      inbox_id: conversation.inbox.id,
      direction: 'outbound',
      sender_id: this.me?.id ?? 1,
      sender_name: this.me?.name ?? 'Ayu Lestari',
      content: body.content ?? null,
      kind: file ? file.kind : body.type === 'template' ? 'template' : 'text',
      attachments: file ? [buildAttachment(file.kind, { id: body.attachments![0]!, ...file })] : [],
      payload: body.template ? { template: body.template } : {},
      reply_to: answered
        ? {
            id: answered.id,
            kind: answered.kind,
            content: answered.content,
            sender_name: answered.sender_name,
          }
        : null,
      client_key: body.client_key ?? null,
      status: 'queued',
      created_at: now(),
    })
    this.store(message)
    const changed = this.changeConversation(conversationId, {
      last_message_at: message.created_at,
      last_message: summaryOf(message),
    })
    this.emit('MessageReceived', { message, conversation: changed })
    this.deliver(message)
    return { status: 201, message }
  }

  /** Walks a reply through its ticks. */
  deliver(message: Message): void {
    if (this.tickMs === 0) return
    const text = message.content ?? ''
    const fate: MessageStatus[] = /\bfail/.test(text)
      ? ['sending', 'failed']
      : /\bunknown/.test(text)
        ? ['sending', 'unknown']
        : ['sending', 'sent', 'delivered', 'read']
    fate.forEach((status, index) =>
      setTimeout(() => this.setMessageStatus(message.id, status), this.tickMs * (index + 1)),
    )
  }

  setMessageStatus(id: number, status: MessageStatus): Message | undefined {
    const message = this.changeMessage(id, {
      status,
      status_error:
        status === 'failed'
          ? {
              code: '131026',
              message: 'The customer’s phone cannot receive this message.',
              action: null,
            }
          : null,
    })
    if (message) {
      this.emit('MessageStatusUpdated', {
        message_id: id,
        conversation_id: message.conversation_id,
        status,
        status_error: message.status_error,
        message,
      })
    }
    return message
  }

  changeMessage(id: number, change: Partial<Message>): Message | undefined {
    for (const [conversationId, thread] of this.data.messages) {
      const index = thread.findIndex((item) => item.id === id)
      if (index < 0) continue
      const changed = { ...thread[index]!, ...change, updated_at: now() }
      this.data.messages.set(conversationId, thread.with(index, changed))
      return changed
    }
    return undefined
  }

  /** Fetches a file again, this time with luck. */
  fetchMedia(attachmentId: number): boolean {
    for (const message of [...this.data.messages.values()].flat()) {
      if (!message.attachments.some(({ id }) => id === attachmentId)) continue
      const attachments = message.attachments.map((attachment) =>
        attachment.id === attachmentId
          ? { ...attachment, state: 'ready' as const, error: null, url: picture(20, 'At last') }
          : attachment,
      )
      this.emit('MessageUpdated', { message: this.changeMessage(message.id, { attachments }) })
      return true
    }
    return false
  }

  eraseContact(id: number): void {
    const gone = this.data.conversations.filter((item) => item.customer_id === id)
    this.data.conversations = this.data.conversations.filter((item) => item.customer_id !== id)
    for (const { id: conversation_id } of gone) {
      this.emit('ConversationMerged', { conversation_id, into_id: null, conversation: null })
    }
  }

  contact(id: number): Contact | undefined {
    const conversations = this.data.conversations.filter((item) => item.customer_id === id)
    const first = conversations[0]
    if (!first) return undefined
    const other = this.conversation(first.id + 3)
    return {
      ...first.customer,
      identities: first.customer.phone
        ? [{ kind: 'phone', value: first.customer.phone }]
        : [{ kind: 'psid', value: String(7_000_000_000 + id) }],
      conversations: [first, ...(other ? [other] : [])].map((item) => ({
        id: item.id,
        inbox: item.inbox,
        platform: item.platform,
        status: item.status,
        last_message_at: item.last_message_at,
      })),
      custom_fields: this.fieldsOf(id),
      first_seen_at: first.created_at,
      last_seen_at: first.last_message_at,
      created_at: first.created_at,
    }
  }

  /** Every third contact is known to Chatwoot. */
  private fieldsOf(id: number): Contact['custom_fields'] {
    const known = { chatwoot_id: 70 + id, chatwoot_additional_attributes: { city: 'Recife' } }
    return this.customFields.get(id) ?? (id % 3 === 1 ? { ...known, next_visit: 'May' } : {})
  }

  /** Sets fields of a contact; null takes one away. */
  changeFields(id: number, changes: Contact['custom_fields']) {
    const merged = Object.entries({ ...this.fieldsOf(id), ...changes })
    this.customFields.set(id, Object.fromEntries(merged.filter(([, value]) => value !== null)))
  }

  private react(conversationId: number, body: Reply): Message {
    const { message_id, emoji = '' } = body.reaction!
    const others = this.messages(conversationId)
      .find(({ id }) => id === message_id)!
      .reactions.filter(({ sender_type }) => sender_type !== 'admin')
    const ours = {
      emoji,
      sender_type: 'admin' as const,
      sender_name: this.me?.name ?? null,
      status: 'queued' as const,
    }
    const message = this.changeMessage(message_id, {
      reactions: emoji ? [...others, ours] : others,
    })!
    this.emit('MessageUpdated', { message })
    return { ...message, conversation_id: conversationId }
  }

  private store(message: Message): void {
    this.data.messages.set(message.conversation_id, [
      ...this.messages(message.conversation_id),
      message,
    ])
  }
}

function now(): string {
  return new Date().toISOString()
}

function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}
