/** Whose figures and health there are: those of inboxes, and those of systems beside them. */
import type { HealthReport, MetricsReport, MonitoringFigures } from '@/api/types'

/** By what numbers the API asks for figures of systems that are no inboxes. */
const NUMBERS: Record<string, number> = { chatwoot: -1 }
/** They have the same name in every language. */
const NAMES: Record<string, string> = { chatwoot: 'Chatwoot' }

/** An inbox by its number, or an integration by the one that stands for it; null is all. */
export type Place = number | null

/** The name of an integration for people; one of a newer server has its own word. */
export const integrationName = (word: string): string => NAMES[word] ?? word

/** The integrations whose figures can be asked for by themselves. */
export function integrationPlaces(report: MetricsReport | null): { value: Place; label: string }[] {
  return (report?.integrations ?? []).flatMap(({ name }) => {
    const value = NUMBERS[name]
    return value === undefined ? [] : [{ value, label: integrationName(name) }]
  })
}

/** The figures of a place; null when the report knows it no more. */
export function figuresOf(report: MetricsReport, place: Place): MonitoringFigures | null {
  if (place === null) return report.total
  return (
    report.inboxes.find(({ inbox_id }) => inbox_id === place) ??
    report.integrations.find(({ name }) => NUMBERS[name] === place) ??
    null
  )
}

/** The names of all that are not well, inboxes first. What was switched off is as it should be. */
export function troubledNames(health: HealthReport): string[] {
  const integrations = health.integrations.map((one) => ({
    ...one,
    name: integrationName(one.name),
  }))
  return [...health.inboxes, ...integrations]
    .filter(({ status }) => status === 'degraded' || status === 'unhealthy')
    .map(({ name }) => name)
}
