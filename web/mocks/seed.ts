/** A believable account: a small NGO with three channels. Deterministic, so tests can rely on it. */
import type {
  AuditEntry,
  Channel,
  Conversation,
  Message,
  Token,
  User,
  WebhookLog,
} from '@/api/types'
import { buildConversation, buildInbox, buildMessage } from './builders'
import { picture } from './media'
import { showcase } from './showcase'

export const PASSWORD = 'correct horse'
const HOUR = 3_600_000

const NAMES = [
  'Sari Dewi',
  'Budi Santoso',
  'João Pereira da Conceição',
  'Müller & Söhne GmbH',
  'مريم العلي',
  'Putri 🌸 Ayuningtyas',
  'Bartholomew Featherstonehaugh-Cholmondeley von Württemberg',
  'Rina',
  'Ana Clara Souza',
  '山田 太郎',
  'Agus Wijaya',
  'Nguyễn Thị Minh Khai',
  'Kofi',
  'Siti Nurhaliza',
  'Dmitri Ivanovich',
  'Maria das Graças',
  'Eko Prasetyo',
  'Lakshmi Venkataraman',
  'Tom',
  'Dewi Lestari',
]
const LINES = [
  'Halo, saya mau tanya soal donasi bulanan 🙏',
  'Apakah bukti transfer sudah diterima?',
  'Bom dia! Vocês emitem recibo para imposto de renda?',
  'Thanks, that helps a lot.',
  'هل يمكنني تغيير المبلغ؟',
  'Can I visit the school next week? We would be four people and two children.',
  'Baik, terima kasih banyak 😊',
  'Please call me back',
  'Sudah saya transfer ya kak',
  'Ok 👍',
]
const REPLIES = [
  'Halo! Terima kasih sudah menghubungi kami.',
  'Your receipt was sent by e-mail this morning.',
  'Sudah kami terima, terima kasih banyak!',
  'Of course. Which day would suit you?',
]
const INBOXES = [
  {
    id: 1,
    name: 'Support WhatsApp',
    channel: 'whatsapp_cloud',
    platform: 'whatsapp',
  },
  {
    id: 2,
    name: 'Yayasan Hijau Page',
    channel: 'messenger',
    platform: 'facebook',
  },
  {
    id: 3,
    name: '@yayasan.hijau',
    channel: 'instagram',
    platform: 'instagram',
  },
]

export interface Seed {
  users: User[]
  conversations: Conversation[]
  messages: Map<number, Message[]>
  inboxes: ReturnType<typeof buildInbox>[]
  channels: Channel[]
  tokens: Token[]
  audit: AuditEntry[]
  webhooks: WebhookLog[]
}

