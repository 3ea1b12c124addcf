import { expect, it } from 'vitest'
import { buildConversation } from '../../mocks/builders'
import { type ListFilter, matchesFilter } from './conversation-filter'

const filter = (assignee: ListFilter['assignee']): ListFilter => ({
  status: null,
  platform: null,
  inboxId: null,
  unread: false,
  query: '',
  assignee,
})
const mine = buildConversation({ id: 1, assignee: { id: 7, name: 'Ayu' } })
const nobodys = buildConversation({ id: 2 })

it.each([
  [null, mine, true],
  ['me', mine, true],
  ['none', mine, false],
  ['me', nobodys, false],
  ['none', nobodys, true],
] as const)('keeps those of %s', (assignee, conversation, expected) => {
  expect(matchesFilter(conversation, filter(assignee), false, 7)).toBe(expected)
})

it('lets go of a listed row that was given away', () => {
  expect(matchesFilter(mine, filter('me'), true, 8)).toBe(false)
})
