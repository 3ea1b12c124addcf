/** Conversations by id, and the one list on screen. */
import { defineStore } from 'pinia'
import { computed, reactive, ref, shallowReactive } from 'vue'
import { answer, GET, PATCH, POST } from '@/api/client'
import type {
  Capabilities,
  Contact,
  Conversation,
  ConversationStatus,
  OpenConversation,
  Platform,
} from '@/api/types'
import { useSession } from './session'
import { compareConversations, type ListFilter, matchesFilter } from './conversation-filter'

const PAGE_SIZE = 50

export const useConversations = defineStore('conversations', () => {
  const byId = shallowReactive(new Map<number, Conversation>())
  /** What may be sent, by inbox: events do not say it again and again. */
  const capabilities = shallowReactive(new Map<number, Capabilities | null>())
  /** Where those went that were merged while this page was open. */
  const mergedInto = shallowReactive(new Map<number, number>())

  const filter = reactive<ListFilter>({
    status: 'active',
    platform: null,
    inboxId: null,
    unread: false,
    assignee: null,
    query: '',
  })
  const ids = ref<number[]>([])
  const nextCursor = ref<string | null>(null)
  const loading = ref(false)
  const loadingMore = ref(false)
  const error = ref<Error | null>(null)
  /** Rows stay where they are while true; what would move waits in `waiting`. */
  const holding = ref(false)
  const waiting = ref<number[]>([])
  let request = 0

  const rows = computed(() =>
    ids.value.map((id) => byId.get(id)).filter((row): row is Conversation => row !== undefined),
  )

  function query(cursor?: string) {
    return {
      status: filter.status ?? undefined,
      platform: (filter.platform ?? undefined) as Platform | undefined,
      inbox_id: filter.inboxId ?? undefined,
      unread: filter.unread ? ('true' as const) : undefined,
      assignee: filter.assignee ?? undefined,
      q: filter.query.trim().normalize('NFC') || undefined,
      cursor,
      limit: PAGE_SIZE,
    }
  }

  /** Loads the first page for the current filter. Returns the event sequence it stands for. */
  async function load(): Promise<number | null> {
    const mine = ++request
    loading.value = true
    error.value = null
    try {
      const page = await answer(GET('/api/v1/conversations', { params: { query: query() } }))
      if (mine !== request) return page.event_seq
      for (const conversation of page.data) put(conversation)
      ids.value = page.data.map(({ id }) => id)
      nextCursor.value = page.next_cursor
      waiting.value = []
      return page.event_seq
    } catch (cause) {
      if (mine === request) error.value = cause as Error
      return null
    } finally {
      if (mine === request) loading.value = false
    }
  }

  async function loadMore(): Promise<void> {
    if (!nextCursor.value || loadingMore.value || loading.value) return
    const mine = request
    loadingMore.value = true
    try {
      const page = await answer(
        GET('/api/v1/conversations', { params: { query: query(nextCursor.value) } }),
      )
      if (mine !== request) return
      for (const conversation of page.data) put(conversation)
      const known = new Set(ids.value)
      ids.value.push(...page.data.map(({ id }) => id).filter((id) => !known.has(id)))
      nextCursor.value = page.next_cursor
    } finally {
      loadingMore.value = false
    }
  }

  /** Stores a conversation unless what we hold is newer. */
  function put(given: Conversation | OpenConversation): void {
    let conversation: Conversation = given
    if ('capabilities' in given) {
      const { capabilities: can, ...rest } = given
      capabilities.set(rest.inbox.id, can)
      conversation = rest
    }
    const stored = byId.get(conversation.id)
    if (stored && Date.parse(stored.updated_at) > Date.parse(conversation.updated_at)) return
    byId.set(conversation.id, conversation)
  }

  /** Takes a changed conversation in and gives its row the right place. */
  function receive(conversation: Conversation): void {
    put(conversation)
    const current = byId.get(conversation.id) ?? conversation
    const listed = ids.value.includes(current.id)
    if (!matchesFilter(current, filter, listed, useSession().me?.id ?? null)) {
      if (listed) ids.value = ids.value.filter((id) => id !== current.id)
      waiting.value = waiting.value.filter((id) => id !== current.id)
      return
    }
    if (!listed && belongsToLaterPage(current)) return
    if (inPlace(current)) return
    if (!holding.value) return arrange([current.id])
    if (!waiting.value.includes(current.id)) waiting.value.push(current.id)
  }

  /** True when the row already stands between its neighbours. */
  function inPlace(conversation: Conversation): boolean {
    const index = ids.value.indexOf(conversation.id)
    if (index < 0) return false
    const before = byId.get(ids.value[index - 1] ?? -1)
    const after = byId.get(ids.value[index + 1] ?? -1)
    return (
      (!before || compareConversations(before, conversation) <= 0) &&
      (!after || compareConversations(conversation, after) <= 0)
    )
  }

  function belongsToLaterPage(conversation: Conversation): boolean {
    const last = byId.get(ids.value.at(-1) ?? -1)
    return nextCursor.value !== null && !!last && compareConversations(last, conversation) < 0
  }

  function arrange(added: number[]): void {
    const all = [...new Set([...ids.value, ...added])].filter((id) => byId.has(id))
    ids.value = all.sort((a, b) => compareConversations(byId.get(a)!, byId.get(b)!))
  }

  /** Moves everything that waited to its place. */
  function showWaiting(): void {
    arrange(waiting.value)
    waiting.value = []
  }

  /** Shows a contact's changed name and picture on every conversation with them. */
  function setCustomer(contact: Contact): void {
    for (const conversation of byId.values()) {
      if (conversation.customer_id !== contact.id) continue
      const { id, name, email, phone, avatar_url } = contact
      byId.set(conversation.id, {
        ...conversation,
        customer: { id, name, email, phone, avatar_url },
      })
    }
  }

  async function fetchOne(id: number): Promise<Conversation> {
    const conversation = await answer(
      GET('/api/v1/conversations/{id}', { params: { path: { id } } }),
    )
    put(conversation)
    return conversation
  }

  /** What may be sent in a conversation; null while that is not known, and when its inbox is gone. */
  function capabilitiesOf(conversation: Conversation | undefined): Capabilities | null {
    return (conversation && capabilities.get(conversation.inbox.id)) ?? null
  }

  async function markRead(id: number): Promise<void> {
    receive(await answer(POST('/api/v1/conversations/{id}/read', { params: { path: { id } } })))
  }

  async function markUnread(id: number): Promise<void> {
    receive(await answer(POST('/api/v1/conversations/{id}/unread', { params: { path: { id } } })))
  }

  /** Takes a conversation away that became part of another. */
  function forgetMerged(id: number, into: number | null): void {
    if (into !== null) mergedInto.set(id, into)
    byId.delete(id)
    ids.value = ids.value.filter((other) => other !== id)
    waiting.value = waiting.value.filter((other) => other !== id)
  }

  async function change(
    id: number,
    body: { starred?: boolean; assignee_id?: number | null; labels?: string[] },
  ): Promise<void> {
    receive(await answer(PATCH('/api/v1/conversations/{id}', { params: { path: { id } }, body })))
  }

  async function setStatus(id: number, status: ConversationStatus): Promise<void> {
    const changed = await answer(
      POST('/admin/inbox/{id}/status', { params: { path: { id } }, body: { status } }),
    )
    const stored = byId.get(id)
    if (stored) receive({ ...stored, status: changed.status, updated_at: changed.updated_at })
  }

  return {
    byId,
    filter,
    ids,
    rows,
    nextCursor,
    loading,
    loadingMore,
    error,
    holding,
    waiting,
    load,
    loadMore,
    put,
    receive,
    setCustomer,
    showWaiting,
    fetchOne,
    capabilitiesOf,
    markRead,
    markUnread,
    mergedInto,
    forgetMerged,
    change,
    setStatus,
  }
})
