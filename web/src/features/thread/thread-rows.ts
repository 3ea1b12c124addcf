/** A thread as the rows on screen: days, messages, and replies still on their way. */
import type { Message } from '@/api/types'
import type { Outgoing } from '@/stores/outgoing'

export type ThreadRow =
  | { type: 'start'; key: string }
  | { type: 'day'; key: string; at: string }
  | { type: 'message'; key: string; message: Message; joined: boolean }
  | { type: 'outgoing'; key: string; outgoing: Outgoing }

/** Messages of one speaker within this time stand together. */
const JOIN_MS = 3 * 60_000

/** `complete`: there is nothing older on the server. */
export function threadRows(
  messages: Message[],
  outgoing: Outgoing[],
  complete: boolean,
): ThreadRow[] {
  const rows: ThreadRow[] = complete && messages.length > 0 ? [{ type: 'start', key: 'start' }] : []
  let previous: Message | null = null
  let day = ''
  for (const message of messages) {
    const today = new Date(message.created_at).toDateString()
    if (today !== day) {
      day = today
      rows.push({ type: 'day', key: `day-${today}`, at: message.created_at })
      previous = null
    }
    rows.push({
      type: 'message',
      // A reply keeps its key when the server's copy takes the place of ours: it must not flicker.
      key: message.client_key ?? `message-${message.id}`,
      message,
      joined: previous !== null && belongsWith(previous, message),
    })
    previous = message
  }
  const known = new Set(messages.map(({ client_key }) => client_key))
  for (const item of outgoing) {
    if (known.has(item.clientKey)) continue
    const today = new Date(item.createdAt).toDateString()
    if (today !== day) {
      day = today
      rows.push({ type: 'day', key: `day-${today}`, at: item.createdAt })
    }
    rows.push({ type: 'outgoing', key: item.clientKey, outgoing: item })
  }
  return rows
}

function belongsWith(previous: Message, message: Message): boolean {
  return (
    previous.direction === message.direction &&
    previous.sender_id === message.sender_id &&
    previous.kind !== 'system' &&
    message.kind !== 'system' &&
    Date.parse(message.created_at) - Date.parse(previous.created_at) < JOIN_MS
  )
}
