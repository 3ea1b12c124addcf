/** Opens the live connection when the shell appears and hands it to the screens below. */
import {
  inject,
  type InjectionKey,
  onBeforeUnmount,
  onMounted,
  provide,
  type ShallowRef,
  shallowRef,
} from 'vue'
import { useRoute } from 'vue-router'
import { connect, type Live, type LiveConnection } from '@/realtime/live'
import { useAgents } from '@/stores/agents'
import { useConnection } from '@/stores/connection'
import { useInboxes } from '@/stores/inboxes'
import { useOutgoing } from '@/stores/outgoing'

type LiveRef = ShallowRef<Live | null>
const KEY: InjectionKey<LiveRef> = Symbol('live')
const RETRY_MS = 5000

export function provideLive(): void {
  const live = shallowRef<Live | null>(null)
  provide(KEY, live)
  const route = useRoute()
  let connection: LiveConnection | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let gone = false

  const openConversation = () => (route.name === 'conversation' ? Number(route.params['id']) : null)

  async function start(): Promise<void> {
    try {
      connection = await connect(openConversation)
      if (gone) return connection.stop()
      live.value = connection.echo
    } catch {
      if (gone) return
      useConnection().state = 'reconnecting'
      timer = setTimeout(start, RETRY_MS)
    }
  }

  onMounted(() => {
    void start()
    // Filters and assignment work without these two; they fill in when the server answers.
    void useInboxes()
      .load()
      .catch(() => undefined)
    void useAgents()
      .load()
      .catch(() => undefined)
    useOutgoing().flushAll()
  })
  onBeforeUnmount(() => {
    gone = true
    clearTimeout(timer)
    connection?.stop()
    live.value = null
  })
}

/** The live connection, null until it is open. */
export function useLive(): LiveRef {
  return inject(KEY, () => shallowRef<Live | null>(null), true)
}
