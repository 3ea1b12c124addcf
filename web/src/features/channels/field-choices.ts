/**
 * The words a field takes, when its pattern is nothing but a list of words: `^(webhook|polling)$`. Such a field is a
 * choice rather than a line to type.
 */
export function fieldChoices(pattern: string | null): string[] | null {
  const words = /^\^\(([\w-]+(?:\|[\w-]+)+)\)\$$/.exec(pattern ?? '')?.[1]
  return words?.split('|') ?? null
}
