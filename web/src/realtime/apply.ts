/** One pushed event → changes in the stores. Applying an event twice changes nothing. */
import { useContacts } from '@/stores/contacts'
import { useConversations } from '@/stores/conversations'
import { useInboxes } from '@/stores/inboxes'
import { useOutgoing } from '@/stores/outgoing'
import { useThreads } from '@/stores/threads'
import { useTyping } from '@/stores/typing'
import type { AccountEvent } from './events'

export function applyEvent(event: AccountEvent): void {
  switch (event.name) {
    case 'MessageReceived': {
      const { message, conversation } = event.data
      useOutgoing().settle(message)
      useThreads().put(message, 'event')
      useConversations().receive(conversation)
      if (message.direction === 'inbound') useTyping().stopped(message.conversation_id)
      return
    }
    case 'MessageUpdated':
      useThreads().put(event.data.message, 'event')
      return
    case 'MessageStatusUpdated': {
      const { message, status, status_error } = event.data
      useThreads().put({ ...message, status, status_error }, 'event')
      return
    }
    case 'ConversationStatusChanged':
    case 'ConversationUpdated':
      useConversations().receive(event.data.conversation)
      return
    case 'ContactUpdated':
      // Only names on screen go stale when this fails; opening the card loads it again.
      void useContacts()
        .refresh(event.data.contact_id)
        .catch(() => undefined)
      return
    case 'InboxStateChanged':
      useInboxes().setState(event.data.inbox_id, event.data.state)
      return
  }
}
