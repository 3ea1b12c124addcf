import { expect, inject, test } from 'vitest'
import { open, useBrowser } from './browser.mts'

useBrowser()

test('the documented address shows the dashboard', async () => {
  const page = await open('/api/v1/monitoring/dashboard')
  await page.getByRole('heading', { name: 'Monitoring', exact: true }).waitFor()
  await page.getByRole('heading', { name: 'Response times' }).waitFor()
  await expect.poll(() => page.locator('canvas').count()).toBe(3)
  await page.getByRole('link', { name: 'Monitoring' }).waitFor()
})

test('figures are also a table', async () => {
  const page = await open('/monitoring')
  await page.getByRole('button', { name: /^Show as table.*Response times$/ }).click()
  const table = page.getByRole('region', { name: 'Response times' })
  expect(await table.getByRole('columnheader').allInnerTexts()).toContain('95% within')
  expect(await table.getByRole('row').count()).toBeGreaterThan(20)
})

test.runIf(inject('mock'))('an alert rule is made, changed and deleted', async () => {
  const page = await open('/monitoring')
  await page.getByRole('button', { name: 'Add rule' }).click()
  await page.getByLabel('Name', { exact: true }).fill('Long queue')
  await page.getByLabel('What to watch').selectOption('Messages waiting')
  await page.getByRole('textbox', { name: 'Limit' }).fill('100')
  await page.getByRole('button', { name: 'Save' }).last().click()
  await page.getByText('Messages waiting ≥ 100 for 5 min').waitFor()
  await page.getByRole('button', { name: 'Edit Long queue' }).click()
  await page.getByLabel('What to watch').selectOption('Error rate')
  await page.getByRole('textbox', { name: 'Limit' }).fill('12.5')
  await page.getByRole('button', { name: 'Save' }).last().click()
  await page.getByText('Error rate ≥ 12.5% for 5 min').waitFor()
  await page.getByRole('button', { name: 'Edit Long queue' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click()
  await expect.poll(() => page.getByText('Long queue').count()).toBe(0)
})

test('on a phone nothing is wider than the screen', async () => {
  const page = await open('/monitoring', { viewport: { width: 390, height: 844 } })
  await page.getByRole('heading', { name: 'Response times' }).waitFor()
  const width = await page.locator('main').evaluate((main) => main.scrollWidth)
  expect(width).toBeLessThanOrEqual(390)
})

test.runIf(inject('mock'))('not all is well while Chatwoot is not', async () => {
  const page = await open('/monitoring')
  await page.getByRole('listitem').filter({ hasText: 'Chatwoot · not quite well' }).waitFor()
  await page.getByText('@yayasan.hijau +1.').waitFor()
})

test('the figures of Chatwoot can be looked at by themselves', async () => {
  const page = await open('/monitoring')
  const asked = page.waitForResponse(/monitoring\/metrics\?.*inbox_id=-1/)
  await page.getByLabel('What to show').selectOption('Chatwoot')
  expect((await asked).status()).toBe(200)
  if (inject('mock')) await page.getByText('93.8% succeeded').waitFor()
  await expect.poll(() => page.getByText(/does not answer/).count()).toBe(0)
  await page.getByLabel('What to show').selectOption('Everything')
})
