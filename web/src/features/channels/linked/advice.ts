/** What each state of a session asks of a person. */
import type { SessionState } from '@/api/types'

export type Tone = 'ok' | 'brass' | 'danger' | 'quiet'

export interface Advice {
  tone: Tone
  /** What there is to do: link a phone (anew), restart, or nothing. */
  action: 'link' | 'restart' | null
}

export const ADVICE: Record<SessionState, Advice> = {
  created: { tone: 'quiet', action: 'link' },
  starting: { tone: 'brass', action: null },
  qr: { tone: 'brass', action: 'link' },
  code: { tone: 'brass', action: 'link' },
  challenge: { tone: 'brass', action: 'link' },
  syncing: { tone: 'brass', action: null },
  connected: { tone: 'ok', action: null },
  reconnecting: { tone: 'brass', action: null },
  qr_expired: { tone: 'brass', action: 'link' },
  disconnected: { tone: 'quiet', action: 'link' },
  logged_out: { tone: 'danger', action: 'link' },
  banned: { tone: 'danger', action: null },
  failed: { tone: 'danger', action: 'restart' },
}
