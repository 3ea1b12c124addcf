/**
 * Replies on their way from this browser to the server.
 *
 * Each carries a key made here, so however often it is posted the server stores it once. Replies of
 * one conversation go one after the other. They are kept in local storage until the server has
 * them: closing the page or losing the network loses nothing.
 */
import { useLocalStorage } from '@vueuse/core'
import { defineStore } from 'pinia'
import { answer, POST } from '@/api/client'
import { ApiError, isTemporary } from '@/api/error'
import type { Attachment, Message, Reply, SendMessage } from '@/api/types'
import { lastSeenMessageId } from './newer-messages'
import { useSession } from './session'
import { useThreads } from './threads'

/** `guarded`: a colleague answered meanwhile. `refused`: the server said no, `error` says why. */
export type OutgoingState = 'sending' | 'waiting' | 'guarded' | 'refused'

export interface Outgoing {
  clientKey: string
  conversationId: number
  authorId: number
  createdAt: string
  /** Newest message the author had seen when the reply was begun. */
  seenAtStart: number | null
  reply: Reply
  /** For the optimistic bubble only. */
  attachment: Attachment | null
  quote: Message['reply_to']
  state: OutgoingState
  error: string | null
}

export type NewReply = Pick<
  Outgoing,
  'conversationId' | 'seenAtStart' | 'reply' | 'attachment' | 'quote'
>

const RETRY_MS = 5000

export const useOutgoing = defineStore('outgoing', () => {
  const session = useSession()
  const threads = useThreads()
  const items = useLocalStorage<Outgoing[]>('frontdesk.outgoing', [])
  const posting = new Set<number>()
  let timer: ReturnType<typeof setTimeout> | undefined

  function of(conversationId: number): Outgoing[] {
    return items.value.filter(
      (item) => item.conversationId === conversationId && item.authorId === session.me?.id,
    )
  }

  /** Shows the reply at once and posts it when its turn comes. Returns its key. */
  function send(reply: NewReply): string {
    const clientKey = crypto.randomUUID()
    items.value.push({
      ...reply,
      clientKey,
      authorId: session.me?.id ?? 0,
      createdAt: new Date().toISOString(),
      state: 'waiting',
      error: null,
    })
    void flush(reply.conversationId)
    return clientKey
  }

  /** Posts again what was refused or guarded, with the same key. */
  function sendAgain(clientKey: string, force = false): void {
    const item = find(clientKey)
    if (!item) return
    item.state = 'waiting'
    item.error = null
    if (force) item.reply = { ...item.reply, force: true }
    void flush(item.conversationId)
  }

  function discard(clientKey: string): void {
    items.value = items.value.filter((item) => item.clientKey !== clientKey)
  }

  /** Drops our copy once the server's message with that key is known. */
  function settle(message: Message): void {
    if (message.client_key && find(message.client_key)) discard(message.client_key)
  }

  /** Tries everything that waits, in all conversations: after a reconnect or a reload. */
  function flushAll(): void {
    for (const item of items.value) {
      if (item.state === 'sending' && !posting.has(item.conversationId)) item.state = 'waiting'
    }
    for (const id of new Set(items.value.map((item) => item.conversationId))) void flush(id)
  }

  async function flush(conversationId: number): Promise<void> {
    if (posting.has(conversationId)) return
    posting.add(conversationId)
    try {
      for (;;) {
        const next = of(conversationId).find((item) => item.state !== 'refused')
        if (next?.state !== 'waiting') return
        if (!(await post(next.clientKey))) return
      }
    } finally {
      posting.delete(conversationId)
    }
  }

  /** Posts one reply. Returns whether the next one may follow. */
  async function post(clientKey: string): Promise<boolean> {
    const item = find(clientKey)
    if (!item) return true
    item.state = 'sending'
    const seen = lastSeenMessageId(
      threads.of(item.conversationId).messages,
      item.seenAtStart,
      item.authorId,
    )
    try {
      const message = await answer(
        POST('/admin/inbox/{id}/messages', {
          params: { path: { id: item.conversationId } },
          body: {
            ...item.reply,
            client_key: clientKey,
            ...(seen === null ? {} : { last_seen_message_id: seen }),
          } as SendMessage, // which form it has was decided where it was written
        }),
      )
      discard(clientKey)
      const { companions = [], ...first } = message
      for (const stored of [first, ...companions]) threads.put(stored, 'snapshot')
      return true
    } catch (error) {
      return failed(clientKey, error)
    }
  }

  function failed(clientKey: string, error: unknown): boolean {
    const item = find(clientKey)
    if (!item) return true
    if (isTemporary(error) || (error instanceof ApiError && error.status === 401)) {
      item.state = 'waiting'
      const seconds = error instanceof ApiError ? error.retryAfterSeconds : null
      retryLater(seconds === null ? RETRY_MS : seconds * 1000)
      return false
    }
    if (error instanceof ApiError && error.code === 'NEWER_MESSAGES') {
      item.state = 'guarded'
      // What overtook us has to be on screen to be judged, also when the socket is late or away.
      void threads.refresh(item.conversationId).catch(() => undefined)
      return false
    }
    item.state = 'refused'
    item.error = error instanceof Error ? error.message : String(error)
    return true
  }

  function retryLater(delayMs: number): void {
    clearTimeout(timer)
    timer = setTimeout(flushAll, delayMs)
  }

  /** A conversation became part of another: what was to go there goes to the other. */
  function move(from: number, to: number): void {
    for (const item of items.value) if (item.conversationId === from) item.conversationId = to
    void flush(to)
  }

  function find(clientKey: string): Outgoing | undefined {
    return items.value.find((item) => item.clientKey === clientKey)
  }

  return { items, of, send, sendAgain, discard, settle, move, flushAll }
})
