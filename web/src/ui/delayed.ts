import { type Ref, ref, watch } from 'vue'

/** True once `source` has been true for `delayMs`: skeletons do not flash for quick answers. */
export function useDelayed(source: () => boolean, delayMs = 200): Ref<boolean> {
  const shown = ref(false)
  watch(
    source,
    (active, _before, onCleanup) => {
      shown.value = false
      if (!active) return
      const timer = setTimeout(() => (shown.value = true), delayMs)
      onCleanup(() => clearTimeout(timer))
    },
    { immediate: true },
  )
  return shown
}
