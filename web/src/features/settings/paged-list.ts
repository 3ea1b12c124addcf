/** A list loaded page by page with a cursor. */
import { ref } from 'vue'
import type { CursorPage } from '@/api/pages'

export function usePagedList<Item>(
  fetchPage: (cursor: string | undefined) => Promise<CursorPage<Item>>,
) {
  const items = ref<Item[]>([]) as { value: Item[] }
  const nextCursor = ref<string | null>(null)
  const loading = ref(false)
  const loaded = ref(false)
  const failure = ref<unknown>(null)
  let request = 0

  async function run(cursor: string | undefined): Promise<void> {
    const mine = ++request
    loading.value = true
    failure.value = null
    try {
      const page = await fetchPage(cursor)
      if (mine !== request) return
      items.value = cursor ? [...items.value, ...page.data] : page.data
      nextCursor.value = page.next_cursor
      loaded.value = true
    } catch (error) {
      if (mine === request) failure.value = error
    } finally {
      if (mine === request) loading.value = false
    }
  }

  const load = () => run(undefined)
  const loadMore = () => run(nextCursor.value ?? undefined)

  return { items, nextCursor, loading, loaded, failure, load, loadMore }
}
