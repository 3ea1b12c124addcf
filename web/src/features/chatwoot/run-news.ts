/** Keeps runs up to date while their screen is open. */
import { useDocumentVisibility, useIntervalFn } from '@vueuse/core'
import { computed, watch } from 'vue'
import type { SyncRun } from '@/api/types'
import { useAccountNews } from '@/features/shell/account-news'
import { useConnection } from '@/stores/connection'
import { useSyncConnections } from '@/stores/sync-connections'
import { isUnderWay, useSyncRuns } from '@/stores/sync-runs'

/** Progress is told live and not kept, so it is asked for too: often while nothing is told, rarely otherwise. */
const ALONE_MS = 2000
const BESIDE_MS = 10_000

export function useRunNews(): void {
  const runs = useSyncRuns()
  const connections = useSyncConnections()
  const connection = useConnection()
  const visibility = useDocumentVisibility()
  const ask = () => runs.refresh().catch(() => undefined) // asked again soon
  useAccountNews<SyncRun>(['SyncProgress'], (run) => {
    runs.put(run)
    // What did not go over is not told live.
    if (!isUnderWay(run)) void ask()
  })
  const pace = computed(() => (connection.state === 'connected' ? BESIDE_MS : ALONE_MS))
  const { pause, resume } = useIntervalFn(ask, pace, { immediate: false })
  const isWatched = computed(() => runs.underWay.length > 0 && visibility.value === 'visible')
  watch(isWatched, (watched) => (watched ? resume() : pause()), { immediate: true })
  watch(visibility, (state) => state === 'visible' && runs.loaded && void ask())
  // A connection tells when it last ran, and whether that showed something wrong with it.
  watch(
    () => runs.underWay.length,
    (now, before) => now < before && void connections.load().catch(() => undefined),
  )
}
