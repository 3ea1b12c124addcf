import AxeBuilder from '@axe-core/playwright'
import { expect, inject, test } from 'vitest'
import { open, useBrowser } from './browser.mts'

useBrowser()
const mocked = test.runIf(inject('mock'))

mocked(
  'a suggestion is put into the reply by key, changed, and sent by nobody but a person',
  async () => {
    const page = await open('/conversations/1?suggestions')
    await page.evaluate(() => void window.mock!.server.receive(1, { content: 'When is it sent?' }))
    const bar = page.getByRole('region', { name: 'Suggested replies' })
    await bar.getByText('The certificate is sent on Friday, {{first_name}}.').waitFor()
    const found = await new AxeBuilder({ page })
      .include('section[aria-label="Suggested replies"]')
      .analyze()
    expect(found.violations).toEqual([])
    const articles = await page.getByRole('log').getByRole('article').count()
    await page.keyboard.press('Alt+Digit2')
    const field = page.getByRole('textbox', { name: 'Reply to Sari Dewi' })
    expect(await field.inputValue()).toBe('Please send us a photo of the receipt.')
    expect(await page.getByRole('log').getByRole('article').count()).toBe(articles)
    await field.press('End')
    await page.keyboard.type(' Thank you!')
    await page.keyboard.press('Enter')
    await page
      .getByRole('log')
      .getByText('Please send us a photo of the receipt. Thank you!')
      .waitFor()
    await expect
      .poll(() => page.evaluate(() => window.mock!.suggestions.noted))
      .toEqual([
        { item: 'reply-2', action: 'inserted' },
        { item: 'reply-2', action: 'edited' },
      ])
  },
)

mocked(
  'suggestions are in reach on a phone and in the dark, and go away when waved away',
  async () => {
    const page = await open('/conversations/1?suggestions', {
      viewport: { width: 390, height: 780 },
      colorScheme: 'dark',
      hasTouch: true,
    })
    await page.evaluate(() => void window.mock!.server.receive(1, { content: 'When is it sent?' }))
    await page.getByRole('button', { name: /Not this one: Please send/ }).click()
    expect(await page.getByText('Please send us a photo of the receipt.').count()).toBe(0)
    const width = await page.evaluate(() => document.documentElement.scrollWidth)
    expect(width).toBeLessThanOrEqual(390)
  },
)
