import { expect, inject, test } from 'vitest'
import { open, untilLive, useBrowser } from './browser.mts'

useBrowser()
const mocked = test.runIf(inject('mock'))

mocked('500 conversations scroll with few rows in the page, and new ones wait above', async () => {
  const page = await open('/?conversations=500')
  const list = page.getByRole('list', { name: 'Conversations' })
  await list.getByRole('link').first().waitFor()
  await untilLive(page)
  const scroller = list.locator('..')
  for (let step = 0; step < 12; step += 1) {
    await scroller.evaluate((element) => element.scrollBy(0, 3000))
    await page.waitForTimeout(80)
  }
  expect(await list.getByRole('listitem').count()).toBeLessThanOrEqual(80)
  const before = await list.getByRole('link').nth(5).textContent()
  await page.evaluate(() => void window.mock!.server.receive(300, { content: 'Ping' }))
  await page.evaluate(() => void window.mock!.server.receive(301, { content: 'Pong' }))
  await page.getByRole('button', { name: '2 new ↑' }).waitFor()
  expect(await list.getByRole('link').nth(5).textContent()).toBe(before)
  await page.getByRole('button', { name: '2 new ↑' }).click()
  await expect.poll(() => list.getByRole('link').first().textContent()).toContain('Pong')
})

mocked('search forgives accents, filters narrow, and both can be cleared', async () => {
  const page = await open('/')
  await page.keyboard.press('/')
  await page.keyboard.type('joao')
  const list = page.getByRole('list', { name: 'Conversations' })
  await expect.poll(() => list.getByRole('link').count()).toBeLessThan(4)
  await list.getByRole('link', { name: /João/ }).first().waitFor()
  await page.keyboard.type('zzz')
  await page.getByText('Nothing matches').waitFor()
  await page.getByRole('button', { name: 'Clear filters' }).last().click()
  await list.getByRole('link', { name: /Sari Dewi/ }).waitFor()
})

mocked('rows are reached by arrow keys and tell their place', async () => {
  const page = await open('/')
  const list = page.getByRole('list', { name: 'Conversations' })
  await list.getByRole('link').first().focus()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  const focused = page.locator(':focus')
  await expect.poll(() => focused.locator('..').getAttribute('aria-posinset')).toBe('3')
  expect(await list.locator('a[tabindex="0"]').count()).toBe(1)
})

mocked('a long thread opens at its end and loads upwards without jumping', async () => {
  const page = await open('/')
  await page.evaluate(() => {
    const { server } = window.mock!
    const [model] = server.messages(1)
    server.data.messages.set(
      1,
      Array.from({ length: 10_000 }, (_, index) => ({
        ...model!,
        id: 500_000 + index,
        content: `Line ${index} ${'lorem ipsum '.repeat(index % 9)}`,
        created_at: new Date(Date.now() - (10_000 - index) * 60_000).toISOString(),
      })),
    )
  })
  await page.getByRole('link', { name: /Sari Dewi/ }).click()
  const log = page.getByRole('log')
  await log.getByText('Line 9999').waitFor()
  expect(await log.getByRole('article').count()).toBeLessThanOrEqual(60)
  await log.evaluate((element) => (element.scrollTop = 300))
  const marker = log.getByText(/^Line 996\d/).first()
  await marker.waitFor()
  await expect.poll(() => log.evaluate((element) => element.scrollTop)).toBeGreaterThan(600)
  expect(await marker.isVisible()).toBe(true)
  expect(await log.getByRole('article').count()).toBeLessThanOrEqual(60)
})
