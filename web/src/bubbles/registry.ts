/**
 * Which component draws which kind of message.
 *
 * A new kind: write `XBubble.vue` with one prop `message`, add its line here and its name under
 * `kind` in the locales. Kinds without a line are drawn by `Unsupported.vue`, so nothing is hidden.
 */
import type { Component } from 'vue'
import type { MessageKind } from '@/api/types'
import AudioBubble from './AudioBubble.vue'
import ButtonReplyBubble from './ButtonReplyBubble.vue'
import CallBubble from './CallBubble.vue'
import ContactsBubble from './ContactsBubble.vue'
import DocumentBubble from './DocumentBubble.vue'
import FlowReplyBubble from './FlowReplyBubble.vue'
import ImageBubble from './ImageBubble.vue'
import InteractiveBubble from './InteractiveBubble.vue'
import ListReplyBubble from './ListReplyBubble.vue'
import LocationBubble from './LocationBubble.vue'
import OrderBubble from './OrderBubble.vue'
import PostbackBubble from './PostbackBubble.vue'
import ReferralBubble from './ReferralBubble.vue'
import ShareBubble from './ShareBubble.vue'
import StickerBubble from './StickerBubble.vue'
import StoryMentionBubble from './StoryMentionBubble.vue'
import StoryReplyBubble from './StoryReplyBubble.vue'
import SystemNotice from './SystemNotice.vue'
import TemplateBubble from './TemplateBubble.vue'
import TextBubble from './TextBubble.vue'
import Unsupported from './Unsupported.vue'
import VideoBubble from './VideoBubble.vue'
import VoiceBubble from './VoiceBubble.vue'

const BUBBLES: Record<MessageKind, Component> = {
  text: TextBubble,
  image: ImageBubble,
  video: VideoBubble,
  audio: AudioBubble,
  voice: VoiceBubble,
  document: DocumentBubble,
  sticker: StickerBubble,
  location: LocationBubble,
  contacts: ContactsBubble,
  button_reply: ButtonReplyBubble,
  list_reply: ListReplyBubble,
  flow_reply: FlowReplyBubble,
  interactive: InteractiveBubble,
  template: TemplateBubble,
  order: OrderBubble,
  postback: PostbackBubble,
  referral: ReferralBubble,
  story_reply: StoryReplyBubble,
  story_mention: StoryMentionBubble,
  share: ShareBubble,
  system: SystemNotice,
  call: CallBubble,
  unsupported: Unsupported,
}

export function bubbleFor(kind: MessageKind): Component {
  return BUBBLES[kind] ?? Unsupported
}
