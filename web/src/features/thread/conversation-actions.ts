/** What can be done with a conversation as a whole; failures are shown, status changes can be undone. */
import type { Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { toast } from 'vue-sonner'
import type { Conversation, ConversationStatus, Person } from '@/api/types'
import { useConversations } from '@/stores/conversations'
import { useAttempt } from '@/ui/attempt'

const UNDO_MS = 10_000

export function useConversationActions(conversation: Ref<Conversation | undefined>) {
  const { t } = useI18n()
  const conversations = useConversations()
  const { attempt } = useAttempt<'change'>()

  async function setStatus(status: ConversationStatus): Promise<void> {
    const current = conversation.value
    if (!current || current.status === status) return
    const { id, status: before } = current
    const changed = await attempt('change', () => conversations.setStatus(id, status))
    if (!changed) return
    toast(t(`thread.statusChanged.${status}`), {
      duration: UNDO_MS,
      action: {
        label: t('common.undo'),
        onClick: () => void attempt('change', () => conversations.setStatus(id, before)),
      },
    })
  }

  async function toggleStar(): Promise<void> {
    const current = conversation.value
    if (current)
      await attempt('change', () => conversations.change(current.id, { starred: !current.starred }))
  }

  async function assign(person: Person | null): Promise<void> {
    const current = conversation.value
    if (current) {
      await attempt('change', () =>
        conversations.change(current.id, { assignee_id: person?.id ?? null }),
      )
    }
  }

  async function setLabels(labels: string[]): Promise<void> {
    const current = conversation.value
    if (current) await attempt('change', () => conversations.change(current.id, { labels }))
  }

  /** True when it is unread now. */
  async function markUnread(): Promise<boolean> {
    const current = conversation.value
    return (
      current !== undefined && (await attempt('change', () => conversations.markUnread(current.id)))
    )
  }

  return { setStatus, toggleStar, assign, setLabels, markUnread }
}
