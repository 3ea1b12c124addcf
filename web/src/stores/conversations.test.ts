import { createPinia, setActivePinia } from 'pinia'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { buildConversation } from '../../mocks/builders'
import { fakeApi } from '../../mocks/node'
import { matchesFilter } from './conversation-filter'
import { useConversations } from './conversations'

const { interceptor } = fakeApi({ conversations: 120 })

beforeAll(() => interceptor.listen({ onUnhandledRequest: 'error' }))
afterAll(() => interceptor.close())
beforeEach(() => setActivePinia(createPinia()))

const soon = new Date(Date.now() + 60_000).toISOString()

describe('conversations', () => {
  it('loads page by page without doubles', async () => {
    const store = useConversations()
    store.filter.status = null
    await store.load()
    expect(store.rows).toHaveLength(50)
    await store.loadMore()
    await store.loadMore()
    expect(new Set(store.ids).size).toBe(120)
    expect(store.nextCursor).toBeNull()
  })

  it('keeps rows in place while held and shows what waited on request', async () => {
    const store = useConversations()
    await store.load()
    const before = [...store.ids]
    store.holding = true
    const moved = { ...store.rows[7]!, last_message_at: soon, updated_at: soon, unread_count: 9 }
    store.receive(moved)
    store.receive(buildConversation({ id: 999, last_message_at: soon, updated_at: soon }))
    expect(store.ids).toEqual(before)
    expect(store.rows[7]?.unread_count).toBe(9)
    expect(store.waiting).toEqual([moved.id, 999])
    store.holding = false
    store.showWaiting()
    expect(store.ids.slice(0, 2).sort()).toEqual([999, moved.id].sort())
    expect(store.waiting).toEqual([])
  })

  it('does not pull a conversation of a later page into the first', async () => {
    const store = useConversations()
    await store.load()
    const old = '2001-01-01T00:00:00Z'
    store.receive(buildConversation({ id: 998, last_message_at: old, updated_at: old }))
    expect(store.ids).not.toContain(998)
  })

  it('ignores an older copy of a conversation', async () => {
    const store = useConversations()
    await store.load()
    const row = store.rows[0]!
    store.receive({ ...row, unread_count: 77, updated_at: '2001-01-01T00:00:00Z' })
    expect(store.byId.get(row.id)?.unread_count).toBe(row.unread_count)
  })

  it('finds names without their accents', async () => {
    const store = useConversations()
    store.filter.query = 'joao'
    await store.load()
    expect(store.rows[0]?.customer.name).toContain('João')
  })
})

describe('matchesFilter', () => {
  const all = {
    status: null,
    platform: null,
    inboxId: null,
    unread: false,
    assignee: null,
    query: '',
  }
  const read = buildConversation({ id: 1 })

  it('keeps a row that was just read until the list is loaded again', () => {
    expect(matchesFilter(read, { ...all, unread: true }, true)).toBe(true)
    expect(matchesFilter(read, { ...all, unread: true }, false)).toBe(false)
  })

  it('adds nothing of its own to search results', () => {
    expect(matchesFilter(read, { ...all, query: 'rice' }, false)).toBe(false)
    expect(matchesFilter(read, { ...all, query: 'rice' }, true)).toBe(true)
  })

  it('checks status, platform and inbox', () => {
    expect(matchesFilter(read, { ...all, status: 'closed' }, true)).toBe(false)
    expect(matchesFilter(read, { ...all, platform: 'instagram' }, true)).toBe(false)
    expect(matchesFilter(read, { ...all, inboxId: 2 }, true)).toBe(false)
    expect(
      matchesFilter(read, { ...all, status: 'active', platform: 'whatsapp', inboxId: 1 }, false),
    ).toBe(true)
  })
})
