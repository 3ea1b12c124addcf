import { describe, expect, it } from 'vitest'
import type { MessageStatus } from '@/api/types'
import { laterStatus } from './message-status'

const ORDER: MessageStatus[] = [
  'queued',
  'sending',
  'sent',
  'failed',
  'delivered',
  'read',
  'played',
]

function permutations<T>(items: T[]): T[][] {
  if (items.length < 2) return [items]
  return items.flatMap((item, index) =>
    permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]),
  )
}

describe('laterStatus', () => {
  it('reaches the same state whatever the order of reports', () => {
    for (const reports of permutations(['sending', 'sent', 'delivered', 'read'] as const)) {
      const end = reports.reduce<MessageStatus>(
        (state, report) => laterStatus(state, report, true),
        'queued',
      )
      expect(end, reports.join(' ')).toBe('read')
    }
  })

  it('never moves back in the total order', () => {
    for (const [rank, current] of ORDER.entries()) {
      for (const earlier of ORDER.slice(0, rank)) {
        const restart = earlier === 'queued' && current === 'failed'
        if (!restart) expect(laterStatus(current, earlier, true)).toBe(current)
      }
    }
  })

  it('keeps a failure when a late "sent" arrives, and clears it by proof of delivery', () => {
    expect(laterStatus('failed', 'sent', true)).toBe('failed')
    expect(laterStatus('failed', 'delivered', true)).toBe('delivered')
  })

  it('starts anew only when a person tries again', () => {
    expect(laterStatus('failed', 'queued', true)).toBe('queued')
    expect(laterStatus('unknown', 'queued', true)).toBe('queued')
    expect(laterStatus('failed', 'queued', false)).toBe('failed')
    expect(laterStatus('delivered', 'queued', true)).toBe('delivered')
  })

  it('settles an unknown outcome by any later report', () => {
    expect(laterStatus('unknown', 'sent', true)).toBe('sent')
    expect(laterStatus('sent', 'unknown', true)).toBe('sent')
  })
})
