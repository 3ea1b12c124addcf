/** Uploads one file with progress; `fetch` cannot report upload progress, so this is an XMLHttpRequest. */
import { ApiError, NetworkError } from './error'
import type { ErrorBody, Media } from './types'

export interface Upload {
  done: Promise<Media>
  abort: () => void
}

/** `onProgress` receives a fraction from 0 to 1. */
export function uploadMedia(file: File, onProgress: (fraction: number) => void): Upload {
  const request = new XMLHttpRequest()
  const done = new Promise<Media>((resolve, reject) => {
    request.open('POST', '/api/v1/media')
    request.setRequestHeader('Accept', 'application/json')
    request.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total > 0) onProgress(event.loaded / event.total)
    }
    request.onload = () => {
      const body = parseJson(request.responseText)
      if (request.status >= 200 && request.status < 300) resolve(body as Media)
      else {
        reject(
          new ApiError(
            request.status,
            body as Partial<ErrorBody> | undefined,
            request.getResponseHeader('Retry-After'),
          ),
        )
      }
    }
    request.onerror = () => reject(new NetworkError(new Error('upload interrupted')))
    request.onabort = () => reject(new DOMException('Upload cancelled', 'AbortError'))
    const form = new FormData()
    form.append('file', file, file.name)
    request.send(form)
  })
  return { done, abort: () => request.abort() }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
