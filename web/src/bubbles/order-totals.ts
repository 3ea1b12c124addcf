import type { Payload } from '@/api/types'

type OrderItem = NonNullable<Payload['order']>['items'][number]

/** Sum per currency; amounts of different currencies are never added up. */
export function orderTotals(items: OrderItem[]): { currency: string; amount: number }[] {
  const sums = new Map<string, number>()
  for (const { price, currency, quantity } of items) {
    if (typeof price !== 'number' || !currency) continue
    sums.set(currency, (sums.get(currency) ?? 0) + price * quantity)
  }
  return [...sums].map(([currency, amount]) => ({ currency, amount }))
}
