import { expect, test } from 'vitest'
import { isNearEnd, moved } from './stay-at-end'

const at = (top: number, height: number) => ({ top, height, clientHeight: 400 })

test('content that grows or shrinks under a reader is no move of theirs', () => {
  expect(moved(at(600, 1000), at(600, 3000))).toBe('not')
  expect(moved(at(600, 1000), at(580, 980))).toBe('not')
  expect(moved(at(600, 1000), at(0, 300))).toBe('not')
})

test('a reader who scrolls up has moved, also while content comes or goes', () => {
  expect(moved(at(600, 1000), at(500, 1000))).toBe('up')
  expect(moved(at(600, 1000), at(590, 1400))).toBe('up')
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
