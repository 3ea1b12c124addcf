/**
 * The HTTP contract as types, in the shape openapi-typescript writes.
 *
 * Written by hand until the server publishes its OpenAPI document; `npm run api` replaces this
 * file by the generated one. Nothing else in the app repeats a field: see `types.ts`.
 * Times are ISO 8601 in UTC, ids are integers, sizes are bytes.
 */

type Json = Record<string, unknown>

/** One operation: query, path, body, success status and answer. */
interface Operation<Query, Path, Body, Status extends number, Answer> {
  parameters: { query?: Query; path: Path; header?: never; cookie?: never }
  requestBody: [Body] extends [never] ? never : { content: { 'application/json': Body } }
  responses: { [status in Status]: { content: { 'application/json': Answer } } } & {
    default: { content: { 'application/json': components['schemas']['Error'] } }
  }
}
type NoPath = Record<string, never>
type Read<Answer, Query = Record<string, never>, Path = NoPath> = Omit<
  Operation<Query, Path, never, 200, Answer>,
  'requestBody' | 'parameters'
> & { parameters: ParametersOf<Query, Path> }
type Write<Body, Answer, Path = NoPath, Status extends number = 200> = Omit<
  Operation<never, Path, Body, Status, Answer>,
  'parameters'
> & { parameters: ParametersOf<Record<string, never>, Path> }
type Act<Answer, Path = NoPath, Status extends number = 200> = Omit<
  Operation<never, Path, never, Status, Answer>,
  'requestBody' | 'parameters'
> & { parameters: ParametersOf<Record<string, never>, Path> }
type ParametersOf<Query, Path> = { query?: Query } & (Path extends NoPath
  ? { path?: never }
  : { path: Path })
type Id = { id: number }
type MessageId = { id: number; mid: number }
type List<Item> = { data: Item[] }
type Page<Item> = { data: Item[]; next_cursor: string | null }

