/** A thread that is read at its end stays there, whatever comes and however late it finds its height. */
import { describe, expect, inject, test } from 'vitest'
import { useBrowser } from './browser.mts'
import { fill, fromEnd, grow, openThread, receive, untilAtEnd } from './thread.mts'

useBrowser()
const mocked = test.runIf(inject('mock'))

describe.each(['reduce', 'no-preference'] as const)('motion: %s', (motion) => {
  mocked('it stays at its end under many tall messages', async () => {
    const page = await openThread(motion)
    for (let round = 0; round < 6; round += 1) {
      const tall = Array.from({ length: 30 }, (_, n) =>
        `${round}/${n}\n`.repeat(1 + ((n * 7) % 23)),
      )
      await receive(page, [...tall, `end of ${round}`])
      await page.getByRole('log').getByText(`end of ${round}`, { exact: true }).waitFor()
      await untilAtEnd(page)
    }
  })

  mocked(
    'it stays at its end when what is there grows, and when its own room shrinks',
    async () => {
      const page = await openThread(motion)
      await untilAtEnd(page)
      await grow(page, 90)
      await untilAtEnd(page)
      await page.setViewportSize({ width: 1440, height: 500 })
      await untilAtEnd(page)
    },
  )

  mocked('who reads further up is left alone, and told what came', async () => {
    const page = await openThread(motion)
    await fill(page)
    await page.getByRole('log').hover()
    await page.mouse.wheel(0, -900)
    await expect.poll(() => fromEnd(page)).toBeGreaterThan(500)
    await receive(page, ['while reading', 'and another'])
    const latest = page.getByRole('button', { name: /2 new/ })
    await latest.waitFor()
    expect(await fromEnd(page)).toBeGreaterThan(500)
    await latest.click()
    await page.getByRole('log').getByText('and another', { exact: true }).waitFor()
    await untilAtEnd(page)
    await latest.waitFor({ state: 'hidden' })
  })

  mocked('who goes up a little while pictures still come is not brought back', async () => {
    const page = await openThread(motion)
    await fill(page)
    await untilAtEnd(page)
    // In one turn: the browser has told nobody of the move when the heights change.
    await page.getByRole('log').evaluate((log) => {
      log.scrollTop -= 60
      for (const article of log.querySelectorAll<HTMLElement>('article')) {
        article.style.paddingBottom = '40px'
      }
    })
    await page.waitForTimeout(300)
    expect(await fromEnd(page)).toBeGreaterThan(40)
  })

  mocked('it stays at its end while a long reply is written below it', async () => {
    const page = await openThread(motion)
    await fill(page)
    await untilAtEnd(page)
    const field = page.getByRole('textbox', { name: /Sari Dewi/ })
    await field.fill('one\ntwo\nthree\nfour')
    await field.press('End')
    await field.pressSequentially(' and more')
    await untilAtEnd(page)
    await receive(page, ['and an answer\nof two lines'])
    await page.getByRole('log').getByText('and an answer').waitFor()
    await untilAtEnd(page)
  })
})
