/** State of a form that makes one request: busy, what went wrong, per field and as a whole. */
import { computed, ref } from 'vue'
import { ApiError } from '@/api/error'
import { useErrorText } from '@/ui/error-text'

export function useRequestForm(fieldNames: string[]) {
  const errorText = useErrorText()
  const busy = ref(false)
  const failure = ref<unknown>(null)

  const errors = computed<Record<string, string[]>>(() =>
    failure.value instanceof ApiError ? failure.value.fields : {},
  )
  /** What no field can show. */
  const general = computed(() =>
    failure.value !== null && !fieldNames.some((name) => errors.value[name])
      ? errorText(failure.value)
      : '',
  )

  /** Runs the request; true when it went through. */
  async function submit(request: () => Promise<void>): Promise<boolean> {
    busy.value = true
    failure.value = null
    try {
      await request()
      return true
    } catch (error) {
      failure.value = error
      return false
    } finally {
      busy.value = false
    }
  }

  return { busy, failure, errors, general, submit }
}
