/** Figures for people: shares, times, ages, in the page's language. */
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import type { AlertMetric, AlertOperator } from '@/api/types'

/** Metrics whose threshold is a share from 0 to 1; people say it in percent. */
const SHARES: AlertMetric[] = [
  'error_rate',
  'webhook_failure_rate',
  'message_failure_rate',
  'breaker_open',
]
const TIMES: AlertMetric[] = [
  'response_time_avg',
  'response_time_p50',
  'response_time_p95',
  'response_time_p99',
  'queue_age',
]

const SIGNS: Record<AlertOperator, string> = { '>': '>', '>=': '≥', '<': '<', '<=': '≤' }

export const isShare = (metric: AlertMetric) => SHARES.includes(metric)
export const isTime = (metric: AlertMetric) => TIMES.includes(metric)

export function useFigures() {
  const { locale, t } = useI18n()
  const formats = computed(() => ({
    number: new Intl.NumberFormat(locale.value, { maximumFractionDigits: 1 }),
    percent: new Intl.NumberFormat(locale.value, { style: 'percent', maximumFractionDigits: 1 }),
  }))

  const number = (value: number) => formats.value.number.format(value)
  const percent = (share: number | null | undefined) =>
    share === null || share === undefined ? '–' : formats.value.percent.format(share)

  /** Milliseconds, as people read them: 85 ms, 1.2 s. */
  function ms(value: number | null | undefined): string {
    if (value === null || value === undefined) return '–'
    if (value >= 1000) return `${number(value / 1000)} s`
    return `${number(value >= 10 ? Math.round(value) : value)} ms`
  }

  function seconds(value: number): string {
    if (value < 60) return t('monitoring.span.seconds', { count: number(value) })
    if (value < 3600) return t('monitoring.span.minutes', { count: number(value / 60) })
    return t('monitoring.span.hours', { count: number(value / 3600) })
  }

  /** How long ago something was. */
  function ago(iso: string | null, now: number): string {
    if (iso === null) return t('common.never')
    const passed = Math.max(0, Math.round((now - Date.parse(iso)) / 1000))
    if (passed < 10) return t('monitoring.now')
    if (passed < 86_400) return t('monitoring.ago', { span: seconds(roughly(passed)) })
    return new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium' }).format(new Date(iso))
  }

  /** A threshold or a value in the unit of its metric. */
  function ofMetric(metric: AlertMetric, value: number): string {
    if (isShare(metric)) return percent(value)
    return isTime(metric) ? seconds(value) : number(value)
  }

  /** How a limit is written: ≥ 10%. */
  const limit = (metric: AlertMetric, operator: AlertOperator, threshold: number) =>
    `${SIGNS[operator]} ${ofMetric(metric, threshold)}`

  return { number, percent, ms, seconds, ago, ofMetric, limit }
}

/** Whole minutes from a minute on, whole hours from an hour on: nobody counts seconds of yesterday. */
export function roughly(secs: number): number {
  const unit = secs >= 3600 ? 3600 : secs >= 60 ? 60 : 1
  return Math.floor(secs / unit) * unit
}
