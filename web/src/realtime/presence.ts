/** Who else looks at, or writes in, the open conversation. */
import { useThrottleFn } from '@vueuse/core'
import { onScopeDispose, ref, type Ref, watch } from 'vue'
import type { Person } from '@/api/types'
import { TYPING_MS } from '@/stores/typing'
import type { Live } from './live'

/** A typing whisper goes out at most this often. */
const WHISPER_MS = 3000

/** pusher-js's register of a presence channel; Echo's callbacks leave the user ids out. */
interface Members {
  each: (visit: (member: { id: string; info: { name: string } | null }) => void) => void
}

/** `echo` is null until connected; `me` is left out of the answer. */
export function usePresence(
  echo: Ref<Live | null>,
  conversationId: Ref<number | null>,
  me: Ref<Person | null>,
) {
  const viewers = ref<Person[]>([])
  const typing = ref<string[]>([])
  const timers = new Map<string, ReturnType<typeof setTimeout>>()
  let channel: ReturnType<Live['join']> | null = null

  function clear(): void {
    viewers.value = []
    typing.value = []
    for (const timer of timers.values()) clearTimeout(timer)
    timers.clear()
  }

  function stopped(name: string): void {
    clearTimeout(timers.get(name))
    timers.delete(name)
    typing.value = typing.value.filter((other) => other !== name)
  }

  function started(name: string): void {
    if (!name || name === me.value?.name) return
    clearTimeout(timers.get(name))
    timers.set(
      name,
      setTimeout(() => stopped(name), TYPING_MS),
    )
    if (!typing.value.includes(name)) typing.value.push(name)
  }

  function recount(members: Members): void {
    const present: Person[] = []
    members.each(({ id, info }) => present.push({ id: Number(id), name: info?.name ?? '' }))
    for (const gone of viewers.value) {
      if (!present.some(({ id }) => id === gone.id)) stopped(gone.name)
    }
    viewers.value = present.filter(({ id }) => id !== me.value?.id)
  }

  watch(
    [echo, conversationId],
    ([live, id], _previous, onCleanup) => {
      clear()
      if (!live || id === null) return
      const name = `conversation.${id}`
      const joined = live.join(name)
      channel = joined
      const update = () =>
        recount((joined as unknown as { subscription: { members: Members } }).subscription.members)
      joined
        .here(update)
        .joining(update)
        .leaving(update)
        .listenForWhisper('typing', (data: { name?: string }) => started(data.name ?? ''))
      onCleanup(() => {
        channel = null
        live.leave(name)
      })
    },
    { immediate: true },
  )
  onScopeDispose(clear)

  const whisperTyping = useThrottleFn(() => {
    if (me.value) channel?.whisper('typing', { name: me.value.name })
  }, WHISPER_MS)

  return { viewers, typing, whisperTyping }
}
