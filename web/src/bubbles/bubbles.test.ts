import { screen } from '@testing-library/vue'
import { describe, expect, it } from 'vitest'
import type { MessageKind } from '@/api/types'
import MessageRow from '@/features/thread/MessageRow.vue'
import en from '@/locales/en'
import { buildAttachment, buildMessage } from '../../mocks/builders'
import { renderApp } from '../../mocks/render'
import { showcase } from '../../mocks/showcase'
import { bubbleFor } from './registry'
import Unsupported from './Unsupported.vue'

const row = (message: ReturnType<typeof buildMessage>) =>
  renderApp(MessageRow, {
    message,
    joined: false,
    highlighted: false,
    reactionsOffered: ['👍'],
    canQuote: true,
    customerName: 'Sari',
  })

describe('bubbles', () => {
  it('has an example and a drawing of its own for every kind', () => {
    const shown = new Set(showcase(1, 1, Date.now()).map(({ kind }) => kind))
    shown.add('text')
    for (const kind of Object.keys(en.kind).filter((name) => name !== 'deleted') as MessageKind[]) {
      expect(shown, kind).toContain(kind)
      if (kind !== 'unsupported') expect(bubbleFor(kind), kind).not.toBe(Unsupported)
    }
  })

  it.each(showcase(1, 1, Date.now()).map((message) => [message.kind, message] as const))(
    'draws %s',
    (_kind, message) => {
      const { container } = row(message)
      expect(container.textContent?.trim()).not.toBe('')
    },
  )

  it('shows a kind it has never heard of, rather than nothing', () => {
    row(buildMessage({ id: 1, kind: 'hologram' as MessageKind, content: 'sent from 2031' }))
    expect(screen.getByText('This kind of message cannot be shown yet (hologram).')).toBeTruthy()
    expect(screen.getByText('sent from 2031')).toBeTruthy()
  })

  it('shows that a message was deleted, and nothing of it', () => {
    row(buildMessage({ id: 1, kind: 'image', content: null, deleted_at: '2024-02-19T10:31:00Z' }))
    expect(screen.getByText('This message was deleted')).toBeTruthy()
    expect(screen.queryByRole('img')).toBeNull()
  })

  it.each([
    ['pending', 'Being fetched…'],
    ['failed', /Could not be fetched: gone/],
    ['too_large', /Too large to keep here/],
  ] as const)('explains media that is %s', (state, text) => {
    const error = state === 'failed' ? 'gone' : null
    row(
      buildMessage({
        id: 1,
        kind: 'image',
        attachments: [buildAttachment('image', { id: 9, state, error })],
      }),
    )
    expect(screen.getByText(text)).toBeTruthy()
  })

  it('never turns what people write into HTML or unsafe links', () => {
    const { container } = row(
      buildMessage({
        id: 1,
        content: '<img src=x onerror=alert(1)> javascript:alert(1) https://ok.example/a.',
      }),
    )
    expect(container.querySelector('img')).toBeNull()
    expect([...container.querySelectorAll('a')].map((link) => link.getAttribute('href'))).toEqual([
      'https://ok.example/a',
    ])
  })

  it('does not offer an unsafe address from a provider', () => {
    row(
      buildMessage({
        id: 1,
        kind: 'referral',
        payload: {
          referral: {
            source: null,
            source_id: null,
            reference: null,
            headline: null,
            body: null,
            url: 'javascript:alert(1)',
          },
        },
      }),
    )
    expect(screen.queryByRole('link')).toBeNull()
  })
})
