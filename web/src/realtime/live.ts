/**
 * The live connection: laravel-echo over pusher-js, the same door integrators use.
 *
 * Loaded after the first screen is drawn. On every (re)connect the events missed meanwhile are
 * fetched, then what the person sent in the meantime goes out.
 */
import type Echo from 'laravel-echo'
import { toast } from 'vue-sonner'
import { answer, GET } from '@/api/client'
import type { RealtimeSettings } from '@/api/types'
import { i18n } from '@/locales/i18n'
import { useConnection } from '@/stores/connection'
import { useConversations } from '@/stores/conversations'
import { useDonors } from '@/stores/donors'
import { useOutgoing } from '@/stores/outgoing'
import { useSession } from '@/stores/session'
import { useThreads } from '@/stores/threads'
import { useTyping } from '@/stores/typing'
import { applyEvent } from './apply'
import { EventLog } from './event-log'
import { ACCOUNT_EVENTS, type AccountEvent, type CustomerTyping, type ReminderDue } from './events'

export type Live = Echo<'pusher'>

export interface LiveConnection {
  echo: Live
  stop: () => void
}

/** `openConversation` tells which thread to reload when the server asks for a fresh start. */
export async function connect(openConversation: () => number | null): Promise<LiveConnection> {
  const settings = await answer(GET('/api/v1/realtime', {}))
  const echo = await openSocket(settings)
  const connection = useConnection()
  const log = new EventLog({
    fetchAfter: (seq) =>
      answer(GET('/api/v1/events', { params: { query: { after: seq, limit: 200 } } })),
    apply: applyEvent,
    resync: () => reloadAll(openConversation()),
  })

  const snapshot = await useConversations().load()
  if (snapshot !== null) log.startAt(snapshot)

  const account = settings.channels.find((name) => name.startsWith('private-account.'))
  if (account) {
    const channel = echo.private(account.replace(/^private-/, ''))
    for (const name of ACCOUNT_EVENTS) {
      channel.listen(name, (data: AccountEvent['data']) => {
        void log.receive({ name, data } as AccountEvent).catch(() => undefined)
      })
    }
    // A hint outside the sequence: what is due is asked for with the donor.
    channel.listen('ReminderDue', ({ contact_id, assignee_id, text }: ReminderDue) => {
      void useDonors()
        .refresh(contact_id)
        .catch(() => undefined)
      const isMine = assignee_id === null || assignee_id === useSession().me?.id
      if (isMine) toast.info(i18n.global.t('donor.reminderDue', { text }))
    })
    channel.listen('CustomerTyping', ({ conversation_id }: CustomerTyping) =>
      useTyping().started(conversation_id),
    )
    channel.subscribed(() => {
      connection.state = 'connected'
      void resume(log)
    })
  }

  const socket = echo.connector.pusher.connection
  const onState = ({ current }: { current: string }) => {
    if (current === 'connected') return
    connection.state = connection.state === 'connecting' ? 'connecting' : 'reconnecting'
    if (current === 'unavailable' || current === 'failed') connection.state = 'reconnecting'
  }
  socket.bind('state_change', onState)
  return {
    echo,
    stop: () => {
      socket.unbind('state_change', onState)
      echo.disconnect()
      connection.state = 'connecting'
    },
  }
}

async function openSocket(settings: RealtimeSettings): Promise<Live> {
  const [{ default: EchoClass }, { default: Pusher }] = await Promise.all([
    import('laravel-echo'),
    import('pusher-js'),
  ])
  const tls = settings.scheme === 'https' || settings.scheme === 'wss'
  const client = new Pusher(settings.key, {
    cluster: 'frontdesk',
    wsHost: settings.host,
    wsPort: settings.port,
    wssPort: settings.port,
    forceTLS: tls,
    enabledTransports: tls ? ['wss'] : ['ws'],
    enableStats: false,
    channelAuthorization: { endpoint: settings.auth_endpoint, transport: 'ajax' },
  })
  return new EchoClass({ broadcaster: 'pusher', key: settings.key, client })
}

async function resume(log: EventLog): Promise<void> {
  try {
    if (log.last === null) {
      const snapshot = await useConversations().load()
      if (snapshot !== null) log.startAt(snapshot)
    }
    await log.catchUp()
  } catch {
    // The server is away again; the next connect resumes.
  }
  useOutgoing().flushAll()
}

async function reloadAll(openConversation: number | null): Promise<void> {
  const threads = useThreads()
  threads.forgetAllBut(openConversation)
  await Promise.all([
    useConversations().load(),
    openConversation === null ? undefined : threads.load(openConversation),
  ])
}
