import { screen, within } from '@testing-library/vue'
import userEvent from '@testing-library/user-event'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildBridge } from '../../../mocks/bridges'
import { fakeApi } from '../../../mocks/node'
import { renderApp } from '../../../mocks/render'
import ImportDialog from './ImportDialog.vue'

const { server, interceptor } = fakeApi()
beforeAll(() => interceptor.listen({ onUnhandledRequest: 'error' }))
afterAll(() => interceptor.close())

it('imports what was here before only after it was counted, and as it was counted', async () => {
  const bridge = buildBridge(1, { connectionId: 'conn_1', inboxId: 1 })
  const { emitted } = renderApp(ImportDialog, { bridge, name: 'Support', open: true })
  const dialog = await screen.findByRole('dialog')
  const button = (name: string) => within(dialog).findByRole('button', { name })
  await userEvent.click(await button('Count first'))
  await within(dialog).findByText('1,203 messages and 37 contacts are to be imported.')
  await button('Import')
  expect(server.chatwoot.imports).toEqual([{ dryRun: true, days: 90 }])

  // Another time is counted anew.
  await userEvent.selectOptions(within(dialog).getByLabelText('How far back'), 'Everything')
  expect(within(dialog).queryByText(/are to be imported/)).toBeNull()
  await userEvent.click(await button('Count first'))
  await userEvent.click(await button('Import'))
  await expect.poll(() => emitted()['update:open']).toEqual([[false]])
  expect(server.chatwoot.imports.slice(1)).toEqual([
    { dryRun: true, days: null },
    { dryRun: false, days: null, wait: 0 },
  ])
})
