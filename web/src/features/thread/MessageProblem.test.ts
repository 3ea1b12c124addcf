import { screen } from '@testing-library/vue'
import userEvent from '@testing-library/user-event'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { fakeApi } from '../../../mocks/node'
import { renderApp } from '../../../mocks/render'
import MessageProblem from './MessageProblem.vue'

const { server, interceptor } = fakeApi()
beforeAll(() => interceptor.listen({ onUnhandledRequest: 'error' }))
afterAll(() => interceptor.close())

const inState = (status: 'failed' | 'unknown') =>
  server.messages(2).find((message) => message.status === status)!
const statusOf = (id: number) => server.messages(2).find((message) => message.id === id)?.status

it('says why a message failed and tries again', async () => {
  const message = inState('failed')
  renderApp(MessageProblem, { message })
  expect(screen.getByText(/The customer’s phone cannot receive this message/)).toBeTruthy()
  expect(screen.getByText('Ask them to update WhatsApp.')).toBeTruthy()
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }))
  await vi.waitFor(() => expect(statusOf(message.id)).toBe('queued'))
})

it('lets a person settle an unknown outcome', async () => {
  const message = inState('unknown')
  renderApp(MessageProblem, { message })
  expect(screen.getByRole('button', { name: 'Send again' })).toBeTruthy()
  await userEvent.click(screen.getByRole('button', { name: 'It did' }))
  await vi.waitFor(() => expect(statusOf(message.id)).toBe('sent'))
})
