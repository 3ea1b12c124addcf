/** What a person chose for this browser: looks, language, pane widths. Kept in local storage. */
import { usePreferredDark, useLocalStorage } from '@vueuse/core'
import { defineStore } from 'pinia'
import { computed, watchEffect } from 'vue'
import { defaultLanguage, type Language } from '@/locales/languages'

export type Theme = 'system' | 'light' | 'dark'
export type Density = 'comfortable' | 'compact'

interface Preferences {
  theme: Theme
  density: Density
  language: Language
  /** Single-letter shortcuts can be switched off (WCAG 2.1.4). */
  shortcuts: boolean
  listWidth: number
  contactWidth: number
  contactOpen: boolean
}

export const LIST_WIDTH = { min: 280, max: 520, initial: 340 }
export const CONTACT_WIDTH = { min: 260, max: 460, initial: 320 }

export const usePreferences = defineStore('preferences', () => {
  const stored = useLocalStorage<Preferences>(
    'frontdesk.preferences',
    {
      theme: 'system',
      density: 'comfortable',
      language: defaultLanguage(),
      shortcuts: true,
      listWidth: LIST_WIDTH.initial,
      contactWidth: CONTACT_WIDTH.initial,
      contactOpen: true,
    },
    { mergeDefaults: true },
  )

  const prefersDark = usePreferredDark()
  const dark = computed(
    () => stored.value.theme === 'dark' || (stored.value.theme === 'system' && prefersDark.value),
  )
  watchEffect(() => {
    document.documentElement.dataset['theme'] = dark.value ? 'dark' : 'light'
  })

  return { stored, dark }
})
