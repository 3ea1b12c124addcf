/** Runs of connected accounts of Chatwoot: what was brought over, and what is under way. */
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { answer, GET, POST } from '@/api/client'
import type { ImportHistory, SyncRun } from '@/api/types'

const PAGE = 20

export const isUnderWay = ({ status }: SyncRun): boolean =>
  status === 'queued' || status === 'running'

export const useSyncRuns = defineStore('sync-runs', () => {
  /** The newest first. */
  const items = ref<SyncRun[]>([])
  const nextCursor = ref<string | null>(null)
  const loaded = ref(false)
  const underWay = computed(() => items.value.filter(isUnderWay))

  async function load(): Promise<void> {
    const page = await fetchPage(undefined)
    items.value = page.data
    nextCursor.value = page.nextCursor
    loaded.value = true
  }

  async function loadMore(): Promise<void> {
    const page = await fetchPage(nextCursor.value ?? undefined)
    const known = new Set(items.value.map(({ runId }) => runId))
    items.value = [...items.value, ...page.data.filter(({ runId }) => !known.has(runId))]
    nextCursor.value = page.nextCursor
  }

  /** The newest again, and what was loaded further down as it was. */
  async function refresh(): Promise<void> {
    const { data } = await fetchPage(undefined)
    for (const run of [...data].reverse()) put(run)
  }

  async function start(
    id: string,
    { entityType, direction }: Pick<SyncRun, 'entityType' | 'direction'>,
  ): Promise<void> {
    // The page shows how it goes: it does not wait for the end.
    const params = { path: { id }, query: { entityType, direction, wait: 0 } }
    put((await answer(POST('/api/v1/sync/connections/{id}/sync', { params }))).data)
  }

  /** Brings what an inbox had before its bridge to Chatwoot; a dry run counts alone, and is waited for. */
  async function importHistory(bridgeId: number, wanted: ImportHistory): Promise<SyncRun> {
    const params = { path: { id: bridgeId } }
    const body = wanted.dryRun ? wanted : { ...wanted, wait: 0 }
    const run = (await answer(POST('/api/v1/sync/bridges/{id}/import', { params, body }))).data
    put(run)
    return run
  }

  async function cancel(id: string): Promise<void> {
    const params = { path: { id } }
    put((await answer(POST('/api/v1/sync/runs/{id}/cancel', { params }))).data)
  }

  /** Goes on where it failed or was cancelled. */
  async function resume(id: string): Promise<void> {
    const params = { path: { id } }
    put((await answer(POST('/api/v1/sync/runs/{id}/resume', { params }))).data)
  }

  function put(run: SyncRun): void {
    const index = items.value.findIndex(({ runId }) => runId === run.runId)
    if (index < 0) items.value.unshift(run)
    else items.value[index] = run
  }

  return {
    items,
    nextCursor,
    loaded,
    underWay,
    load,
    loadMore,
    refresh,
    start,
    importHistory,
    cancel,
    resume,
    put,
  }
})

const fetchPage = (cursor: string | undefined) =>
  answer(GET('/api/v1/sync/runs', { params: { query: { cursor, limit: PAGE } } }))
