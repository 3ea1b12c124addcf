import { describe, expect, it } from 'vitest'
import { hoursAndMinutes, windowState } from './reply-window'

const expires_at = '2024-02-20T10:00:00Z'
const at = (iso: string) => windowState({ state: 'open', expires_at }, Date.parse(iso))

describe('windowState', () => {
  it('is open, then closing under two hours, then closed at the very moment', () => {
    expect(at('2024-02-20T07:59:59Z').kind).toBe('open')
    expect(at('2024-02-20T08:00:00Z').kind).toBe('open')
    expect(at('2024-02-20T08:00:01Z').kind).toBe('closing')
    expect(at('2024-02-20T09:59:59Z').kind).toBe('closing')
    expect(at('2024-02-20T10:00:00Z').kind).toBe('closed')
  })

  it('believes the server when it says closed or none', () => {
    const now = Date.parse('2024-02-20T07:00:00Z')
    expect(windowState({ state: 'closed', expires_at }, now).kind).toBe('closed')
    expect(windowState({ state: 'none', expires_at: null }, now).kind).toBe('none')
    expect(windowState({ state: 'open', expires_at: null }, now).kind).toBe('none')
  })
})

it('hoursAndMinutes rounds down: better early than late', () => {
  expect(hoursAndMinutes(100 * 60_000 + 59_000)).toEqual({ hours: 1, minutes: 40 })
  expect(hoursAndMinutes(30_000)).toEqual({ hours: 0, minutes: 0 })
})
