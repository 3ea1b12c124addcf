import { expect, it } from 'vitest'
import { fieldChoices } from './field-choices'

it('takes a list of words for a choice, and nothing else', () => {
  expect(fieldChoices('^(webhook|polling)$')).toEqual(['webhook', 'polling'])
  for (const pattern of [null, '', '^[0-9]{1,5}$', '^(one)$', '^(a|b)', '^(a|b+)$']) {
    expect(fieldChoices(pattern)).toBeNull()
  }
})
