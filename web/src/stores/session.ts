/** Who is signed in. The session itself is a cookie that scripts cannot read. */
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { answer, DELETE, GET, POST } from '@/api/client'
import { ApiError } from '@/api/error'
import type { Me } from '@/api/types'

export const useSession = defineStore('session', () => {
  const me = ref<Me | null>(null)
  /** False until the server was asked once. */
  const known = ref(false)
  const isAdmin = computed(() => me.value?.role === 'admin')

  /** Asks the server who we are; a refusal means signed out, other failures are thrown. */
  async function load(): Promise<void> {
    try {
      me.value = await answer(GET('/api/v1/session', {}))
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 401)) throw error
      me.value = null
    }
    known.value = true
  }

  async function signIn(email: string, password: string): Promise<void> {
    me.value = await answer(POST('/api/v1/session', { body: { email, password } }))
    known.value = true
  }

  async function signOut(): Promise<void> {
    await answer(DELETE('/api/v1/session', {}))
    forget()
  }

  function forget(): void {
    me.value = null
  }

  return { me, known, isAdmin, load, signIn, signOut, forget }
})
