import type { Capabilities } from '@/api/types'

const USUAL = ['👍', '❤️', '😂', '😮', '😢', '🙏']

/** The emojis the menu offers: none where the channel has no reactions, few where it knows few. */
export function reactionsOffered(can: Capabilities | null): string[] {
  if (!can?.reactions) return []
  return can.reaction_emojis.length > 0 ? can.reaction_emojis : USUAL
}
