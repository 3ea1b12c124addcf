/** Single-key shortcuts, as in Gmail and most shared inboxes. They never act inside a text field. */
import { createGlobalState, useEventListener } from '@vueuse/core'
import { ref } from 'vue'
import { usePreferences } from '@/stores/preferences'

export type ShortcutMap = Partial<Record<string, () => void>>

/** Whether the list of shortcuts is open. */
export const useShortcutHelp = createGlobalState(() => ref(false))

/** Runs `map[key]` for keys pressed outside text fields, menus and dialogs. */
export function useShortcuts(map: ShortcutMap): void {
  const preferences = usePreferences()
  useEventListener(window, 'keydown', (event: KeyboardEvent) => {
    if (event.defaultPrevented || !preferences.stored.shortcuts) return
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
    if (isBusyWithKeys(event.target)) return
    const action = map[event.key]
    if (!action) return
    event.preventDefault()
    action()
  })
}

/** Runs `action` for Ctrl+`key` (or Cmd on a Mac), wherever the focus is. */
export function useCommandKey(key: string, action: () => void): void {
  useEventListener(window, 'keydown', (event: KeyboardEvent) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== key) return
    event.preventDefault()
    action()
  })
}

function isBusyWithKeys(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest(
      'input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true], [role=menu], [role=dialog], [role=alertdialog], emoji-picker',
    ) !== null
  )
}
