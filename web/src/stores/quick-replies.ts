/** The texts an account keeps to answer with; read when a slash is first typed. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { answer, DELETE, GET, POST } from '@/api/client'
import type { AddQuickReply, QuickReply } from '@/api/types'

export const useQuickReplies = defineStore('quick-replies', () => {
  const all = ref<QuickReply[] | null>(null)

  async function load(): Promise<void> {
    all.value = (await answer(GET('/api/crm/quick-replies'))).data
  }

  async function add(body: AddQuickReply): Promise<void> {
    await answer(POST('/api/crm/quick-replies', { body }))
    await load()
  }

  async function remove(id: number): Promise<void> {
    await answer(DELETE('/api/crm/quick-replies/{id}', { params: { path: { id } } }))
    all.value = all.value?.filter((reply) => reply.id !== id) ?? null
  }

  /** A text as it would be sent to a contact. */
  async function fill(id: number, contact: number): Promise<string> {
    const body = { phone: `id:${contact}`, variables: {} }
    const path = { params: { path: { id } } }
    return (await answer(POST('/api/crm/quick-replies/{id}/preview', { ...path, body }))).data
      .content
  }

  return { all, load, add, remove, fill }
})
