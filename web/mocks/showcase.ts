/** One conversation with every kind of message in every state, for looking at and for axe. */
import type { Attachment, Message } from '@/api/types'
import { buildAttachment, buildMessage } from './builders'
import { picture, tone } from './media'

type Given = Partial<Message>

/** Messages for conversation `conversationId`, ending at `endMs`, ids from `firstId`. */
export function showcase(conversationId: number, firstId: number, endMs: number): Message[] {
  const file = (kind: Attachment['kind'], given: Partial<Attachment>) => [
    buildAttachment(kind, { id: firstId + 5000 + counter++, ...given }),
  ]
  let counter = 0
  const list: Given[] = [
    {
      kind: 'referral',
      content: 'Hi! I saw your advert 🌱',
      payload: {
        referral: {
          source: 'ad',
          source_id: null,
          reference: null,
          headline: 'Plant a tree for IDR 50.000',
          body: 'Every tree is photographed and mapped.',
          url: 'https://example.org/trees',
        },
      },
    },
    { content: 'How many trees have been planted this year? More at https://example.org/report.' },
    {
      direction: 'outbound',
      status: 'read',
      content: 'Hello! 12.480 trees so far. Would you like the list per village?',
    },
    {
      kind: 'button_reply',
      content: 'Yes, please',
      payload: { reply: { id: 'yes', title: 'Yes, please' } },
    },
    {
      direction: 'outbound',
      status: 'delivered',
      kind: 'interactive',
      content: 'Which region?',
      payload: {
        interactive: {
          body: 'Which region?',
          buttons: [
            { id: 'a', title: 'West Java' },
            { id: 'b', title: 'Bali' },
          ],
        },
      },
    },
    {
      kind: 'list_reply',
      content: 'Bali',
      payload: { reply: { id: 'b', title: 'Bali', description: 'Northern slopes' } },
    },
    {
      kind: 'image',
      content: 'This is the place 📍',
      attachments: file('image', {
        url: picture(150, 'Buleleng'),
        mime_type: 'image/svg+xml',
        file_name: 'buleleng.svg',
        size_bytes: 2048,
      }),
      reactions: [
        { emoji: '❤️', sender_type: 'admin', sender_name: 'Ayu Lestari', status: 'read' },
      ],
    },
    { kind: 'image', content: null, attachments: file('image', { state: 'pending' }) },
    {
      kind: 'image',
      content: null,
      attachments: file('image', { state: 'failed', error: 'the provider no longer has it' }),
    },
    {
      kind: 'video',
      content: null,
      attachments: file('video', { state: 'too_large', size_bytes: 200_000_000 }),
    },
    {
      kind: 'voice',
      content: null,
      attachments: file('voice', { url: tone(7), mime_type: 'audio/wav', size_bytes: 56_000 }),
    },
    {
      kind: 'audio',
      content: null,
      attachments: file('audio', {
        url: tone(3),
        mime_type: 'audio/wav',
        file_name: 'jingle-final-v2.wav',
        size_bytes: 24_000,
      }),
    },
    {
      kind: 'document',
      content: 'The signed form',
      attachments: file('document', {
        url: 'data:application/pdf,',
        mime_type: 'application/pdf',
        file_name: 'Donation agreement 2024 (signed, both parties).pdf',
        size_bytes: 482_133,
      }),
    },
    {
      kind: 'sticker',
      content: null,
      attachments: file('sticker', { url: picture(280, '✨'), mime_type: 'image/svg+xml' }),
    },
    {
      kind: 'location',
      content: null,
      payload: {
        location: {
          latitude: -8.11,
          longitude: 115.088,
          name: 'Pura Beji',
          address: 'Sangsit, Buleleng, Bali',
        },
      },
    },
    {
      kind: 'contacts',
      content: null,
      payload: {
        contacts: [
          {
            name: 'Pak Wayan',
            phones: [{ value: '+62 812-3456-7890', label: 'CELL' }],
            emails: [{ value: 'wayan@example.org' }],
          },
        ],
      },
    },
    {
      kind: 'flow_reply',
      content: 'Form',
      payload: { response: { flow_token: 'x', full_name: 'Sari Dewi', newsletter: true } },
    },
    {
      kind: 'order',
      content: 'Please wrap as a gift',
      payload: {
        order: {
          catalog_id: '1',
          items: [
            { id: 'TREE-01', quantity: 3, price: 50000, currency: 'IDR' },
            { id: 'MUG', quantity: 1, price: 75000, currency: 'IDR' },
          ],
        },
      },
    },
    {
      kind: 'postback',
      content: 'Get started',
      payload: { reply: { id: 'start', title: 'Get started' } },
    },
    {
      kind: 'story_reply',
      content: 'Beautiful!',
      payload: { story: { id: null, url: 'https://example.org/story/1', title: null } },
    },
    {
      kind: 'story_mention',
      content: null,
      payload: { story: { id: null, url: null, title: null } },
    },
    {
      kind: 'share',
      content: 'Look at this',
      payload: { share: { id: '9', url: 'https://example.org/post/9', title: null } },
    },
    { kind: 'call', content: 'Missed voice call' },
    {
      kind: 'unsupported',
      content: null,
      payload: { unsupported: { kind: 'poll_update', reason: 'not part of the Cloud API' } },
    },
    { kind: 'system', content: 'The customer changed their phone number', sender_type: 'system' },
    {
      direction: 'outbound',
      status: 'sent',
      kind: 'template',
      content: 'Hi Sari, your certificate is ready.',
      payload: { template: { name: 'certificate_ready', language: 'id' } },
    },
    { content: 'مرحبا، هل يمكنني التبرع من دبي؟', edited_at: new Date(endMs).toISOString() },
    { content: 'forwarded wisdom', forwarded: true },
    { content: null, deleted_at: new Date(endMs).toISOString() },
    {
      direction: 'outbound',
      status: 'failed',
      content: 'Your receipt is attached.',
      status_error: {
        code: '131026',
        message: 'The customer’s phone cannot receive this message.',
        action: 'Ask them to update WhatsApp.',
      },
    },
    { direction: 'outbound', status: 'unknown', content: 'Did you get our last message?' },
    {
      direction: 'outbound',
      status: 'played',
      content: null,
      kind: 'voice',
      attachments: file('voice', { url: tone(4), mime_type: 'audio/wav' }),
    },
    { content: '😀🎉' },
    {
      content: 'Thank you so much! '.repeat(14),
      reply_to: {
        id: firstId + 2,
        kind: 'text',
        content: 'Hello! 12.480 trees so far.',
        sender_name: 'Ayu Lestari',
      },
    },
  ]
  return list.map((given, index) => {
    const at = new Date(endMs - (list.length - index) * 47 * 60_000).toISOString()
    return buildMessage({
      created_at: at,
      conversation_id: conversationId,
      customer_id: conversationId + 1000,
      ...given,
      id: firstId + index,
    })
  })
}
