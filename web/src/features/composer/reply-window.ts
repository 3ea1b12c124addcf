/** The time a channel leaves us to answer freely. */
import type { ReplyWindow } from '@/api/types'

export type WindowState =
  { kind: 'none' } | { kind: 'open' | 'closing'; remainingMs: number } | { kind: 'closed' }

/** Below this the countdown turns amber. */
export const CLOSING_MS = 2 * 3_600_000

/** What the window is at `nowMs`; the clock decides, also between two answers of the server. */
export function windowState(window: ReplyWindow, nowMs: number): WindowState {
  if (window.state === 'none') return { kind: 'none' }
  if (window.state === 'closed') return { kind: 'closed' }
  if (window.expires_at === null) return { kind: 'none' }
  const remainingMs = Date.parse(window.expires_at) - nowMs
  if (remainingMs <= 0) return { kind: 'closed' }
  return { kind: remainingMs < CLOSING_MS ? 'closing' : 'open', remainingMs }
}

/** Whole hours and minutes left. */
export function hoursAndMinutes(remainingMs: number): { hours: number; minutes: number } {
  const minutes = Math.floor(remainingMs / 60_000)
  return { hours: Math.floor(minutes / 60), minutes: minutes % 60 }
}
