/** A thread of the fake API, open and live, and where one is in it. */
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { open, untilLive } from './browser.mts'

export async function openThread(reducedMotion: 'reduce' | 'no-preference'): Promise<Page> {
  const page = await open('/conversations/1', { reducedMotion })
  await page.getByRole('log').getByRole('article').first().waitFor()
  await untilLive(page)
  return page
}

/** The customer writes these, one after the other. */
export const receive = (page: Page, contents: string[]) =>
  page.evaluate(
    (all) => all.forEach((content) => void window.mock!.server.receive(1, { content })),
    contents,
  )

/** The customer writes so much that the thread is far longer than its room; the last is there. */
export async function fill(page: Page): Promise<void> {
  const earlier = Array.from({ length: 40 }, (_, n) => `earlier ${n}`)
  await receive(page, earlier)
  await page.getByRole('log').getByText('earlier 39', { exact: true }).waitFor()
}

/** How far the end is from the lower edge, in pixels. */
export const fromEnd = (page: Page) =>
  page
    .getByRole('log')
    .evaluate((log) => Math.round(log.scrollHeight - log.scrollTop - log.clientHeight))

/** Waits until the end is at the lower edge. */
export const untilAtEnd = (page: Page) => expect.poll(() => fromEnd(page)).toBeLessThanOrEqual(1)

/** Everything there grows, as by pictures or fonts that come late. */
export const grow = (page: Page, pixels: number) =>
  page.getByRole('log').evaluate((log, height) => {
    for (const article of log.querySelectorAll<HTMLElement>('article')) {
      article.style.paddingBottom = `${height}px`
    }
  }, pixels)
