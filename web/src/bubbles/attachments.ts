import type { Attachment, Message } from '@/api/types'

/** The attachments of a message; one given only by its URL counts as ready. */
export function attachmentsOf(message: Message): Attachment[] {
  if (message.attachments.length > 0 || !message.media_url) return message.attachments
  return [
    {
      id: 0,
      kind: 'document',
      url: message.media_url,
      mime_type: message.media_type,
      file_name: null,
      size_bytes: null,
      state: 'ready',
      error: null,
    },
  ]
}

/** True when there is something to show. */
export function isReady(attachment: Attachment): attachment is Attachment & { url: string } {
  return attachment.state === 'ready' && attachment.url !== null
}
