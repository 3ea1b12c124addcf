import { screen } from '@testing-library/vue'
import userEvent from '@testing-library/user-event'
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { fakeApi } from '../../../mocks/node'
import { renderApp } from '../../../mocks/render'
import SignInScreen from './SignInScreen.vue'

const { server, interceptor } = fakeApi()
beforeAll(() => interceptor.listen({ onUnhandledRequest: 'error' }))
afterAll(() => interceptor.close())
beforeEach(() => {
  server.me = null
  server.failedSignIns = 0
})

async function attempt(password: string) {
  await userEvent.clear(screen.getByLabelText('E-mail'))
  await userEvent.type(screen.getByLabelText('E-mail'), 'ayu@example.org')
  await userEvent.clear(screen.getByLabelText('Password'))
  await userEvent.type(screen.getByLabelText('Password'), password)
  await userEvent.click(screen.getByRole('button', { name: 'Sign in' }))
}

it('signs in and goes where the person wanted to go, on this site only', async () => {
  const { router } = renderApp(SignInScreen)
  await router.push('/sign-in?to=/conversations/7')
  await attempt('correct horse')
  await vi.waitFor(() => expect(router.currentRoute.value.fullPath).toBe('/conversations/7'))

  server.me = null
  await router.push('/sign-in?to=//evil.example')
  await attempt('correct horse')
  await vi.waitFor(() => expect(router.currentRoute.value.fullPath).toBe('/'))
})

it('says that e-mail or password is wrong, without saying which', async () => {
  renderApp(SignInScreen)
  await attempt('guess')
  expect((await screen.findByRole('alert')).textContent).toContain('E-mail or password is wrong')
})

it('counts down when there were too many attempts', async () => {
  server.failedSignIns = 5
  renderApp(SignInScreen)
  await attempt('guess')
  expect((await screen.findByRole('alert')).textContent).toContain('try again in 30 s')
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Sign in' }).disabled).toBe(true)
})
