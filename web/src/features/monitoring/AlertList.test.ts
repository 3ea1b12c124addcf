import { screen } from '@testing-library/vue'
import { expect, it } from 'vitest'
import { renderApp } from '../../../mocks/render'
import type { Alert } from '@/api/types'
import AlertList from './AlertList.vue'

const ALERT: Alert = {
  id: 1,
  rule: 'critical_error_rate',
  title: 'Critical Error Rate',
  summary: '',
  severity: 'critical',
  state: 'firing',
  inbox_id: 1,
  inbox_name: 'Hotel Senja',
  metric: 'error_rate',
  reason: null,
  operator: '>=',
  threshold: 0.25,
  duration_secs: 60,
  value: 0.5,
  last_value: 0.5,
  fired_at: '2026-01-15T08:00:00Z',
  resolved_at: null,
}

it('shows the figure of a rule, and the words of an alert that needs none', () => {
  const reason = 'No phone is linked to the instance.'
  const signedOut = { ...ALERT, id: 2, title: 'Inbox Needs Attention', metric: null, reason }
  renderApp(AlertList, { firing: [ALERT, signedOut] })
  expect(screen.getByText(/≥ 25%/)).toBeTruthy()
  expect(screen.getByText(reason)).toBeTruthy()
  expect(screen.queryByText(/NaN|undefined|monitoring\./)).toBeNull()
})
