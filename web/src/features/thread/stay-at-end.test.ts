import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EffectScope, effectScope, ref } from 'vue'
import { isNearEnd, moved, useStayAtEnd } from './stay-at-end'

const at = (top: number, height: number) => ({ top, height, clientHeight: 400 })

test('content that grows or shrinks under a reader is no move of theirs', () => {
  expect(moved(at(600, 1000), at(600, 3000))).toBe('not')
  expect(moved(at(600, 1000), at(580, 980))).toBe('not')
  expect(moved(at(600, 1000), at(0, 300))).toBe('not')
  expect(moved(at(600, 1000), at(900, 3000))).not.toBe('up')
})

test('a reader who scrolls up has moved, also while content comes or goes', () => {
  expect(moved(at(600, 1000), at(500, 1000))).toBe('up')
  expect(moved(at(600, 1000), at(590, 1400))).toBe('up')
  expect(moved(at(600, 1000), at(500, 1400))).toBe('up')
  expect(moved(at(600, 1000), at(480, 980))).toBe('up')
})

test('a reader who scrolls back down has moved; the bounce beyond the end is no move up', () => {
  expect(moved(at(100, 1000), at(600, 1000))).toBe('down')
  expect(moved(at(640, 1000), at(600, 1000))).toBe('not')
})

test('near the end is at the end', () => {
  expect(isNearEnd(at(600, 1000))).toBe(true)
  expect(isNearEnd(at(530, 1000))).toBe(true)
  expect(isNearEnd(at(500, 1000))).toBe(false)
})

let scope: EffectScope
beforeEach(() => void (scope = effectScope()))
afterEach(() => scope.stop())

/** A scroller of 400 px as a browser would have it: whenever somebody looks, it is within its content. */
function openScroller(heightPx: number) {
  const scroller = document.createElement('div')
  const content = document.createElement('div')
  const height = ref(heightPx)
  const scrollHeight = () => Math.max(400, parseFloat(content.style.height) || 0)
  let top = 0
  const within = (wanted: number) => (top = Math.min(Math.max(0, wanted), scrollHeight() - 400))
  Object.defineProperties(scroller, {
    clientHeight: { get: () => 400 },
    scrollHeight: { get: scrollHeight },
    scrollTop: { get: () => within(top), set: within },
  })
  const stay = scope.run(() => useStayAtEnd(ref(scroller), ref(content), () => height.value))!
  return {
    ...stay,
    scroller,
    height,
    fromEnd: () => scroller.scrollHeight - scroller.scrollTop - 400,
    /** As a reader does: the page hears of it. */
    scrollTo(px: number) {
      scroller.scrollTop = px
      scroller.dispatchEvent(new Event('scroll'))
    },
  }
}

test('content that shrinks and grows again in one turn leaves the end where it is', () => {
  const { height, fromEnd, atEnd } = openScroller(3000)
  expect(fromEnd()).toBe(0)
  for (const px of [1000, 5000, 300, 2000]) height.value = px
  expect(fromEnd()).toBe(0)
  expect(atEnd.value).toBe(true)
})

test('a reader who goes up is not brought back by what the page moves, however late it hears of them', () => {
  const { scroller, height, byPage, fromEnd } = openScroller(3000)
  scroller.scrollTop -= 60
  height.value = 3500
  expect(fromEnd()).toBe(560)
  byPage(() => (scroller.scrollTop += 10))
  expect(fromEnd()).toBe(550)
})

test('a reader who goes up by a pixel at a time goes up', () => {
  const { scroller, height, scrollTo, fromEnd } = openScroller(3000)
  for (let step = 0; step < 10; step += 1) scrollTo(scroller.scrollTop - 1)
  height.value = 3100
  expect(fromEnd()).toBe(110)
})

test('who is near the end is taken to what is new, who is further up is not', () => {
  const { scroller, height, scrollTo, follow, fromEnd } = openScroller(3000)
  scrollTo(scroller.scrollTop - 60)
  expect(follow()).toBe(true)
  height.value = 3100
  expect(fromEnd()).toBe(0)
  scrollTo(scroller.scrollTop - 100)
  expect(follow()).toBe(false)
  height.value = 3200
  expect(fromEnd()).toBe(200)
})

test('the end holds again whoever comes back to it or asks for it', () => {
  const { scroller, height, scrollTo, toEnd, release, fromEnd, atEnd } = openScroller(3000)
  scrollTo(1000)
  expect(atEnd.value).toBe(false)
  scrollTo(scroller.scrollHeight - 450)
  height.value = 3200
  expect(fromEnd()).toBe(0)
  release()
  height.value = 3500
  expect(fromEnd()).toBe(300)
  toEnd()
  height.value = 4000
  expect(fromEnd()).toBe(0)
})
