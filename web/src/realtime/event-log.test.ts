import { describe, expect, it, vi } from 'vitest'
import { EventLog, type EventPage } from './event-log'
import type { AccountEvent } from './events'

const contactUpdated = (seq: number): AccountEvent => ({
  name: 'ContactUpdated',
  data: { seq, contact_id: seq },
})
const row = (seq: number) => ({
  seq,
  name: 'App\\Events\\ContactUpdated',
  data: { seq, contact_id: seq },
})
const page = (seqs: number[], more = false): EventPage => ({
  data: seqs.map(row),
  last_seq: seqs.at(-1) ?? 0,
  more,
  resync: false,
})

function setUp(pages: EventPage[] = []) {
  const applied: number[] = []
  const fetchAfter = vi.fn<(seq: number) => Promise<EventPage>>()
  for (const next of pages) fetchAfter.mockResolvedValueOnce(next)
  const resync = vi.fn<() => Promise<void>>().mockResolvedValue()
  const log = new EventLog({
    fetchAfter,
    apply: (event) => applied.push(event.data.seq),
    resync,
  })
  return { log, applied, fetchAfter, resync }
}

describe('EventLog', () => {
  it('applies events in order and drops repeats', async () => {
    const { log, applied, fetchAfter } = setUp()
    log.startAt(10)
    for (const seq of [11, 11, 12, 9, 12]) await log.receive(contactUpdated(seq))
    expect(applied).toEqual([11, 12])
    expect(fetchAfter).not.toHaveBeenCalled()
  })

  it('fetches what a gap reveals as missing and applies each once', async () => {
    const { log, applied, fetchAfter } = setUp([page([11, 12, 13])])
    log.startAt(10)
    await log.receive(contactUpdated(13))
    expect(fetchAfter).toHaveBeenCalledWith(10)
    expect(applied).toEqual([11, 12, 13])
    await log.receive(contactUpdated(12))
    expect(applied).toEqual([11, 12, 13])
  })

  it('reads page after page until nothing is left', async () => {
    const { log, applied } = setUp([page([11, 12], true), page([13])])
    log.startAt(10)
    await log.catchUp()
    expect(applied).toEqual([11, 12, 13])
    expect(log.last).toBe(13)
  })

  it('looks again when events arrive while it is fetching', async () => {
    const { log, applied, fetchAfter } = setUp([page([11]), page([12])])
    log.startAt(10)
    const first = log.catchUp()
    await log.receive(contactUpdated(12))
    await first
    expect(fetchAfter).toHaveBeenCalledTimes(2)
    expect(applied).toEqual([11, 12])
  })

  it('loads everything afresh when the server no longer holds what was missed', async () => {
    const { log, applied, resync } = setUp([{ data: [], last_seq: 500, more: false, resync: true }])
    log.startAt(10)
    await log.catchUp()
    expect(resync).toHaveBeenCalledOnce()
    expect(applied).toEqual([])
    await log.receive(contactUpdated(501))
    expect(applied).toEqual([501])
  })

  it('passes over events it does not know without losing its place', async () => {
    const { log, applied } = setUp([
      { ...page([11, 12]), data: [{ seq: 11, name: 'App\\Events\\Novelty', data: {} }, row(12)] },
    ])
    log.startAt(10)
    await log.catchUp()
    expect(applied).toEqual([12])
    expect(log.last).toBe(12)
  })

  it('can try again after the server was away', async () => {
    const { log, applied, fetchAfter } = setUp()
    fetchAfter.mockRejectedValueOnce(new Error('away')).mockResolvedValueOnce(page([11]))
    log.startAt(10)
    await expect(log.catchUp()).rejects.toThrow('away')
    await log.catchUp()
    expect(applied).toEqual([11])
  })
})
