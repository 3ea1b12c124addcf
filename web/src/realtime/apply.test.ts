import { createPinia, setActivePinia } from 'pinia'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { useConversations } from '@/stores/conversations'
import { useDrafts } from '@/stores/drafts'
import { useOutgoing } from '@/stores/outgoing'
import { useSession } from '@/stores/session'
import { useThreads } from '@/stores/threads'
import { useTyping } from '@/stores/typing'
import { fakeApi } from '../../mocks/node'
import { applyEvent } from './apply'
import { type AccountEvent, parseEvent } from './events'

const { server, interceptor } = fakeApi()
const pushed: AccountEvent[] = []
server.onEvent((row) => {
  const event = parseEvent(row.name, row.data)
  if (event) pushed.push(event)
})

beforeAll(() => interceptor.listen({ onUnhandledRequest: 'error' }))
afterAll(() => interceptor.close())
beforeEach(async () => {
  setActivePinia(createPinia())
  await useSession().load()
  await useConversations().load()
  await useThreads().load(1)
  pushed.length = 0
})
afterEach(() => expect(pushed.length).toBeGreaterThan(0))

describe('applyEvent', () => {
  it('shows an incoming message in the open thread and lifts its row', () => {
    server.receive(4, { content: 'Hello?' })
    pushed.forEach(applyEvent)
    const conversations = useConversations()
    expect(conversations.ids[0]).toBe(4)
    expect(conversations.byId.get(4)?.last_message?.content).toBe('Hello?')
    expect(useThreads().byConversation.has(4)).toBe(false)
  })

  it('changes nothing when every event arrives twice', () => {
    server.receive(1, { content: 'Once' })
    pushed.forEach(applyEvent)
    const once = JSON.stringify(useThreads().of(1).messages)
    const rows = [...useConversations().ids]
    pushed.forEach(applyEvent)
    expect(JSON.stringify(useThreads().of(1).messages)).toBe(once)
    expect(useConversations().ids).toEqual(rows)
  })

  it('replaces our own bubble when the socket is faster than the answer', () => {
    const outgoing = useOutgoing()
    outgoing.items = [
      {
        clientKey: 'key-1',
        conversationId: 1,
        authorId: 1,
        createdAt: new Date().toISOString(),
        seenAtStart: null,
        reply: { content: 'On my way' },
        attachment: null,
        quote: null,
        state: 'sending',
        error: null,
      },
    ]
    server.reply(1, { content: 'On my way', client_key: 'key-1' })
    pushed.forEach(applyEvent)
    expect(outgoing.of(1)).toEqual([])
    expect(useThreads().of(1).messages.at(-1)?.client_key).toBe('key-1')
  })

  it('moves ticks forward only', () => {
    const reply = server.reply(1, { content: 'Ticks' })
    const id = 'message' in reply ? reply.message.id : 0
    for (const status of ['sent', 'read', 'delivered'] as const) server.setMessageStatus(id, status)
    pushed.forEach(applyEvent)
    expect(
      useThreads()
        .of(1)
        .messages.find((message) => message.id === id)?.status,
    ).toBe('read')
  })

  it('ends "typing" when the message is there', () => {
    useTyping().started(1)
    server.receive(1)
    pushed.forEach(applyEvent)
    expect(useTyping().customers.has(1)).toBe(false)
  })

  it('leads from a conversation that is gone to the one it became part of', () => {
    useDrafts().keep(1, 'half a sentence', null, null)
    server.emit('ConversationMerged', {
      conversation_id: 1,
      into_id: 2,
      conversation: server.conversation(2),
    })
    pushed.forEach(applyEvent)
    const conversations = useConversations()
    expect(conversations.ids).not.toContain(1)
    expect(conversations.ids).toContain(2)
    expect(conversations.mergedInto.get(1)).toBe(2)
    expect(useThreads().byConversation.has(1)).toBe(false)
    expect(useDrafts().of(1)).toBeNull()
    expect(useDrafts().of(2)?.text).toBe('half a sentence')
  })

  it('drops the conversations of a contact that was erased', () => {
    const { customer_id } = server.conversation(1)!
    server.eraseContact(customer_id)
    pushed.forEach(applyEvent)
    expect(useConversations().ids).not.toContain(1)
    expect(useConversations().mergedInto.has(1)).toBe(false)
    expect(useThreads().byConversation.has(1)).toBe(false)
  })

  it('takes a closed conversation off the active list', () => {
    const conversation = server.changeConversation(2, { status: 'closed' })
    server.emit('ConversationStatusChanged', {
      conversation_id: 2,
      status: 'closed',
      previous_status: 'active',
      conversation,
    })
    pushed.forEach(applyEvent)
    expect(useConversations().ids).not.toContain(2)
    expect(useConversations().byId.get(2)?.status).toBe('closed')
  })
})
