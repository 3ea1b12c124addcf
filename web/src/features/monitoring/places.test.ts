import { expect, it } from 'vitest'
import type { HealthReport, HealthStatus } from '@/api/types'
import { troubledNames } from './places'

const health = (inboxes: Record<string, HealthStatus>, chatwoot?: HealthStatus) =>
  ({
    inboxes: Object.entries(inboxes).map(([name, status]) => ({ name, status })),
    integrations: chatwoot ? [{ name: 'chatwoot', status: chatwoot }] : [],
  }) as unknown as HealthReport

it('names what needs a look, Chatwoot too, and not what was switched off', () => {
  expect(troubledNames(health({ Sales: 'healthy', Old: 'disabled' }, 'healthy'))).toEqual([])
  expect(troubledNames(health({ Sales: 'healthy' }, 'degraded'))).toEqual(['Chatwoot'])
  expect(troubledNames(health({ Sales: 'degraded' }, 'unhealthy'))).toEqual(['Sales', 'Chatwoot'])
})
