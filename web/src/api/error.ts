/** What can go wrong with a request, in one shape. */
import type { ErrorBody } from './types'

/** A refusal by the server. `code` is stable; `message` is a sentence for people. */
export class ApiError extends Error {
  readonly code: string
  readonly status: number
  readonly details: Record<string, unknown>
  /** Messages per form field, from a 422. */
  readonly fields: Record<string, string[]>
  /** Seconds to wait, from a 429. */
  readonly retryAfterSeconds: number | null

  constructor(
    status: number,
    body: Partial<ErrorBody> | undefined,
    retryAfterHeader?: string | null,
  ) {
    super(body?.error ?? body?.message ?? `The server answered ${status}.`)
    this.name = 'ApiError'
    this.status = status
    this.code = body?.code ?? 'UNKNOWN'
    this.details = body?.details ?? {}
    this.fields = body?.errors ?? {}
    const wait = body?.retry_after ?? Number(retryAfterHeader ?? Number.NaN)
    this.retryAfterSeconds = Number.isFinite(wait) ? wait : null
  }
}

/** No answer came: offline, cut off, or the server is away. Nothing is known about the outcome. */
export class NetworkError extends Error {
  constructor(cause: unknown) {
    super('No connection to the server.', { cause })
    this.name = 'NetworkError'
  }
}

/** True for failures that waiting can mend: no connection, a server in trouble, too many requests. */
export function isTemporary(error: unknown): boolean {
  return (
    error instanceof NetworkError ||
    (error instanceof ApiError && (error.status >= 500 || error.status === 429))
  )
}
