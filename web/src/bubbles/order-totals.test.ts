import { expect, it } from 'vitest'
import { orderTotals } from './order-totals'

it('adds up per currency and never across', () => {
  expect(
    orderTotals([
      { id: 'a', quantity: 3, price: 50000, currency: 'IDR' },
      { id: 'b', quantity: 1, price: 9.5, currency: 'BRL' },
      { id: 'c', quantity: 1, price: 75000, currency: 'IDR' },
      { id: 'd', quantity: 1, price: null, currency: '' },
    ]),
  ).toEqual([
    { currency: 'IDR', amount: 225000 },
    { currency: 'BRL', amount: 9.5 },
  ])
})
