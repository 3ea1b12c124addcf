/** In which format this browser can record what a channel takes. */
import type { Capabilities } from '@/api/types'
import { checkFile } from './attachment-rules'

/**
 * The best first. Only what networks play: not WebM, which none of them names, nor MP4 with Opus in it, which is what
 * Chromium makes of a bare `audio/mp4`.
 */
const FORMATS = ['audio/ogg;codecs=opus', 'audio/mp4;codecs=mp4a.40.2']

const ENDINGS: Record<string, string> = { ogg: 'ogg', mp4: 'm4a' }

/** Null where nothing fits, or the page may not use a microphone (no HTTPS, an old browser). */
export function recordingType(
  rules: Capabilities['attachments'],
  canRecord: (type: string) => boolean = browserCanRecord,
): string | null {
  return FORMATS.find((type) => checkFile({ type, size: 1 }, rules).ok && canRecord(type)) ?? null
}

/** A recording as a file. */
export function voiceFile(parts: Blob[], type: string): File {
  const plain = type.split(';')[0] ?? type
  const ending = ENDINGS[plain.split('/')[1] ?? ''] ?? 'bin'
  return new File(parts, `voice.${ending}`, { type: plain })
}

function browserCanRecord(type: string): boolean {
  return (
    typeof MediaRecorder !== 'undefined' &&
    typeof navigator.mediaDevices?.getUserMedia === 'function' &&
    MediaRecorder.isTypeSupported(type)
  )
}
