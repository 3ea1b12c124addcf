import { screen, within } from '@testing-library/vue'
import userEvent from '@testing-library/user-event'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { useSession } from '@/stores/session'
import { fakeApi } from '../../../mocks/node'
import { renderApp } from '../../../mocks/render'
import DonorSection from './DonorSection.vue'

const { interceptor } = fakeApi()
beforeAll(() => interceptor.listen({ onUnhandledRequest: 'error' }))
afterAll(() => interceptor.close())

async function open(contactId: number) {
  renderApp(DonorSection, { contactId })
  await useSession().load()
  await screen.findByRole('heading', { name: 'Donor' })
}
const section = (name: string) => within(screen.getByRole('heading', { name }).closest('section')!)

describe('DonorSection', () => {
  it('shows what the donations come to', async () => {
    await open(1)
    expect(section('Donor').getAllByText('IDR 250,000')).toHaveLength(2)
    expect(section('Donor').getByText('New')).toBeTruthy()
    expect(section('Donor').getByText('42')).toBeTruthy()
    expect(section('Donations').getByText('Ramadan')).toBeTruthy()
  })

  it('notes a donation, and refuses what is no amount', async () => {
    await open(2)
    await userEvent.click(screen.getByRole('button', { name: 'Note a donation' }))
    await userEvent.type(screen.getByLabelText('Amount in IDR'), '-5{Enter}')
    expect(screen.getByText('Enter an amount above 0.')).toBeTruthy()
    await userEvent.clear(screen.getByLabelText('Amount in IDR'))
    await userEvent.type(screen.getByLabelText('Amount in IDR'), '75.000{Enter}')
    expect(await section('Donations').findByText('IDR 75,000')).toBeTruthy()
    expect(section('Donor').getByText('IDR 325,000')).toBeTruthy()
  })

  it('keeps notes, which their authors take away again', async () => {
    await open(3)
    await userEvent.click(screen.getByRole('button', { name: 'Add a note' }))
    await userEvent.type(screen.getByLabelText('Note'), 'Prefers evenings')
    await userEvent.click(section('Notes').getByRole('button', { name: 'Save' }))
    expect(await section('Notes').findByText('Prefers evenings')).toBeTruthy()
    await userEvent.click(screen.getByRole('button', { name: 'Remove the note' }))
    expect(await section('Notes').findByText('No notes yet.')).toBeTruthy()
  })

  it('says which reminders are due, until they are done', async () => {
    await open(4)
    await userEvent.click(screen.getByRole('button', { name: 'Add a reminder' }))
    await userEvent.type(screen.getByLabelText('What to think of'), 'Call back')
    await userEvent.type(screen.getByLabelText('When'), '2020-01-01T09:00')
    await userEvent.click(section('Reminders').getByRole('button', { name: 'Save' }))
    expect(await section('Reminders').findByText('Call back')).toBeTruthy()
    expect(section('Reminders').getByText(/^Due ·/)).toBeTruthy()
    await userEvent.click(screen.getByRole('button', { name: 'Done: Call back' }))
    expect(await section('Reminders').findByText('Nothing to come back to.')).toBeTruthy()
  })
})
