/** The fake API for unit tests. */
import { setupServer } from 'msw/node'
import { FakeServer } from './fake-server'
import { handlers } from './handlers'

/** A fresh, signed-in account and the interceptor that serves it; `listen`, `close` as in msw. */
export function fakeApi(options: ConstructorParameters<typeof FakeServer>[0] = {}) {
  const server = new FakeServer({ conversations: 12, tickMs: 0, ...options })
  server.signIn('ayu@example.org', 'correct horse')
  return { server, interceptor: setupServer(...handlers(server)) }
}
