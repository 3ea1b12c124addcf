/** Builds and serves the page with the fake API, unless BASE_URL names a running server. */
import { fileURLToPath } from 'node:url'
import { build, preview } from 'vite'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    baseUrl: string
    mock: boolean
  }
}

export default async function setup(project: TestProject) {
  // vite sets BASE_URL itself, to a path.
  const given = process.env['BASE_URL']?.match(/^https?:.+/)?.[0]
  project.provide('mock', !given)
  if (given) return project.provide('baseUrl', given.replace(/\/$/, ''))

  const root = fileURLToPath(new URL('..', import.meta.url))
  await build({ root, mode: 'mock', logLevel: 'warn' })
  const server = await preview({
    root,
    mode: 'mock',
    logLevel: 'warn',
    build: { outDir: 'dist-mock' },
    preview: { host: '127.0.0.1', port: 0 },
  })
  const address = server.httpServer.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  project.provide('baseUrl', `http://127.0.0.1:${address.port}`)
  return () => server.close()
}
