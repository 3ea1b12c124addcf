import { useI18n } from 'vue-i18n'
import { ApiError, NetworkError } from '@/api/error'

/** Turns a failure into a sentence in the reader's language; server sentences pass through. */
export function useErrorText(): (error: unknown) => string {
  const { t } = useI18n()
  return (error) => {
    if (error instanceof NetworkError) return t('error.network')
    if (!(error instanceof ApiError)) return t('error.title')
    if (error.status === 429)
      return t('error.rateLimited', { seconds: error.retryAfterSeconds ?? 60 })
    if (error.status === 403) return t('error.forbidden')
    if (error.status === 404) return t('error.notFound')
    if (error.status >= 500) return t('error.server', { message: error.message })
    return error.message
  }
}
