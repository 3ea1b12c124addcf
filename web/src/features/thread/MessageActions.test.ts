import { screen } from '@testing-library/vue'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'
import type { Message } from '@/api/types'
import { useOutgoing } from '@/stores/outgoing'
import { buildMessage, INSTAGRAM, MESSENGER, WHATSAPP } from '../../../mocks/builders'
import { renderApp } from '../../../mocks/render'
import MessageActions from './MessageActions.vue'
import ReactionList from './ReactionList.vue'
import { reactionsOffered } from './reactions-offered'

const ours = (status: Message['status'] | null): Message['reactions'][number] => ({
  emoji: '👍',
  sender_type: 'admin',
  sender_name: 'Ayu',
  status,
})

async function openMenu(given: Partial<Message>, reactions = reactionsOffered(WHATSAPP)) {
  renderApp(MessageActions, {
    message: buildMessage({ id: 7, ...given }),
    reactionsOffered: reactions,
    canQuote: true,
  })
  await userEvent.click(screen.getByRole('button', { name: 'Message actions' }))
}

describe('reactions', () => {
  it('are offered as the channel takes them', () => {
    expect(reactionsOffered(null)).toEqual([])
    expect(reactionsOffered({ ...MESSENGER, reactions: false })).toEqual([])
    expect(reactionsOffered(MESSENGER)).toContain('🙏')
    expect(reactionsOffered(INSTAGRAM)).toEqual(['❤️'])
  })

  it('are sent with the message they are for', async () => {
    await openMenu({})
    expect(screen.queryByText('Take reaction back')).toBeNull()
    await userEvent.click(screen.getByText('React with 😂'))
    expect(useOutgoing().items.at(-1)?.reply).toEqual({
      type: 'reaction',
      reaction: { message_id: 7, emoji: '😂' },
    })
  })

  it('can be taken back', async () => {
    await openMenu({ reactions: [ours('sent')] })
    await userEvent.click(screen.getByText('Take reaction back'))
    expect(useOutgoing().items.at(-1)?.reply.reaction).toEqual({ message_id: 7, emoji: '' })
  })

  it('are not offered for a message the network does not have yet', async () => {
    await openMenu({ platform_message_id: null })
    expect(screen.queryByText(/React with/)).toBeNull()
  })

  it('say when nobody knows whether they arrived', () => {
    renderApp(ReactionList, { reactions: [ours('unknown')] })
    expect(screen.getByText(/We don’t know whether it arrived/)).toBeTruthy()
  })

  it('say nothing more once they are there', () => {
    renderApp(ReactionList, {
      reactions: [ours('delivered'), { ...ours(null), sender_type: 'customer' }],
    })
    expect(screen.getByText('👍 by Ayu and Ayu')).toBeTruthy()
  })
})