export interface paths {
  '/api/v1/session': {
    get: Read<components['schemas']['Me']>
    post: Write<{ email: string; password: string }, components['schemas']['Me']>
    delete: Act<undefined, NoPath, 204>
  }
  '/api/v1/session/password': {
    post: Write<{ current_password: string; new_password: string }, undefined, NoPath, 204>
  }
  '/api/v1/conversations': {
    get: Read<
      Page<components['schemas']['Conversation']> & { event_seq: number },
      {
        status?: string
        platform?: string
        inbox_id?: number
        unread?: boolean
        /** `me`, `none` or the id of a user. */
        assignee?: string
        q?: string
        cursor?: string
        limit?: number
      }
    >
  }
  '/api/v1/conversations/{id}': {
    get: Read<components['schemas']['Conversation'], Record<string, never>, Id>
    patch: Write<
      { starred?: boolean; assignee_id?: number | null; labels?: string[] },
      components['schemas']['Conversation'],
      Id
    >
  }
  '/api/v1/conversations/{id}/messages': {
    get: Read<
      {
        data: components['schemas']['Message'][]
        previous_cursor: string | null
        event_seq: number
      },
      { before?: string; limit?: number },
      Id
    >
  }
  '/api/v1/conversations/{id}/read': { post: Act<components['schemas']['Conversation'], Id> }
  '/api/v1/conversations/{id}/unread': { post: Act<components['schemas']['Conversation'], Id> }
  '/api/v1/conversations/{id}/typing': { post: Act<undefined, Id, 204> }
  '/admin/inbox/{id}/messages': {
    post: Write<components['schemas']['Reply'], components['schemas']['SentMessage'], Id, 201>
  }
  '/admin/inbox/{id}/messages/{mid}': { delete: Act<undefined, MessageId, 204> }
  '/admin/inbox/{id}/messages/{mid}/retry': {
    post: Act<components['schemas']['Message'], MessageId>
  }
  '/admin/inbox/{id}/messages/{mid}/resolve': {
    post: Write<{ outcome: 'sent' | 'resend' }, components['schemas']['Message'], MessageId>
  }
  '/admin/inbox/{id}/status': {
    post: Write<
      { status: components['schemas']['ConversationStatus'] },
      { id: number; status: components['schemas']['ConversationStatus']; updated_at: string },
      Id
    >
  }
  '/api/v1/messages/{id}/deliveries': {
    get: Read<List<components['schemas']['Delivery']>, Record<string, never>, Id>
  }
  '/api/v1/attachments/{id}/fetch': { post: Act<undefined, Id, 204> }
  '/api/v1/contacts/{id}': {
    get: Read<components['schemas']['Contact'], Record<string, never>, Id>
    patch: Write<{ name?: string; email?: string | null }, components['schemas']['Contact'], Id>
  }
  '/api/v1/channels': { get: Read<List<components['schemas']['Channel']>> }
  '/api/v1/inboxes': {
    get: Read<Page<components['schemas']['Inbox']>, { cursor?: string; limit?: number }>
    post: Write<
      { channel: string; name: string; settings: Record<string, string> },
      components['schemas']['Inbox'],
      NoPath,
      201
    >
  }
  '/api/v1/inboxes/{id}': {
    get: Read<components['schemas']['Inbox'], Record<string, never>, Id>
    patch: Write<
      { name?: string; settings?: Record<string, string | null>; enabled?: boolean },
      components['schemas']['Inbox'],
      Id
    >
    delete: Act<undefined, Id, 204>
  }
  '/api/v1/inboxes/{id}/check': { post: Act<components['schemas']['Inbox'], Id> }
  '/api/v1/users': {
    get: Read<Page<components['schemas']['User']>, { cursor?: string; limit?: number }>
    post: Write<
      { email: string; name: string; role: components['schemas']['Role']; password: string },
      components['schemas']['User'],
      NoPath,
      201
    >
  }
  '/api/v1/users/{id}': {
    patch: Write<
      {
        name?: string
        role?: components['schemas']['Role']
        password?: string
        disabled?: boolean
      },
      components['schemas']['User'],
      Id
    >
  }
  '/api/v1/users/agents': { get: Read<List<components['schemas']['Person']>> }
  '/api/v1/tokens': {
    get: Read<Page<components['schemas']['Token']>, { cursor?: string; limit?: number }>
    post: Write<
      { name: string; abilities?: components['schemas']['Ability'][]; expires_at?: string },
      components['schemas']['Token'] & { token: string },
      NoPath,
      201
    >
  }
  '/api/v1/tokens/{id}': { delete: Act<undefined, Id, 204> }
  '/api/v1/webhook-logs': {
    get: Read<
      Page<components['schemas']['WebhookLog']>,
      { state?: string; cursor?: string; limit?: number }
    >
  }
  '/api/v1/webhook-logs/{id}/replay': { post: Act<components['schemas']['WebhookLog'], Id> }
  '/api/v1/audit': {
    get: Read<Page<components['schemas']['AuditEntry']>, { cursor?: string; limit?: number }>
  }
  '/api/v1/realtime': { get: Read<components['schemas']['RealtimeSettings']> }
  '/api/v1/events': {
    get: Read<
      {
        data: components['schemas']['EventRow'][]
        last_seq: number
        more: boolean
        resync: boolean
      },
      { after: number; limit?: number }
    >
  }
}

