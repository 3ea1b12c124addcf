import type { Customer } from '@/api/types'

/** What to call a customer: name, else phone or e-mail. */
export function customerName(customer: Customer, unknown: string): string {
  return customer.name?.trim() || customer.phone || customer.email || unknown
}
