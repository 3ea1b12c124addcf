/** Contact cards by id, as far as they were opened. */
import { defineStore } from 'pinia'
import { shallowReactive } from 'vue'
import { answer, GET, PATCH } from '@/api/client'
import type { Contact } from '@/api/types'
import { useConversations } from './conversations'

export const useContacts = defineStore('contacts', () => {
  const conversations = useConversations()
  const byId = shallowReactive(new Map<number, Contact>())

  function put(contact: Contact): void {
    byId.set(contact.id, contact)
    conversations.setCustomer(contact)
  }

  async function load(id: number): Promise<void> {
    put(await answer(GET('/api/v1/contacts/{id}', { params: { path: { id } } })))
  }

  async function change(id: number, body: { name?: string; email?: string | null }): Promise<void> {
    put(await answer(PATCH('/api/v1/contacts/{id}', { params: { path: { id } }, body })))
  }

  /** Loads a contact again when anything on screen shows it. */
  async function refresh(id: number): Promise<void> {
    const shown = [...conversations.byId.values()].some(({ customer_id }) => customer_id === id)
    if (shown || byId.has(id)) await load(id)
  }

  return { byId, load, change, refresh }
})
