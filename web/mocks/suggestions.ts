/** Suggested replies of the fake server: the same for everyone who asks, and a language model when `drafts` is set. */
import { http, HttpResponse } from 'msw'
import type { components } from '@/api/schema'

type Suggested = components['schemas']['Suggested']
type SuggestedItem = components['schemas']['SuggestedItem']

export const suggestions = {
  items: [] as SuggestedItem[],
  /** The host of a language model; none by default. */
  host: null as string | null,
  /** What it writes, piece by piece. */
  pieces: ['We look after it.', ' Thank you for waiting.'],
  /** What was told of suggestions. */
  noted: [] as { item: string; action: string }[],
  /** A refusal of the language model. */
  refusal: null as { status: number; code: string; error: string } | null,
}

export function buildSuggestion(given: Partial<SuggestedItem> & { text: string }): SuggestedItem {
  return {
    id: 'reply-1',
    score: 0.8,
    source: {
      kind: 'reply',
      said_at: '2025-05-03T10:12:00Z',
      said_by: null,
      is_own: true,
      shortcut: null,
      alike: 3,
      sentence: 'from your reply of 3 May 2025 to a similar question',
    },
    ...given,
  }
}

function suggested(items: SuggestedItem[], engine: Suggested['engine']): Suggested {
  return {
    suggestions: items.map(({ text }) => text),
    tokens_used: engine === 'llm' ? 42 : 0,
    created_at: '2026-01-15T08:00:00Z',
    engine,
    items,
    tokens_estimated: false,
    fallback: null,
    drafts_from: suggestions.host,
  }
}

export function suggestionHandlers() {
  return [
    http.get('*/admin/inbox/:id/suggest-ai', () =>
      HttpResponse.json(suggested(suggestions.items, 'local')),
    ),
    http.get('*/admin/inbox/:id/suggest-ai/stream', () => {
      if (suggestions.refusal) {
        const { status, ...body } = suggestions.refusal
        return HttpResponse.json({ details: {}, ...body }, { status })
      }
      const event = (name: string, data: unknown) =>
        `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
      const text = suggestions.pieces.join('')
      const source = { ...buildSuggestion({ text }).source, kind: 'model' as const, said_at: null }
      const draft = buildSuggestion({ id: 'draft-1', text, score: null, source })
      const events = [
        ...suggestions.pieces.map((piece) => event('text', { text: piece })),
        event('done', suggested([draft], 'llm')),
      ]
      return new HttpResponse(events.join(''), { headers: { 'Content-Type': 'text/event-stream' } })
    }),
    http.post('*/admin/inbox/:id/suggest-ai/feedback', async ({ request }) => {
      suggestions.noted.push((await request.json()) as { item: string; action: string })
      return new HttpResponse(null, { status: 204 })
    }),
  ]
}
