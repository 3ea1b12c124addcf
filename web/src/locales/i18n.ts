/** Translations: English is bundled, the others load when chosen. */
import { nextTick, type WatchSource, watch } from 'vue'
import { createI18n } from 'vue-i18n'
import en from './en'
import { directionOf, type Language } from './languages'

/** Every locale has exactly these keys; a missing one fails the type check. */
export type Messages = Shape<typeof en>
type Shape<T> = { [Key in keyof T]: T[Key] extends string ? string : Shape<T[Key]> }

const LOADERS: Record<Exclude<Language, 'en'>, () => Promise<{ default: Messages }>> = {
  'pt-BR': () => import('./pt-BR'),
  id: () => import('./id'),
}

export const i18n = createI18n({
  legacy: false,
  locale: 'en',
  fallbackLocale: 'en',
  messages: { en } as Record<string, Messages>,
})

export async function setLanguage(language: Language): Promise<void> {
  if (language !== 'en' && !i18n.global.availableLocales.includes(language)) {
    i18n.global.setLocaleMessage(language, (await LOADERS[language]()).default)
  }
  i18n.global.locale.value = language
  await nextTick()
  document.documentElement.lang = language
  document.documentElement.dir = directionOf(language)
}

/** Follows the chosen language. */
export function followLanguage(source: WatchSource<Language>): void {
  watch(source, (language) => void setLanguage(language), { immediate: true })
}
