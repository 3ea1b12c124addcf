/**
 * Translations: English is bundled, the others load when chosen. What only settings and monitoring say (`office/`) loads with
 * the first of those screens, in every language.
 */
import { nextTick, type WatchSource, watch } from 'vue'
import { createI18n } from 'vue-i18n'
import en from './en'
import { directionOf, type Language } from './languages'
import type officeEn from './office/en'

/** Every locale has exactly these keys; a missing one fails the type check. */
export type Messages = Shape<typeof en>
export type OfficeMessages = Shape<typeof officeEn>
type Shape<T> = { [Key in keyof T]: T[Key] extends string ? string : Shape<T[Key]> }

const LOADERS: Record<Exclude<Language, 'en'>, () => Promise<{ default: Messages }>> = {
  'pt-BR': () => import('./pt-BR'),
  id: () => import('./id'),
}
const OFFICE: Record<Language, () => Promise<{ default: OfficeMessages }>> = {
  en: () => import('./office/en'),
  'pt-BR': () => import('./office/pt-BR'),
  id: () => import('./office/id'),
}

export const i18n = createI18n({
  legacy: false,
  locale: 'en',
  fallbackLocale: 'en',
  messages: { en } as Record<string, Messages>,
})

/** The words of the office are wanted from now on, also in languages chosen later. */
let office = false
const withOffice = new Set<Language>()

async function addOffice(language: Language): Promise<void> {
  if (withOffice.has(language)) return
  i18n.global.mergeLocaleMessage(language, (await OFFICE[language]()).default)
  withOffice.add(language)
}

/** A screen of settings or monitoring, with its words. */
export function withOfficeTexts<Screen>(load: () => Promise<Screen>): () => Promise<Screen> {
  return async () => {
    office = true
    const language = i18n.global.locale.value as Language
    const [screen] = await Promise.all([load(), addOffice(language)])
    return screen
  }
}

export async function setLanguage(language: Language): Promise<void> {
  if (language !== 'en' && !i18n.global.availableLocales.includes(language)) {
    i18n.global.setLocaleMessage(language, (await LOADERS[language]()).default)
  }
  if (office) await addOffice(language)
  i18n.global.locale.value = language
  await nextTick()
  document.documentElement.lang = language
  document.documentElement.dir = directionOf(language)
}

/** Follows the chosen language. */
export function followLanguage(source: WatchSource<Language>): void {
  watch(source, (language) => void setLanguage(language), { immediate: true })
}
