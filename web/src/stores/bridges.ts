/** Inboxes that are shown in Chatwoot too. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { answer, DELETE, GET, PATCH, POST } from '@/api/client'
import type { Bridge, CreateBridge, UpdateBridge } from '@/api/types'

export const useBridges = defineStore('bridges', () => {
  const items = ref<Bridge[]>([])
  const loaded = ref(false)

  async function load(): Promise<void> {
    items.value = (await answer(GET('/api/v1/sync/bridges', {}))).data
    loaded.value = true
  }

  async function create(body: CreateBridge): Promise<void> {
    put((await answer(POST('/api/v1/sync/bridges', { body }))).data)
  }

  /** Changes what was chosen, or switches it on or off; switched on, what failed is tried again. */
  async function change(id: number, body: UpdateBridge): Promise<void> {
    const params = { path: { id } }
    put((await answer(PATCH('/api/v1/sync/bridges/{id}', { params, body }))).data)
  }

  /** `withInbox`: the inbox in Chatwoot goes too, with its conversations there. */
  async function remove(id: number, withInbox: boolean): Promise<void> {
    const params = { path: { id }, query: { withInbox } }
    await answer(DELETE('/api/v1/sync/bridges/{id}', { params }))
    items.value = items.value.filter((item) => item.id !== id)
  }

  function put(bridge: Bridge): void {
    const index = items.value.findIndex(({ id }) => id === bridge.id)
    if (index < 0) items.value.push(bridge)
    else items.value[index] = bridge
  }

  return { items, loaded, load, create, change, remove }
})
