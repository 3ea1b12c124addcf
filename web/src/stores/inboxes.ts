/** Connected accounts and the channels they can be made on. */
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { answer, DELETE, GET, PATCH, POST } from '@/api/client'
import { everyPage } from '@/api/pages'
import type { Channel, CreateInbox, Inbox, InboxState } from '@/api/types'

export const useInboxes = defineStore('inboxes', () => {
  const items = ref<Inbox[]>([])
  const channels = ref<Channel[]>([])
  const loaded = ref(false)

  const platforms = computed(() => [...new Set(items.value.map((inbox) => inbox.platform))].sort())
  /** Inboxes that need a person, for the rail's mark. */
  const troubled = computed(() =>
    items.value.filter((inbox) => inbox.enabled && inbox.state.code === 'reconnect'),
  )

  async function load(): Promise<void> {
    items.value = await everyPage((cursor) =>
      answer(GET('/api/v1/inboxes', { params: { query: { cursor, limit: 200 } } })),
    )
    loaded.value = true
  }

  async function loadChannels(): Promise<void> {
    if (channels.value.length > 0) return
    channels.value = (await answer(GET('/api/v1/channels', {}))).data
  }

  async function create(
    channel: string,
    name: string,
    settings: Record<string, string>,
  ): Promise<Inbox> {
    // The form was drawn from the channel's own fields: which they are is known only at run time.
    const body = { channel, name, settings } as CreateInbox
    const inbox = await answer(POST('/api/v1/inboxes', { body }))
    put(inbox)
    return inbox
  }

  async function change(
    id: number,
    body: { name?: string; settings?: Record<string, string | null>; enabled?: boolean },
  ): Promise<void> {
    put(await answer(PATCH('/api/v1/inboxes/{id}', { params: { path: { id } }, body })))
  }

  /** Asks the provider now. */
  async function check(id: number): Promise<void> {
    put(await answer(POST('/api/v1/inboxes/{id}/check', { params: { path: { id } } })))
  }

  async function remove(id: number): Promise<void> {
    await answer(DELETE('/api/v1/inboxes/{id}', { params: { path: { id } } }))
    items.value = items.value.filter((inbox) => inbox.id !== id)
  }

  function setState(id: number, state: InboxState): void {
    const inbox = items.value.find((item) => item.id === id)
    if (inbox) inbox.state = state
  }

  function put(inbox: Inbox): void {
    const index = items.value.findIndex(({ id }) => id === inbox.id)
    if (index < 0) items.value.push(inbox)
    else items.value[index] = inbox
  }

  return {
    items,
    channels,
    loaded,
    platforms,
    troubled,
    load,
    loadChannels,
    create,
    change,
    check,
    remove,
    setState,
  }
})
