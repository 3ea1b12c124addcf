import { createReadStream } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import tailwindcss from '@tailwindcss/vite'
import vue from '@vitejs/plugin-vue'
import { type Connect, defineConfig, type Plugin } from 'vite'
import { compression, defineAlgorithm } from 'vite-plugin-compression2'
import { sizeBudget } from './build/size-budget.ts'

/** Where `npm run dev` finds a running server. */
const SERVER = process.env.FRONTDESK_URL ?? 'http://127.0.0.1:8080'

/** Serves msw's service worker in mock mode only, so that it never ships. */
function mockServiceWorker(): Plugin {
  const worker = createRequire(import.meta.url).resolve('msw/mockServiceWorker.js')
  const serve: Connect.NextHandleFunction = (_request, response) => {
    response.setHeader('Content-Type', 'text/javascript')
    createReadStream(worker).pipe(response)
  }
  return {
    name: 'mock-service-worker',
    configureServer: (server) => void server.middlewares.use('/mockServiceWorker.js', serve),
    configurePreviewServer: (server) => void server.middlewares.use('/mockServiceWorker.js', serve),
  }
}

export default defineConfig(({ mode }) => {
  const mock = mode === 'mock'
  return {
    plugins: [
      vue({
        template: { compilerOptions: { isCustomElement: (tag) => tag === 'emoji-picker' } },
      }),
      tailwindcss(),
      ...(mock
        ? [mockServiceWorker()]
        : [
            sizeBudget(200 * 1024, /^(echo|pusher)$/),
            compression({
              algorithms: [
                defineAlgorithm('gzip', { level: 9 }),
                defineAlgorithm('brotliCompress'),
              ],
              exclude: /\.html$/, // what shows that the page was built
              threshold: 1024,
              deleteOriginalAssets: true, // the server unpacks for whoever takes nothing packed
            }),
          ]),
    ],
    resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
    define: {
      __VUE_OPTIONS_API__: false,
      __VUE_PROD_DEVTOOLS__: false,
      __VUE_I18N_FULL_INSTALL__: false,
      __VUE_I18N_LEGACY_API__: false,
      __INTLIFY_PROD_DEVTOOLS__: false,
    },
    build: { outDir: mock ? 'dist-mock' : 'dist', target: 'es2022', emptyOutDir: true },
    server: mock
      ? {}
      : {
          proxy: Object.fromEntries(
            ['/api', '/admin', '/media', '/broadcasting', '/app/'].map((path) => [
              path,
              { target: SERVER, ws: path === '/app/' },
            ]),
          ),
        },
  }
})
