import { describe, expect, it } from 'vitest'
import { buildMessage } from '../../mocks/builders'
import { mergeMessage, putMessages } from './message-merge'

const AT = '2024-02-19T10:30:00Z'
const LATER = '2024-02-19T10:31:00Z'

describe('putMessages', () => {
  it('orders by the time of writing, then by id, and holds each message once', () => {
    const first = buildMessage({ id: 5, created_at: AT })
    const second = buildMessage({ id: 3, created_at: LATER })
    const twin = buildMessage({ id: 4, created_at: AT })
    const thread = putMessages([first], [second, twin, first], 'event')
    expect(thread.map(({ id }) => id)).toEqual([4, 5, 3])
    expect(putMessages(thread, [second, twin, first], 'event')).toEqual(thread)
  })
})

describe('mergeMessage', () => {
  const sent = buildMessage({ id: 1, direction: 'outbound', status: 'sent', updated_at: AT })

  it('takes a newer edit and keeps the further status', () => {
    const delivered = { ...sent, status: 'delivered' as const, updated_at: AT }
    const edited = { ...sent, content: 'Edited', edited_at: LATER, updated_at: LATER }
    const merged = mergeMessage(delivered, edited, 'event')
    expect(merged.content).toBe('Edited')
    expect(merged.status).toBe('delivered')
  })

  it('ignores the text of a late event but not its proof of delivery', () => {
    const edited = { ...sent, content: 'Edited', updated_at: LATER }
    const late = { ...sent, content: 'Original', status: 'read' as const, updated_at: AT }
    const merged = mergeMessage(edited, late, 'event')
    expect(merged.content).toBe('Edited')
    expect(merged.status).toBe('read')
  })

  it('keeps why a message failed when a late "sent" arrives', () => {
    const failed = {
      ...sent,
      status: 'failed' as const,
      status_error: { code: '1', message: 'Blocked', action: null },
      updated_at: AT,
    }
    const merged = mergeMessage(failed, { ...sent, updated_at: LATER }, 'event')
    expect(merged.status).toBe('failed')
    expect(merged.status_error?.message).toBe('Blocked')
  })

  it('believes a newer snapshot of the server wholly', () => {
    const failed = { ...sent, status: 'failed' as const, updated_at: AT }
    expect(mergeMessage(failed, { ...sent, updated_at: LATER }, 'snapshot').status).toBe('sent')
  })
})
