/**
 * The HTTP client. Calls throw [`ApiError`] or [`NetworkError`] and otherwise return the answer's body.
 *
 * The session is a cookie, so nothing is stored here; a 401 outside sign-in calls the handler set
 * with `onSignedOut`.
 */
import createClient from 'openapi-fetch'
import { ApiError, NetworkError } from './error'
import type { paths } from './schema'
import type { ErrorBody } from './types'

let signedOut: () => void = () => undefined

/** Registers what to do when the server no longer knows our session. */
export function onSignedOut(handler: () => void): void {
  signedOut = handler
}

const client = createClient<paths>({
  baseUrl: globalThis.location?.origin ?? '',
  credentials: 'same-origin',
  headers: { Accept: 'application/json' },
  // Looked up at call time so that tests and the mock API can replace it.
  fetch: (request: Request) => globalThis.fetch(request),
})

export const { GET, POST, PUT, PATCH, DELETE } = client

interface Outcome<Data> {
  data?: Data
  error?: unknown
  response: Response
}

/** Turns openapi-fetch's outcome into a value or an exception. */
export async function answer<Data>(call: Promise<Outcome<Data>>): Promise<Data> {
  let outcome: Outcome<Data>
  try {
    outcome = await call
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
    throw new NetworkError(cause)
  }
  if (outcome.response.ok) return outcome.data as Data
  const body = typeof outcome.error === 'object' ? (outcome.error as Partial<ErrorBody>) : undefined
  const error = new ApiError(
    outcome.response.status,
    body ?? undefined,
    outcome.response.headers.get('Retry-After'),
  )
  if (error.status === 401 && error.code !== 'INVALID_CREDENTIALS') signedOut()
  throw error
}
