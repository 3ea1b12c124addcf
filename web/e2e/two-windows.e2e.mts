import { expect, inject, test } from 'vitest'
import { open, useBrowser } from './browser.mts'

useBrowser()

test.runIf(!inject('mock'))(
  'a reply in one window appears with its ticks in the other, by the real server',
  async () => {
    const [here, there] = [await open('/'), await open('/')]
    const first = here.getByRole('list', { name: 'Conversations' }).getByRole('link').first()
    await first.click()
    await here.getByRole('log').waitFor()
    const path = new URL(here.url()).pathname
    await there.locator(`a[href="${path}"]`).click()
    await there.getByRole('log').getByRole('article').first().waitFor()

    const words = `From the other window, ${Date.now()}`
    await here.getByRole('textbox', { name: /^Reply to/ }).fill(words)
    await here.keyboard.press('Enter')
    const reply = there.getByRole('article').filter({ hasText: words })
    await reply.getByText(/^(Sent|Delivered|Read)$/).waitFor({ state: 'attached' })
    expect(await reply.count()).toBe(1)
    expect(await here.getByRole('article').filter({ hasText: words }).count()).toBe(1)
  },
)
