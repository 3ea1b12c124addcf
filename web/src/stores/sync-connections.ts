/** Connected accounts of Chatwoot. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { answer, DELETE, GET, PATCH, POST } from '@/api/client'
import { ApiError } from '@/api/error'
import type { ChangeSyncConnection, ConnectSync, SyncConnection } from '@/api/types'

/** What the server answers for a connection that it kept although it does not work. */
const TEST_FAILED = 'CONNECTION_TEST_FAILED'

export const useSyncConnections = defineStore('sync-connections', () => {
  const items = ref<SyncConnection[]>([])
  const loaded = ref(false)

  async function load(): Promise<void> {
    items.value = (await answer(GET('/api/v1/sync/connections', {}))).data
    loaded.value = true
  }

  const create = (body: ConnectSync) => keep(answer(POST('/api/v1/sync/connections', { body })))

  const change = (id: string, body: ChangeSyncConnection) =>
    keep(answer(PATCH('/api/v1/sync/connections/{id}', { ...at(id), body })))

  /** Asks Chatwoot now. One that was paused goes on. */
  const test = (id: string) => keep(answer(POST('/api/v1/sync/connections/{id}/test', at(id))))

  const pause = (id: string) => keep(answer(POST('/api/v1/sync/connections/{id}/pause', at(id))))

  const resume = (id: string) => keep(answer(POST('/api/v1/sync/connections/{id}/resume', at(id))))

  async function remove(id: string): Promise<void> {
    await answer(DELETE('/api/v1/sync/connections/{id}', at(id)))
    items.value = items.value.filter((item) => item.id !== id)
  }

  /** Takes what came of a request; of one that failed its test too, which the refusal holds. */
  async function keep(answered: Promise<{ data: SyncConnection }>): Promise<SyncConnection> {
    try {
      const { data } = await answered
      put(data)
      return data
    } catch (error) {
      const kept = keptBy(error)
      if (kept) put(kept)
      throw error
    }
  }

  function put(connection: SyncConnection): void {
    const index = items.value.findIndex(({ id }) => id === connection.id)
    if (index < 0) items.value.push(connection)
    else items.value[index] = connection
  }

  return { items, loaded, load, create, change, test, pause, resume, remove }
})

/** The connection that a refusal says was kept; null when nothing was. */
export function keptBy(error: unknown): SyncConnection | null {
  if (!(error instanceof ApiError) || error.code !== TEST_FAILED) return null
  return (error.details['connection'] as SyncConnection | undefined) ?? null
}

const at = (id: string) => ({ params: { path: { id } } })
