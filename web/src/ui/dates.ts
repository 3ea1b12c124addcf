/** Dates and sizes for people, in the page's language and the viewer's time zone. */
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'

export function useDates() {
  const { locale, t } = useI18n()
  const formats = computed(() => ({
    time: new Intl.DateTimeFormat(locale.value, { hour: '2-digit', minute: '2-digit' }),
    weekday: new Intl.DateTimeFormat(locale.value, { weekday: 'short' }),
    day: new Intl.DateTimeFormat(locale.value, { day: 'numeric', month: 'short' }),
    date: new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium' }),
    longDay: new Intl.DateTimeFormat(locale.value, {
      weekday: 'long',
      day: 'numeric',
      month: 'long',
      year: 'numeric',
    }),
    full: new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium', timeStyle: 'short' }),
  }))

  const time = (iso: string) => formats.value.time.format(new Date(iso))
  const date = (iso: string) => formats.value.date.format(new Date(iso))
  const full = (iso: string) => formats.value.full.format(new Date(iso))

  /** For a list: the time today, the weekday this week, otherwise the day. */
  function short(iso: string, now = new Date()): string {
    const then = new Date(iso)
    const days = daysBetween(then, now)
    if (days === 0) return formats.value.time.format(then)
    if (days === 1) return t('thread.yesterday')
    if (days > 1 && days < 7) return formats.value.weekday.format(then)
    return (
      then.getFullYear() === now.getFullYear() ? formats.value.day : formats.value.date
    ).format(then)
  }

  /** For the line between two days. */
  function day(iso: string, now = new Date()): string {
    const then = new Date(iso)
    const days = daysBetween(then, now)
    if (days === 0) return t('thread.today')
    if (days === 1) return t('thread.yesterday')
    return formats.value.longDay.format(then)
  }

  function bytes(count: number): string {
    const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const
    const power = Math.min(
      units.length - 1,
      Math.floor(Math.log(Math.max(1, count)) / Math.log(1024)),
    )
    return new Intl.NumberFormat(locale.value, {
      style: 'unit',
      unit: units[power],
      unitDisplay: power === 0 ? 'long' : 'short',
      maximumFractionDigits: power === 0 ? 0 : 1,
    }).format(count / 1024 ** power)
  }

  return { time, date, full, short, day, bytes }
}

/** Whole calendar days from `then` to `now`, in local time. */
export function daysBetween(then: Date, now: Date): number {
  const midnight = (date: Date) => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate())
  return Math.round((midnight(now) - midnight(then)) / 86_400_000)
}
