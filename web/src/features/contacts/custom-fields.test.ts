import { expect, test } from 'vitest'
import { editableFields, fieldChanges, fieldKey, fieldRows, isFree } from './custom-fields'

const FIELDS = {
  chatwoot_id: 77,
  chatwoot_thumbnail: 'https://cw.test/ana.png',
  chatwoot_additional_attributes: { city: 'Recife', tags: ['a'] },
  next_visit: '2026-12-01',
  visits: 3,
  vip: true,
}

test('everything that fits on a line is shown by its name, and the picture is none of it', () => {
  expect(fieldRows(FIELDS)).toEqual([
    { key: 'chatwoot_id', label: 'Chatwoot id', value: '77' },
    { key: 'chatwoot_additional_attributes.city', label: 'City', value: 'Recife' },
    { key: 'next_visit', label: 'Next visit', value: '2026-12-01' },
    { key: 'visits', label: 'Visits', value: '3' },
    { key: 'vip', label: 'Vip', value: 'true' },
  ])
})

test('what another program says cannot be edited', () => {
  expect(editableFields(FIELDS).map(({ key }) => key)).toEqual(['next_visit', 'visits', 'vip'])
})

test('only what changed is sent: numbers as numbers, what was emptied or removed as null', () => {
  expect(fieldChanges(FIELDS, editableFields(FIELDS))).toEqual({})
  const after = [
    { key: 'next_visit', value: ' ' },
    { key: 'visits', value: '4' },
    { key: 'city', value: ' Olinda ' },
  ]
  expect(fieldChanges(FIELDS, after)).toEqual({
    next_visit: null,
    visits: 4,
    vip: null,
    city: 'Olinda',
  })
})

test('a field is called as the API takes it', () => {
  expect(fieldKey(' Próxima visita (2026)! ')).toBe('proxima_visita_2026')
})

test('a field that was taken away can be added again, and another program’s never', () => {
  const fields = editableFields(FIELDS)
  expect(isFree('vip', FIELDS, fields)).toBe(false)
  expect(
    isFree(
      'vip',
      FIELDS,
      fields.filter(({ key }) => key !== 'vip'),
    ),
  ).toBe(true)
  for (const key of ['', 'chatwoot_id', 'chatwoot_new']) {
    expect(isFree(key, FIELDS, fields)).toBe(false)
  }
})
