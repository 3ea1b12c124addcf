import { http, HttpResponse } from 'msw'
import { createPinia, setActivePinia } from 'pinia'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import { fakeApi } from '../../mocks/node'
import { newestId } from './newer-messages'
import { type NewReply, useOutgoing } from './outgoing'
import { useSession } from './session'
import { useThreads } from './threads'

const { server, interceptor } = fakeApi()

beforeAll(() => interceptor.listen({ onUnhandledRequest: 'error' }))
afterAll(() => interceptor.close())
afterEach(() => {
  interceptor.resetHandlers()
  vi.useRealTimers()
})
beforeEach(async () => {
  setActivePinia(createPinia())
  server.posted.length = 0
  server.changeConversation(1, { status: 'active' })
  await useSession().load()
  await useThreads().load(1)
})

const reply = (content: string): NewReply => ({
  conversationId: 1,
  seenAtStart: newestId(useThreads().of(1).messages),
  reply: { content },
  attachment: null,
  quote: null,
})
const contents = () =>
  useThreads()
    .of(1)
    .messages.map(({ content }) => content)

describe('outgoing', () => {
  it('shows a reply at once and replaces it by the server’s message', async () => {
    const outgoing = useOutgoing()
    const key = outgoing.send(reply('Hello there'))
    expect(outgoing.of(1)).toHaveLength(1)
    await vi.waitFor(() => expect(outgoing.of(1)).toHaveLength(0))
    expect(useThreads().of(1).messages.at(-1)).toMatchObject({
      content: 'Hello there',
      client_key: key,
    })
  })

  it('posts replies of one conversation in the order they were written', async () => {
    const outgoing = useOutgoing()
    for (const text of ['one', 'two', 'three']) outgoing.send(reply(text))
    await vi.waitFor(() => expect(outgoing.of(1)).toHaveLength(0))
    expect(server.posted.map(({ content }) => content)).toEqual(['one', 'two', 'three'])
  })

  it('tries again with the same key after a lost answer, so that one message exists', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    let lost = 0
    interceptor.use(
      http.post('*/admin/inbox/1/messages', async ({ request }) => {
        if (lost++ > 0) return undefined
        server.reply(1, (await request.clone().json()) as { content: string })
        return HttpResponse.error()
      }),
    )
    const outgoing = useOutgoing()
    const key = outgoing.send(reply('only once'))
    await vi.waitFor(() => expect(outgoing.of(1)[0]?.state).toBe('waiting'))
    vi.advanceTimersByTime(5000)
    vi.useRealTimers()
    await vi.waitFor(() => expect(outgoing.of(1)).toHaveLength(0))
    expect(server.posted.map(({ client_key }) => client_key)).toEqual([key, key])
    expect(server.messages(1).filter(({ content }) => content === 'only once')).toHaveLength(1)
    expect(contents().filter((content) => content === 'only once')).toHaveLength(1)
  })

  it('keeps unsent replies over a reload', async () => {
    interceptor.use(http.post('*/admin/inbox/1/messages', () => HttpResponse.error()))
    const key = useOutgoing().send(reply('kept'))
    await vi.waitFor(() => expect(useOutgoing().of(1)[0]?.state).toBe('waiting'))
    await nextTick()

    interceptor.resetHandlers()
    setActivePinia(createPinia())
    await useSession().load()
    const after = useOutgoing()
    expect(after.of(1)[0]).toMatchObject({ clientKey: key, reply: { content: 'kept' } })
    after.flushAll()
    await vi.waitFor(() => expect(after.of(1)).toHaveLength(0))
    expect(server.messages(1).at(-1)).toMatchObject({ client_key: key })
  })

  it('asks before sending when a colleague answered meanwhile, then sends anyway', async () => {
    const draft = reply('Second opinion')
    server.colleagueReplies(1, 'Already answered')
    const outgoing = useOutgoing()
    const key = outgoing.send(draft)
    // The socket has not brought the colleague's reply, yet the thread knows it afterwards.
    await vi.waitFor(() => expect(outgoing.of(1)[0]?.state).toBe('guarded'))
    await vi.waitFor(() => expect(contents()).toContain('Already answered'))
    outgoing.sendAgain(key, true)
    await vi.waitFor(() => expect(outgoing.of(1)).toHaveLength(0))
    expect(server.posted.at(-1)).toMatchObject({ force: true, client_key: key })
  })

  it('says why a reply was refused and lets later ones pass', async () => {
    server.changeConversation(1, { status: 'closed' })
    const outgoing = useOutgoing()
    outgoing.send(reply('too late'))
    await vi.waitFor(() => expect(outgoing.of(1)[0]?.state).toBe('refused'))
    expect(outgoing.of(1)[0]?.error).toBe('The conversation is closed.')
    server.changeConversation(1, { status: 'active' })
    outgoing.send(reply('in time'))
    await vi.waitFor(() => expect(contents()).toContain('in time'))
  })

  it('waits as long as the server asks when there were too many', async () => {
    interceptor.use(
      http.post(
        '*/admin/inbox/1/messages',
        () =>
          HttpResponse.json(
            { error: 'Slow down.', code: 'RATE_LIMITED', retry_after: 60 },
            { status: 429 },
          ),
        { once: true },
      ),
    )
    const timer = vi.spyOn(globalThis, 'setTimeout')
    const outgoing = useOutgoing()
    const key = outgoing.send(reply('patient'))
    await vi.waitFor(() => expect(outgoing.of(1)[0]?.state).toBe('waiting'))
    expect(timer.mock.calls.some(([, delay]) => delay === 60_000)).toBe(true)
    outgoing.discard(key)
  })
})
