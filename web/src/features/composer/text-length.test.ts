import { expect, it } from 'vitest'
import { textLength } from './text-length'

it('counts characters as the server does: an emoji outside the BMP is one', () => {
  expect(textLength('a😀ü', { count: 10, unit: 'characters' })).toMatchObject({
    used: 3,
    left: 7,
    over: false,
  })
})

it('counts bytes where the channel does', () => {
  expect(textLength('a😀ü', { count: 6, unit: 'bytes' })).toMatchObject({
    used: 7,
    left: -1,
    over: true,
  })
})

it('speaks up only near the limit', () => {
  expect(textLength('x'.repeat(80), { count: 100, unit: 'characters' }).near).toBe(false)
  expect(textLength('x'.repeat(90), { count: 100, unit: 'characters' }).near).toBe(true)
})
