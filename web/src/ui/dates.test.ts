import { expect, it } from 'vitest'
import { daysBetween } from './dates'

it('counts calendar days, not hours', () => {
  const late = new Date(2024, 1, 18, 23, 59)
  const early = new Date(2024, 1, 19, 0, 1)
  expect(daysBetween(late, early)).toBe(1)
  expect(daysBetween(early, early)).toBe(0)
  expect(daysBetween(early, late)).toBe(-1)
})
