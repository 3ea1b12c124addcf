/** What donors gave and what was noted of them, by contact, as far as they were opened. */
import { defineStore } from 'pinia'
import { shallowReactive } from 'vue'
import { answer, DELETE, GET, POST } from '@/api/client'
import type { CursorPage } from '@/api/pages'
import type { AddReminder, DonorInList, DonorMerge, DonorProfile, SheetReport } from '@/api/types'

/** What a sheet holds. */
export type Sheet = 'contacts' | 'donations'

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

  /** Contacts with these words in name, e-mail, number or a note; all of them without words. */
  async function find(
    q: string,
    cursor: string | undefined,
    limit: number,
  ): Promise<CursorPage<DonorInList>> {
    const query = { limit, ...(q ? { q } : {}), ...(cursor ? { cursor } : {}) }
    return answer(GET('/api/crm/contacts', { params: { query } }))
  }

  /** Makes a contact part of another; `name` says whose name is kept. */
  async function merge(keep: number, other: number, name: 'keep' | 'merge'): Promise<DonorMerge> {
    const body = { keep: `id:${keep}`, merge: `id:${other}`, fields: { name } }
    const merged = await answer(POST('/api/crm/contacts/merge', { body: body as never }))
    await refresh(keep)
    return merged.data
  }

  async function undoMerge(kept: number, id: number): Promise<void> {
    await answer(POST('/api/crm/merges/{id}/undo', { params: { path: { id } } }))
    await refresh(kept)
  }

  /** Takes a CSV sheet; a rehearsal tells what would become of it and changes nothing. */
  async function importSheet(sheet: Sheet, file: File, dryRun: boolean): Promise<SheetReport> {
    const options = {
      params: { query: { dry_run: dryRun } },
      body: await file.text(),
      bodySerializer: (text: string) => text,
      headers: { 'Content-Type': 'text/csv' },
    }
    const taken = await answer(
      sheet === 'contacts'
        ? POST('/api/crm/import/contacts', options)
        : POST('/api/crm/import/donations', options),
    )
    return taken.data
  }

  return {
    byContact,
    load,
    refresh,
    addDonation,
    addNote,
    removeNote,
    addReminder,
    finishReminder,
    find,
    merge,
    undoMerge,
    importSheet,
  }
})
