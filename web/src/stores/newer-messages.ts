/** The "a reply arrived since you began typing" guard: what we tell the server we had seen. */
import type { Message } from '@/api/types'

/**
 * The id to send as `last_seen_message_id`; `null` when nothing was seen.
 *
 * Normally the newest message known. But when a colleague wrote after we began (`seenAtStart`), it
 * is what we knew then, so that the server stops the reply and we ask the author once.
 */
export function lastSeenMessageId(
  messages: Message[],
  seenAtStart: number | null,
  authorId: number,
): number | null {
  const overtaken =
    seenAtStart !== null &&
    messages.some(
      (message) =>
        message.id > seenAtStart &&
        message.direction === 'outbound' &&
        message.sender_id !== authorId,
    )
  return overtaken ? seenAtStart : (newestId(messages) ?? seenAtStart)
}

/** Highest id in a thread, `null` when it is empty. */
export function newestId(messages: Message[]): number | null {
  return messages.reduce<number | null>(
    (newest, { id }) => (newest === null || id > newest ? id : newest),
    null,
  )
}
