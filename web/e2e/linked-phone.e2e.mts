/** An inbox behind which a phone stands: linked, restarted, signed out, and asked about numbers. */
import type { Page } from 'playwright-core'
import { expect, inject, test } from 'vitest'
import { open, useBrowser } from './browser.mts'

useBrowser()
const mocked = test.runIf(inject('mock'))

const card = (page: Page) => page.getByRole('article', { name: 'Guest house phone' })

async function choose(page: Page, item: string): Promise<void> {
  await card(page).getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: item }).click()
}

mocked('a phone is signed out after a second thought, and linked by scanning', async () => {
  const page = await open('/settings/channels')
  await choose(page, 'Linked phone')
  const dialog = page.getByRole('dialog', { name: 'The phone of Guest house phone' })
  await dialog.getByText('The phone is linked.').waitFor()
  await dialog.getByRole('button', { name: 'Sign the phone out' }).click()
  const question = page.getByRole('alertdialog')
  await question.getByText('What is sent meanwhile waits').waitFor()
  await question.getByRole('button', { name: 'Cancel' }).click()
  expect(await page.evaluate(() => window.mock!.server.linked.has(4))).toBe(true)

  await dialog.getByRole('button', { name: 'Sign the phone out' }).click()
  await question.getByRole('button', { name: 'Sign the phone out' }).click()
  const scanning = page.getByRole('dialog', { name: 'Link the phone of Guest house phone' })
  await scanning.getByRole('img', { name: 'Code to scan' }).waitFor()
  expect(await scanning.getByRole('button', { name: 'Sign the phone out' }).count()).toBe(0)

  await page.evaluate(() => void window.mock!.server.linked.add(4))
  await dialog.getByText('The phone is linked.').waitFor()
  await dialog.getByRole('button', { name: 'Close' }).first().click()
  await card(page).getByText('Connected', { exact: true }).waitFor()
})

mocked('restarting says what it costs and shows how it goes on', async () => {
  const page = await open('/settings/channels')
  await choose(page, 'Linked phone')
  const restart = page.getByRole('button', { name: 'Restart' })
  await restart.waitFor()
  const help = await restart.getAttribute('aria-describedby')
  expect(await page.locator(`[id="${help}"]`).innerText()).toContain('nothing is lost')
  const asked = page.waitForRequest((request) => request.url().endsWith('/link/restart'))
  await restart.click()
  await asked
  await page.getByText('The phone is linked.').waitFor()
  await expect.poll(() => restart.isEnabled()).toBe(true)
})

mocked('a number is looked up', async () => {
  const page = await open('/settings/channels')
  await choose(page, 'Check a number')
  const dialog = page.getByRole('dialog', { name: 'Check a number' })
  const phone = dialog.getByLabel('Phone number')
  await phone.fill('+62 812 777')
  await page.keyboard.press('Enter')
  await dialog.getByText('+62 812 777 can be written to.').waitFor()
  await phone.fill('+62 812 778')
  await page.keyboard.press('Enter')
  await dialog.getByText('+62 812 778 is not on this network.').waitFor()
})

mocked('a setting with few words is chosen, not typed', async () => {
  const page = await open('/settings/channels')
  await page.getByRole('button', { name: 'Add channel' }).click()
  await page.getByRole('button', { name: /Green API/ }).click()
  const mode = page.getByRole('combobox', { name: 'How messages come in' })
  await mode.selectOption('polling')
  await page.getByLabel('Instance ID').fill('1101000002')
  await page.getByLabel('API token').fill('secret')
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  await page.getByRole('heading', { name: 'WhatsApp (Green API) is added' }).waitFor()
  const settings = await page.evaluate(() => window.mock!.server.data.inboxes.at(-1)!.settings)
  expect(settings['mode']).toBe('polling')
})
