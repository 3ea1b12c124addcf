/** A phone linked to this server itself: from the risk one reads to a message and its answer, by the real server. */
import type { Page } from 'playwright-core'
import { expect, inject, test } from 'vitest'
import { open, untilLive, useBrowser } from './browser.mts'

useBrowser()
const served = test.runIf(!inject('mock'))
const mocked = test.runIf(inject('mock'))
/** What a person waits for a code, and for "Connected" after scanning. */
const PROMPT_MS = 1000

async function control<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`${inject('baseUrl')}/control${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!response.ok)
    throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  return (await response.json()) as Answer
}

/** A phone nobody is linked to, with a number of its own. */
async function newPhone(name: string): Promise<string> {
  const phone = `62899${Date.now() % 100_000_000}`
  const made = await control<{ inbox_id: string }>('POST', '/linked', { phone, name })
  return made.inbox_id
}

/** Adds an inbox for a linked phone; what follows by itself is the dialog that links it. */
async function addInbox(page: Page, name: string, session: string) {
  await page.getByRole('button', { name: 'Add channel' }).click()
  await page.getByRole('button', { name: 'WhatsApp (linked phone)' }).click()
  await page.getByLabel('Name', { exact: true }).fill(name)
  await page.getByLabel('Session name').fill(session)
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: `Link the phone of ${name}` })
  await dialog.getByText('Before you link a phone').waitFor()
  return dialog
}

/** How long `there` took to appear, by the page's own clock of frames. */
async function msUntil(there: Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await there
  return performance.now() - begun
}

served('a phone is linked by scanning, hears a customer and answers', async () => {
  const session = `scanned-${Date.now()}`
  const phone = await newPhone('Counter phone')
  const page = await open('/settings/channels')
  const dialog = await addInbox(page, session, session)
  expect(await dialog.getByRole('img', { name: 'Code to scan' }).count()).toBe(0)

  await dialog.getByRole('button', { name: 'I understand, link the phone' }).click()
  const code = dialog.getByRole('img', { name: 'Code to scan' })
  expect(await msUntil(code.waitFor()), 'code on screen').toBeLessThan(PROMPT_MS)

  await control('POST', `/linked/${phone}/scan`, { session })
  const connected = page
    .getByRole('dialog', { name: `The phone of ${session}` })
    .getByText('Connected', { exact: true })
  expect(await msUntil(connected.waitFor()), 'connected on screen').toBeLessThan(PROMPT_MS)
  await page.getByRole('button', { name: 'Done' }).click()

  const [customer] = await control<{ id: string; name: string }[]>('GET', '/customers')
  const question = `Are you there? ${session}`
  const asked = { inbox_id: phone, kind: 'text', text: question }
  await control('POST', `/customers/${customer!.id}/messages`, asked)
  await page.getByRole('link', { name: 'Inbox' }).click()
  await page.getByRole('link').filter({ hasText: question }).click()
  await page.getByRole('article').filter({ hasText: question }).waitFor()

  const words = `Yes, we are. ${session}`
  await page.getByRole('textbox', { name: /^Reply to/ }).fill(words)
  await page.keyboard.press('Enter')
  const chat = () =>
    control<{ entries: { text: string | null }[] }>(
      'GET',
      `/customers/${customer!.id}/chats/${phone}`,
    )
  await expect
    .poll(async () => (await chat()).entries.map(({ text }) => text), { timeout: 10_000 })
    .toContain(words)
})

served('who cannot scan types a code on the phone', async () => {
  const session = `typed-${Date.now()}`
  const phone = await newPhone('Kitchen phone')
  const { phone: number } = await control<{ phone: string }>('GET', `/linked/${phone}`)
  const page = await open('/settings/channels')
  const dialog = await addInbox(page, session, session)
  await dialog.getByRole('button', { name: 'I understand, link the phone' }).click()
  await dialog.getByRole('radio', { name: 'Type a code' }).check()
  await dialog.getByLabel('Number of the phone').fill('12')
  await dialog.getByRole('button', { name: 'Get a code' }).click()
  await dialog.getByText('must be a number with its country code').waitFor()

  await dialog.getByLabel('Number of the phone').fill(`+${number}`)
  await dialog.getByRole('button', { name: 'Get a code' }).click()
  const code = await dialog.getByTestId('pairing-code').innerText()
  await control('POST', `/linked/${phone}/code`, { code })
  await page.getByRole('dialog', { name: `The phone of ${session}` }).waitFor()

  // Unlinked on the phone: the page says so, and offers to link it again.
  await control('POST', `/linked/${phone}/logout`)
  await page.getByText('Unlinked on the phone').waitFor()
  await page.getByRole('button', { name: 'I understand, link the phone' }).waitFor()
})

served('a ban is told with its end, and nothing is offered that would not help', async () => {
  const session = `banned-${Date.now()}`
  const phone = await newPhone('Busy phone')
  const page = await open('/settings/channels')
  const dialog = await addInbox(page, session, session)
  await dialog.getByRole('button', { name: 'I understand, link the phone' }).click()
  await dialog.getByRole('img', { name: 'Code to scan' }).waitFor()
  await control('POST', `/linked/${phone}/scan`, { session })
  await page.getByRole('dialog', { name: `The phone of ${session}` }).waitFor()
  await control('PATCH', `/linked/${phone}`, { ban_seconds: 600 })
  await page.getByText('Banned by WhatsApp', { exact: true }).waitFor()
  await page.getByText('nothing is sent; what waits goes out then').waitFor()
  const buttons = page.getByRole('dialog').getByRole('button')
  expect((await buttons.allInnerTexts()).filter((text) => text !== '')).toEqual(['Close'])
})

mocked('the code on screen is replaced by the next one by itself', async () => {
  const page = await open('/settings/channels')
  await untilLive(page)
  const dialog = await addInbox(page, 'Counter', 'counter-1')
  await dialog.getByRole('button', { name: 'I understand, link the phone' }).click()
  const code = dialog.getByRole('img', { name: 'Code to scan' })
  await expect.poll(() => code.getAttribute('src')).toMatch(/#code-1$/)
  await page.evaluate(() => window.mock!.server.sessions.renew('counter-1'))
  const seen = expect.poll(() => code.getAttribute('src'), { timeout: PROMPT_MS, interval: 20 })
  await seen.toMatch(/#code-2$/)
})

mocked('a code that ran out is asked for again by a person', async () => {
  const page = await open('/settings/channels')
  const dialog = await addInbox(page, 'Counter', 'counter-1')
  await dialog.getByRole('button', { name: 'I understand, link the phone' }).click()
  await dialog.getByRole('img', { name: 'Code to scan' }).waitFor()
  // Whoever asks for a code that has just run out gets the next one, and the page may be asking at this very moment.
  const runsOut = async () => {
    await page.evaluate(() => window.mock!.server.sessions.become('counter-1', 'qr_expired'))
    return dialog.getByText('Nobody scanned in time').isVisible()
  }
  await expect.poll(runsOut, { timeout: 10_000, interval: 250 }).toBe(true)
  expect(await dialog.getByRole('img', { name: 'Code to scan' }).count()).toBe(0)
  await dialog.getByRole('button', { name: 'Show another code' }).click()
  await dialog.getByRole('img', { name: 'Code to scan' }).waitFor()
})
