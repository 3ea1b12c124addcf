import { screen, waitFor } from '@testing-library/vue'
import userEvent from '@testing-library/user-event'
import { http, HttpResponse } from 'msw'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { components } from '@/api/schema'
import { fakeApi } from '../../../mocks/node'
import { renderApp } from '../../../mocks/render'
import SuggestionsScreen from './SuggestionsScreen.vue'

type Settings = components['schemas']['SuggestionSettings']
type Saved = components['schemas']['SaveSuggestionSettings']

const { interceptor } = fakeApi()
beforeAll(() => interceptor.listen({ onUnhandledRequest: 'error' }))
afterEach(() => interceptor.resetHandlers())
afterAll(() => interceptor.close())

const OFF: Settings = {
  enabled: false,
  base_url: '',
  host: null,
  model: '',
  has_key: false,
  timeout_ms: 20_000,
  monthly_tokens: 1_000_000,
  fallback: true,
  paused_until: null,
  trouble: null,
  usage: { month: '2026-01', calls: 12, tokens: 4810 },
}
const ON: Settings = {
  ...OFF,
  enabled: true,
  base_url: 'https://api.example.org/v1',
  host: 'api.example.org',
  model: 'small',
  has_key: true,
  timeout_ms: 9_000,
}

let kept: Settings
let saved: Saved[]
let refusal: Record<string, string[]> | null
let asked: number

beforeEach(() => {
  kept = OFF
  saved = []
  refusal = null
  asked = 0
  interceptor.use(
    http.get('*/api/v1/suggestions/settings', () => {
      asked += 1
      return HttpResponse.json(kept)
    }),
    http.put('*/api/v1/suggestions/settings', async ({ request }) => {
      const body = (await request.json()) as Saved
      saved.push(body)
      const { api_key: key, confirm_host: confirmed, ...rest } = body
      const host = rest.base_url ? new URL(rest.base_url).host : null
      const unconfirmed = rest.enabled && confirmed !== host
      const errors = refusal ?? (unconfirmed ? { confirm_host: [`Agree to ${host}.`] } : null)
      if (errors) {
        const refused = {
          error: 'The fields are not valid.',
          code: 'VALIDATION_ERROR',
          details: {},
        }
        return HttpResponse.json({ ...refused, errors }, { status: 422 })
      }
      kept = { ...kept, ...rest, host, has_key: kept.has_key || typeof key === 'string' }
      return HttpResponse.json(kept)
    }),
  )
})

const field = (name: string | RegExp) => screen.findByLabelText<HTMLInputElement>(name)
const save = () => userEvent.click(screen.getByRole('button', { name: 'Save' }))
const agreement = /I agree that what customers write goes to/

describe('the settings of suggestions', () => {
  it('are off at first, and say what was used', async () => {
    renderApp(SuggestionsScreen)
    expect((await field('Let a language model write drafts')).checked).toBe(false)
    expect(screen.getByText('4,810 used in 2026-01.')).toBeTruthy()
    expect(screen.queryByLabelText(agreement)).toBeNull()
  })

  it('name the host before anything goes there, and keep the key to themselves', async () => {
    renderApp(SuggestionsScreen)
    await userEvent.click(await field('Let a language model write drafts'))
    await userEvent.type(await field(/^Address of an API/), 'https://api.example.org/v1')
    await userEvent.type(await field(/^Model/), 'small')
    await userEvent.type(await field(/^API key/), 'sk-secret')
    const agree = await field(/goes to api\.example\.org\./)
    expect(agree.checked).toBe(false)
    await save()
    await waitFor(() => expect(saved).toHaveLength(1))
    expect(saved[0]).toMatchObject({ enabled: true, api_key: 'sk-secret', confirm_host: null })
    expect(await screen.findByText('Agree to api.example.org.')).toBeTruthy()
    await userEvent.click(await field(agreement))
    await save()
    await waitFor(() => expect(saved).toHaveLength(2))
    expect(saved[1]).toMatchObject({
      base_url: 'https://api.example.org/v1',
      model: 'small',
      monthly_tokens: 1_000_000,
      confirm_host: 'api.example.org',
    })
    await waitFor(async () => expect((await field(/^API key/)).value).toBe(''))
    expect(screen.getByText('A key is kept. Leave this empty to keep it.')).toBeTruthy()
  })

  it('send no key that was not typed, and what cannot be seen as it was', async () => {
    kept = ON
    renderApp(SuggestionsScreen)
    await field(agreement)
    await save()
    await waitFor(() => expect(saved).toHaveLength(1))
    expect(saved[0]).not.toHaveProperty('api_key')
    expect(saved[0]).toMatchObject({ timeout_ms: 9_000, confirm_host: 'api.example.org' })
  })

  it('ask anew for another host', async () => {
    kept = ON
    renderApp(SuggestionsScreen)
    expect((await field(agreement)).checked).toBe(true)
    const address = await field(/^Address of an API/)
    await userEvent.clear(address)
    await userEvent.type(address, 'https://elsewhere.example.org/v1')
    expect((await field(/goes to elsewhere\.example\.org\./)).checked).toBe(false)
    await save()
    await waitFor(() => expect(saved).toHaveLength(1))
    expect(saved[0]).toMatchObject({ confirm_host: null })
  })

  it('show what was refused at its field, and keep what was typed', async () => {
    refusal = { api_key: ['The api_key field must be a key.'], confirm_host: ['Write the name.'] }
    renderApp(SuggestionsScreen)
    await userEvent.type(await field(/^API key/), 'two words')
    await save()
    expect(await screen.findByText('The api_key field must be a key.')).toBeTruthy()
    expect(screen.getByText('Write the name.').getAttribute('role')).toBe('alert')
    expect((await field(/^API key/)).value).toBe('two words')
  })

  it('say what is wrong with the model, and ask again when they could not be read', async () => {
    kept = { ...ON, trouble: 'AI_AUTH' }
    interceptor.use(
      http.get('*/api/v1/suggestions/settings', () => new HttpResponse(null, { status: 500 }), {
        once: true,
      }),
    )
    renderApp(SuggestionsScreen)
    await userEvent.click(await screen.findByRole('button', { name: /again|retry/i }))
    expect(await screen.findByText(/The language model did not work: AI_AUTH\./)).toBeTruthy()
    expect(asked).toBe(1)
  })
})
