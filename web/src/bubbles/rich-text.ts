/** Finds links in what people write; everything else stays plain text, nothing is ever HTML. */

export interface TextPart {
  text: string
  href: string | null
}

const LINK =
  /\b(https?:\/\/[^\s<>"']+|www\.[^\s<>"']+\.[^\s<>"']+|[\p{L}\p{N}._%+-]+@[\p{L}\p{N}.-]+\.\p{L}{2,})/giu
const TRAILING = /[.,;:!?)\]}'"]+$/u

export function splitLinks(text: string): TextPart[] {
  const parts: TextPart[] = []
  let end = 0
  for (const match of text.matchAll(LINK)) {
    const found = match[0].replace(TRAILING, '')
    if (match.index > end) parts.push({ text: text.slice(end, match.index), href: null })
    parts.push({ text: found, href: hrefOf(found) })
    end = match.index + found.length
  }
  if (end < text.length) parts.push({ text: text.slice(end), href: null })
  return parts
}

function hrefOf(found: string): string {
  if (/^https?:\/\//i.test(found)) return found
  return /^www\./i.test(found) ? `https://${found}` : `mailto:${found}`
}

/** A link given by a customer or provider, only if a browser may safely open it. */
export function safeHref(url: string | null | undefined): string | null {
  return url && /^https?:\/\//i.test(url) ? url : null
}
