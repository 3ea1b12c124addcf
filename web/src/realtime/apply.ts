/** One pushed event → changes in the stores. Applying an event twice changes nothing. */
import { toast } from 'vue-sonner'
import { i18n } from '@/locales/i18n'
import { useContacts } from '@/stores/contacts'
import { useConversations } from '@/stores/conversations'
import { useDonors } from '@/stores/donors'
import { useDrafts } from '@/stores/drafts'
import { useInboxes } from '@/stores/inboxes'
import { useOutgoing } from '@/stores/outgoing'
import { useSession } from '@/stores/session'
import { useThreads } from '@/stores/threads'
import { useTyping } from '@/stores/typing'
import type { AccountEvent } from './events'

export function applyEvent(event: AccountEvent): void {
  switch (event.name) {
    case 'MessageReceived': {
      const { message, conversation } = event.data
      if (conversation) useConversations().receive(conversation)
      if (!message) return
      useOutgoing().settle(message)
      useThreads().put(message, 'event')
      if (message.direction === 'inbound') useTyping().stopped(message.conversation_id)
      return
    }
    case 'MessageUpdated':
      if (event.data.message) useThreads().put(event.data.message, 'event')
      return
    case 'ReactionFailed': {
      const { sender_id, emoji, error } = event.data
      // Everyone sees it go; the one who reacted is told why.
      if (sender_id !== useSession().me?.id) return
      const reason = error?.message ?? ''
      toast.error(i18n.global.t('message.reactionFailed', { emoji: emoji ?? '', reason }))
      return
    }
    case 'MessageRemoved':
      useThreads().forget(event.data.conversation_id, event.data.message_id)
      return
    case 'MessageStatusUpdated': {
      const { message, status, status_error } = event.data
      if (!message) return
      useThreads().put({ ...message, status, status_error }, 'event')
      return
    }
    case 'ConversationStatusChanged':
    case 'ConversationUpdated':
      if (event.data.conversation) useConversations().receive(event.data.conversation)
      return
    case 'ConversationMerged': {
      const { conversation_id: gone, into_id: into, conversation } = event.data
      if (conversation) useConversations().receive(conversation)
      if (into !== null) {
        useDrafts().move(gone, into)
        useOutgoing().move(gone, into)
        // Messages that moved are in no event of their own.
        if (useThreads().byConversation.has(into)) {
          void useThreads()
            .refresh(into)
            .catch(() => undefined)
        }
      }
      useConversations().forgetMerged(gone, into)
      useThreads().byConversation.delete(gone)
      return
    }
    case 'ContactUpdated':
      // Only names on screen go stale when this fails; opening the card loads it again.
      void useDonors()
        .refresh(event.data.contact_id)
        .catch(() => undefined)
      void useContacts()
        .refresh(event.data.contact_id)
        .catch(() => undefined)
      return
    case 'InboxStateChanged':
      useInboxes().setState(event.data.inbox_id, event.data.state)
      return
  }
}
