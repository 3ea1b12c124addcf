/** Amounts: whole minor units on the wire, units of the currency on screen. */

/** An amount for people, with as many digits as its currency has here. */
export function formatMoney(
  minor: number,
  currency: string,
  digits: number,
  locale: string,
): string {
  return new Intl.NumberFormat(locale, {
    style: 'currency',
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(minor / 10 ** digits)
}

/** What somebody typed, in minor units; null for what is no amount above nothing. */
export function parseMoney(text: string, digits: number): number | null {
  const plain = text.trim().replaceAll(/[\s ]/g, '')
  // A single mark with at most as many digits behind it as the currency has is the decimal one, all others group thousands.
  const decimal = new RegExp(`^(.*)[.,](\\d{1,${Math.max(1, digits)}})$`).exec(plain)
  const [whole, part] = digits > 0 && decimal ? [decimal[1] ?? '', decimal[2] ?? ''] : [plain, '']
  if (!/^\d{1,3}([.,]?\d{3})*$|^\d+$/.test(whole)) return null
  const minor =
    Number(whole.replaceAll(/[.,]/g, '')) * 10 ** digits + Number(part.padEnd(digits, '0') || 0)
  return Number.isSafeInteger(minor) && minor > 0 ? minor : null
}
