import type { Reply } from '@/api/types'

export interface PlaceFields {
  latitude: string
  longitude: string
  name: string
  address: string
}

/** A coordinate as people write it, with a point or a comma; null when it is none. */
export function coordinate(text: string, limit: 90 | 180): number | null {
  const value = Number(text.trim().replace(',', '.'))
  return text.trim() !== '' && Math.abs(value) <= limit ? value : null
}

/** The reply that sends a place; null while a coordinate is missing or wrong. */
export function locationReply(fields: PlaceFields): Reply | null {
  const latitude = coordinate(fields.latitude, 90)
  const longitude = coordinate(fields.longitude, 180)
  if (latitude === null || longitude === null) return null
  const name = fields.name.trim()
  const address = fields.address.trim()
  return {
    type: 'location',
    location: { latitude, longitude, ...(name ? { name } : {}), ...(address ? { address } : {}) },
  }
}
