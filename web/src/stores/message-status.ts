/** The one total order of delivery states. A message never moves back in it. */
import type { MessageStatus } from '@/api/types'

const RANK: Record<MessageStatus, number> = {
  queued: 0,
  sending: 1,
  unknown: 2,
  sent: 3,
  failed: 4,
  delivered: 5,
  read: 6,
  played: 7,
  received: 8,
}

/**
 * The state after `incoming` was reported for a message in state `current`.
 *
 * A late `sent` cannot clear `failed`; proof of delivery can. Only a person's decision (try again,
 * send again) starts anew: then `incoming` is `queued`, newer, and follows `failed` or `unknown`.
 */
export function laterStatus(
  current: MessageStatus,
  incoming: MessageStatus,
  incomingIsNewer: boolean,
): MessageStatus {
  const restarted =
    incoming === 'queued' && incomingIsNewer && (current === 'failed' || current === 'unknown')
  return restarted || RANK[incoming] >= RANK[current] ? incoming : current
}
