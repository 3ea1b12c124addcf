/** One session of a linked phone, as the dialog follows it: how far it is, and the code that waits. */
import { computed, onBeforeUnmount, ref } from 'vue'
import { answer, DELETE, GET, POST } from '@/api/client'
import { ApiError } from '@/api/error'
import type { LinkedSession, SessionState, ShownCode } from '@/api/types'
import { useAccountNews } from '@/features/shell/account-news'
import { useErrorText } from '@/ui/error-text'

/** States in which a code waits for the phone. */
const WITH_CODE: ReadonlySet<SessionState> = new Set(['qr', 'code', 'challenge'])
/** What happens while no live connection is open is asked for. */
const EVERY_MS = 3000
/** A code that ended is asked for again so much later: the next one is made at the same moment. */
const AFTER_END_MS = 300

export function useLinkedSession(inboxId: number, sessionId: string) {
  const errorText = useErrorText()
  const session = ref<LinkedSession | null>(null)
  const code = ref<ShownCode | null>(null)
  const failure = ref('')
  /** Somebody wants to link the phone: codes are asked for, also the first one. */
  const wanted = ref(false)
  const path = { session_id: sessionId }
  const state = computed<SessionState | null>(() => session.value?.state ?? null)

  let ended = false
  let newest = 0
  let poll: ReturnType<typeof setTimeout> | undefined
  let renewal: ReturnType<typeof setTimeout> | undefined

  function show(shown: ShownCode | null): void {
    code.value = shown
    clearTimeout(renewal)
    if (shown === null || ended) return
    const left = Date.parse(shown.expires_at) - Date.now()
    renewal = setTimeout(refresh, Math.max(0, left) + AFTER_END_MS)
  }

  /** Asks how far it is; answers that were overtaken by a newer question are dropped. */
  async function refresh(): Promise<void> {
    const turn = ++newest
    clearTimeout(poll)
    try {
      const { data } = await answer(
        GET('/api/v1/sessions/{session_id}/status', { params: { path } }),
      )
      if (turn !== newest) return
      const waits = wanted.value && WITH_CODE.has(data.state)
      const shown = waits ? await codeThatWaits() : null
      if (turn !== newest) return
      session.value = data
      show(shown)
      failure.value = ''
    } catch (error) {
      if (turn === newest) failure.value = errorText(error)
    }
    if (turn === newest && !ended) poll = setTimeout(refresh, EVERY_MS)
  }

  /** Null when the phone was faster than the question. */
  async function codeThatWaits(): Promise<ShownCode | null> {
    try {
      // As JSON, which is what is told when nothing else is asked for.
      const told = await answer(GET('/api/v1/sessions/{session_id}/qr', { params: { path } }))
      return (told as { data: ShownCode }).data
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) return null
      throw error
    }
  }

  /** Asks for a code to scan; a session that rests is connected for it. */
  async function askCode(): Promise<void> {
    wanted.value = true
    newest += 1
    show(await codeThatWaits())
    await refresh()
  }

  /** Asks for a code that is typed on the phone of this number. */
  async function askPairingCode(phone: string): Promise<void> {
    wanted.value = true
    newest += 1
    const { data } = await answer(
      POST('/api/v1/sessions/{session_id}/pairing-code', { params: { path }, body: { phone } }),
    )
    show(data)
    await refresh()
  }

  async function restart(): Promise<void> {
    await answer(POST('/api/v1/sessions/{session_id}/restart', { params: { path } }))
    await refresh()
  }

  async function signOut(): Promise<void> {
    wanted.value = false
    await answer(DELETE('/api/v1/inboxes/{id}/link', { params: { path: { id: inboxId } } }))
    await refresh()
  }

  useAccountNews<{ inbox_id?: number }>(['InboxStateChanged', 'SessionQr'], (news) => {
    if (news.inbox_id === inboxId) void refresh()
  })
  onBeforeUnmount(() => {
    ended = true
    newest += 1
    clearTimeout(poll)
    clearTimeout(renewal)
  })
  void refresh()

  return { session, state, code, failure, wanted, askCode, askPairingCode, restart, signOut }
}
