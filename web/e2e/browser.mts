/** One Chromium for a test file, a fresh profile for each page. */
import { execFileSync } from 'node:child_process'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest'

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Who the tests sign in as. */
export const email = process.env['FRONTDESK_EMAIL'] ?? 'ayu@example.org'
export const password = process.env['FRONTDESK_PASSWORD'] ?? 'correct horse'

let browser: Browser
let pages: Page[] = []
let problems: string[] = []

/** Call once per file. A page that throws or logs an error fails its test. */
export function useBrowser(): void {
  beforeAll(async () => {
    const executablePath =
      process.env['CHROMIUM'] ??
      execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim()
    browser = await chromium.launch({ executablePath, args: ARGUMENTS })
  })
  afterAll(() => browser.close())
  afterEach(async () => {
    await Promise.all(pages.map((page) => page.context().close()))
    const found = problems
    pages = []
    problems = []
    expect(found, 'errors in the page').toEqual([])
  })
}

/** Opens `path`, signed in unless told otherwise; the fake API needs no password for that. */
export async function open(
  path: string,
  { signedIn = true, ...options }: BrowserContextOptions & { signedIn?: boolean } = {},
): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    locale: 'en-US',
    reducedMotion: 'reduce',
    ...options,
  })
  const page = await context.newPage()
  pages.push(page)
  page.setDefaultTimeout(20_000)
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('console', (message) => {
    // A refused request is an answer the page handles, not a fault of the page.
    const expected = message.text().startsWith('Failed to load resource')
    if (message.type() === 'error' && !expected) problems.push(message.text())
  })
  const query = signedIn && inject('mock') ? `${path.includes('?') ? '&' : '?'}signed-in` : ''
  await page.goto(inject('baseUrl') + path + query)
  if (signedIn && !inject('mock')) {
    await page.getByLabel('E-mail').fill(email)
    await page.getByLabel('Password', { exact: true }).fill(password)
    await page.getByRole('button', { name: 'Sign in' }).click()
  }
  if (signedIn) await page.locator('#main, nav').first().waitFor({ state: 'attached' })
  return page
}

/** Waits until the fake API's socket serves the page. */
export async function untilLive(page: Page, channel = 'private-account.1'): Promise<void> {
  await page.waitForFunction((name) => window.mock?.pusher.isSubscribed(name), channel)
}
