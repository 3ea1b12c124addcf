import { expect, test } from 'vitest'
import { isNearEnd, wentUp } from './stay-at-end'

const at = (top: number, height: number) => ({ top, height, clientHeight: 400 })

test('content that grows or shrinks under a reader does not take them from the end', () => {
  expect(wentUp(at(600, 1000), at(600, 3000))).toBe(false)
  expect(wentUp(at(600, 1000), at(580, 980))).toBe(false)
  expect(wentUp(at(600, 1000), at(900, 3000))).toBe(false)
})

test('a reader who scrolls up leaves the end, also while content comes', () => {
  expect(wentUp(at(600, 1000), at(500, 1000))).toBe(true)
  expect(wentUp(at(600, 1000), at(500, 1400))).toBe(true)
  expect(wentUp(at(600, 1000), at(480, 980))).toBe(true)
})

test('near the end is at the end', () => {
  expect(isNearEnd(at(600, 1000))).toBe(true)
  expect(isNearEnd(at(530, 1000))).toBe(true)
  expect(isNearEnd(at(500, 1000))).toBe(false)
})
