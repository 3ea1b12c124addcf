import { expect, inject, test } from 'vitest'
import { open, untilLive, useBrowser } from './browser.mts'

useBrowser()
const mocked = test.runIf(inject('mock'))

mocked('a chat is answered by keyboard alone, and its ticks follow', async () => {
  const page = await open('/')
  await page.getByRole('link', { name: /Sari Dewi/ }).waitFor()
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  await page.keyboard.press('k')
  await page.keyboard.press('Enter')
  await page.getByRole('log', { name: 'Messages with Sari Dewi' }).waitFor()
  await page.keyboard.press('r')
  await page.keyboard.type('Terima kasih, Sari!')
  await page.keyboard.press('Enter')
  const reply = page.getByRole('article').filter({ hasText: 'Terima kasih, Sari!' })
  await reply.getByText('Read', { exact: true }).waitFor({ state: 'attached' })
  expect(await reply.count()).toBe(1)
  await page.keyboard.press('Escape')
  await page.keyboard.press('e')
  await page.getByText('Conversation closed').waitFor()
  await page.getByText('This conversation is closed.').waitFor()
})

mocked('a customer’s message appears at once, with their typing before it', async () => {
  const page = await open('/conversations/1')
  await page.getByRole('log').getByRole('article').first().waitFor()
  await untilLive(page)
  await page.evaluate(() =>
    window.mock!.pusher.broadcast('private-account.1', 'App\\Events\\CustomerTyping', {
      conversation_id: 1,
    }),
  )
  await page.getByRole('status').getByText('Sari Dewi is typing…').waitFor()
  await page.evaluate(() => void window.mock!.server.receive(1, { content: 'Still there?' }))
  await page.getByRole('log').getByText('Still there?').waitFor()
  expect(await page.getByText('Sari Dewi is typing…').count()).toBe(0)
})

mocked('nothing is lost while the connection is away', async () => {
  const page = await open('/conversations/1')
  await page.getByRole('log').getByRole('article').first().waitFor()
  await untilLive(page)
  await page.evaluate(() => window.mock!.pusher.goAway())
  await page.getByText('Reconnecting… what you send is kept').waitFor()
  await page.evaluate(() => void window.mock!.server.receive(1, { content: 'Written meanwhile' }))
  expect(await page.getByText('Written meanwhile').count()).toBe(0)
  await page.evaluate(() => window.mock!.pusher.comeBack())
  await page.getByRole('log').getByText('Written meanwhile').waitFor({ timeout: 30_000 })
  await page.getByText('Reconnecting…').waitFor({ state: 'hidden' })
})

mocked('a colleague’s newer reply stops ours until we decide', async () => {
  const page = await open('/conversations/1')
  const field = page.getByRole('textbox', { name: 'Reply to Sari Dewi' })
  await field.fill('My answer')
  await page.evaluate(() => void window.mock!.server.colleagueReplies(1, 'Their answer', true))
  await field.press('Enter')
  await page.getByText('A colleague answered while you were writing').waitFor()
  await page.getByRole('log').getByText('Their answer').waitFor()
  await page.getByRole('button', { name: 'Send anyway' }).click()
  await page
    .getByRole('article')
    .filter({ hasText: 'My answer' })
    .getByText('Read', { exact: true })
    .waitFor({ state: 'attached' })
})

mocked('colleagues in the same conversation are seen', async () => {
  const page = await open('/conversations/1')
  await page.getByRole('textbox', { name: 'Reply to Sari Dewi' }).waitFor()
  await untilLive(page, 'presence-conversation.1')
  await page.evaluate(() => window.mock!.pusher.join(1, { id: 2, name: 'Bruno Almeida' }))
  await page.getByText('Bruno Almeida is also viewing').waitFor()
  await page.evaluate(() =>
    window.mock!.pusher.broadcast('presence-conversation.1', 'client-typing', {
      name: 'Bruno Almeida',
    }),
  )
  await page.getByText('Bruno Almeida is writing a reply').waitFor()
  await page.getByRole('textbox', { name: 'Reply to Sari Dewi' }).pressSequentially('Hello there')
  // A slow machine types for longer than one whisper lasts.
  await expect
    .poll(() => page.evaluate(() => window.mock!.pusher.whispers[0]))
    .toMatchObject({
      event: 'client-typing',
      channel: 'presence-conversation.1',
      data: { name: 'Ayu Lestari' },
    })
})

mocked('a file is attached, sent and shown', async () => {
  const page = await open('/conversations/1')
  const chooser = page.waitForEvent('filechooser')
  await page.getByRole('button', { name: 'Attach files' }).click()
  await (
    await chooser
  ).setFiles([
    { name: 'receipt.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4') },
    { name: 'virus.exe', mimeType: 'application/x-msdownload', buffer: Buffer.from('MZ') },
  ])
  await page.getByText('virus.exe: this channel does not take this kind of file.').waitFor()
  await page.getByText(/Ready/).waitFor()
  await page.getByRole('textbox', { name: 'Reply to Sari Dewi' }).fill('Your receipt')
  await page.getByRole('button', { name: 'Send', exact: true }).click()
  await page.getByRole('log').getByRole('link', { name: 'Download receipt.pdf' }).waitFor()
})
