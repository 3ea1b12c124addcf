/** Titles of the buttons or list rows in an interactive message, whichever of the known shapes it has. */
export function interactiveOptions(interactive: Record<string, unknown> | undefined): string[] {
  const titles: string[] = []
  collect(interactive, titles)
  return [...new Set(titles)].slice(0, 20)
}

function collect(value: unknown, titles: string[]): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, titles)
    return
  }
  if (typeof value !== 'object' || value === null) return
  const node = value as Record<string, unknown>
  if (typeof node['title'] === 'string' && !('rows' in node)) titles.push(node['title'])
  for (const key of ['action', 'buttons', 'sections', 'rows', 'reply', 'options']) {
    collect(node[key], titles)
  }
}
