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
 * What the page itself moves goes through `byPage`: every other move is the reader's. A move is looked for at each scroll
 * and before anything else moves the scroller, as the browser may tell of it only afterwards.
 */
export function useStayAtEnd(scroller: Ref<HTMLElement | null>, content: Ref<HTMLElement | null>) {
  /** Near enough to count as reading the latest. */
  const atEnd = ref(true)
  let held = true
  let known: Position | undefined

  function positionOf(element: HTMLElement): Position {
    return {
      top: element.scrollTop,
      height: element.scrollHeight,
      clientHeight: element.clientHeight,
    }
  }

  function look(element: HTMLElement): void {
    const now = positionOf(element)
    const way = known ? moved(known, now) : 'not'
    if (way === 'up') held = false
    else if (way === 'down' && isNearEnd(now)) held = true
    atEnd.value = held || isNearEnd(now)
    known = now
  }

  /** Moves the scroller in the page's name. */
  function byPage(move: () => void): void {
    if (scroller.value) look(scroller.value)
    move()
    if (scroller.value) known = positionOf(scroller.value)
  }

  /** From now on the end is kept in sight, wherever the reader was. */
  function hold(): void {
    if (scroller.value) known = positionOf(scroller.value)
    held = true
    atEnd.value = true
  }

  /** From now on it is not. */
  function release(): void {
    held = false
  }

  useEventListener(scroller, 'scroll', () => scroller.value && look(scroller.value), {
    passive: true,
  })
  useResizeObserver([scroller, content], () => {
    const element = scroller.value
    if (!element) return
    look(element)
    if (held) byPage(() => (element.scrollTop = element.scrollHeight))
  })
  return { atEnd, hold, release, byPage }
}
