/** How long a text is for a channel: user-visible characters or bytes on the wire. */
import type { Capabilities } from '@/api/types'

export interface TextLength {
  used: number
  max: number
  /** Negative when too long. */
  left: number
  unit: 'characters' | 'bytes'
  over: boolean
  /** Worth showing: the limit is near. */
  near: boolean
}

export function textLength(text: string, limit: Capabilities['text_max']): TextLength {
  // Characters are Unicode scalar values, as the server counts them.
  const used = limit.unit === 'bytes' ? new TextEncoder().encode(text).length : [...text].length
  const left = limit.count - used
  return {
    used,
    max: limit.count,
    left,
    unit: limit.unit,
    over: left < 0,
    near: left < limit.count * 0.15,
  }
}
