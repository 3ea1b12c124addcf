import { screen } from '@testing-library/vue'
import userEvent from '@testing-library/user-event'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { fakeApi } from '../../../mocks/node'
import { renderApp } from '../../../mocks/render'
import OutgoingWebhooksScreen from './OutgoingWebhooksScreen.vue'

const { interceptor } = fakeApi()
beforeAll(() => interceptor.listen({ onUnhandledRequest: 'error' }))
afterAll(() => interceptor.close())

it('shows a new secret once, and what was told', async () => {
  renderApp(OutgoingWebhooksScreen)
  await screen.findByText('Nobody is told yet')
  await userEvent.click(screen.getByRole('button', { name: 'Add webhook' }))
  await userEvent.type(screen.getByLabelText('Address'), 'https://crm.example.org/hook')
  await userEvent.click(screen.getAllByRole('button', { name: 'Save' })[0]!)
  expect(await screen.findByDisplayValue(/^whsec_/)).toBeTruthy()
  await userEvent.click(screen.getByRole('button', { name: 'Done' }))
  expect(screen.queryByDisplayValue(/^whsec_/)).toBeNull()
  await screen.findByText('https://crm.example.org/hook')
  await userEvent.click(screen.getByRole('button', { name: 'Test' }))
  await userEvent.click(screen.getByRole('button', { name: 'Deliveries' }))
  await userEvent.click(await screen.findByRole('button', { name: 'Details #1' }))
  expect(await screen.findByText(/204 · 12 ms/)).toBeTruthy()
})
