/** The approved templates of the fake account. */
import { http, HttpResponse } from 'msw'
import type { Template } from '../src/api/types'

const variable = (name: string, example = '') => ({ name, example })
const template = (given: Partial<Template> & Pick<Template, 'name' | 'body'>): Template => ({
  language: 'en',
  category: 'UTILITY',
  header: null,
  footer: null,
  buttons: [],
  named: false,
  complete: true,
  ...given,
})

export const TEMPLATES: Template[] = [
  template({
    name: 'appointment_reminder',
    named: true,
    body: {
      text: 'Dear {{customer_name}}, we expect you on {{day}}.',
      variables: [variable('customer_name', 'Sari'), variable('day', 'Monday')],
    },
  }),
  template({
    name: 'certificate_ready',
    language: 'id',
    header: { kind: 'text', text: { text: 'Sertifikat', variables: [] } },
    body: {
      text: 'Halo {{1}}, sertifikat Anda siap: {{2}}',
      variables: [variable('1', 'Sari'), variable('2')],
    },
    footer: 'Yayasan Hijau',
    buttons: [{ title: 'Terima kasih', url: null }],
  }),
  template({
    name: 'new_catalogue',
    category: 'MARKETING',
    complete: false,
    body: { text: 'See what is new', variables: [] },
  }),
  template({
    name: 'photo_offer',
    category: 'MARKETING',
    header: { kind: 'image', text: null },
    body: { text: 'New this week: {{1}}', variables: [variable('1')] },
    buttons: [
      {
        title: 'See',
        url: { text: 'https://example.com/{{1}}', variables: [variable('1')] },
      },
    ],
  }),
]

export const templateHandlers = () => [
  http.get('*/api/v1/inboxes/:id/templates', () => HttpResponse.json({ data: TEMPLATES })),
]
