/** Live news of the account for the screen that shows them, for as long as it is open. */
import { onBeforeUnmount, watch } from 'vue'
import { useSession } from '@/stores/session'
import { useLive } from './live-connection'

/** Calls `hear` with what each event named in `names` brings. What happens while no connection is open is not heard. */
export function useAccountNews<Data>(names: string[], hear: (data: Data) => void): void {
  const live = useLive()
  const session = useSession()
  let stop = () => undefined as void
  watch(
    live,
    (echo) => {
      stop()
      const account = session.me?.account.id
      if (!echo || account === undefined) return
      const channel = echo.private(`account.${account}`)
      for (const name of names) channel.listen(name, hear)
      stop = () => {
        for (const name of names) channel.stopListening(name, hear)
      }
    },
    { immediate: true },
  )
  onBeforeUnmount(() => stop())
}
