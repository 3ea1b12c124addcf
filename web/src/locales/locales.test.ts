import { describe, expect, it } from 'vitest'
import en from './en'
import id from './id'
import { i18n } from './i18n'
import { defaultLanguage, directionOf } from './languages'
import officeEn from './office/en'
import officeId from './office/id'
import officePtBR from './office/pt-BR'
import ptBR from './pt-BR'

function flatten(tree: object, path = ''): Record<string, string> {
  return Object.entries(tree).reduce<Record<string, string>>(
    (flat, [key, value]) =>
      typeof value === 'string'
        ? { ...flat, [path + key]: value }
        : { ...flat, ...flatten(value as object, `${path}${key}.`) },
    {},
  )
}
const placeholders = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort()
const source = flatten({ ...en, ...officeEn })

describe.each([
  ['pt-BR', { ...ptBR, ...officePtBR }],
  ['id', { ...id, ...officeId }],
])('%s', (_tag, messages) => {
  const translated = flatten(messages)

  it('has the same keys', () => {
    expect(Object.keys(translated).sort()).toEqual(Object.keys(source).sort())
  })

  it('has the same placeholders and plural forms', () => {
    for (const [key, text] of Object.entries(source)) {
      expect(placeholders(translated[key]!), key).toEqual(placeholders(text))
      expect(translated[key]!.split(' | ').length, key).toBe(text.split(' | ').length)
    }
  })
})

i18n.global.mergeLocaleMessage('en', officeEn)

it('counts in words', () => {
  const { t } = i18n.global
  expect(t('composer.left', 1)).toBe('1 character left')
  expect(t('composer.left', 3)).toBe('3 characters left')
})

it('every text compiles: no stray @, | or brace', () => {
  for (const key of Object.keys(source)) expect(() => i18n.global.t(key, {}), key).not.toThrow()
})

it('chooses the nearest language the browser asks for', () => {
  expect(defaultLanguage(['pt-PT', 'en'])).toBe('pt-BR')
  expect(defaultLanguage(['xx', 'id-ID'])).toBe('id')
  expect(defaultLanguage(['fr'])).toBe('en')
  expect(directionOf('ar-EG')).toBe('rtl')
  expect(directionOf('id')).toBe('ltr')
})
