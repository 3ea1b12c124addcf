/** Donors and the texts to answer them with, of the fake account. */
import { http, HttpResponse, type JsonBodyType } from 'msw'
import type { Donation, DonorNote, DonorProfile, DonorReminder, QuickReply } from '../src/api/types'
import type { FakeServer } from './fake-server'

const json = (body: unknown, status = 200) => HttpResponse.json(body as JsonBodyType, { status })
const NOW = '2026-03-01T09:00:00Z'

export const buildQuickReply = (given: Partial<QuickReply> = {}): QuickReply => ({
  id: 1,
  shortcut: 'thanks',
  title: 'Thank you',
  content: 'Thank you, {{first_name|friend}}!',
  variables: ['first_name'],
  created_at: NOW,
  updated_at: NOW,
  ...given,
})

const buildDonation = (given: Partial<Donation>): Donation => ({
  id: 1,
  contact_id: 1,
  amount: 250_000,
  refunded: 0,
  fee: 0,
  currency: 'IDR',
  currency_digits: 0,
  status: 'completed',
  counts: true,
  is_test: false,
  method: null,
  campaign: null,
  note: null,
  external_id: null,
  received_at: NOW,
  created_at: NOW,
  updated_at: NOW,
  ...given,
})

/** What was noted of one contact. */
class Donor {
  donations: Donation[] = [buildDonation({ campaign: 'Ramadan' })]
  notes: DonorNote[] = []
  reminders: DonorReminder[] = []

  profile(id: number, server: FakeServer): DonorProfile {
    const contact = [...server.data.conversations].find((row) => row.customer_id === id)?.customer
    const given = this.donations.reduce((sum, { amount }) => sum + amount, 0)
    return {
      success: true,
      whatsapp: null,
      donatur: {
        id,
        name: contact?.name ?? null,
        phone: contact?.phone ?? null,
        email: null,
        opted_out: false,
        custom_fields: {},
        donations: this.donations,
        notes: this.notes,
        reminders: this.reminders,
        created_at: NOW,
      },
      metrics: {
        lifetime_value: given,
        currency: 'IDR',
        currency_digits: 0,
        donation_count: this.donations.length,
        avg_donation: this.donations.length ? Math.round(given / this.donations.length) : null,
        last_donation: this.donations[0]?.received_at ?? null,
        first_donation: this.donations.at(-1)?.received_at ?? null,
        largest_donation: null,
        this_year: given,
        last_year: 0,
        days_since_last: 0,
        status: 'new',
        segment: 'New',
        engagement_score: 42,
        engagement_band: 'medium',
        totals: [],
        rate_missing: false,
      },
    }
  }
}

