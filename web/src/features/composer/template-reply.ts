import type { Reply } from '@/api/types'

/** A template as a reply; `variables` fill the body's placeholders in order. */
export function templateReply(name: string, language: string, variables: string[]): Reply {
  return {
    type: 'template',
    template: {
      name: name.trim(),
      language: language.trim(),
      ...(variables.length > 0
        ? {
            components: [
              {
                type: 'body',
                parameters: variables.map((text) => ({ type: 'text', text: text.trim() })),
              },
            ],
          }
        : {}),
    },
  }
}
