/**
 * Keeps our copy in step with the account's event sequence.
 *
 * Events arrive by socket, mostly in order. One that is already known is dropped; one that leaves a
 * gap makes us ask the server for everything after the last one known, so a reconnect loses nothing
 * and nothing is applied twice. When the server no longer holds what we missed, `resync` says to
 * load everything afresh.
 */
import type { EventRow } from '@/api/types'
import { type AccountEvent, parseEvent } from './events'

export interface EventPage {
  data: EventRow[]
  last_seq: number
  more: boolean
  resync: boolean
}

export interface EventLogDoors {
  fetchAfter: (seq: number) => Promise<EventPage>
  apply: (event: AccountEvent) => void
  resync: () => Promise<void>
}

export class EventLog {
  private lastSeq: number | null = null
  private running: Promise<void> | null = null
  private again = false

  constructor(private readonly doors: EventLogDoors) {}

  /** Sequence number of the last event applied; `null` before the first snapshot. */
  get last(): number | null {
    return this.lastSeq
  }

  /** Tells at which sequence number the first snapshot was taken; later snapshots change nothing. */
  startAt(seq: number): void {
    this.lastSeq ??= seq
  }

  /** Takes one pushed event. Resolves when it and any it revealed as missing are applied. */
  async receive(event: AccountEvent): Promise<void> {
    const { seq } = event.data
    if (this.lastSeq === null) return
    if (seq <= this.lastSeq) return
    if (seq === this.lastSeq + 1 && !this.running) {
      this.lastSeq = seq
      this.doors.apply(event)
      return
    }
    await this.catchUp()
  }

  /** Fetches and applies what is missing. Calls made meanwhile cause one further round. */
  catchUp(): Promise<void> {
    if (this.running) {
      this.again = true
      return this.running
    }
    this.running = this.fetchMissing().finally(() => {
      this.running = null
    })
    return this.running
  }

  private async fetchMissing(): Promise<void> {
    do {
      this.again = false
      if (this.lastSeq === null) return
      const page = await this.doors.fetchAfter(this.lastSeq)
      if (page.resync) {
        this.lastSeq = page.last_seq
        await this.doors.resync()
        continue
      }
      for (const row of page.data) this.applyRow(row)
      if (page.more) this.again = true
      else this.lastSeq = Math.max(this.lastSeq, page.last_seq)
    } while (this.again)
  }

  private applyRow(row: EventRow): void {
    if (this.lastSeq !== null && row.seq <= this.lastSeq) return
    this.lastSeq = row.seq
    const event = parseEvent(row.name, { ...row.data, seq: row.seq })
    if (event) this.doors.apply(event)
  }
}
