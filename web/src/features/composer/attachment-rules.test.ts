import { describe, expect, it } from 'vitest'
import { INSTAGRAM, MESSENGER, WHATSAPP } from '../../../mocks/builders'
import { acceptedTypes, checkFile } from './attachment-rules'

const MIB = 1024 * 1024

describe('checkFile', () => {
  it('takes a fitting file as the kind of its rule', () => {
    expect(checkFile({ type: 'image/png', size: MIB }, WHATSAPP.attachments)).toEqual({
      ok: true,
      kind: 'image',
    })
    expect(checkFile({ type: 'audio/ogg; codecs=opus', size: 9 }, WHATSAPP.attachments)).toEqual({
      ok: true,
      kind: 'audio',
    })
  })

  it('refuses a type no rule names', () => {
    expect(checkFile({ type: 'application/pdf', size: 9 }, INSTAGRAM.attachments)).toEqual({
      ok: false,
      reason: 'type',
    })
    expect(checkFile({ type: 'image/png', size: 9 }, [])).toEqual({ ok: false, reason: 'type' })
  })

  it('refuses what is too large and names the limit', () => {
    expect(checkFile({ type: 'image/jpeg', size: 6 * MIB }, WHATSAPP.attachments)).toEqual({
      ok: false,
      reason: 'size',
      maxBytes: 5 * MIB,
    })
  })

  it('falls back to a wider rule: a large picture goes as a document', () => {
    expect(checkFile({ type: 'image/png', size: 20 * MIB }, MESSENGER.attachments)).toEqual({
      ok: true,
      kind: 'document',
    })
  })

  it('takes any type where the channel names none', () => {
    const rules = [{ kind: 'document' as const, mime_types: [], max_bytes: 10 }]
    expect(checkFile({ type: 'x/y', size: 9 }, rules)).toEqual({ ok: true, kind: 'document' })
    expect(acceptedTypes(rules)).toBe('')
  })

  it('treats a file without a type as bytes', () => {
    expect(checkFile({ type: '', size: 9 }, MESSENGER.attachments)).toEqual({
      ok: true,
      kind: 'document',
    })
    expect(checkFile({ type: '', size: 9 }, WHATSAPP.attachments)).toEqual({
      ok: false,
      reason: 'type',
    })
  })
})

it('acceptedTypes lists each type once', () => {
  expect(acceptedTypes(MESSENGER.attachments)).toBe('image/*,*/*')
})
