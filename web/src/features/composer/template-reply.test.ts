import { expect, it } from 'vitest'
import type { Template } from '@/api/types'
import { blanksOf, filledReply, filledText, searchTemplates } from './template-reply'

const variable = (name: string) => ({ name, example: '' })
const template: Template = {
  name: 'order_update',
  language: 'id',
  category: 'UTILITY',
  header: null,
  body: { text: 'Halo {{1}}, pesanan {{2}} dikirim.', variables: [variable('1'), variable('2')] },
  footer: null,
  buttons: [],
  named: false,
  complete: true,
}

it('fills the places of the body in order, each on one line', () => {
  expect(filledReply(template, { 'body.1': ' Sari ', 'body.2': 'A\n 3' })).toEqual({
    type: 'template',
    template: {
      name: 'order_update',
      language: 'id',
      components: [
        {
          type: 'body',
          parameters: [
            { type: 'text', text: 'Sari' },
            { type: 'text', text: 'A 3' },
          ],
        },
      ],
    },
  })
})

it('has no components where there is nothing to fill in', () => {
  const plain = { ...template, body: { text: 'Hello', variables: [] } }
  expect(filledReply(plain, {}).template).toEqual({ name: 'order_update', language: 'id' })
})

it('names parameters, gives files by address and completes links', () => {
  const rich: Template = {
    ...template,
    named: true,
    header: { kind: 'image', text: null },
    body: { text: 'Dear {{name}}', variables: [variable('name')] },
    buttons: [
      { title: 'Stop', url: null },
      { title: 'See', url: { text: 'https://example.com/{{1}}', variables: [variable('1')] } },
    ],
  }
  expect(blanksOf(rich).map(({ key }) => key)).toEqual(['file', 'body.name', 'button1.1'])
  const values = { file: 'https://x.example/a.jpg', 'body.name': 'Sari', 'button1.1': 'tea' }
  expect(filledReply(rich, values).template?.components).toEqual([
    {
      type: 'header',
      parameters: [{ type: 'image', image: { link: 'https://x.example/a.jpg' } }],
    },
    { type: 'body', parameters: [{ type: 'text', text: 'Sari', parameter_name: 'name' }] },
    {
      type: 'button',
      sub_type: 'url',
      index: '1',
      parameters: [{ type: 'text', text: 'tea' }],
    },
  ])
})

it('shows what is not filled in yet as a place', () => {
  expect(filledText(template.body.text, 'body', { 'body.1': 'Sari' })).toBe(
    'Halo Sari, pesanan {{2}} dikirim.',
  )
})

it('is found by any words of its name and text, without accents', () => {
  const other = { ...template, name: 'lembrete', body: { text: 'Amanhã às 9', variables: [] } }
  expect(searchTemplates([template, other], 'order pesanan')).toEqual([template])
  expect(searchTemplates([template, other], 'amanha')).toEqual([other])
  expect(searchTemplates([template, other], '')).toHaveLength(2)
})
