/** Which kept texts a word after a slash means. */
import type { QuickReply } from '@/api/types'

/** How many are offered at once. */
const OFFERED = 8

/** The word after a slash that is all there is; null for any other text. */
export function slashWord(text: string): string | null {
  return /^\/([\p{L}\p{N}_-]*)$/u.exec(text)?.[1]?.toLowerCase() ?? null
}

/** Those whose shortcut begins with the word, then those that have it anywhere. */
export function searchQuickReplies(all: QuickReply[], word: string): QuickReply[] {
  const fold = (text: string) => text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase()
  const wanted = fold(word)
  const begins = all.filter((reply) => fold(reply.shortcut).startsWith(wanted))
  const others = all.filter(
    (reply) => !begins.includes(reply) && fold(`${reply.shortcut} ${reply.title}`).includes(wanted),
  )
  return [...begins, ...others].slice(0, OFFERED)
}
