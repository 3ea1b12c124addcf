/** What donors gave and what was noted of them, by contact, as far as they were opened. */
import { defineStore } from 'pinia'
import { shallowReactive } from 'vue'
import { answer, DELETE, GET, POST } from '@/api/client'
import type { AddReminder, DonorProfile } from '@/api/types'

export const useDonors = defineStore('donors', () => {
  const byContact = shallowReactive(new Map<number, DonorProfile>())
  /** People without a number are named by their id. */
  const path = (contact: number) => ({ params: { path: { phone: `id:${contact}` } } })

  async function load(contact: number): Promise<void> {
    byContact.set(contact, await answer(GET('/api/crm/contacts/{phone}', path(contact))))
  }

  /** Loads a donor again who was opened before. */
  async function refresh(contact: number): Promise<void> {
    if (byContact.has(contact)) await load(contact)
  }

  async function addDonation(contact: number, amount: number): Promise<void> {
    const body = { amount }
    await answer(POST('/api/crm/contacts/{phone}/donations', { ...path(contact), body }))
    await load(contact)
  }

  async function addNote(contact: number, note: string): Promise<void> {
    const body = { note }
    await answer(POST('/api/crm/contacts/{phone}/notes', { ...path(contact), body }))
    await load(contact)
  }

  async function removeNote(contact: number, id: number): Promise<void> {
    await answer(DELETE('/api/crm/notes/{id}', { params: { path: { id } } }))
    await load(contact)
  }

  async function addReminder(contact: number, body: AddReminder): Promise<void> {
    await answer(POST('/api/crm/contacts/{phone}/reminders', { ...path(contact), body }))
    await load(contact)
  }

  async function finishReminder(contact: number, id: number): Promise<void> {
    await answer(POST('/api/crm/reminders/{id}/done', { params: { path: { id } } }))
    await load(contact)
  }

  return { byContact, load, refresh, addDonation, addNote, removeNote, addReminder, finishReminder }
})
