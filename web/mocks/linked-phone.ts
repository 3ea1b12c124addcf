/** The fake provider's side of inboxes behind which a phone stands. */
import { http, HttpResponse } from 'msw'
import type { FakeServer } from './fake-server'

/** A picture, if not a code: 8 by 8 pixels. */
export const CODE =
  'data:image/svg+xml;base64,' +
  btoa(
    '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><path d="M0 0h3v3H0zM5 0h3v3H5zM0 5h3v3H0zM4 4h1v1H4zM6 6h2v1H6z"/></svg>',
  )

export function linkedPhoneHandlers(server: FakeServer) {
  const find = (params: Record<string, unknown>) =>
    server.data.inboxes.find(({ id }) => id === Number(params['id']))
  const done = () => new HttpResponse(null, { status: 204 })

  return [
    http.get('*/api/v1/inboxes/:id/link', ({ params }) =>
      HttpResponse.json(
        server.linked.has(Number(params['id']))
          ? { step: 'linked', picture: null, message: null }
          : { step: 'scan', picture: CODE, message: null },
      ),
    ),
    http.delete('*/api/v1/inboxes/:id/link', ({ params }) => {
      server.linked.delete(Number(params['id']))
      const session = find(params)?.settings['session_id']
      if (typeof session === 'string') server.sessions.become(session, 'logged_out')
      return done()
    }),
    http.post('*/api/v1/inboxes/:id/link/restart', done),
    http.post('*/api/v1/inboxes/:id/check-number', async ({ request }) => {
      const { phone } = (await request.json()) as { phone: string }
      return HttpResponse.json({ phone, reachable: phone.endsWith('7') })
    }),
    // Other inboxes are checked elsewhere.
    http.post('*/api/v1/inboxes/:id/check', ({ params }) => {
      const inbox = find(params)
      if (inbox?.channel !== 'green_api' || server.linked.has(inbox.id)) return
      inbox.state = {
        code: 'reconnect',
        message: 'No phone is linked to the instance.',
        action: 'Scan the code with the phone.',
        since: new Date().toISOString(),
      }
      return HttpResponse.json(inbox)
    }),
  ]
}