export function seed(count: number, nowMs: number): Seed {
  const iso = (ago: number) => new Date(nowMs - ago).toISOString().replace(/\.\d+Z$/, 'Z')
  const users: User[] = [
    {
      id: 1,
      email: 'ayu@example.org',
      name: 'Ayu Lestari',
      role: 'admin',
      disabled: false,
      created_at: iso(900 * HOUR),
      last_seen_at: iso(0),
    },
    {
      id: 2,
      email: 'bruno@example.org',
      name: 'Bruno Almeida',
      role: 'agent',
      disabled: false,
      created_at: iso(600 * HOUR),
      last_seen_at: iso(2 * HOUR),
    },
    {
      id: 3,
      email: 'citra@example.org',
      name: 'Citra Maharani',
      role: 'agent',
      disabled: true,
      created_at: iso(500 * HOUR),
      last_seen_at: null,
    },
  ]
  const conversations: Conversation[] = []
  const messages = new Map<number, Message[]>()
  for (let index = 0; index < count; index += 1) {
    const id = index + 1
    const inbox = INBOXES[index % 3]!
    const name =
      NAMES[index % NAMES.length]! +
      (index >= NAMES.length ? ` ${Math.floor(index / NAMES.length) + 1}` : '')
    const lastAgo = index === 0 ? 3 * 60_000 : index * index * 0.02 * HOUR + index * 21 * 60_000
    const thread =
      id === 2
        ? showcase(id, 2000, nowMs - lastAgo)
        : talk(id, index === 0 ? 6 : 3 + (index % 9), nowMs - lastAgo)
    messages.set(id, thread)
    const last = thread.at(-1)!
    const unread = index % 4 === 0 ? 1 + (index % 3) : 0
    const windowLeft = id === 1 ? 100 * 60_000 : 24 * HOUR - lastAgo
    conversations.push(
      buildConversation({
        id,
        customer: {
          id: id + 1000,
          name,
          email: index % 3 === 0 ? `contact${id}@example.org` : null,
          phone: inbox.platform === 'whatsapp' ? `+62 812 ${String(3000 + id)} 7711` : null,
          avatar_url: index % 5 === 3 ? picture((index * 47) % 360, '') : null,
        },
        inbox: { id: inbox.id, name: inbox.name, channel: inbox.channel },
        platform: inbox.platform,
        status: index % 11 === 10 ? 'closed' : index % 13 === 12 ? 'archived' : 'active',
        unread_count: unread,
        starred: index % 6 === 1,
        assignee: index % 3 === 1 ? { id: 2, name: 'Bruno Almeida' } : null,
        labels: index % 4 === 1 ? ['donor', 'Jakarta', 'VIP'] : index % 7 === 0 ? ['receipt'] : [],
        metadata: {},
        last_message_at: last.created_at,
        created_at: iso(lastAgo + 400 * HOUR),
        updated_at: last.created_at,
        last_message: summaryOf(last),
        reply_window:
          windowLeft > 0
            ? { state: 'open', expires_at: new Date(nowMs + windowLeft).toISOString() }
            : { state: 'closed', expires_at: new Date(nowMs + windowLeft).toISOString() },
      }),
    )
  }
  return {
    users,
    conversations,
    messages,
    inboxes: [
      buildInbox({ id: 1, name: 'Support WhatsApp', last_webhook_at: iso(60_000) }),
      buildInbox({
        id: 2,
        name: 'Yayasan Hijau Page',
        channel: 'messenger',
        platform: 'facebook',
        settings: { page_id: '55501', access_token: true },
        queue_depth: 4,
        state: {
          code: 'reconnect',
          message: 'Facebook no longer accepts the access token.',
          action: 'Make a new page token and enter it here.',
          since: iso(5 * HOUR),
        },
      }),
      buildInbox({
        id: 3,
        name: '@yayasan.hijau',
        channel: 'instagram',
        platform: 'instagram',
        settings: { instagram_id: '178', access_token: true },
        last_webhook_at: null,
        state: {
          code: 'connecting',
          message: 'Waiting for the first message.',
          action: null,
          since: iso(HOUR),
        },
      }),
      buildInbox({
        id: 4,
        name: 'Guest house phone',
        channel: 'green_api',
        settings: { instance_id: '1101000001', api_token: true },
        last_webhook_at: iso(600_000),
      }),
    ],
    channels: CHANNELS,
    tokens: [
      {
        id: 1,
        name: 'Nightly report',
        user: { id: 1, name: 'Ayu Lestari' },
        abilities: ['inbox:read'],
        last_used_at: iso(7 * HOUR),
        expires_at: iso(-90 * 24 * HOUR),
        created_at: iso(200 * HOUR),
      },
      {
        id: 2,
        name: 'Website form',
        user: { id: 2, name: 'Bruno Almeida' },
        abilities: ['*'],
        last_used_at: null,
        expires_at: iso(24 * HOUR),
        created_at: iso(400 * HOUR),
      },
    ],
    audit: Array.from({ length: 70 }, (_, index) => ({
      id: 70 - index,
      at: iso(index * 3 * HOUR),
      user: index % 5 === 4 ? null : { id: 1 + (index % 2), name: users[index % 2]!.name },
      action: [
        'inbox.updated',
        'message.deleted',
        'user.created',
        'conversation.closed',
        'token.created',
      ][index % 5]!,
      subject_type: ['inbox', 'message', 'user', 'conversation', 'token'][index % 5]!,
      subject_id: index + 1,
      details: index % 5 === 0 ? { name: 'Support WhatsApp' } : {},
    })),
    webhooks: Array.from({ length: 60 }, (_, index) => ({
      id: 900 - index,
      inbox_id: index % 7 === 6 ? null : (index % 3) + 1,
      path: '/api/webhooks/messages',
      state: index % 9 === 4 ? 'failed' : index % 7 === 6 ? 'unrouted' : 'applied',
      error: index % 9 === 4 ? 'The database was busy for too long.' : null,
      events: 1 + (index % 3),
      attempts: index % 9 === 4 ? 3 : 1,
      received_at: iso(index * 17 * 60_000),
      applied_at: index % 9 === 4 ? null : iso(index * 17 * 60_000),
    })),
  }
}

