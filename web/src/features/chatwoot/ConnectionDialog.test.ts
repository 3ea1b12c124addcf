import { screen, waitFor, within } from '@testing-library/vue'
import userEvent from '@testing-library/user-event'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { fakeApi } from '../../../mocks/node'
import { renderApp } from '../../../mocks/render'
import ChatwootScreen from './ChatwootScreen.vue'
import ConnectionDialog from './ConnectionDialog.vue'

const { server, interceptor } = fakeApi()
beforeAll(() => interceptor.listen({ onUnhandledRequest: 'error' }))
afterAll(() => interceptor.close())

it('keeps a connection that fails its test, says why, and puts it right without making another', async () => {
  renderApp(ChatwootScreen)
  await screen.findByRole('article', { name: 'Help desk' })
  await userEvent.click(screen.getByRole('button', { name: 'Connect Chatwoot' }))
  const dialog = await screen.findByRole('dialog')
  const field = (name: string | RegExp) => within(dialog).getByLabelText<HTMLInputElement>(name)
  expect(field('Access token').type).toBe('password')
  await userEvent.type(field('Account number'), '7')
  await userEvent.type(field('Access token'), 'wrong')
  await userEvent.type(field(/^Name/), 'Jakarta')
  await userEvent.click(within(dialog).getByRole('button', { name: 'Test and save' }))

  const alert = await within(dialog).findByRole('alert')
  expect(alert.textContent).toContain('Chatwoot does not take the token.')
  expect(alert.textContent).toContain('The connection is kept')
  const card = screen.getByRole('article', { name: 'Jakarta', hidden: true })
  expect(within(card).getByText('Does not work')).toBeTruthy()

  await userEvent.clear(field('Access token'))
  await userEvent.type(field('Access token'), 'right')
  await userEvent.click(within(dialog).getByRole('button', { name: 'Test and save' }))
  expect(await within(card).findByText('Connected')).toBeTruthy()
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
  expect(server.chatwoot.connections.map(({ name }) => name)).toEqual(['Help desk', 'Jakarta'])
})

it('sends no token and no secret that nobody touched', async () => {
  renderApp(ConnectionDialog, { connection: server.chatwoot.connections[0], open: true })
  const dialog = await screen.findByRole('dialog')
  const name = within(dialog).getByLabelText(/^Name/)
  await userEvent.clear(name)
  await userEvent.type(name, 'Front desk')
  await userEvent.click(within(dialog).getByRole('button', { name: 'Test and save' }))
  await waitFor(() => expect(server.chatwoot.changes.at(-1)?.name).toBe('Front desk'))
  expect(server.chatwoot.changes.at(-1)).toEqual({
    name: 'Front desk',
    schedule: null,
    config: { apiUrl: 'https://chatwoot.example.org', accountId: '1' },
  })
})
