import { screen } from '@testing-library/vue'
import userEvent from '@testing-library/user-event'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { fakeApi } from '../../../mocks/node'
import { renderApp } from '../../../mocks/render'
import PasswordScreen from './PasswordScreen.vue'

const { interceptor } = fakeApi()
beforeAll(() => interceptor.listen({ onUnhandledRequest: 'error' }))
afterAll(() => interceptor.close())

async function change(current: string) {
  await userEvent.type(screen.getByLabelText(/Current password/), current)
  await userEvent.type(screen.getByLabelText(/New password/), 'battery staple')
  await userEvent.click(screen.getByRole('button', { name: 'Change password' }))
}

it('says that the present password is wrong, and empties the form once it was right', async () => {
  renderApp(PasswordScreen)
  await change('wrong horse')
  expect(await screen.findByText('The current password is wrong.')).toBeTruthy()
  await userEvent.clear(screen.getByLabelText(/Current password/))
  await userEvent.clear(screen.getByLabelText(/New password/))
  await change('correct horse')
  await expect
    .poll(() => (screen.getByLabelText(/New password/) as HTMLInputElement).value)
    .toBe('')
})
