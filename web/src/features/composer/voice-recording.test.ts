import { expect, it } from 'vitest'
import { INSTAGRAM, MESSENGER, WHATSAPP } from '../../../mocks/builders'
import { recordingType, voiceFile } from './voice-recording'

const firefox = (type: string) => type.startsWith('audio/ogg') || type.startsWith('audio/webm')
const safari = (type: string) => type.startsWith('audio/mp4')
const chromium = (type: string) => type === 'audio/webm;codecs=opus'
const anything = [{ kind: 'voice' as const, mime_types: [], max_bytes: 25_000_000 }]

it('records what both the browser and the channel know', () => {
  expect(recordingType(WHATSAPP.attachments, firefox)).toBe('audio/ogg;codecs=opus')
  expect(recordingType(WHATSAPP.attachments, safari)).toBe('audio/mp4;codecs=mp4a.40.2')
  expect(recordingType(anything, firefox)).toBe('audio/ogg;codecs=opus')
})

it('offers nothing where the two do not meet, or there is no microphone', () => {
  expect(recordingType(WHATSAPP.attachments, chromium)).toBeNull()
  expect(recordingType(INSTAGRAM.attachments, firefox)).toBeNull()
  expect(recordingType(anything, chromium)).toBeNull()
  expect(recordingType(MESSENGER.attachments)).toBeNull()
})

it('names the file after what is in it', () => {
  const file = voiceFile([new Blob(['x'])], 'audio/mp4;codecs=mp4a.40.2')
  expect([file.name, file.type]).toEqual(['voice.m4a', 'audio/mp4'])
})
