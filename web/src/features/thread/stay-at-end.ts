import { useEventListener, useResizeObserver } from '@vueuse/core'
import { type Ref, ref } from 'vue'

/** How near the end counts as reading the latest. */
export const NEAR_END_PX = 80
/** Browsers round what they scroll. */
const ROUNDING_PX = 2

/** Where a scroller stands. */
export interface Position {
  top: number
  height: number
  clientHeight: number
}

export function isNearEnd({ top, height, clientHeight }: Position): boolean {
  return height - top - clientHeight < NEAR_END_PX
}

/**
 * True when the reader went up. Otherwise it is the content that changed under a reader who stays: rows come, or turn
 * out larger or smaller than was thought, pictures and fonts arrive late.
 */
export function wentUp(before: Position, now: Position): boolean {
  const shrunk = Math.max(0, before.height - now.height)
  return before.top - now.top > shrunk + ROUNDING_PX
}

/**
 * Keeps a scroller at its end while it is there, whatever becomes of its content and of its own height. It leaves the
 * end when the reader scrolls up, and comes back when the reader does.
 */
export function useStayAtEnd(scroller: Ref<HTMLElement | null>, content: Ref<HTMLElement | null>) {
  const atEnd = ref(true)
  let before: Position | undefined

  function look(element: HTMLElement): Position {
    return {
      top: element.scrollTop,
      height: element.scrollHeight,
      clientHeight: element.clientHeight,
    }
  }
  useEventListener(
    scroller,
    'scroll',
    () => {
      if (!scroller.value) return
      const now = look(scroller.value)
      if (isNearEnd(now)) atEnd.value = true
      else if (before && wentUp(before, now)) atEnd.value = false
      before = now
    },
    { passive: true },
  )
  useResizeObserver([scroller, content], () => {
    const element = scroller.value
    if (element && atEnd.value) element.scrollTop = element.scrollHeight
  })
  return atEnd
}
