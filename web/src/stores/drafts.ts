/** What was begun and not sent, per conversation; survives reloads. */
import { useLocalStorage } from '@vueuse/core'
import { defineStore } from 'pinia'

export interface Draft {
  text: string
  /** Message being answered. */
  replyToId: number | null
  /** Newest message known when the draft was begun. */
  seenAtStart: number | null
  updatedAt: number
}

/** Local storage is small and shared: the oldest drafts go first. */
const KEPT = 200

export const useDrafts = defineStore('drafts', () => {
  const items = useLocalStorage<Record<string, Draft>>('frontdesk.drafts', {})

  function of(conversationId: number): Draft | null {
    return items.value[conversationId] ?? null
  }

  /** Keeps a draft; one without text and quote is forgotten. */
  function keep(
    conversationId: number,
    text: string,
    replyToId: number | null,
    newestSeen: number | null,
  ): void {
    if (text.trim() === '' && replyToId === null) return forget(conversationId)
    const seenAtStart = of(conversationId)?.seenAtStart ?? newestSeen
    const draft: Draft = { text, replyToId, seenAtStart, updatedAt: Date.now() }
    const all: Record<string, Draft> = { ...items.value, [conversationId]: draft }
    items.value = Object.fromEntries(
      Object.entries(all)
        .sort(([, a], [, b]) => b.updatedAt - a.updatedAt)
        .slice(0, KEPT),
    )
  }

  function forget(conversationId: number): void {
    if (!(conversationId in items.value)) return
    items.value = Object.fromEntries(
      Object.entries(items.value).filter(([id]) => id !== String(conversationId)),
    )
  }

  /** A conversation became part of another; what is begun there already wins. */
  function move(from: number, to: number): void {
    const draft = of(from)
    if (draft && !of(to)) items.value = { ...items.value, [to]: draft }
    forget(from)
  }

  return { items, of, keep, forget, move }
})
