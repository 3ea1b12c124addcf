import { expect, it } from 'vitest'
import { coordinate, locationReply } from './location-reply'

it('reads coordinates with a point or a comma, and nothing beyond the globe', () => {
  expect(coordinate(' -6,2 ', 90)).toBe(-6.2)
  expect(coordinate('106.8', 180)).toBe(106.8)
  for (const wrong of ['', 'north', '91', '-90.1']) expect(coordinate(wrong, 90)).toBeNull()
})

it('sends a place with the words that were given', () => {
  const place = { latitude: '-6.2', longitude: '106.8', name: ' Kopi Senja ', address: '' }
  expect(locationReply(place)).toEqual({
    type: 'location',
    location: { latitude: -6.2, longitude: 106.8, name: 'Kopi Senja' },
  })
  expect(locationReply({ ...place, longitude: '200' })).toBeNull()
})
