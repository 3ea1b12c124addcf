/** Approved templates: what has to be filled in, how the result reads, and the reply that sends it. */
import type { Reply, Template } from '@/api/types'

/** A place to fill in. */
export interface Blank {
  /** Where its value stands among the values. */
  key: string
  part: 'file' | 'header' | 'body' | 'button'
  name: string
  example: string
  /** What the button says whose link it completes. */
  button?: string
}

export type Values = Record<string, string>

const PLACE = /\{\{\s*([^{}]+?)\s*\}\}/g

/** Everything to fill in, from top to bottom. */
export function blanksOf(template: Template): Blank[] {
  const { header, body, buttons } = template
  const blanks: Blank[] = []
  if (header && header.kind !== 'text') {
    blanks.push({ key: 'file', part: 'file', name: header.kind, example: '' })
  }
  for (const variable of header?.text?.variables ?? []) {
    blanks.push({ ...variable, key: `header.${variable.name}`, part: 'header' })
  }
  for (const variable of body.variables) {
    blanks.push({ ...variable, key: `body.${variable.name}`, part: 'body' })
  }
  buttons.forEach(({ title, url }, index) => {
    for (const variable of url?.variables ?? []) {
      blanks.push({
        ...variable,
        key: `button${index}.${variable.name}`,
        part: 'button',
        button: title,
      })
    }
  })
  return blanks
}

/** A text of the template as it stands now; what is not filled in yet keeps its braces. */
export function filledText(text: string, part: string, values: Values): string {
  return text.replace(PLACE, (place, name: string) => oneLine(values[`${part}.${name}`]) || place)
}

/** Providers take no line breaks and no runs of blanks in a value. */
function oneLine(value: string | undefined): string {
  return (value ?? '').replace(/\s+/g, ' ').trim()
}

/** A template as a reply, filled in. */
export function filledReply(template: Template, values: Values): Reply {
  const { header, body, buttons, named } = template
  const parameters = (part: string, variables: { name: string }[]) =>
    variables.map(({ name }) => ({
      type: 'text',
      text: oneLine(values[`${part}.${name}`]),
      ...(named && !part.startsWith('button') ? { parameter_name: name } : {}),
    }))
  const components: object[] = []
  if (header && header.kind !== 'text') {
    const file = { type: header.kind, [header.kind]: { link: oneLine(values['file']) } }
    components.push({ type: 'header', parameters: [file] })
  } else if (header?.text?.variables.length) {
    components.push({ type: 'header', parameters: parameters('header', header.text.variables) })
  }
  if (body.variables.length) {
    components.push({ type: 'body', parameters: parameters('body', body.variables) })
  }
  buttons.forEach(({ url }, index) => {
    if (!url?.variables.length) return
    components.push({
      type: 'button',
      sub_type: 'url',
      index: String(index),
      parameters: parameters(`button${index}`, url.variables),
    })
  })
  const { name, language } = template
  return {
    type: 'template',
    template: { name, language, ...(components.length > 0 ? { components } : {}) },
  }
}

/** The templates in which every word of a question is found. */
export function searchTemplates(templates: Template[], question: string): Template[] {
  const plain = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
  const words = plain(question).split(/\s+/).filter(Boolean)
  return templates.filter(({ name, language, body }) => {
    const text = plain(`${name} ${name.replaceAll('_', ' ')} ${language} ${body.text}`)
    return words.every((word) => text.includes(word))
  })
}
