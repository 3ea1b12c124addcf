import { expect, inject, test } from 'vitest'
import { email, open, password, useBrowser } from './browser.mts'

useBrowser()

test('a wrong password is refused in words, the right one opens the inbox', async () => {
  const page = await open('/', { signedIn: false })
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password', { exact: true }).fill('not this one')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('alert').getByText('E-mail or password is wrong').waitFor()
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Conversations' }).waitFor()
})

test.runIf(inject('mock'))('signing out closes the way back', async () => {
  const page = await open('/')
  await page.getByRole('button', { name: 'Profile and preferences' }).click()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await page.goto(`${inject('baseUrl')}/conversations/1`)
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  expect(await page.getByRole('list', { name: 'Conversations' }).count()).toBe(0)
})
