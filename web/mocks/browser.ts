/**
 * Starts the fake API in the page (`npm run dev:mock`, browser tests).
 *
 * `?conversations=500` sizes the account, `?signed-in` skips the sign-in. `window.mock` lets tests and
 * curious people act as customers and colleagues: `mock.server.receive(1, { content: 'Hi' })`.
 */
import { setupWorker } from 'msw/browser'
import { FakeServer } from './fake-server'
import { handlers } from './handlers'
import { FakePusher } from './pusher'
import { PASSWORD } from './seed'
import { buildSuggestion, suggestions } from './suggestions'

declare global {
  interface Window {
    mock?: { server: FakeServer; pusher: FakePusher; suggestions: typeof suggestions }
  }
}

const SIGNED_IN = 'mock.signed-in'

export async function startMock(): Promise<void> {
  const query = new URLSearchParams(location.search)
  for (const name of ['conversations']) {
    const value = query.get(name)
    if (value) sessionStorage.setItem(`mock.${name}`, value)
  }
  const server = new FakeServer({
    conversations: Number(sessionStorage.getItem('mock.conversations') ?? 40),
  })
  if (query.has('signed-in')) sessionStorage.setItem(SIGNED_IN, 'ayu@example.org')
  const email = sessionStorage.getItem(SIGNED_IN)
  if (email) server.signIn(email, PASSWORD)
  addEventListener('pagehide', () => {
    if (server.me) sessionStorage.setItem(SIGNED_IN, server.me.email)
    else sessionStorage.removeItem(SIGNED_IN)
  })

  if (query.has('suggestions')) {
    suggestions.host = 'ai.example.org'
    suggestions.items = [
      buildSuggestion({ text: 'The certificate is sent on Friday, {{first_name}}.' }),
      buildSuggestion({ id: 'reply-2', text: 'Please send us a photo of the receipt.' }),
    ]
  }

  const pusher = new FakePusher(server)
  await setupWorker(...handlers(server, 60), pusher.handler).start({
    quiet: true,
    onUnhandledRequest: 'bypass',
  })
  window.mock = { server, pusher, suggestions }
}
