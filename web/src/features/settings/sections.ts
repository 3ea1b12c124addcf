/** The pages of the settings, in order. */
import {
  ArrowLeftRight,
  HandHeart,
  KeyRound,
  LockKeyhole,
  MessageSquareText,
  Plug,
  ScrollText,
  Send,
  Sparkles,
  Users,
  Webhook,
} from '@lucide/vue'
import type { Component } from 'vue'

export interface Section {
  route: string
  label: string
  icon: Component
  admin: boolean
}

export const SECTIONS: Section[] = [
  { route: 'channels', label: 'settings.channels', icon: Plug, admin: true },
  { route: 'chatwoot', label: 'settings.chatwoot', icon: ArrowLeftRight, admin: true },
  { route: 'users', label: 'settings.users', icon: Users, admin: true },
  {
    route: 'quick-replies',
    label: 'settings.quickReplies',
    icon: MessageSquareText,
    admin: false,
  },
  { route: 'donors', label: 'settings.donors', icon: HandHeart, admin: false },
  { route: 'suggestions', label: 'settings.suggestions', icon: Sparkles, admin: true },
  { route: 'password', label: 'settings.password', icon: LockKeyhole, admin: false },
  { route: 'tokens', label: 'settings.tokens', icon: KeyRound, admin: false },
  { route: 'outgoing-webhooks', label: 'settings.outgoing', icon: Send, admin: true },
  { route: 'webhooks', label: 'settings.webhooks', icon: Webhook, admin: true },
  { route: 'audit', label: 'settings.audit', icon: ScrollText, admin: true },
]
