import { screen } from '@testing-library/vue'
import userEvent from '@testing-library/user-event'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { fakeApi } from '../../../mocks/node'
import { renderApp } from '../../../mocks/render'
import { buildSuggestion, suggestions } from '../../../mocks/suggestions'
import SuggestionBar from './SuggestionBar.vue'

const { interceptor } = fakeApi()
beforeAll(() => interceptor.listen({ onUnhandledRequest: 'error' }))
afterAll(() => interceptor.close())

const PARCEL = buildSuggestion({ id: 'reply-7', text: 'Your parcel is on its way.' })
const WAIT = buildSuggestion({
  id: 'quick-reply-2',
  text: 'Please wait a little.',
  source: { ...PARCEL.source, kind: 'quick_reply', is_own: false, shortcut: 'wait' },
})

beforeEach(() => {
  Object.assign(suggestions, { items: [PARCEL, WAIT], host: null, noted: [], refusal: null })
})

const open = (writing = false) => renderApp(SuggestionBar, { conversationId: 1, asked: 5, writing })

describe('SuggestionBar', () => {
  it('shows each suggestion with where it comes from, and puts the chosen one into the field', async () => {
    const { emitted } = open()
    const chip = await screen.findByRole('button', { name: /^Your parcel/ })
    expect(screen.getByText('from your reply of May 3, 2025 to a similar question')).toBeTruthy()
    expect(screen.getByText('from the quick reply /wait')).toBeTruthy()
    await userEvent.click(chip)
    expect(emitted('pick')).toEqual([['Your parcel is on its way.']])
    await vi.waitFor(() =>
      expect(suggestions.noted).toEqual([{ item: 'reply-7', action: 'inserted' }]),
    )
  })

  it('takes them by key', async () => {
    const { emitted } = open()
    await screen.findByText('Please wait a little.')
    await userEvent.keyboard('{Alt>}[Digit2]{/Alt}')
    expect(emitted('pick')).toEqual([['Please wait a little.']])
    await userEvent.keyboard('{Alt>}[Digit5]{/Alt}')
    expect(emitted('pick')).toHaveLength(1)
  })

  it('takes one away that does not fit', async () => {
    open()
    const away = await screen.findByRole('button', { name: /Not this one: Your parcel/ })
    await userEvent.click(away)
    expect(screen.queryByText('Your parcel is on its way.')).toBeNull()
    expect(screen.getByText('Please wait a little.')).toBeTruthy()
    await vi.waitFor(() =>
      expect(suggestions.noted).toEqual([{ item: 'reply-7', action: 'dismissed' }]),
    )
  })

  it('is not there while something is written, and where nothing fits', async () => {
    const first = open(true)
    await vi.waitFor(() => expect(screen.queryByRole('region')).toBeNull())
    first.unmount()
    suggestions.items = []
    open()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(screen.queryByRole('region')).toBeNull()
  })

  it('has a draft written where the account has a language model, and names its host', async () => {
    suggestions.host = 'ai.example.org'
    const { emitted } = open()
    await userEvent.click(await screen.findByRole('button', { name: 'Write a draft' }))
    expect(await screen.findByText('We look after it. Thank you for waiting.')).toBeTruthy()
    expect(screen.getAllByText(/ai\.example\.org/).length).toBeGreaterThan(0)
    expect(emitted('pick')).toBeUndefined()
    await userEvent.click(await screen.findByRole('button', { name: 'Insert' }))
    expect(emitted('pick')).toEqual([['We look after it. Thank you for waiting.']])
  })

  it('says when the language model refuses', async () => {
    suggestions.host = 'ai.example.org'
    suggestions.refusal = {
      status: 402,
      code: 'AI_PROVIDER_QUOTA',
      error: 'OpenAI API quota exceeded',
    }
    open()
    await userEvent.click(await screen.findByRole('button', { name: 'Write a draft' }))
    expect((await screen.findByRole('status')).textContent).toContain('quota')
    expect(screen.getByText('Your parcel is on its way.')).toBeTruthy()
  })
})
