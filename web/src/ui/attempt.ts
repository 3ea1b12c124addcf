import { type Ref, ref } from 'vue'
import { toast } from 'vue-sonner'
import { useErrorText } from './error-text'

/**
 * Does what buttons ask for. `busy` names what is being done; a failure is told in a toast, unless `isTold` says that it
 * is to be read elsewhere already; true: it went through.
 */
export function useAttempt<Name extends string | number>(
  isTold: (error: unknown) => boolean = () => false,
) {
  const errorText = useErrorText()
  const busy = ref(null) as Ref<Name | null>

  async function attempt(name: Name, action: () => Promise<unknown>): Promise<boolean> {
    busy.value = name
    try {
      await action()
      return true
    } catch (error) {
      if (!isTold(error)) toast.error(errorText(error))
      return false
    } finally {
      busy.value = null
    }
  }
  return { busy, attempt }
}
