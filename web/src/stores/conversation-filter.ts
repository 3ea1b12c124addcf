/** Which conversations the list shows, and in which order; mirrors what the server does. */
import type { Conversation, ConversationStatus } from '@/api/types'

export interface ListFilter {
  status: ConversationStatus | null
  platform: string | null
  inboxId: number | null
  unread: boolean
  /** Whose: everybody's, the viewer's own, or nobody's yet. */
  assignee: 'me' | 'none' | null
  query: string
}

/**
 * Whether a conversation that just changed belongs on the list.
 *
 * Search is the server's: while searching, only rows already `listed` are kept. A listed row that
 * was just read stays until the list is loaded again, so that it does not vanish under the reader.
 */
export function matchesFilter(
  conversation: Conversation,
  filter: ListFilter,
  listed: boolean,
  viewerId: number | null = null,
): boolean {
  if (filter.status && conversation.status !== filter.status) return false
  if (filter.platform && conversation.platform !== filter.platform) return false
  if (filter.inboxId && conversation.inbox.id !== filter.inboxId) return false
  if (filter.assignee === 'none' && conversation.assignee) return false
  if (filter.assignee === 'me' && conversation.assignee?.id !== viewerId) return false
  if (filter.unread && conversation.unread_count === 0 && !listed) return false
  return filter.query.trim() === '' || listed
}

/** Newest message first. */
export function compareConversations(a: Conversation, b: Conversation): number {
  return timeOf(b) - timeOf(a) || b.id - a.id
}

function timeOf(conversation: Conversation): number {
  return Date.parse(conversation.last_message_at ?? conversation.created_at)
}
