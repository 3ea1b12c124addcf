import type { Message } from '@/api/types'
import type { Outgoing } from '@/stores/outgoing'

/** A reply on its way, in the shape of the message it will become, so that the same bubble draws it. */
export function optimisticMessage(outgoing: Outgoing): Message {
  const { reply, attachment, createdAt } = outgoing
  return {
    id: 0,
    conversation_id: outgoing.conversationId,
    customer_id: 0,
    inbox_id: 0,
    direction: 'outbound',
    sender_type: 'admin',
    sender_name: null,
    sender_id: outgoing.authorId,
    kind: kindOf(reply) ?? attachment?.kind ?? 'text',
    content: reply.content ?? reply.reaction?.emoji ?? null,
    media_url: attachment?.url ?? null,
    media_type: attachment?.mime_type ?? null,
    attachments: attachment ? [attachment] : [],
    payload: {
      ...(reply.template ? { template: reply.template } : {}),
      ...(reply.location ? { location: reply.location } : {}),
    },
    reply_to: outgoing.quote,
    forwarded: false,
    reactions: [],
    status: 'queued',
    status_error: null,
    platform_message_id: null,
    client_key: outgoing.clientKey,
    edited_at: null,
    read_at: null,
    deleted_at: null,
    created_at: createdAt,
    stored_at: createdAt,
    updated_at: createdAt,
  }
}

function kindOf(reply: Outgoing['reply']): Message['kind'] | undefined {
  return reply.type === 'template' || reply.type === 'location' ? reply.type : undefined
}
