/** Complete API objects from a few words; tests state only what matters to them. */
import type {
  Attachment,
  AttachmentKind,
  Capabilities,
  Conversation,
  Inbox,
  Message,
  OpenConversation,
} from '@/api/types'

const MIB = 1024 * 1024

export const WHATSAPP: Capabilities = {
  text_max: { count: 4096, unit: 'characters' },
  attachments: [
    { kind: 'image', mime_types: ['image/jpeg', 'image/png'], max_bytes: 5 * MIB },
    { kind: 'video', mime_types: ['video/mp4', 'video/3gpp'], max_bytes: 16 * MIB },
    { kind: 'audio', mime_types: ['audio/mpeg', 'audio/ogg', 'audio/mp4'], max_bytes: 16 * MIB },
    {
      kind: 'document',
      mime_types: ['application/pdf', 'text/plain', 'application/zip'],
      max_bytes: 100 * MIB,
    },
  ],
  caption_max: 1024,
  templates: true,
  reactions: true,
  reaction_emojis: [],
  reply_to: true,
  location: true,
  contacts: true,
  interactive: true,
  read_receipts: true,
  reply_window: { duration_ms: 86_400_000, extended_ms: null },
  typing: true,
}

export const MESSENGER: Capabilities = {
  text_max: { count: 2000, unit: 'characters' },
  attachments: [
    { kind: 'image', mime_types: ['image/*'], max_bytes: 8 * MIB },
    { kind: 'document', mime_types: ['*/*'], max_bytes: 25 * MIB },
  ],
  caption_max: 0,
  templates: false,
  reactions: true,
  reaction_emojis: [],
  reply_to: true,
  location: false,
  contacts: false,
  interactive: true,
  read_receipts: true,
  reply_window: { duration_ms: 86_400_000, extended_ms: 604_800_000 },
  typing: true,
}

export const INSTAGRAM: Capabilities = {
  text_max: { count: 1000, unit: 'bytes' },
  attachments: [{ kind: 'image', mime_types: ['image/jpeg', 'image/png'], max_bytes: 8 * MIB }],
  caption_max: 0,
  templates: false,
  reactions: true,
  reaction_emojis: ['❤️'],
  reply_to: true,
  location: false,
  contacts: false,
  interactive: true,
  read_receipts: true,
  reply_window: { duration_ms: 86_400_000, extended_ms: 604_800_000 },
  typing: true,
}

export function buildConversation(given: Partial<Conversation> & { id: number }): Conversation {
  const at = given.last_message_at ?? '2024-02-19T10:30:00Z'
  return {
    customer: {
      id: given.id + 1000,
      name: `Customer ${given.id}`,
      email: null,
      phone: `+62812000${String(given.id).padStart(4, '0')}`,
      avatar_url: null,
    },
    customer_id: given.customer?.id ?? given.id + 1000,
    inbox: { id: 1, name: 'Support WhatsApp', channel: 'whatsapp_cloud' },
    platform: 'whatsapp',
    platform_conversation_id: `wa-${given.id}`,
    subject: null,
    status: 'active',
    unread_count: 0,
    starred: false,
    assignee: null,
    labels: [],
    metadata: {},
    last_message_at: at,
    created_at: at,
    updated_at: at,
    last_message: null,
    reply_window: { state: 'none', expires_at: null },
    ...given,
  }
}

/** A conversation as it comes when it is opened. */
export function opened(conversation: Conversation): OpenConversation {
  const by: Record<string, Capabilities> = { facebook: MESSENGER, instagram: INSTAGRAM }
  return { ...conversation, capabilities: by[conversation.platform] ?? WHATSAPP }
}

export function buildMessage(given: Partial<Message> & { id: number }): Message {
  const at = given.created_at ?? '2024-02-19T10:30:00Z'
  const outbound = given.direction === 'outbound'
  return {
    conversation_id: 1,
    customer_id: 1001,
    inbox_id: 1,
    direction: 'inbound',
    sender_type: outbound ? 'admin' : 'customer',
    sender_name: outbound ? 'Ayu Lestari' : null,
    sender_id: outbound ? 1 : null,
    kind: 'text',
    content: `Message ${given.id}`,
    media_url: null,
    media_type: null,
    attachments: [],
    payload: {},
    reply_to: null,
    forwarded: false,
    reactions: [],
    status: outbound ? 'sent' : 'received',
    status_error: null,
    platform_message_id: `wamid.${given.id}`,
    client_key: null,
    edited_at: null,
    read_at: null,
    deleted_at: null,
    created_at: at,
    stored_at: at,
    updated_at: at,
    ...given,
  }
}

export function buildAttachment(
  kind: AttachmentKind,
  given: Partial<Attachment> & { id: number },
): Attachment {
  return {
    kind,
    url: null,
    mime_type: null,
    file_name: null,
    size_bytes: null,
    state: 'ready',
    error: null,
    ...given,
  }
}

export function buildInbox(given: Partial<Inbox> & { id: number }): Inbox {
  return {
    name: `Inbox ${given.id}`,
    channel: 'whatsapp_cloud',
    platform: 'whatsapp',
    settings: { phone_number_id: '100200300', access_token: true },
    webhook_url: 'https://desk.example.org/api/webhooks/messages',
    enabled: true,
    state: {
      code: 'connected',
      message: 'Messages are sent and received.',
      action: null,
      since: '2024-02-01T08:00:00Z',
    },
    last_webhook_at: '2024-02-19T10:30:00Z',
    queue_depth: 0,
    created_at: '2024-02-01T08:00:00Z',
    ...given,
  }
}
