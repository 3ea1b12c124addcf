/** The messages of each opened conversation, oldest first, loaded page by page upwards. */
import { defineStore } from 'pinia'
import { reactive } from 'vue'
import { answer, DELETE, GET, POST } from '@/api/client'
import type { Message } from '@/api/types'
import { type Origin, putMessages } from './message-merge'

const PAGE_SIZE = 40

export interface Thread {
  messages: Message[]
  previousCursor: string | null
  loaded: boolean
  loading: boolean
  loadingOlder: boolean
  error: Error | null
}

export const useThreads = defineStore('threads', () => {
  const byConversation = reactive(new Map<number, Thread>())

  function of(conversationId: number): Thread {
    const known = byConversation.get(conversationId)
    if (known) return known
    byConversation.set(conversationId, {
      messages: [],
      previousCursor: null,
      loaded: false,
      loading: false,
      loadingOlder: false,
      error: null,
    })
    return byConversation.get(conversationId)!
  }

  /** Loads the newest page. Returns the event sequence it stands for. */
  async function load(conversationId: number): Promise<number | null> {
    const thread = of(conversationId)
    thread.loading = true
    thread.error = null
    try {
      const page = await fetchPage(conversationId)
      thread.messages = putMessages(thread.loaded ? [] : thread.messages, page.data, 'snapshot')
      thread.previousCursor = page.previous_cursor
      thread.loaded = true
      return page.event_seq
    } catch (cause) {
      thread.error = cause as Error
      return null
    } finally {
      thread.loading = false
    }
  }

  /** Takes in the newest page without forgetting older ones. */
  async function refresh(conversationId: number): Promise<void> {
    const thread = of(conversationId)
    const page = await fetchPage(conversationId)
    thread.messages = putMessages(thread.messages, page.data, 'snapshot')
  }

  async function loadOlder(conversationId: number): Promise<void> {
    const thread = of(conversationId)
    if (!thread.previousCursor || thread.loadingOlder) return
    thread.loadingOlder = true
    try {
      const page = await fetchPage(conversationId, thread.previousCursor)
      thread.messages = putMessages(thread.messages, page.data, 'snapshot')
      thread.previousCursor = page.previous_cursor
    } finally {
      thread.loadingOlder = false
    }
  }

  function fetchPage(conversationId: number, before?: string) {
    return answer(
      GET('/api/v1/conversations/{id}/messages', {
        params: { path: { id: conversationId }, query: { before, limit: PAGE_SIZE } },
      }),
    )
  }

  /** Takes a message in. Threads that were never opened stay unloaded: opening them fetches all. */
  function put(message: Message, origin: Origin): void {
    const thread = byConversation.get(message.conversation_id)
    if (!thread?.loaded) return
    thread.messages = putMessages(thread.messages, [message], origin)
  }

  /** Forgets every thread but the open one, which the caller loads again. */
  function forgetAllBut(conversationId: number | null): void {
    for (const id of [...byConversation.keys()]) {
      if (id !== conversationId) byConversation.delete(id)
    }
  }

  async function retry(message: Message): Promise<void> {
    put(
      await answer(
        POST('/admin/inbox/{id}/messages/{message_id}/retry', {
          params: { path: pathOf(message) },
        }),
      ),
      'snapshot',
    )
  }

  /** Settles a message of unknown outcome. */
  async function resolve(message: Message, outcome: 'sent' | 'resend'): Promise<void> {
    put(
      await answer(
        POST('/admin/inbox/{id}/messages/{message_id}/resolve', {
          params: { path: pathOf(message) },
          body: { outcome },
        }),
      ),
      'snapshot',
    )
  }

  async function remove(message: Message): Promise<void> {
    await answer(
      DELETE('/admin/inbox/{id}/messages/{message_id}', { params: { path: pathOf(message) } }),
    )
    const now = new Date().toISOString()
    put({ ...message, content: null, attachments: [], deleted_at: now, updated_at: now }, 'event')
  }

  /** Takes a row off the thread that turned out to be another one. */
  function forget(conversationId: number, messageId: number): void {
    const thread = byConversation.get(conversationId)
    if (thread) thread.messages = thread.messages.filter((message) => message.id !== messageId)
  }

  return {
    byConversation,
    of,
    load,
    refresh,
    loadOlder,
    put,
    forget,
    forgetAllBut,
    retry,
    resolve,
    remove,
  }
})

function pathOf(message: Message): { id: number; message_id: number } {
  return { id: message.conversation_id, message_id: message.id }
}
