import { screen, within } from '@testing-library/vue'
import userEvent from '@testing-library/user-event'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SessionState } from '@/api/types'
import { buildInbox } from '../../../../mocks/builders'
import { fakeApi } from '../../../../mocks/node'
import { renderApp } from '../../../../mocks/render'
import { ADVICE } from './advice'
import SessionDialog from './SessionDialog.vue'

const { server, interceptor } = fakeApi()
beforeAll(() => interceptor.listen({ onUnhandledRequest: 'error' }))
afterAll(() => interceptor.close())

const AGREE = 'I understand, link the phone'
let made = 100

/** The dialog of a session in a state. */
async function show(state: SessionState, given = {}) {
  const name = `desk-${(made += 1)}`
  const inbox = buildInbox({
    id: made,
    name,
    channel: 'linked_whatsapp',
    settings: { session_id: name },
  })
  server.data.inboxes.push(inbox)
  server.sessions.become(name, state, given)
  renderApp(SessionDialog, { inbox, open: true })
  return { name, dialog: within(await screen.findByRole('dialog')) }
}

it('shows no code before the risk was read', async () => {
  const { dialog } = await show('qr')
  await dialog.findByText('No phone is linked')
  expect(dialog.getByRole('note').textContent).toContain('may ban the number')
  expect(dialog.queryByRole('img', { name: 'Code to scan' })).toBeNull()
  await userEvent.click(dialog.getByRole('button', { name: AGREE }))
  expect(await dialog.findByRole('img', { name: 'Code to scan' })).toBeTruthy()
  expect(dialog.queryByRole('note')).toBeNull()
})

it('gives a code to type for a number, and says what is wrong with another', async () => {
  const { dialog } = await show('created')
  await userEvent.click(await dialog.findByRole('button', { name: AGREE }))
  await userEvent.click(await dialog.findByRole('radio', { name: 'Type a code' }))
  const phone = dialog.getByLabelText('Number of the phone')
  await userEvent.type(phone, '12{Enter}')
  await dialog.findByText('The phone field must be a number with its country code.')
  await userEvent.type(phone, '345678{Enter}')
  expect((await dialog.findByTestId('pairing-code')).textContent).toContain('ABCD-1234')
})

it('says until when a number is banned, and offers nothing that would not help', async () => {
  const { dialog } = await show('banned', { banned_until: '2030-01-02T03:04:00Z', reason: 'x' })
  await dialog.findByText('Banned by WhatsApp')
  expect(dialog.getByText(/2030.*nothing is sent/)).toBeTruthy()
  expect(dialog.queryByRole('button', { name: AGREE })).toBeNull()
  expect(dialog.queryByRole('button', { name: 'Restart' })).toBeNull()
})

describe('each state says what to do', () => {
  it.each(Object.keys(ADVICE) as SessionState[])('%s', async (state) => {
    const { dialog } = await show(state)
    const wanted = { link: /I understand|another code/, restart: /Restart/ }
    const { action } = ADVICE[state]
    await dialog.findAllByRole('button')
    if (action) expect(await dialog.findByRole('button', { name: wanted[action] })).toBeTruthy()
    else expect(dialog.queryByRole('button', { name: wanted.link })).toBeNull()
  })
})
