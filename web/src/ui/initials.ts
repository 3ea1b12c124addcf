const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** Up to two letters for a name; whole graphemes, so emoji and combining marks stay intact. */
export function initialsOf(name: string): string {
  const words = name
    .trim()
    .split(/\s+/)
    .filter((word) => /[\p{L}\p{N}]/u.test(word))
  const chosen = words.length > 1 ? [words[0]!, words.at(-1)!] : words
  const letters = chosen.map((word) => firstGrapheme(word.replace(/^[^\p{L}\p{N}]+/u, '')))
  return letters.join('').toLocaleUpperCase() || firstGrapheme(name.trim()) || '?'
}

function firstGrapheme(text: string): string {
  for (const { segment } of segmenter.segment(text)) return segment
  return ''
}
