/** Whether a channel takes a file, and as what. */
import type { AttachmentKind, Capabilities } from '@/api/types'

export type FileCheck =
  | { ok: true; kind: AttachmentKind }
  | { ok: false; reason: 'type' }
  | { ok: false; reason: 'size'; maxBytes: number }

type Rule = Capabilities['attachments'][number]

/** The first rule that takes type and size wins; a type may be `image/png`, `image/*` or a star for both parts. */
export function checkFile(file: Pick<File, 'type' | 'size'>, rules: Rule[]): FileCheck {
  const matching = rules.filter((rule) => takesType(rule, file.type))
  const fitting = matching.find((rule) => file.size <= rule.max_bytes)
  if (fitting) return { ok: true, kind: fitting.kind }
  if (matching.length === 0) return { ok: false, reason: 'type' }
  return {
    ok: false,
    reason: 'size',
    maxBytes: Math.max(...matching.map((rule) => rule.max_bytes)),
  }
}

/** For the `accept` attribute of the file chooser; nothing when any file goes. */
export function acceptedTypes(rules: Rule[]): string {
  if (rules.some((rule) => rule.mime_types.length === 0)) return ''
  return [...new Set(rules.flatMap((rule) => rule.mime_types))].join(',')
}

function takesType(rule: Rule, type: string): boolean {
  return rule.mime_types.length === 0 || rule.mime_types.some((wanted) => matches(type, wanted))
}

function matches(type: string, pattern: string): boolean {
  const actual = (type.split(';')[0] ?? '').trim().toLowerCase() || 'application/octet-stream'
  const wanted = pattern.toLowerCase()
  if (wanted === '*/*' || wanted === actual) return true
  return wanted.endsWith('/*') && actual.startsWith(wanted.slice(0, -1))
}
