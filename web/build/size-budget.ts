/** Fails the build when the inbox grows beyond its budget; prints what is left of it. */
import { gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'

/**
 * Sums the gzipped JavaScript a browser loads to show the inbox: the entry, what it imports, and the
 * chunks it always loads right after (`eager`, by file name without hash).
 */
export function sizeBudget(maxBytes: number, eager: RegExp): Plugin {
  return {
    name: 'size-budget',
    generateBundle(_options, bundle) {
      const needed = new Set<string>()
      const add = (fileName: string) => {
        const chunk = bundle[fileName]
        if (chunk?.type !== 'chunk' || needed.has(fileName)) return
        needed.add(fileName)
        chunk.imports.forEach(add)
      }
      for (const chunk of Object.values(bundle)) {
        if (chunk.type === 'chunk' && (chunk.isEntry || eager.test(chunk.name))) add(chunk.fileName)
      }
      const bytes = [...needed]
        .map((fileName) => bundle[fileName])
        .reduce(
          (sum, chunk) => sum + (chunk?.type === 'chunk' ? gzipSync(chunk.code).length : 0),
          0,
        )
      const text = `inbox JavaScript: ${(bytes / 1024).toFixed(1)} KiB gzip of ${maxBytes / 1024}`
      if (bytes > maxBytes) this.error(text)
      else this.info(text)
    },
  }
}
