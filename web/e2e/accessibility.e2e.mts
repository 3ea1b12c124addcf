import AxeBuilder from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import { describe, expect, inject, test } from 'vitest'
import { open, useBrowser } from './browser.mts'

useBrowser()

const click = (name: string | RegExp) => (page: Page) =>
  page.getByRole('button', { name }).first().click()

const openMenu = (page: Page) =>
  page
    .getByRole('article', { name: 'Guest house phone' })
    .getByRole('button', { name: 'More' })
    .click()

async function addLinkedPhone(page: Page): Promise<void> {
  await click('Add channel')(page)
  await click(/linked phone/)(page)
  await page.getByLabel('Session name').fill('counter-1')
  await click('Connect')(page)
  await page.getByText('Before you link a phone').waitFor()
}

/** Every screen, and every dialog or state worth a screen. A new screen gets a line here. */
const SCREENS: {
  name: string
  path: string
  signedIn?: boolean
  act?: (page: Page) => Promise<unknown>
}[] = [
  { name: 'sign-in', path: '/sign-in', signedIn: false },
  { name: 'list', path: '/' },
  { name: 'filters', path: '/', act: click('Filters') },
  { name: 'nothing found', path: '/', act: (page) => page.getByRole('searchbox').fill('zzzz') },
  { name: 'profile', path: '/', act: click('Profile and preferences') },
  { name: 'shortcuts', path: '/', act: (page) => page.keyboard.press('?') },
  { name: 'thread', path: '/conversations/1' },
  { name: 'every kind of message', path: '/conversations/2' },
  {
    name: 'every kind, above',
    path: '/conversations/2',
    act: (page) => page.getByRole('log').evaluate((log) => (log.scrollTop = 900)),
  },
  {
    name: 'every kind, top',
    path: '/conversations/2',
    act: (page) => page.getByRole('log').evaluate((log) => (log.scrollTop = 0)),
  },
  { name: 'assign', path: '/conversations/1', act: click('Assign') },
  { name: 'contact form', path: '/conversations/1', act: click('Edit contact') },
  { name: 'erase contact', path: '/conversations/1', act: click('Erase contact') },
  { name: 'template', path: '/conversations/1', act: click('Send a template') },
  { name: 'window closed', path: '/conversations/37' },
  { name: 'closed', path: '/conversations/11' },
  { name: 'not found', path: '/conversations/99999' },
  { name: 'monitoring', path: '/monitoring' },
  { name: 'past alerts', path: '/monitoring', act: click('Show past alerts') },
  { name: 'figures as a table', path: '/monitoring', act: click(/^Show as table/) },
  { name: 'alert rule', path: '/monitoring', act: click('Add rule') },
  { name: 'channels', path: '/settings/channels' },
  { name: 'risk of a linked phone', path: '/settings/channels', act: addLinkedPhone },
  {
    name: 'code of a linked phone',
    path: '/settings/channels',
    act: async (page) => {
      await addLinkedPhone(page)
      await click(/I understand/)(page)
      await page.getByRole('img', { name: 'Code to scan' }).waitFor()
    },
  },
  {
    name: 'code to type on a linked phone',
    path: '/settings/channels',
    act: async (page) => {
      await addLinkedPhone(page)
      await click(/I understand/)(page)
      await page.getByRole('radio', { name: 'Type a code' }).check()
      await page.getByLabel('Number of the phone').fill('+62 812 1100 2200')
      await click('Get a code')(page)
      await page.getByText('ABCD-1234').waitFor()
    },
  },
  {
    name: 'add channel',
    path: '/settings/channels',
    act: async (page) => {
      await click('Add channel')(page)
      await click(/WhatsApp Cloud/)(page)
    },
  },
  {
    name: 'linked phone',
    path: '/settings/channels',
    act: async (page) => {
      await openMenu(page)
      await page.getByRole('menuitem', { name: 'Linked phone' }).click()
    },
  },
  {
    name: 'check a number',
    path: '/settings/channels',
    act: async (page) => {
      await openMenu(page)
      await page.getByRole('menuitem', { name: 'Check a number' }).click()
    },
  },
  {
    name: 'add a channel with choices',
    path: '/settings/channels',
    act: async (page) => {
      await click('Add channel')(page)
      await click(/Green API/)(page)
    },
  },
  { name: 'chatwoot', path: '/settings/chatwoot' },
  { name: 'bridge an inbox', path: '/settings/chatwoot', act: click('Show an inbox') },
  { name: 'errors of a run', path: '/settings/chatwoot', act: click(/^Show errors/) },
  { name: 'connect chatwoot', path: '/settings/chatwoot', act: click('Connect Chatwoot') },
  { name: 'quick replies', path: '/settings/quick-replies' },
  { name: 'users', path: '/settings/users' },
  { name: 'add user', path: '/settings/users', act: click('Add user') },
  { name: 'tokens', path: '/settings/tokens' },
  { name: 'revoke', path: '/settings/tokens', act: click(/^Revoke/) },
  { name: 'create token', path: '/settings/tokens', act: click('Create token') },
  { name: 'webhook log', path: '/settings/webhooks' },
  { name: 'audit', path: '/settings/audit' },
]

describe.each(['light', 'dark'] as const)('%s', (colorScheme) => {
  test.runIf(inject('mock')).each(SCREENS)(
    '$name has no violations',
    async ({ path, signedIn, act }) => {
      const page = await open(path, { colorScheme, ...(signedIn === false ? { signedIn } : {}) })
      await page.waitForTimeout(500)
      await act?.(page)
      await page.waitForTimeout(400)
      const { violations } = await new AxeBuilder({ page })
        .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
        .analyze()
      expect(
        violations.map(
          ({ id, nodes }) =>
            `${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary?.split('\n')[1] ?? ''}`).join(' | ')}`,
        ),
      ).toEqual([])
    },
  )
})

test('dark mode follows the system and can be chosen', async () => {
  const page = await open('/', { colorScheme: 'dark' })
  const theme = () => page.evaluate(() => document.documentElement.dataset['theme'])
  expect(await theme()).toBe('dark')
  await click('Profile and preferences')(page)
  await page.getByRole('radio', { name: 'Light' }).check()
  await expect.poll(theme).toBe('light')
  await page.reload()
  expect(await theme()).toBe('light')
})
