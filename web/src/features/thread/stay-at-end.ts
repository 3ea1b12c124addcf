import { useEventListener, useResizeObserver } from '@vueuse/core'
import { type Ref, ref, watch } from 'vue'

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

const furthest = ({ height, clientHeight }: Position) => Math.max(0, height - clientHeight)

export function isNearEnd(position: Position): boolean {
  return furthest(position) - position.top < NEAR_END_PX
}

/**
 * Which way the reader moved from where the page had last put the scroller. Not a move: content that shrinks and takes the
 * scroller with it, or a finger's bounce beyond the end.
 */
export function moved(known: Position, now: Position): 'up' | 'down' | 'not' {
  const by = now.top - Math.min(known.top, furthest(now))
  if (Math.abs(by) <= ROUNDING_PX) return 'not'
  return by < 0 ? 'up' : 'down'
}

/**
 * Keeps a scroller at its end while it is read there, whatever becomes of its content and of its own height. A reader who
 * goes up, by whatever means, is let go at once, and held again where they come back to the end.
 *
 * Whatever moves the scroller for the page goes through `byPage`, also the height of the content: a browser moves a scroller
 * whose content shrinks, and does not move it back when the content grows again. So every other move is the reader's. It is
 * looked for at each scroll and before the page moves anything, as the browser may tell of it only afterwards.
 *
 * Nothing else may aim at the end: a list that goes on for some frames with what it was asked for would bring back a reader
 * who has gone up meanwhile.
 */
export function useStayAtEnd(
  scroller: Ref<HTMLElement | null>,
  content: Ref<HTMLElement | null>,
  contentHeightPx: () => number,
) {
  /** Near enough to count as reading the latest. */
  const atEnd = ref(true)
  let held = true
  let known: Position | undefined

  /** Sees where the reader went. */
  function look(): void {
    if (!scroller.value) return
    const now = positionOf(scroller.value)
    const way = known ? moved(known, now) : 'not'
    if (way === 'up') held = false
    else if (way === 'down' && isNearEnd(now)) held = true
    atEnd.value = held || isNearEnd(now)
    // Of moves as small as a rounding the sum still counts.
    const top = known && way === 'not' ? Math.min(known.top, furthest(now)) : now.top
    known = { ...now, top }
  }

  /** Moves the scroller in the page's name. While it is held, every such move leads to the end. */
  function byPage(move: () => void): void {
    look()
    move()
    if (!scroller.value) return
    if (held) scroller.value.scrollTop = scroller.value.scrollHeight
    known = positionOf(scroller.value)
    atEnd.value = held || isNearEnd(known)
  }

  /** Goes to the end, wherever the reader was, and stays there. */
  function toEnd(): void {
    byPage(() => (held = true))
  }

  /** Something new is at the end. Says whether it is seen: who is near the end is taken to it. */
  function follow(): boolean {
    look()
    if (atEnd.value) toEnd()
    return atEnd.value
  }

  /** From now on the end is not kept in sight. */
  function release(): void {
    byPage(() => (held = false))
  }

  // At once: between two layouts nobody could say who moved the scroller.
  watch(
    [content, contentHeightPx],
    ([element, heightPx]) => byPage(() => element?.style.setProperty('height', `${heightPx}px`)),
    { immediate: true, flush: 'sync' },
  )
  useEventListener(scroller, 'scroll', look, { passive: true })
  useResizeObserver(scroller, () => byPage(() => undefined))
  return { atEnd, toEnd, follow, release, byPage }
}

function positionOf(element: HTMLElement): Position {
  return {
    top: element.scrollTop,
    height: element.scrollHeight,
    clientHeight: element.clientHeight,
  }
}
