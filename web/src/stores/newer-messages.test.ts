import { describe, expect, it } from 'vitest'
import { buildMessage } from '../../mocks/builders'
import { lastSeenMessageId, newestId } from './newer-messages'

const ME = 1
const customer = buildMessage({ id: 10 })
const mine = buildMessage({ id: 11, direction: 'outbound', sender_id: ME })
const colleague = buildMessage({ id: 12, direction: 'outbound', sender_id: 2 })

describe('lastSeenMessageId', () => {
  it('is the newest message when nobody answered meanwhile', () => {
    expect(lastSeenMessageId([customer, mine], 10, ME)).toBe(11)
    expect(lastSeenMessageId([customer, buildMessage({ id: 13 })], 10, ME)).toBe(13)
  })

  it('is what the author knew when a colleague answered after the draft began', () => {
    expect(lastSeenMessageId([customer, colleague], 10, ME)).toBe(10)
  })

  it('counts a colleague’s reply as seen when the draft began after it', () => {
    expect(lastSeenMessageId([customer, colleague], 12, ME)).toBe(12)
  })

  it('falls back to what was seen when the thread is not loaded', () => {
    expect(lastSeenMessageId([], 10, ME)).toBe(10)
    expect(lastSeenMessageId([], null, ME)).toBeNull()
  })
})

it('newestId is the highest id, not the last in order', () => {
  expect(newestId([colleague, customer])).toBe(12)
  expect(newestId([])).toBeNull()
})
