import { expect, it } from 'vitest'
import type { HealthReport, HealthStatus, MetricsReport } from '@/api/types'
import { figuresOf, integrationPlaces, troubledNames } from './places'

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

it('finds the figures of everything, of an inbox and of Chatwoot', () => {
  const report = {
    total: { of: 'all' },
    inboxes: [{ inbox_id: 7, of: 'inbox' }],
    integrations: [{ name: 'chatwoot', of: 'chatwoot' }, { name: 'newer' }],
  } as unknown as MetricsReport
  expect(figuresOf(report, null)).toMatchObject({ of: 'all' })
  expect(figuresOf(report, 7)).toMatchObject({ of: 'inbox' })
  const places = integrationPlaces(report)
  expect(places.map(({ label }) => label)).toEqual(['Chatwoot'])
  expect(figuresOf(report, places[0]!.value)).toMatchObject({ of: 'chatwoot' })
  expect(figuresOf(report, 8)).toBeNull()
})
