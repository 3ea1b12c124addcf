/** Files chosen for a reply: checked against the channel, uploaded at once, removable. */
import { computed, onScopeDispose, type Ref, ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { toast } from 'vue-sonner'
import { type Upload, uploadMedia } from '@/api/upload'
import type { Attachment, AttachmentKind, Capabilities, Media } from '@/api/types'
import { useDates } from '@/ui/dates'
import { useErrorText } from '@/ui/error-text'
import { checkFile } from './attachment-rules'

export interface ChosenFile {
  key: number
  file: File
  kind: AttachmentKind
  /** Local address of a picture for its preview. */
  preview: string | null
  progress: number
  media: Media | null
  error: string | null
}

export function useAttachments(capabilities: Ref<Capabilities>) {
  const { t } = useI18n()
  const { bytes } = useDates()
  const errorText = useErrorText()
  const files = ref<ChosenFile[]>([])
  const uploads = new Map<number, Upload>()
  let nextKey = 1

  const uploading = computed(() => files.value.some((file) => !file.media && !file.error))
  const broken = computed(() => files.value.some((file) => file.error))

  function add(chosen: Iterable<File>): void {
    const rules = capabilities.value.attachments
    for (const file of chosen) {
      const check = checkFile(file, rules)
      if (check.ok) start(file, check.kind)
      else if (rules.length === 0) toast.error(t('composer.noAttachments'))
      else if (check.reason === 'type') toast.error(t('composer.wrongType', { name: file.name }))
      else {
        toast.error(
          t('composer.tooLarge', {
            name: file.name,
            size: bytes(file.size),
            limit: bytes(check.maxBytes),
          }),
        )
      }
    }
  }

  function start(file: File, kind: AttachmentKind): void {
    const key = nextKey++
    const preview = kind === 'image' ? URL.createObjectURL(file) : null
    files.value.push({ key, file, kind, preview, progress: 0, media: null, error: null })
    void transfer(key)
  }

  async function transfer(key: number): Promise<void> {
    const entry = find(key)
    if (!entry) return
    entry.error = null
    entry.progress = 0
    const upload = uploadMedia(entry.file, (fraction) => {
      const current = find(key)
      if (current) current.progress = fraction
    })
    uploads.set(key, upload)
    try {
      const media = await upload.done
      const current = find(key)
      if (current) current.media = media
    } catch (error) {
      const current = find(key)
      if (current) current.error = errorText(error)
    } finally {
      uploads.delete(key)
    }
  }

  function remove(key: number): void {
    uploads.get(key)?.abort()
    const entry = find(key)
    if (entry?.preview) URL.revokeObjectURL(entry.preview)
    files.value = files.value.filter((file) => file.key !== key)
  }

  function clear(): void {
    for (const { key } of [...files.value]) remove(key)
  }

  const find = (key: number) => files.value.find((file) => file.key === key)
  onScopeDispose(clear)

  return { files, uploading, broken, add, remove, retry: transfer, clear }
}

/** An uploaded file in the shape bubbles draw. */
export function attachmentOfMedia(media: Media): Attachment {
  return {
    id: media.id,
    kind: media.kind,
    url: media.url,
    mime_type: media.mime_type,
    file_name: media.file_name,
    size_bytes: media.size_bytes,
    state: 'ready',
    error: null,
  }
}
