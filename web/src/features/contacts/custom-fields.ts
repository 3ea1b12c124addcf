/** What is noted about a contact beside name and address, by people here and by other programs. */
import type { Contact } from '@/api/types'

/** What stands on the card. */
export interface FieldRow {
  /** Its name in the API. */
  key: string
  label: string
  value: string
}

/** What another program says is that program's to change. */
const FOREIGN = 'chatwoot_'
/** The picture is shown as a picture. */
const HIDDEN = new Set(['chatwoot_thumbnail'])

type Scalar = string | number | boolean
const isScalar = (value: unknown): value is Scalar =>
  ['string', 'number', 'boolean'].includes(typeof value)
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const labelOf = (key: string) => {
  const words = key.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** All that can be read on one line; what stands within another program's attributes by its own name. */
export function fieldRows(fields: Contact['custom_fields']): FieldRow[] {
  return Object.entries(fields).flatMap(([key, value]) => {
    if (HIDDEN.has(key)) return []
    const inner = isObject(value) ? Object.entries(value) : [[key, value] as const]
    return inner
      .filter((entry): entry is [string, Scalar] => isScalar(entry[1]) && entry[1] !== '')
      .map(([name, shown]) => ({
        key: name === key ? key : `${key}.${name}`,
        label: labelOf(name),
        value: String(shown),
      }))
  })
}

/** A field that people here may change. */
export interface EditedField {
  key: string
  value: string
}

export function editableFields(fields: Contact['custom_fields']): EditedField[] {
  return Object.entries(fields)
    .filter((entry): entry is [string, Scalar] => isScalar(entry[1]))
    .filter(([key]) => !key.startsWith(FOREIGN))
    .map(([key, value]) => ({ key, value: String(value) }))
}

/** The name of a new field as the API takes it: "Next visit" is `next_visit`. */
export const fieldKey = (name: string) =>
  name
    .normalize('NFD')
    .toLowerCase()
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')

/** Whether a field of this name can be added. */
export function isFree(key: string, before: Contact['custom_fields'], fields: EditedField[]) {
  const isOurs = editableFields(before).some((field) => field.key === key)
  const isTaken = fields.some((field) => field.key === key) || (key in before && !isOurs)
  return key !== '' && !isTaken && !key.startsWith(FOREIGN)
}

/** What changed: new values, and null for what was taken away. Numbers stay numbers. */
export function fieldChanges(
  before: Contact['custom_fields'],
  after: EditedField[],
): Record<string, Scalar | null> {
  const changes: Record<string, Scalar | null> = {}
  const kept = new Map(after.map(({ key, value }) => [key, value.trim().normalize('NFC')]))
  for (const { key, value } of editableFields(before)) {
    if (!kept.get(key)) changes[key] = null
    else if (kept.get(key) !== value) changes[key] = typed(kept.get(key)!, before[key])
  }
  for (const [key, value] of kept) {
    if (value && !(key in before)) changes[key] = value
  }
  return changes
}

function typed(value: string, before: unknown): Scalar {
  if (typeof before === 'number' && value !== '' && Number.isFinite(Number(value)))
    return Number(value)
  if (typeof before === 'boolean' && (value === 'true' || value === 'false'))
    return value === 'true'
  return value
}
