/**
 * What the charts draw, and how. Lines differ by dash as well as by colour, so that nobody needs to tell colours apart;
 * the colours are those of Okabe and Ito, dark ones on light paper and light ones on dark.
 */
import type { TrendPoint } from '@/api/types'

export interface TrendSeries {
  /** Locale key below `monitoring.series`. */
  label: string
  value: (point: TrendPoint) => number | null
  color: { light: string; dark: string }
  dash: number[]
  width: number
}

const BLUE = { light: '#0072b2', dark: '#56b4e9' }
const ORANGE = { light: '#b34700', dark: '#e69f00' }
const GREEN = { light: '#00765a', dark: '#2ecc9b' }
const PURPLE = { light: '#a3437a', dark: '#e08fbe' }

const sum = (numbers: Record<string, number>) => Object.values(numbers).reduce((a, b) => a + b, 0)

export const RESPONSE_TIMES: TrendSeries[] = [
  { label: 'p99', value: (p) => p.response_time_ms.p99, color: PURPLE, dash: [2, 3], width: 1.5 },
  { label: 'p95', value: (p) => p.response_time_ms.p95, color: ORANGE, dash: [8, 4], width: 2 },
  {
    label: 'avg',
    value: (p) => p.response_time_ms.avg,
    color: GREEN,
    dash: [8, 3, 2, 3],
    width: 2,
  },
  { label: 'p50', value: (p) => p.response_time_ms.p50, color: BLUE, dash: [], width: 2 },
]

export const THROUGHPUT: TrendSeries[] = [
  { label: 'sent', value: (p) => p.sent, color: BLUE, dash: [], width: 2 },
  { label: 'received', value: (p) => p.received, color: GREEN, dash: [8, 4], width: 2 },
  { label: 'failed', value: (p) => p.failed, color: ORANGE, dash: [2, 3], width: 2 },
]

export const ERRORS: TrendSeries[] = [
  { label: 'requests', value: (p) => p.requests, color: BLUE, dash: [], width: 2 },
  { label: 'errors', value: (p) => sum(p.errors), color: ORANGE, dash: [8, 4], width: 2 },
]

/** Where a figure has none beside it, so that no line leads to it. */
export function alone(values: ArrayLike<number | null | undefined>): number[] {
  const has = (index: number) => typeof values[index] === 'number'
  return Array.from({ length: values.length }, (_, index) => index).filter(
    (index) => has(index) && !has(index - 1) && !has(index + 1),
  )
}
