/** Contact cards by id, as far as they were opened. */
import { defineStore } from 'pinia'
import { shallowReactive } from 'vue'
import { answer, DELETE, GET, PATCH } from '@/api/client'
import type { Contact, ContactChange } from '@/api/types'
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

  async function change(id: number, body: ContactChange): Promise<void> {
    put(await answer(PATCH('/api/v1/contacts/{id}', { params: { path: { id } }, body })))
  }

  /** Takes a contact away for good, with every conversation; other pages are told by the server. */
  async function erase(id: number): Promise<void> {
    await answer(DELETE('/api/v1/contacts/{id}', { params: { path: { id } } }))
    byId.delete(id)
    for (const conversation of [...conversations.byId.values()]) {
      if (conversation.customer_id === id) conversations.forgetMerged(conversation.id, null)
    }
  }

  /** Loads a contact again when anything on screen shows it. */
  async function refresh(id: number): Promise<void> {
    const shown = [...conversations.byId.values()].some(({ customer_id }) => customer_id === id)
    if (shown || byId.has(id)) await load(id)
  }

  return { byId, load, change, erase, refresh }
})
