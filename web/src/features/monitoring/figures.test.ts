import { expect, test } from 'vitest'
import { isShare, isTime, roughly } from './figures'

test('ages are told in their largest unit', () => {
  expect([9, 59, 60, 119, 3599, 3600, 7300].map(roughly)).toEqual([9, 59, 60, 60, 3540, 3600, 7200])
})

test('every metric has one unit', () => {
  expect(isShare('error_rate') && !isTime('error_rate')).toBe(true)
  expect(isTime('response_time_p95') && !isShare('response_time_p95')).toBe(true)
  expect(isTime('rate_limit_hits') || isShare('rate_limit_hits')).toBe(false)
})
