/** How what we hold of a thread and what arrives become one: idempotent, whatever the order. */
import type { Message } from '@/api/types'
import { laterStatus } from './message-status'

/** Where a message came from: pushed `event`s may be late, a `snapshot` is the server's present state. */
export type Origin = 'event' | 'snapshot'

/** Chronological order: when it was written, then by id. */
export function compareMessages(a: Message, b: Message): number {
  return Date.parse(a.created_at) - Date.parse(b.created_at) || a.id - b.id
}

/** One message known twice. */
export function mergeMessage(stored: Message, incoming: Message, origin: Origin): Message {
  const newer = Date.parse(incoming.updated_at) > Date.parse(stored.updated_at)
  if (newer && origin === 'snapshot') return incoming
  const base = Date.parse(incoming.updated_at) >= Date.parse(stored.updated_at) ? incoming : stored
  const status = laterStatus(stored.status, incoming.status, newer)
  if (status === base.status) return base
  const owner = status === stored.status ? stored : incoming
  return { ...base, status, status_error: owner.status_error }
}

/** `messages` (ordered) with `incoming` put in its place. Returns a new array. */
export function putMessages(messages: Message[], incoming: Message[], origin: Origin): Message[] {
  const byId = new Map(messages.map((message) => [message.id, message]))
  for (const message of incoming) {
    const stored = byId.get(message.id)
    byId.set(message.id, stored ? mergeMessage(stored, message, origin) : message)
  }
  return [...byId.values()].sort(compareMessages)
}
