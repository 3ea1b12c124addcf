import { expect, it } from 'vitest'
import { initialsOf } from './initials'

it.each([
  ['Sari Dewi', 'SD'],
  ['João Pereira da Conceição', 'JC'],
  ['Rina', 'R'],
  ['Putri 🌸 Ayuningtyas', 'PA'],
  ['مريم العلي', 'ما'],
  ['👩‍👩‍👧', '👩‍👩‍👧'],
  ['+62 812', '68'],
  ['', '?'],
])('%s → %s', (name, initials) => expect(initialsOf(name)).toBe(initials))
