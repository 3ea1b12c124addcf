/** What the server pushes, as named on the wire by Laravel Echo (`App\Events\` left out). */
import type {
  Conversation,
  ConversationStatus,
  InboxState,
  Message,
  MessageStatus,
} from '@/api/types'

/** Every sequenced event; `seq` is dense per account. A row that is gone by now is null. */
export type AccountEvent =
  | {
      name: 'MessageReceived'
      data: { seq: number; message: Message | null; conversation: Conversation | null }
    }
  | { name: 'MessageUpdated'; data: { seq: number; message: Message | null } }
  | {
      name: 'ReactionFailed'
      data: {
        seq: number
        message_id: number
        conversation_id: number
        sender_id: number | null
        emoji: string | null
        error: { code: string; message: string } | null
      }
    }
  | {
      name: 'MessageRemoved'
      data: { seq: number; message_id: number; conversation_id: number }
    }
  | {
      name: 'MessageStatusUpdated'
      data: {
        seq: number
        message_id: number
        conversation_id: number
        status: MessageStatus
        status_error: Message['status_error']
        message: Message | null
      }
    }
  | {
      name: 'ConversationStatusChanged'
      data: {
        seq: number
        conversation_id: number
        status: ConversationStatus
        previous_status: ConversationStatus
        conversation: Conversation | null
      }
    }
  | { name: 'ConversationUpdated'; data: { seq: number; conversation: Conversation | null } }
  | {
      name: 'ConversationMerged'
      data: {
        seq: number
        /** The one that is gone. */
        conversation_id: number
        into_id: number | null
        conversation: Conversation | null
      }
    }
  | { name: 'ContactUpdated'; data: { seq: number; contact_id: number } }
  | { name: 'InboxStateChanged'; data: { seq: number; inbox_id: number; state: InboxState } }

/** Fleeting, outside the sequence. */
export interface CustomerTyping {
  conversation_id: number
}

/** A reminder went off; fleeting too. */
export interface ReminderDue {
  id: number
  contact_id: number
  assignee_id: number | null
  text: string
  due_at: string
  was_due: boolean
}

export const ACCOUNT_EVENTS = [
  'MessageReceived',
  'MessageUpdated',
  'ReactionFailed',
  'MessageRemoved',
  'MessageStatusUpdated',
  'ConversationStatusChanged',
  'ConversationUpdated',
  'ConversationMerged',
  'ContactUpdated',
  'InboxStateChanged',
] as const satisfies AccountEvent['name'][]

/** Reads an event row of the catch-up answer; names we do not know are `null` and change nothing. */
export function parseEvent(name: string, data: Record<string, unknown>): AccountEvent | null {
  const short = name.replace(/^\.?App\\Events\\/, '')
  return (ACCOUNT_EVENTS as readonly string[]).includes(short)
    ? ({ name: short, data } as unknown as AccountEvent)
    : null
}
