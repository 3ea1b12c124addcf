import { expect, it } from 'vitest'
import { interactiveOptions } from './interactive-options'

it('reads buttons and list rows, not section titles', () => {
  expect(
    interactiveOptions({
      action: {
        buttons: [{ reply: { id: '1', title: 'Yes' } }, { reply: { id: '2', title: 'No' } }],
      },
    }),
  ).toEqual(['Yes', 'No'])
  expect(
    interactiveOptions({
      action: { sections: [{ title: 'Regions', rows: [{ id: 'b', title: 'Bali' }] }] },
    }),
  ).toEqual(['Bali'])
  expect(interactiveOptions(undefined)).toEqual([])
})
