import { screen, within } from '@testing-library/vue'
import userEvent from '@testing-library/user-event'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { useInboxes } from '@/stores/inboxes'
import { fakeApi } from '../../../mocks/node'
import { renderApp } from '../../../mocks/render'
import ChannelsScreen from './ChannelsScreen.vue'

const { server, interceptor } = fakeApi()
beforeAll(() => interceptor.listen({ onUnhandledRequest: 'error' }))
afterAll(() => interceptor.close())

it('draws the form from the channel’s own fields and connects the account', async () => {
  renderApp(ChannelsScreen)
  await screen.findByRole('article', { name: 'Support WhatsApp' })
  await userEvent.click(screen.getByRole('button', { name: 'Add channel' }))
  const dialog = await screen.findByRole('dialog')
  await userEvent.click(within(dialog).getByRole('button', { name: /Facebook Messenger/ }))
  const secret = within(dialog).getByLabelText<HTMLInputElement>('Access token')
  expect(secret.type).toBe('password')
  await userEvent.type(within(dialog).getByLabelText('Page ID'), '123')
  await userEvent.type(secret, 'EAAB-secret')
  await userEvent.click(within(dialog).getByRole('button', { name: 'Connect' }))
  expect(await screen.findByRole('heading', { name: 'Facebook Messenger is added' })).toBeTruthy()
  expect(screen.getByRole('dialog').querySelector<HTMLInputElement>('input')?.value).toContain(
    '/api/webhooks/messages',
  )
  const added = server.data.inboxes.at(-1)
  expect(added).toMatchObject({
    channel: 'messenger',
    settings: { page_id: '123', access_token: true },
  })
  expect(useInboxes().items.map(({ id }) => id)).toContain(added?.id)
})
