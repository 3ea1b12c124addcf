/** Runs in words. */
import { useI18n } from 'vue-i18n'
import type { SyncRun } from '@/api/types'

export function useRunText() {
  const { t, n } = useI18n()

  /** What came of it so far; parts that are nothing are left out. */
  function counts(run: SyncRun): string {
    const parts = [
      run.created > 0 && t('chatwoot.created', { count: n(run.created) }, run.created),
      run.updated > 0 && t('chatwoot.updated', { count: n(run.updated) }, run.updated),
      run.skipped > 0 && t('chatwoot.skipped', { count: n(run.skipped) }, run.skipped),
      run.errors > 0 && t('chatwoot.failedRows', { count: n(run.errors) }, run.errors),
    ]
    return parts.filter(Boolean).join(' · ') || t('chatwoot.nothingDone')
  }

  return { counts }
}
