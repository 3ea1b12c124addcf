import { screen, waitFor, within } from '@testing-library/vue'
import userEvent from '@testing-library/user-event'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { useSession } from '@/stores/session'
import { fakeApi } from '../../../mocks/node'
import { renderApp } from '../../../mocks/render'
import DonorsScreen from './DonorsScreen.vue'
import MergeDialog from './MergeDialog.vue'

const { interceptor } = fakeApi()
beforeAll(() => interceptor.listen({ onUnhandledRequest: 'error' }))
afterAll(() => interceptor.close())

async function open() {
  renderApp(DonorsScreen, {})
  await useSession().load()
  await screen.findByRole('heading', { name: 'Donors' })
}

describe('DonorsScreen', () => {
  it('finds people by words', async () => {
    await open()
    const all = (await screen.findAllByRole('listitem')).length
    expect(all).toBeGreaterThan(1)
    await userEvent.type(screen.getByRole('searchbox'), 'nobody is called so')
    expect(await screen.findByText('Nobody found')).toBeTruthy()
  })

  it('rehearses a sheet before it is taken', async () => {
    await open()
    await userEvent.click(await screen.findByRole('button', { name: 'Import' }))
    const dialog = within(await screen.findByRole('dialog'))
    const text = 'phone,name\n+6281,Siti\nabc,Nobody\n'
    const file = new File([text], 'people.csv', { type: 'text/csv' })
    // The DOM of tests has no `Blob.text`.
    const sheet = Object.assign(file, { text: () => Promise.resolve(text) })
    await userEvent.upload(dialog.getByLabelText('File'), sheet)
    await userEvent.click(dialog.getByRole('button', { name: 'Rehearse' }))
    expect(await dialog.findByText('New: 1. Changed: 0. Here already: 0.')).toBeTruthy()
    expect(dialog.getByText('Line 3: No number.')).toBeTruthy()
    await userEvent.click(dialog.getByRole('button', { name: 'Import' }))
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
  })
})

describe('MergeDialog', () => {
  it('merges nobody before somebody is picked', async () => {
    const shown: boolean[] = []
    const told = { 'onUpdate:open': (open: boolean) => shown.push(open) }
    renderApp(MergeDialog, { contactId: 1, name: 'Siti', open: true, ...told })
    await useSession().load()
    const dialog = within(await screen.findByRole('dialog'))
    expect(dialog.getByRole('button', { name: 'Merge' })).toHaveProperty('disabled', true)
    await userEvent.type(dialog.getByRole('searchbox'), 'a')
    const others = await dialog.findAllByRole('radio')
    await userEvent.click(others[0]!)
    expect(dialog.getByText('Name to keep')).toBeTruthy()
    await userEvent.click(dialog.getByRole('button', { name: 'Merge' }))
    await waitFor(() => expect(shown).toEqual([false]))
  })
})
