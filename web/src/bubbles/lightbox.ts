/** Opens a picture of the thread at full size; the list shows the one viewer, bubbles ask for it. */
import { computed, inject, type InjectionKey, provide, reactive, type Ref, ref } from 'vue'
import type { Attachment } from '@/api/types'

type OpenPicture = (attachment: Attachment) => void
const KEY: InjectionKey<OpenPicture> = Symbol('lightbox')

/** Returns what `ImageLightbox` needs. */
export function provideLightbox(pictures: Ref<Attachment[]>) {
  const currentUrl = ref<string | null>(null)
  provide(KEY, (attachment) => (currentUrl.value = attachment.url))
  const list = computed(() => {
    const known = pictures.value.some(({ url }) => url === currentUrl.value)
    return known || !currentUrl.value ? pictures.value : []
  })
  return reactive({
    pictures: list,
    currentUrl,
    onShow: (url: string | null) => (currentUrl.value = url),
  })
}

export function useLightbox(): OpenPicture {
  return inject(KEY, () => undefined)
}
