import { screen } from '@testing-library/vue'
import { expect, it } from 'vitest'
import type { MessageStatus } from '@/api/types'
import { renderApp } from '../../../mocks/render'
import StatusTick from './StatusTick.vue'

it.each([
  ['queued', 'Waiting to be sent'],
  ['sending', 'Sending'],
  ['sent', 'Sent'],
  ['delivered', 'Delivered'],
  ['read', 'Read'],
  ['played', 'Played'],
  ['failed', 'Not delivered'],
  ['unknown', 'Outcome unknown'],
] satisfies [MessageStatus, string][])('says %s in words', (status, words) => {
  renderApp(StatusTick, { status })
  expect(screen.getByText(words)).toBeTruthy()
})
