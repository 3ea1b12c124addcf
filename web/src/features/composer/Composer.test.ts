import { fireEvent, screen } from '@testing-library/vue'
import userEvent from '@testing-library/user-event'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Capabilities, Conversation } from '@/api/types'
import { useSession } from '@/stores/session'
import { buildConversation, WHATSAPP } from '../../../mocks/builders'
import { fakeApi } from '../../../mocks/node'
import { renderApp } from '../../../mocks/render'
import Composer from './Composer.vue'

const { server, interceptor } = fakeApi()
beforeAll(() => interceptor.listen({ onUnhandledRequest: 'error' }))
afterAll(() => interceptor.close())
beforeEach(() => (server.posted.length = 0))

async function open(given: Partial<Conversation> = {}, limits: Partial<Capabilities> = {}) {
  const page = renderApp(Composer, {
    conversation: buildConversation({ id: 1, ...given }),
    capabilities: { ...WHATSAPP, ...limits },
    name: 'Sari',
  })
  await useSession().load()
  return page
}
const field = () => screen.getByRole<HTMLTextAreaElement>('textbox', { name: 'Reply to Sari' })

describe('Composer', () => {
  it('sends on Enter and on Ctrl+Enter, and starts a line on Shift+Enter', async () => {
    await open()
    await userEvent.type(field(), 'one{Shift>}{Enter}{/Shift}two{Enter}')
    await vi.waitFor(() => expect(server.posted).toHaveLength(1))
    expect(server.posted[0]?.content).toBe('one\ntwo')
    expect(field().value).toBe('')
    await userEvent.type(field(), 'three{Control>}{Enter}{/Control}')
    await vi.waitFor(() => expect(server.posted).toHaveLength(2))
    expect(server.posted[0]?.client_key).not.toBe(server.posted[1]?.client_key)
  })

  it('does not send while a word is being composed, nor blanks', async () => {
    await open()
    await userEvent.type(field(), '   {Enter}')
    await fireEvent.update(field(), 'にほん')
    await fireEvent.keyDown(field(), { key: 'Enter', isComposing: true })
    expect(server.posted).toHaveLength(0)
    expect(field().value).toBe('にほん')
  })

  it('counts towards the channel’s limit and refuses to send beyond it', async () => {
    await open({}, { text_max: { count: 10, unit: 'bytes' } })
    await userEvent.type(field(), 'ééééé')
    expect(screen.getByText('0 bytes left')).toBeTruthy()
    await userEvent.type(field(), 'é')
    expect(screen.getByText('2 bytes too long')).toBeTruthy()
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Send' }).disabled).toBe(true)
  })

  it('holds the text beside a file to the shorter limit of captions', async () => {
    const { container } = await open({}, { caption_max: 5 })
    await userEvent.type(field(), 'seven..')
    const chooser = vi.spyOn(HTMLInputElement.prototype, 'click').mockReturnValue()
    await userEvent.click(screen.getByRole('button', { name: 'Attach files' }))
    expect(chooser).toHaveBeenCalled()
    const file = new File(['%PDF'], 'a.pdf', { type: 'application/pdf' })
    await fireEvent.paste(container.querySelector('textarea')!, {
      clipboardData: { files: [file] },
    })
    expect(await screen.findByText('2 characters too many beside a file')).toBeTruthy()
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Send' }).disabled).toBe(true)
  })

  it('offers kept texts after a slash, and fills the chosen one in', async () => {
    await open()
    await userEvent.type(field(), '/')
    const options = await screen.findAllByRole('option')
    expect(options.map((option) => option.textContent)).toEqual([
      expect.stringContaining('/thanks'),
      expect.stringContaining('/hours'),
    ])
    await userEvent.type(field(), 'ho')
    expect(screen.getAllByRole('option')).toHaveLength(1)
    await userEvent.keyboard('{Escape}')
    expect(screen.queryByRole('option')).toBeNull()
    await userEvent.clear(field())
    await userEvent.type(field(), '/{ArrowDown}{ArrowUp}{Enter}')
    await vi.waitFor(() => expect(field().value).toBe('Thank you, friend!'))
    expect(server.posted).toHaveLength(0)
    expect(screen.queryByRole('option')).toBeNull()
  })

  it('keeps the draft for the next visit', async () => {
    const first = await open()
    await userEvent.type(field(), 'half a thought')
    first.unmount()
    await open()
    expect(field().value).toBe('half a thought')
  })

  it('is locked outside the window, with templates where the channel has them', async () => {
    const closed = { state: 'closed', expires_at: '2024-01-01T00:00:00Z' } as const
    const first = await open({ reply_window: closed })
    expect(screen.queryByRole('textbox')).toBeNull()
    await userEvent.click(screen.getByRole('button', { name: 'Send a template' }))
    await userEvent.click(await screen.findByRole('button', { name: /certificate_ready/ }))
    await userEvent.type(await screen.findByLabelText('Variable 1'), 'Sari')
    await userEvent.type(screen.getByLabelText('Variable 2'), 'A-3')
    await userEvent.click(screen.getByRole('button', { name: 'Send template' }))
    await vi.waitFor(() => expect(server.posted[0]?.template?.name).toBe('certificate_ready'))
    first.unmount()

    await open({ reply_window: closed }, { templates: false })
    expect(screen.queryByRole('button')).toBeNull()
    expect(screen.getByText('The reply window is closed.')).toBeTruthy()
  })

  it('sends a place where the channel has places', async () => {
    const first = await open()
    await userEvent.click(screen.getByRole('button', { name: 'Send a location' }))
    await userEvent.type(await screen.findByLabelText('Latitude'), '-6.2')
    await userEvent.type(screen.getByLabelText('Longitude'), '106.8')
    await userEvent.click(screen.getByRole('button', { name: 'Send location' }))
    await vi.waitFor(() =>
      expect(server.posted[0]?.location).toEqual({ latitude: -6.2, longitude: 106.8 }),
    )
    first.unmount()
    await open({}, { location: false })
    expect(screen.queryByRole('button', { name: 'Send a location' })).toBeNull()
  })

  it('warns when the window is about to close', async () => {
    await open({
      reply_window: {
        state: 'open',
        expires_at: new Date(Date.now() + 95.5 * 60_000).toISOString(),
      },
    })
    expect(screen.getByText(/Window closes in 1 h 35 min/).parentElement?.className).toContain(
      'text-brass',
    )
  })

  it('offers to reopen a closed conversation', async () => {
    const { emitted } = await open({ status: 'closed' })
    await userEvent.click(screen.getByRole('button', { name: 'Reopen' }))
    expect(emitted('reopen')).toHaveLength(1)
  })
})