export function donorHandlers(server: FakeServer) {
  const donors = new Map<number, Donor>()
  let nextId = 100
  let texts = [
    buildQuickReply(),
    buildQuickReply({
      id: 2,
      shortcut: 'hours',
      title: 'Opening hours',
      content: 'We are open from 9 to 5.',
      variables: [],
    }),
  ]
  const idOf = (phone: unknown) => Number(decodeURIComponent(String(phone)).replace('id:', ''))
  const of = (id: number) => {
    const donor = donors.get(id) ?? new Donor()
    donors.set(id, donor)
    return donor
  }
  const all = () => [...donors.values()]

  return [
    http.get('*/api/crm/contacts', ({ request }) => {
      const words = new URL(request.url).searchParams.get('q')?.toLowerCase() ?? ''
      const people = new Map(
        server.data.conversations.map((row) => [row.customer_id, row.customer] as const),
      )
      const rows = [...people].flatMap(([id, { name, phone }]) => {
        const noted = of(id).notes.map(({ note }) => note)
        const text = [name, phone, ...noted].join(' ').toLowerCase()
        if (!text.includes(words)) return []
        const { metrics } = of(id).profile(id, server)
        return [{ id, name, phone, email: null, created_at: NOW, metrics }]
      })
      return json({ success: true, data: rows, next_cursor: null })
    }),
    http.post('*/api/crm/contacts/merge', async ({ request }) => {
      const { keep, merge } = (await request.json()) as { keep: string; merge: string }
      const [winner, loser] = [idOf(keep), idOf(merge)]
      of(winner).donations.push(...of(loser).donations)
      const merged = {
        id: nextId++,
        contact_id: winner,
        merged_id: loser,
        merged_name: null,
        merged_by: server.me?.id ?? null,
        created_at: NOW,
        undo_until: NOW,
        undone_at: null,
      }
      return json({ success: true, data: merged }, 201)
    }),
    http.post('*/api/crm/merges/:id/undo', ({ params }) =>
      json({ success: true, data: { id: Number(params.id) } }),
    ),
    http.post('*/api/crm/import/:sheet', async ({ request }) => {
      const lines = (await request.text()).trim().split('\n').slice(1)
      const wrong = lines.flatMap((line, index) =>
        line.startsWith('+') ? [] : [{ line: index + 2, field: 'phone', message: 'No number.' }],
      )
      const created = lines.length - wrong.length
      const report = {
        dry_run: new URL(request.url).searchParams.get('dry_run') === 'true',
        synced: created,
        created,
        updated: 0,
        skipped: 0,
        errors: wrong.length,
        errorMessages: wrong,
      }
      return json({ success: true, data: report })
    }),
    http.get('*/api/crm/contacts/:phone', ({ params }) => {
      const id = idOf(params.phone)
      return json(of(id).profile(id, server))
    }),
    http.post('*/api/crm/contacts/:phone/donations', async ({ params, request }) => {
      const { amount } = (await request.json()) as { amount: number }
      const donation = buildDonation({ id: nextId++, amount })
      of(idOf(params.phone)).donations.unshift(donation)
      return json({ success: true, data: donation }, 201)
    }),
    http.post('*/api/crm/contacts/:phone/notes', async ({ params, request }) => {
      const { note } = (await request.json()) as { note: string }
      const row: DonorNote = {
        id: nextId++,
        contact_id: idOf(params.phone),
        note,
        pinned: false,
        author: server.me?.name ?? '',
        author_id: server.me?.id ?? null,
        created_at: NOW,
        updated_at: NOW,
      }
      of(row.contact_id).notes.unshift(row)
      return json({ success: true, data: row }, 201)
    }),
    http.delete('*/api/crm/notes/:id', ({ params }) => {
      for (const donor of all())
        donor.notes = donor.notes.filter(({ id }) => id !== Number(params.id))
      return json({ success: true, data: { id: Number(params.id), deleted: true } })
    }),
    http.post('*/api/crm/contacts/:phone/reminders', async ({ params, request }) => {
      const { text, due_at, repeat } = (await request.json()) as DonorReminder
      const row: DonorReminder = {
        id: nextId++,
        contact_id: idOf(params.phone),
        text,
        due_at,
        time_zone: 'UTC',
        repeat,
        assignee_id: null,
        next_at: due_at,
        fired_at: null,
        was_due: false,
        done_at: null,
        created_at: NOW,
      }
      of(row.contact_id).reminders.push(row)
      return json({ success: true, data: row }, 201)
    }),
    http.post('*/api/crm/reminders/:id/done', ({ params }) => {
      for (const donor of all())
        donor.reminders = donor.reminders.filter(({ id }) => id !== Number(params.id))
      return json({ success: true, data: {} })
    }),
    http.get('*/api/crm/quick-replies', () => json({ success: true, data: texts })),
    http.post('*/api/crm/quick-replies', async ({ request }) => {
      const given = (await request.json()) as QuickReply
      const row = buildQuickReply({ ...given, id: nextId++ })
      texts = [...texts, row]
      return json({ success: true, data: row }, 201)
    }),
    http.delete('*/api/crm/quick-replies/:id', ({ params }) => {
      texts = texts.filter(({ id }) => id !== Number(params.id))
      return json({ success: true, data: { id: Number(params.id), deleted: true } })
    }),
    http.post('*/api/crm/quick-replies/:id/preview', ({ params }) => {
      const text = texts.find(({ id }) => id === Number(params.id))
      const content = text?.content.replaceAll(/\{\{[^|}]+\|([^}]*)\}\}/g, '$1') ?? ''
      return json({ success: true, data: { content } })
    }),
  ]
}
