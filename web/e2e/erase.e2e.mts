import { expect, inject, test } from 'vitest'
import { open, password, useBrowser } from './browser.mts'

useBrowser()
const mocked = test.runIf(inject('mock'))

mocked('a customer is erased only after a second thought', async () => {
  const page = await open('/conversations/1')
  const erase = page.getByRole('button', { name: 'Erase contact' })
  await erase.click()
  const dialog = page.getByRole('alertdialog', { name: 'Erase Sari Dewi?' })
  await dialog.getByText('nobody can bring them back').waitFor()
  // The harmless answer has the focus: Enter erases nothing.
  const cancel = dialog.getByRole('button', { name: 'Cancel' })
  expect(await cancel.evaluate((button) => button === document.activeElement)).toBe(true)
  await page.keyboard.press('Enter')
  await dialog.waitFor({ state: 'hidden' })
  const row = page.locator('a[data-conversation="1"]')
  expect(await row.count()).toBe(1)

  await erase.click()
  await dialog.getByRole('button', { name: 'Erase contact' }).click()
  await page.waitForURL((url) => url.pathname === '/')
  await row.waitFor({ state: 'detached' })
  expect(await page.getByRole('log').count()).toBe(0)
})

mocked('agents are not offered to erase', async () => {
  const page = await open('/sign-in', { signedIn: false })
  await page.getByLabel('E-mail').fill('bruno@example.org')
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.locator('a[data-conversation="1"]').click()
  await page.getByRole('button', { name: 'Edit contact' }).waitFor()
  expect(await page.getByRole('button', { name: 'Erase contact' }).count()).toBe(0)
})
