import { expect, it } from 'vitest'
import { alone } from './trend-series'

it('finds the figures that no line leads to', () => {
  expect(alone([5, null, 0, null, 3, 4, null, 7])).toEqual([0, 2, 7])
  expect(alone([1, 2])).toEqual([])
  expect(alone([null])).toEqual([])
})
