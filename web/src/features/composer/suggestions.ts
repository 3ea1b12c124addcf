/** Suggested replies of one conversation: the team's own at once, a language model's when asked for. */
import { computed, onScopeDispose, ref } from 'vue'
import { answer, GET, POST } from '@/api/client'
import { ApiError, NetworkError } from '@/api/error'
import type { components } from '@/api/schema'

export type Suggestion = components['schemas']['SuggestedItem']
type Suggested = components['schemas']['Suggested']
type Deed = components['schemas']['Deed']

/** Suggestions asked for. */
const COUNT = 3

export function useSuggestions(conversationId: () => number) {
  const found = ref<Suggested | null>(null)
  const dismissed = ref(new Set<string>())
  const draft = ref<Suggestion | null>(null)
  const writingDraft = ref(false)
  const failure = ref<unknown>(null)
  /** What was put into the field, until something is sent. */
  let inserted: Suggestion | null = null
  let turn = 0
  let calling: AbortController | null = null

  const items = computed(() =>
    (found.value?.items ?? []).filter((item) => !dismissed.value.has(item.id)),
  )
  const host = computed(() => found.value?.drafts_from ?? null)

  /** The team's own. They are a help and no promise: when they fail, nothing is said. */
  async function load(): Promise<void> {
    stopDraft()
    const mine = ++turn
    found.value = null
    failure.value = null
    dismissed.value = new Set()
    const path = {
      params: { path: { id: conversationId() }, query: { count: COUNT, engine: 'local' as const } },
    }
    const now = await answer(GET('/admin/inbox/{id}/suggest-ai', path)).catch(() => null)
    if (mine === turn) found.value = now
  }

  /** Has one written, in pieces. */
  async function writeDraft(): Promise<void> {
    stopDraft()
    failure.value = null
    writingDraft.value = true
    const mine = new AbortController()
    calling = mine
    try {
      const url = `/admin/inbox/${conversationId()}/suggest-ai/stream`
      const response = await fetch(url, {
        signal: mine.signal,
        credentials: 'same-origin',
        headers: { Accept: 'text/event-stream' },
      })
      if (!response.ok || !response.body) {
        const body = (await response.json().catch(() => undefined)) as ConstructorParameters<
          typeof ApiError
        >[1]
        throw new ApiError(response.status, body, response.headers.get('Retry-After'))
      }
      for await (const event of eventsOf(response.body)) {
        if (calling !== mine) return
        take(event)
      }
    } catch (error) {
      if (mine.signal.aborted) return
      draft.value = null
      failure.value = error instanceof ApiError ? error : new NetworkError(error)
    } finally {
      if (calling === mine) writingDraft.value = false
    }
  }

  function take({ name, data }: ServerEvent): void {
    if (name === 'text') {
      const text = (draft.value?.text ?? '') + (data as { text: string }).text
      draft.value = { ...(draft.value ?? EMPTY_DRAFT), text }
    } else if (name === 'withdrawn') draft.value = null
    else if (name === 'done') {
      const done = data as Suggested
      if (done.engine === 'llm') draft.value = done.items[0] ?? null
      else {
        draft.value = null
        found.value = done
      }
    } else if (name === 'failed') {
      draft.value = null
      failure.value = new ApiError(500, data as ConstructorParameters<typeof ApiError>[1], null)
    }
  }

  /** Ends the writing, and takes away what was written. */
  function stopDraft(): void {
    calling?.abort()
    calling = null
    writingDraft.value = false
    draft.value = null
  }

  function note(item: Suggestion, action: Deed): void {
    if (action === 'inserted') inserted = item
    const call = POST('/admin/inbox/{id}/suggest-ai/feedback', {
      params: { path: { id: conversationId() } },
      body: { item: item.id, action },
    })
    // It only makes later suggestions better.
    void answer(call).catch(() => undefined)
  }

  function dismiss(item: Suggestion): void {
    dismissed.value = new Set([...dismissed.value, item.id])
    note(item, 'dismissed')
  }

  /** A reply went out: as it was suggested, changed, or something else altogether. */
  function noteSent(text: string): void {
    const item = inserted
    inserted = null
    if (item) note(item, text.trim() === item.text.trim() ? 'sent' : 'edited')
  }

  onScopeDispose(stopDraft)
  return {
    items,
    host,
    draft,
    writingDraft,
    failure,
    load,
    writeDraft,
    stopDraft,
    note,
    dismiss,
    noteSent,
  }
}

const EMPTY_DRAFT: Suggestion = {
  id: 'draft-1',
  text: '',
  score: null,
  source: {
    kind: 'model',
    said_at: null,
    said_by: null,
    is_own: false,
    shortcut: null,
    alike: 0,
    sentence: '',
  },
}

interface ServerEvent {
  name: string
  data: unknown
}

/** The events of a stream, as they come. */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      rest += decoder.decode(value, { stream: !done })
      let end = rest.indexOf('\n\n')
      while (end >= 0) {
        const lines = rest.slice(0, end).split('\n')
        rest = rest.slice(end + 2)
        end = rest.indexOf('\n\n')
        const of = (field: string) =>
          lines.find((line) => line.startsWith(`${field}: `))?.slice(field.length + 2)
        const [name, data] = [of('event'), of('data')]
        if (name && data) yield { name, data: JSON.parse(data) as unknown }
      }
      if (done) return
    }
  } finally {
    reader.releaseLock()
  }
}
