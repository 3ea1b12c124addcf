import { expect, inject, test } from 'vitest'
import { open, useBrowser } from './browser.mts'

useBrowser()
const mocked = test.runIf(inject('mock'))
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }

mocked('one pane at a time, and back', async () => {
  const page = await open('/', PHONE)
  await page.getByRole('link', { name: /Sari Dewi/ }).click()
  await page.getByRole('log').waitFor()
  expect(await page.getByRole('heading', { name: 'Conversations' }).isVisible()).toBe(false)
  await page.getByRole('button', { name: 'Back to the list' }).click()
  await page.getByRole('link', { name: /Sari Dewi/ }).waitFor()
  await page.goBack()
  await page.getByRole('log').waitFor()
})

mocked('nothing sticks out at 320 px, which is 400 % zoom on a small screen', async () => {
  for (const path of [
    '/',
    '/conversations/2',
    '/settings/channels',
    '/settings/chatwoot',
    '/settings/users',
    '/settings/tokens',
    '/settings/audit',
  ]) {
    const page = await open(path, { viewport: { width: 320, height: 640 } })
    await page.waitForTimeout(500)
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    )
    expect(overflow, path).toBeLessThanOrEqual(0)
  }
})

mocked('touch targets are large enough', async () => {
  const page = await open('/conversations/1', PHONE)
  await page.getByRole('textbox').waitFor()
  const small = await page.evaluate(() =>
    [...document.querySelectorAll('button, a[href]')]
      .map((element) => ({
        label: element.getAttribute('aria-label') ?? element.textContent,
        box: element.getBoundingClientRect(),
      }))
      .filter(({ box }) => box.width > 1 && box.height > 1 && (box.width < 24 || box.height < 24))
      .map(({ label, box }) => `${label} ${Math.round(box.width)}×${Math.round(box.height)}`),
  )
  expect(small).toEqual([])
})

mocked('the settings say where one is, and the audit log what was done', async () => {
  const page = await open('/settings/audit', PHONE)
  const row = page.getByRole('table').getByRole('row').nth(1)
  await row.waitFor()
  const right = (of: typeof row) =>
    of.evaluate((element) => Math.round(element.getBoundingClientRect().right))
  const here = page.getByRole('link', { name: 'Audit' })
  await expect.poll(() => right(here)).toBeLessThanOrEqual(390)
  for (const cell of await row.getByRole('cell').all()) {
    expect(await right(cell)).toBeLessThanOrEqual(390)
  }
})
