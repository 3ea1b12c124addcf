import { expect, it } from 'vitest'
import { templateReply } from './template-reply'

it('fills the body’s placeholders in order', () => {
  expect(templateReply(' order_update ', 'id', ['Sari', ' 3 '])).toEqual({
    type: 'template',
    template: {
      name: 'order_update',
      language: 'id',
      components: [
        {
          type: 'body',
          parameters: [
            { type: 'text', text: 'Sari' },
            { type: 'text', text: '3' },
          ],
        },
      ],
    },
  })
})

it('has no components without variables', () => {
  expect(templateReply('hello', 'en', []).template).toEqual({ name: 'hello', language: 'en' })
})
