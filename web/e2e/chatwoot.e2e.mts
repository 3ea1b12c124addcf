import { expect, inject, test } from 'vitest'
import { open, useBrowser } from './browser.mts'

useBrowser()

test.runIf(inject('mock'))(
  'Chatwoot is connected, paused and removed with the keyboard alone',
  async () => {
    const page = await open('/settings/chatwoot')
    await page.getByRole('article', { name: 'Help desk' }).waitFor()
    await page.getByRole('button', { name: 'Connect Chatwoot' }).focus()
    await page.keyboard.press('Enter')
    await page.getByLabel('Account number').fill('7')
    await page.getByLabel('Access token').fill('right')
    await page.getByLabel(/^Name/).fill('Jakarta')
    await page.keyboard.press('Enter')
    const card = page.getByRole('article', { name: 'Jakarta' })
    await card.getByText('Connected', { exact: true }).waitFor()

    const choose = async (name: string) => {
      await card.getByRole('button', { name: 'More' }).focus()
      await page.keyboard.press('Enter')
      await page.getByRole('menuitem', { name, exact: true }).focus()
      await page.keyboard.press('Enter')
    }
    await choose('Pause')
    await card.getByText('Paused', { exact: true }).waitFor()
    await choose('Go on')
    await card.getByText('Connected', { exact: true }).waitFor()
    await choose('Delete')
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).focus()
    await page.keyboard.press('Enter')
    await expect.poll(() => card.count()).toBe(0)
  },
)

test.runIf(inject('mock'))('why a connection does not work stands on its card', async () => {
  const page = await open('/settings/chatwoot')
  await page.getByRole('button', { name: 'Connect Chatwoot' }).click()
  await page.getByLabel('Account number').fill('7')
  await page.getByLabel('Access token').fill('wrong')
  await page.getByRole('button', { name: 'Test and save' }).click()
  await page.getByRole('alert').getByText('The connection is kept').waitFor()
  await page.getByRole('button', { name: 'Cancel' }).click()
  const card = page.getByRole('article', { name: 'Chatwoot 7' })
  await card.getByText('Does not work').waitFor()
  await card.getByText(/Chatwoot does not take the token/).waitFor()
})

