/** How each platform is marked. Unknown ones get a neutral bubble and their own name: nothing breaks. */

export interface PlatformLook {
  name: string
  color: string
  /** Shape on a 16 × 16 ground. */
  path: string
}

const BUBBLE =
  'M3.5 5.2A1.7 1.7 0 0 1 5.2 3.5h5.6a1.7 1.7 0 0 1 1.7 1.7v3.6a1.7 1.7 0 0 1-1.7 1.7H8l-2.6 2v-2h-.2a1.7 1.7 0 0 1-1.7-1.7z'

const LOOKS: Record<string, PlatformLook> = {
  whatsapp: {
    name: 'WhatsApp',
    color: '#128c4b',
    path: 'M8 3a5 5 0 0 0-4.3 7.5L3 13l2.6-.7A5 5 0 1 0 8 3zm2.8 6.8c-.2.4-.8.7-1.2.7-1.2 0-3.9-1.7-3.9-3.7 0-.6.4-1.2.8-1.2.5 0 .6 0 .9 1 .1.3-.4.6-.4.9 0 .4 1.1 1.4 1.7 1.4.3 0 .5-.7.8-.6.9.4 1.3.5 1.3 1.5z',
  },
  facebook: {
    name: 'Messenger',
    color: '#0a5fd8',
    path: 'M8 3C5.2 3 3 5 3 7.6c0 1.5.7 2.7 1.8 3.6V13l1.7-.9c.5.1 1 .2 1.5.2 2.8 0 5-2 5-4.7S10.8 3 8 3zm.5 6L7.2 7.7 4.8 9l2.7-2.9 1.3 1.3L11.2 6z',
  },
  instagram: {
    name: 'Instagram',
    color: '#c13584',
    path: 'M5.6 3.4h4.8a2.2 2.2 0 0 1 2.2 2.2v4.8a2.2 2.2 0 0 1-2.2 2.2H5.6a2.2 2.2 0 0 1-2.2-2.2V5.6a2.2 2.2 0 0 1 2.2-2.2zm0 1.1a1.1 1.1 0 0 0-1.1 1.1v4.8c0 .6.5 1.1 1.1 1.1h4.8c.6 0 1.1-.5 1.1-1.1V5.6c0-.6-.5-1.1-1.1-1.1zM8 5.7a2.3 2.3 0 1 1 0 4.6 2.3 2.3 0 0 1 0-4.6z',
  },
}

export function platformLook(platform: string): PlatformLook {
  return (
    LOOKS[platform] ?? {
      name: platform.charAt(0).toUpperCase() + platform.slice(1).replaceAll('_', ' '),
      color: '#565d66',
      path: BUBBLE,
    }
  )
}
