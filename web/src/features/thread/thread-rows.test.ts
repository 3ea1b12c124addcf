import { expect, it } from 'vitest'
import type { Outgoing } from '@/stores/outgoing'
import { buildMessage } from '../../../mocks/builders'
import { threadRows } from './thread-rows'

const outgoing = (clientKey: string): Outgoing => ({
  clientKey,
  conversationId: 1,
  authorId: 1,
  createdAt: '2024-02-20T09:00:00Z',
  seenAtStart: null,
  reply: { content: 'x' },
  attachment: null,
  quote: null,
  state: 'sending',
  error: null,
})

it('puts a line between days and joins what one person says in a row', () => {
  const rows = threadRows(
    [
      buildMessage({ id: 1, created_at: '2024-02-19T09:00:00Z' }),
      buildMessage({ id: 2, created_at: '2024-02-19T09:01:00Z' }),
      buildMessage({ id: 3, created_at: '2024-02-19T09:30:00Z' }),
      buildMessage({ id: 4, created_at: '2024-02-20T09:00:00Z' }),
    ],
    [],
    true,
  )
  expect(rows.map(({ type }) => type)).toEqual([
    'start',
    'day',
    'message',
    'message',
    'message',
    'day',
    'message',
  ])
  expect(rows.flatMap((row) => (row.type === 'message' ? row.joined : []))).toEqual([
    false,
    true,
    false,
    false,
  ])
})

it('never shows a reply twice while the server’s copy and ours are both here', () => {
  const rows = threadRows(
    [buildMessage({ id: 1, direction: 'outbound', client_key: 'a' })],
    [outgoing('a'), outgoing('b')],
    false,
  )
  expect(rows.filter(({ key }) => key === 'a')).toHaveLength(1)
  expect(rows.filter(({ type }) => type === 'outgoing').map(({ key }) => key)).toEqual(['b'])
})
