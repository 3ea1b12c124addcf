/** What the rail offers, in order. */
import { Activity, Inbox, Settings } from '@lucide/vue'
import type { Component } from 'vue'

export interface Screen {
  /** Route to open. */
  route: string
  /** Path prefix under which the entry counts as current. */
  under: RegExp
  /** Locale key. */
  label: string
  icon: Component
}

export const SCREENS: Screen[] = [
  { route: 'inbox', under: /^\/($|conversations)/, label: 'nav.inbox', icon: Inbox },
  {
    route: 'monitoring',
    under: /^\/(monitoring|api\/v1\/monitoring\/dashboard)$/,
    label: 'nav.monitoring',
    icon: Activity,
  },
  { route: 'settings', under: /^\/settings/, label: 'nav.settings', icon: Settings },
]