export function summaryOf(message: Message): Conversation['last_message'] {
  const { id, content, kind, direction, sender_type, status, deleted_at, created_at } = message
  return { id, content, kind, direction, sender_type, status, deleted_at, created_at }
}

/** `length` messages back and forth, the last at `endMs`. */
export function talk(conversationId: number, length: number, endMs: number): Message[] {
  return Array.from({ length }, (_, index) => {
    const outbound = index % 3 === 1
    return buildMessage({
      id: conversationId * 20_000 + index,
      conversation_id: conversationId,
      customer_id: conversationId + 1000,
      direction: outbound ? 'outbound' : 'inbound',
      content: outbound
        ? REPLIES[(conversationId + index) % REPLIES.length]!
        : LINES[(conversationId * 3 + index) % LINES.length]!,
      status: outbound ? 'read' : 'received',
      created_at: new Date(endMs - (length - 1 - index) * 11 * 60_000)
        .toISOString()
        .replace(/\.\d+Z$/, 'Z'),
    })
  })
}

const token = {
  key: 'access_token',
  label: 'Access token',
  help: 'A permanent token of a system user.',
  secret: true,
  required: true,
  pattern: '^[!-~]+$',
}
const CHANNELS: Channel[] = [
  {
    name: 'whatsapp_cloud',
    label: 'WhatsApp Cloud API',
    platform: 'whatsapp',
    webhook_url: 'https://desk.example.org/api/webhooks/messages',
    phone: false,
    mirrored: false,
    docs: 'https://desk.example.org/docs/channels/whatsapp_cloud',
    fields: [
      {
        key: 'phone_number_id',
        label: 'Phone number ID',
        help: 'In the Meta app, under WhatsApp → API setup.',
        secret: false,
        required: true,
        pattern: '^[0-9]{1,32}$',
      },
      {
        key: 'business_account_id',
        label: 'Business account ID',
        help: 'On the same page.',
        secret: false,
        required: true,
        pattern: '^[0-9]{1,32}$',
      },
      token,
    ],
  },
  {
    name: 'messenger',
    label: 'Facebook Messenger',
    platform: 'facebook',
    webhook_url: 'https://desk.example.org/api/webhooks/messages',
    phone: false,
    mirrored: false,
    docs: 'https://desk.example.org/docs/channels/messenger',
    fields: [
      {
        key: 'page_id',
        label: 'Page ID',
        help: 'The Page, About, Page transparency.',
        secret: false,
        required: true,
        pattern: '^[0-9]{1,32}$',
      },
      token,
    ],
  },
  {
    name: 'instagram',
    label: 'Instagram',
    platform: 'instagram',
    webhook_url: 'https://desk.example.org/api/webhooks/messages',
    phone: false,
    mirrored: false,
    docs: 'https://desk.example.org/docs/channels/instagram',
    fields: [
      {
        key: 'instagram_id',
        label: 'Instagram account ID',
        help: 'In the Meta app, under Instagram.',
        secret: false,
        required: true,
        pattern: '^[0-9]{1,32}$',
      },
      token,
    ],
  },
  {
    name: 'linked_whatsapp',
    label: 'WhatsApp (linked phone)',
    platform: 'whatsapp',
    webhook_url: null,
    phone: true,
    mirrored: false,
    docs: 'https://desk.example.org/docs/channels/linked-whatsapp',
    fields: [
      {
        key: 'session_id',
        label: 'Session name',
        help: 'A name of your choice, as reception-1.',
        secret: false,
        required: true,
        pattern: '^[A-Za-z0-9][A-Za-z0-9._\\-]{0,63}$',
      },
    ],
  },
  {
    name: 'green_api',
    label: 'WhatsApp (Green API)',
    platform: 'whatsapp',
    webhook_url: 'https://desk.example.org/api/v1/webhooks/green-api',
    phone: true,
    mirrored: false,
    docs: 'https://desk.example.org/docs/channels/green-api',
    fields: [
      {
        key: 'instance_id',
        label: 'Instance ID',
        help: 'Green API console, the instance’s page.',
        secret: false,
        required: true,
        pattern: '^[0-9]{1,18}$',
      },
      { ...token, key: 'api_token', label: 'API token', help: 'On the same page.' },
      {
        key: 'mode',
        label: 'How messages come in',
        help: 'webhook: Green API delivers to this server. polling: this server asks. Left empty: webhook.',
        secret: false,
        required: false,
        pattern: '^(webhook|polling)$',
      },
    ],
  },
]
