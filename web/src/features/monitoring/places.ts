/** What there is health of: inboxes, and systems beside them. */
import type { HealthReport } from '@/api/types'

/** They have the same name in every language. */
const NAMES: Record<string, string> = { chatwoot: 'Chatwoot' }

/** The name of an integration for people; one of a newer server has its own word. */
export const integrationName = (word: string): string => NAMES[word] ?? word

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
