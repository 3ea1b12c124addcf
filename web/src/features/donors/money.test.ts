import { describe, expect, it } from 'vitest'
import { formatMoney, parseMoney } from './money'

describe('money', () => {
  it('is shown in units with the digits of its currency', () => {
    expect(formatMoney(250_000, 'IDR', 0, 'en')).toBe('IDR\u00a0250,000')
    expect(formatMoney(1_250, 'BRL', 2, 'en')).toBe('R$12.50')
  })

  it('is read with either decimal mark, and with thousands', () => {
    for (const text of ['250000', '250.000', '250,000', ' 250 000 '])
      expect(parseMoney(text, 0), text).toBe(250_000)
    for (const text of ['1250', '1,250', '1.250', '1250.00', '1.250,00', '1,250.0'])
      expect(parseMoney(text, 2), text).toBe(125_000)
    expect(parseMoney('12.5', 2)).toBe(1_250)
  })

  it('is nothing when it is no amount', () => {
    for (const text of ['', '0', '-5', 'abc', '1.2.3', '12,5', '1e3'])
      expect(parseMoney(text, 0), text).toBeNull()
  })
})
