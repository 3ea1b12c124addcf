/** A Pusher-protocol server over [`FakeServer`], on msw's WebSocket: unmodified pusher-js talks to it. */
import { type WebSocketData, ws } from 'msw'
import type { FakeServer } from './fake-server'

interface Frame {
  event: string
  channel?: string
  data?: unknown
}
interface Client {
  send: (data: WebSocketData) => void
  close: () => void
  addEventListener: (
    name: 'message',
    listener: (event: MessageEvent<WebSocketData>) => void,
  ) => void
}

export class FakePusher {
  readonly handler
  private clients = new Map<Client, Set<string>>()
  /** Client events heard, such as an agent's typing. */
  readonly whispers: Frame[] = []
  private refusing = false

  constructor(private readonly server: FakeServer) {
    this.handler = ws
      .link(/\/app\/mock/)
      .addEventListener('connection', ({ client }) => this.accept(client as unknown as Client))
    server.onEvent((row) => this.broadcast('private-account.1', row.name, row.data))
  }

  /** Cuts all connections and takes no new ones, as when the network is away. */
  goAway(): void {
    this.refusing = true
    for (const client of this.clients.keys()) client.close()
    this.clients.clear()
  }

  comeBack(): void {
    this.refusing = false
  }

  broadcast(channel: string, event: string, data: unknown): void {
    for (const [client, channels] of this.clients) {
      if (channels.has(channel)) send(client, { event, channel, data })
    }
  }

  /** Whether a page listens to `channel`. */
  isSubscribed(channel: string): boolean {
    return [...this.clients.values()].some((channels) => channels.has(channel))
  }

  /** Another agent enters a presence channel. */
  join(conversationId: number, user: { id: number; name: string }): void {
    this.broadcast(`presence-conversation.${conversationId}`, 'pusher_internal:member_added', {
      user_id: String(user.id),
      user_info: { name: user.name },
    })
  }

  private accept(client: Client): void {
    if (this.refusing) return client.close()
    const channels = new Set<string>()
    this.clients.set(client, channels)
    send(client, {
      event: 'pusher:connection_established',
      data: { socket_id: '1.1', activity_timeout: 120 },
    })
    client.addEventListener('message', ({ data }) => {
      const frame = JSON.parse(String(data)) as Frame & { data: { channel?: string } }
      if (frame.event === 'pusher:ping') send(client, { event: 'pusher:pong', data: {} })
      if (frame.event.startsWith('client-')) this.whispers.push(frame)
      if (frame.event === 'pusher:unsubscribe') channels.delete(frame.data.channel ?? '')
      if (frame.event === 'pusher:subscribe') {
        const channel = frame.data.channel ?? ''
        channels.add(channel)
        send(client, {
          event: 'pusher_internal:subscription_succeeded',
          channel,
          data: channel.startsWith('presence-') ? this.presence() : {},
        })
      }
    })
  }

  private presence() {
    const { me } = this.server
    const id = String(me?.id ?? 0)
    return { presence: { count: 1, ids: [id], hash: { [id]: { name: me?.name ?? '' } } } }
  }
}

function send(client: Client, frame: Frame): void {
  client.send(JSON.stringify({ ...frame, data: JSON.stringify(frame.data ?? {}) }))
}
