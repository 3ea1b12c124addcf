/** Lists that are paged on the wire but short in practice, read whole. */

export interface CursorPage<Item> {
  data: Item[]
  next_cursor: string | null
}

/** All rows, page after page. */
export async function everyPage<Item>(
  fetchPage: (cursor: string | undefined) => Promise<CursorPage<Item>>,
): Promise<Item[]> {
  const items: Item[] = []
  let cursor: string | undefined
  do {
    const page = await fetchPage(cursor)
    items.push(...page.data)
    cursor = page.next_cursor ?? undefined
  } while (cursor)
  return items
}