export interface components {
  schemas: {
    Error: {
      error: string
      code: string
      details?: Json
      message?: string
      errors?: Record<string, string[]>
      retry_after?: number
    }
    Role: 'admin' | 'agent'
    Person: { id: number; name: string }
    Me: {
      id: number
      name: string
      email: string
      role: components['schemas']['Role']
      account: components['schemas']['Person']
    }
    ConversationStatus: 'active' | 'archived' | 'closed'
    MessageStatus:
      | 'received'
      | 'queued'
      | 'sending'
      | 'sent'
      | 'delivered'
      | 'read'
      | 'played'
      | 'failed'
      | 'unknown'
    MessageKind:
      | 'text'
      | 'image'
      | 'video'
      | 'audio'
      | 'voice'
      | 'document'
      | 'sticker'
      | 'location'
      | 'contacts'
      | 'button_reply'
      | 'list_reply'
      | 'flow_reply'
      | 'interactive'
      | 'template'
      | 'order'
      | 'postback'
      | 'referral'
      | 'story_reply'
      | 'story_mention'
      | 'share'
      | 'system'
      | 'call'
      | 'unsupported'
    AttachmentKind: 'image' | 'video' | 'audio' | 'voice' | 'document' | 'sticker'
    Customer: {
      id: number
      name: string | null
      email: string | null
      phone: string | null
      avatar_url: string | null
    }
    ReplyWindow: { state: 'open' | 'closed' | 'none'; expires_at: string | null }
    Capabilities: {
      text_max: { count: number; unit: 'characters' | 'bytes' }
      /** Longest text beside a file, in characters; 0 when it travels as a message of its own. */
      caption_max: number
      /** No MIME types: any. */
      attachments: {
        kind: components['schemas']['AttachmentKind']
        mime_types: string[]
        max_bytes: number
      }[]
      templates: boolean
      reactions: boolean
      /** Empty: any emoji. */
      reaction_emojis: string[]
      reply_to: boolean
      location: boolean
      typing: boolean
    }
    LastMessage: {
      id: number
      content: string | null
      kind: components['schemas']['MessageKind']
      direction: 'inbound' | 'outbound'
      sender_type: 'customer' | 'admin' | 'system'
      status: components['schemas']['MessageStatus']
      deleted_at?: string | null
      created_at: string
    }
    Conversation: {
      id: number
      customer: components['schemas']['Customer']
      customer_id: number
      inbox: { id: number; name: string; channel: string }
      platform: string
      platform_conversation_id: string | null
      subject: string | null
      status: components['schemas']['ConversationStatus']
      unread_count: number
      starred: boolean
      assignee: components['schemas']['Person'] | null
      labels: string[]
      last_message_at: string | null
      created_at: string
      updated_at: string
      last_message: components['schemas']['LastMessage'] | null
      reply_window: components['schemas']['ReplyWindow']
      /** Null once the inbox was removed: nothing can be sent. */
      capabilities: components['schemas']['Capabilities'] | null
    }
    Attachment: {
      id: number
      kind: components['schemas']['AttachmentKind']
      url: string | null
      mime_type: string | null
      file_name: string | null
      size_bytes: number | null
      state: 'pending' | 'ready' | 'failed' | 'too_large'
      error: string | null
    }
    Payload: {
      location?: {
        latitude: number
        longitude: number
        name?: string | null
        address?: string | null
        url?: string | null
      }
      contacts?: {
        name: string
        phones?: { phone: string; type?: string | null }[]
        emails?: string[]
      }[]
      reply?: { id?: string | null; title: string; description?: string | null }
      response?: Json
      order?: {
        catalog_id?: string | null
        text?: string | null
        items: { id: string; quantity: number; price?: number | null; currency?: string | null }[]
      }
      template?: {
        name: string
        language: string
        components?: components['schemas']['TemplateComponent'][]
      }
      referral?: {
        source?: string | null
        headline?: string | null
        body?: string | null
        url?: string | null
      }
      story?: { url?: string | null }
      unsupported?: { kind?: string | null; reason?: string | null }
      system?: { kind?: string | null; body?: string | null }
      interactive?: Json
    }
    TemplateComponent: {
      type: string
      parameters?: { type: string; text?: string }[]
    }
    StatusError: { code: string | null; message: string; action?: string | null }
    Message: {
      id: number
      conversation_id: number
      customer_id: number
      inbox_id: number
      direction: 'inbound' | 'outbound'
      sender_type: 'customer' | 'admin' | 'system'
      sender_name: string | null
      sender_id: number | null
      kind: components['schemas']['MessageKind']
      content: string | null
      media_url: string | null
      media_type: string | null
      attachments: components['schemas']['Attachment'][]
      payload: components['schemas']['Payload']
      reply_to: {
        id: number | null
        kind?: components['schemas']['MessageKind'] | null
        content: string | null
        sender_name: string | null
      } | null
      forwarded: boolean
      reactions: {
        emoji: string
        sender_type: 'customer' | 'admin' | 'system'
        sender_name: string | null
        /** How far one sent from here has come. */
        status: components['schemas']['MessageStatus'] | null
      }[]
      status: components['schemas']['MessageStatus']
      status_error: components['schemas']['StatusError'] | null
      platform_message_id: string | null
      client_key: string | null
      edited_at: string | null
      read_at: string | null
      deleted_at: string | null
      created_at: string
      stored_at: string
      updated_at: string
    }
    /** Text and files that a network carries apart become several messages. */
    SentMessage: components['schemas']['Message'] & {
      companions?: components['schemas']['Message'][]
    }
    Reply: {
      content?: string
      client_key?: string
      last_seen_message_id?: number
      force?: boolean
      reply_to_message_id?: number
      attachments?: number[]
      type?: 'text' | 'template' | 'location' | 'contacts' | 'interactive' | 'reaction'
      template?: {
        name: string
        language: string
        components?: components['schemas']['TemplateComponent'][]
      }
      location?: { latitude: number; longitude: number; name?: string; address?: string }
      reaction?: { message_id: number; emoji: string }
    }
    Media: components['schemas']['Attachment']
    Delivery: {
      id: number
      kind: 'message' | 'reaction'
      attempt: number
      started_at: string
      finished_at: string | null
      /** Null while under way. */
      outcome: 'sent' | 'failed' | 'retry' | 'unknown' | null
      http_status: number | null
      provider_code: string | null
      error: string | null
    }
    Contact: components['schemas']['Customer'] & {
      note?: string | null
      identities: { kind: string; value: string; inbox_id?: number | null }[]
      conversations: {
        id: number
        inbox: { id: number; name: string; channel: string }
        platform: string
        status: components['schemas']['ConversationStatus']
        last_message_at: string | null
      }[]
      first_seen_at: string | null
      last_seen_at: string | null
      created_at: string
    }
    ChannelField: {
      key: string
      label: string
      help: string | null
      secret: boolean
      required: boolean
      placeholder?: string | null
    }
    Channel: {
      name: string
      label: string
      platform: string
      fields: components['schemas']['ChannelField'][]
      webhook_url: string | null
      docs: string | null
    }
    InboxState: {
      code:
        'connected' | 'connecting' | 'reconnect' | 'degraded' | 'paused' | 'unreachable' | 'unknown'
      message: string
      action: string | null
      since: string | null
    }
    Inbox: {
      id: number
      name: string
      channel: string
      platform: string
      settings: Record<string, string | boolean>
      webhook_url: string | null
      enabled: boolean
      state: components['schemas']['InboxState']
      last_webhook_at: string | null
      queue_depth: number
      created_at: string
    }
    User: {
      id: number
      email: string
      name: string
      role: components['schemas']['Role']
      disabled: boolean
      created_at: string
      last_seen_at: string | null
    }
    Ability: '*' | 'inbox:read' | 'inbox:write' | 'admin'
    Token: {
      id: number
      name: string
      user: components['schemas']['Person']
      abilities: components['schemas']['Ability'][]
      last_used_at: string | null
      expires_at: string | null
      created_at: string
    }
    WebhookLog: {
      id: number
      inbox_id: number | null
      /** The address it came to. */
      path: string
      state: 'pending' | 'applied' | 'failed' | 'unrouted' | 'unreadable'
      error: string | null
      events: number
      attempts: number
      received_at: string
      applied_at: string | null
    }
    AuditEntry: {
      id: number
      at: string
      user: components['schemas']['Person'] | null
      action: string
      subject_type: string | null
      subject_id: number | string | null
      details: Json | null
    }
    RealtimeSettings: {
      key: string
      host: string
      port: number
      scheme: string
      channels: string[]
      auth_endpoint: string
    }
    EventRow: { seq: number; name: string; data: Json }
  }
}
