import { expect, it } from 'vitest'
import { safeHref, splitLinks } from './rich-text'

it('finds links and leaves the punctuation around them', () => {
  expect(splitLinks('See https://example.org/a?b=1, or www.example.org.')).toEqual([
    { text: 'See ', href: null },
    { text: 'https://example.org/a?b=1', href: 'https://example.org/a?b=1' },
    { text: ', or ', href: null },
    { text: 'www.example.org', href: 'https://www.example.org' },
    { text: '.', href: null },
  ])
  expect(splitLinks('wayan@example.org')).toEqual([
    { text: 'wayan@example.org', href: 'mailto:wayan@example.org' },
  ])
})

it('loses nothing', () => {
  for (const text of [
    '',
    'plain',
    'a\nb',
    'http://x',
    '((https://example.org))',
    '🙂 www.a.b 🙂',
  ]) {
    expect(
      splitLinks(text)
        .map((part) => part.text)
        .join(''),
    ).toBe(text)
  }
})

it('safeHref takes web addresses only', () => {
  expect(safeHref('https://example.org')).toBe('https://example.org')
  for (const url of ['javascript:alert(1)', 'data:text/html,x', '//example.org', '', null]) {
    expect(safeHref(url)).toBeNull()
  }
})