test.runIf(inject('mock'))(
  'an inbox is shown in Chatwoot, changed, tried again and shown no longer',
  async () => {
    const page = await open('/settings/chatwoot')
    const section = page.getByRole('region', { name: 'Inboxes in Chatwoot' })
    await section.getByRole('button', { name: 'Show an inbox' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Inbox', { exact: true }).selectOption('Guest house phone')
    await dialog.getByLabel('New ones begin as').selectOption('Pending')
    await dialog.getByRole('button', { name: 'Show an inbox' }).click()
    const made = section.getByRole('article', { name: 'Guest house phone' })
    await made.getByText('On', { exact: true }).waitFor()

    const choose = async (name: string) => {
      await made.getByRole('button', { name: 'More' }).click()
      await page.getByRole('menuitem', { name, exact: true }).click()
    }
    await choose('Edit')
    expect(await dialog.getByLabel('New ones begin as').inputValue()).toBe('1')
    await dialog.getByLabel('Resolved there is closed here').uncheck()
    await dialog.getByRole('button', { name: 'Save' }).click()
    await choose('Pause')
    await made.getByText('Paused', { exact: true }).waitFor()
    await choose('Delete')
    await page.getByLabel('Delete the inbox in Chatwoot too').check()
    const removed = page.waitForRequest((request) => request.method() === 'DELETE')
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click()
    expect((await removed).url()).toMatch(/withInbox=true$/)
    await expect.poll(() => made.count()).toBe(0)

    const stuck = section.getByRole('article', { name: 'Support WhatsApp' })
    await stuck.getByText('1 was not taken by Chatwoot').waitFor()
    await stuck.getByRole('button', { name: 'Try again' }).click()
    await expect.poll(() => stuck.getByText('1 was not taken by Chatwoot').count()).toBe(0)
  },
)

test.runIf(inject('mock'))(
  'what an inbox had before is counted, then imported into Chatwoot',
  async () => {
    const page = await open('/settings/chatwoot')
    const section = page.getByRole('region', { name: 'Inboxes in Chatwoot' })
    const card = section.getByRole('article', { name: 'Support WhatsApp' })
    await card.getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: 'Import what was here before' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('How far back').selectOption('Everything')
    await dialog.getByRole('button', { name: 'Count first' }).click()
    await dialog.getByText('1,203 messages and 37 contacts are to be imported.').waitFor()
    await dialog.getByRole('button', { name: 'Import', exact: true }).click()
    await page.getByText('The import has begun').waitFor()
    const bar = page.getByRole('progressbar', { name: 'Import what was here before' })
    await bar.waitFor()
    await expect.poll(() => bar.count(), { timeout: 10_000 }).toBe(0)
    const ended = page.getByRole('region', { name: 'Past runs' }).getByRole('listitem')
    await ended.filter({ hasText: 'Import what was here before · Done' }).waitFor()
    await ended.filter({ hasText: 'Count what was here before · Done' }).waitFor()
  },
)

test.runIf(inject('mock'))(
  'a run shows how far it is, and afterwards what did not go over',
  async () => {
    const page = await open('/settings/chatwoot')
    const card = page.getByRole('article', { name: 'Help desk' })
    const start = card.getByRole('button', { name: 'Bring contacts here', exact: true })
    await start.click()
    const bar = card.getByRole('progressbar', { name: 'Bring contacts here' })
    await expect
      .poll(() => bar.getAttribute('aria-valuetext'))
      .toMatch(/^[\d,]+ of 1,240 looked at$/)
    expect(await start.isDisabled()).toBe(true)
    await expect.poll(() => bar.count(), { timeout: 10_000 }).toBe(0)

    const runs = page.getByRole('region', { name: 'Past runs' }).getByRole('listitem')
    const run = runs.filter({ hasText: 'Bring contacts here · Done' }).first()
    await run.getByText('124 new · 62 changed · 1,052 as before · 2 not taken over').waitFor()
    await run.getByRole('button', { name: /^Show errors/ }).click()
    await run.getByText('Contact 412: “0812-3” is no phone number.').waitFor()
  },
)

test.runIf(inject('mock'))(
  'a run is cancelled and goes on, and without a live connection too',
  async () => {
    const page = await open('/settings/chatwoot')
    await page.evaluate(() => {
      window.mock!.server.chatwoot.stepMs = 1500
      window.mock!.pusher.goAway()
    })
    const card = page.getByRole('article', { name: 'Help desk' })
    await card.getByRole('button', { name: 'Take contacts to Chatwoot' }).click()
    const bar = card.getByRole('progressbar')
    await expect.poll(() => bar.getAttribute('aria-valuenow'), { timeout: 15_000 }).not.toBe('0')
    await card.getByRole('button', { name: 'Cancel: Take contacts to Chatwoot' }).click()
    const run = page
      .getByRole('listitem')
      .filter({ hasText: 'Take contacts to Chatwoot · Cancelled' })
    await run.waitFor()
    await page.evaluate(() => (window.mock!.server.chatwoot.stepMs = 50))
    await run.getByRole('button', { name: 'Go on: Take contacts to Chatwoot' }).click()
    const done = page.getByRole('listitem').filter({ hasText: 'Take contacts to Chatwoot · Done' })
    await done.waitFor()
  },
)

const address = process.env['CHATWOOT_ADDRESS'] ?? ''

test.runIf(address)(
  'an address where no Chatwoot answers is told, and the contacts of one that answers are brought here',
  async () => {
    const page = await open('/settings/chatwoot')
    await page.getByRole('button', { name: 'Connect Chatwoot' }).first().click()
    await page.getByLabel('Address').fill(`${address}/nowhere`)
    await page.getByLabel('Account number').fill('1')
    await page.getByLabel('Access token').fill(process.env['CHATWOOT_TOKEN'] ?? '')
    await page.getByLabel(/^Name/).fill('Help desk')
    await page.getByRole('button', { name: 'Test and save' }).click()
    await page
      .getByRole('alert')
      .getByText(/^Connection test failed: /)
      .waitFor()
    await page.keyboard.press('Escape')
    await page
      .getByRole('article', { name: 'Help desk' })
      .getByText(/^Connection test failed: /)
      .waitFor()
    // The demo connects its Chatwoot by itself.
    const card = page.getByRole('article', { name: 'Chatwoot 1' })
    await card.getByRole('button', { name: 'Test' }).click()
    await card.getByText('Connected', { exact: true }).waitFor()
    await card.getByRole('button', { name: 'Bring contacts here', exact: true }).click()
    const runs = page.getByRole('region', { name: 'Past runs' }).getByRole('listitem')
    await runs.filter({ hasText: /Bring contacts here · Done.*1 new/ }).waitFor()
  },
)
