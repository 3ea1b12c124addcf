/** The icon that stands for a message kind in one line of text; plain text has none. */
import {
  ContactRound,
  FileText,
  Image,
  LayoutTemplate,
  MapPin,
  Megaphone,
  MessageSquareShare,
  Mic,
  MousePointerClick,
  Music,
  Phone,
  ShoppingBag,
  Sticker,
  Video,
} from '@lucide/vue'
import type { Component } from 'vue'
import type { MessageKind } from '@/api/types'

const ICONS: Partial<Record<MessageKind, Component>> = {
  image: Image,
  video: Video,
  audio: Music,
  voice: Mic,
  document: FileText,
  sticker: Sticker,
  location: MapPin,
  contacts: ContactRound,
  button_reply: MousePointerClick,
  list_reply: MousePointerClick,
  flow_reply: MousePointerClick,
  postback: MousePointerClick,
  template: LayoutTemplate,
  interactive: LayoutTemplate,
  order: ShoppingBag,
  referral: Megaphone,
  story_reply: MessageSquareShare,
  story_mention: MessageSquareShare,
  share: MessageSquareShare,
  call: Phone,
}

export function kindIcon(kind: MessageKind): Component | null {
  return ICONS[kind] ?? null
}
