/** The languages the page speaks. To add one: a file beside `en.ts`, one line here. */

export const LANGUAGES = [
  { tag: 'en', name: 'English' },
  { tag: 'pt-BR', name: 'Português (Brasil)' },
  { tag: 'id', name: 'Bahasa Indonesia' },
] as const

export type Language = (typeof LANGUAGES)[number]['tag']

/** The browser's first language that we speak, or English. */
export function defaultLanguage(wanted: readonly string[] = navigator.languages): Language {
  for (const tag of wanted) {
    const exact = LANGUAGES.find((language) => language.tag.toLowerCase() === tag.toLowerCase())
    if (exact) return exact.tag
    const primary = tag.split('-')[0]?.toLowerCase()
    const near = LANGUAGES.find((language) => language.tag.split('-')[0] === primary)
    if (near) return near.tag
  }
  return 'en'
}

const RIGHT_TO_LEFT = /^(ar|fa|he|ur)\b/

export function directionOf(tag: string): 'ltr' | 'rtl' {
  return RIGHT_TO_LEFT.test(tag) ? 'rtl' : 'ltr'
}
