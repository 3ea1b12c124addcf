/**
 * Builds and serves the page with the fake API; with `--mode server` the tests meet the running server of
 * FRONTDESK_URL instead.
 */
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
  if (project.vite.config.mode === 'server') {
    const url = process.env['FRONTDESK_URL']
    if (!url) throw new Error('FRONTDESK_URL names no server')
    project.provide('mock', false)
    return project.provide('baseUrl', url.replace(/\/$/, ''))
  }
  project.provide('mock', true)

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
