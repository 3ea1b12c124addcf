/** A customer who has not written for a day is sent an approved template. */
import { expect, inject, test } from 'vitest'
import { open, useBrowser } from './browser.mts'

useBrowser()
const mocked = test.runIf(inject('mock'))

mocked('a template is picked, filled in, seen and sent', async () => {
  const page = await open('/conversations/37')
  await page.getByRole('button', { name: 'Send a template' }).click()
  const dialog = page.getByRole('dialog')
  const list = dialog.getByRole('list', { name: 'Approved templates' })
  await list.getByRole('button', { name: /new_catalogue/ }).waitFor()
  expect(await list.getByRole('button', { name: /new_catalogue/ }).isDisabled()).toBe(true)
  await dialog.getByRole('searchbox', { name: 'Search templates' }).fill('expect you')
  await expect.poll(() => list.getByRole('button').count()).toBe(1)
  await list.getByRole('button').click()

  await dialog.getByRole('button', { name: 'Send template' }).click()
  await dialog.getByText('Please fill this in.').first().waitFor()
  await dialog.getByLabel('customer name').fill('Sari')
  const preview = dialog.getByRole('figure', { name: 'How it will read' })
  await preview.getByText('Dear Sari, we expect you on {{day}}.').waitFor()
  await dialog.getByLabel('day', { exact: true }).fill('Friday')
  await page.keyboard.press('Enter')
  await dialog.waitFor({ state: 'hidden' })

  await expect.poll(() => page.evaluate(() => window.mock!.server.posted.length)).toBe(1)
  const template = await page.evaluate(() => window.mock!.server.posted[0]!.template)
  expect(template).toEqual({
    name: 'appointment_reminder',
    language: 'en',
    components: [
      {
        type: 'body',
        parameters: [
          { type: 'text', text: 'Sari', parameter_name: 'customer_name' },
          { type: 'text', text: 'Friday', parameter_name: 'day' },
        ],
      },
    ],
  })
})
