/** Monitoring as the page sees it: an account with one inbox that has been failing, and its rules. */
import { http, HttpResponse, type JsonBodyType } from 'msw'
import type {
  AlertRule,
  AlertTargets,
  HealthReport,
  Inbox,
  MetricsReport,
  MonitoringFigures,
  MonitoringWindow,
  PutAlertRule,
  TrendPoint,
} from '@/api/types'

const json = (body: unknown, status = 200) => HttpResponse.json(body as JsonBodyType, { status })

const STEPS: Record<MonitoringWindow, [number, number]> = {
  '5m': [300, 10],
  '15m': [900, 20],
  '1h': [3600, 60],
  '6h': [21_600, 600],
  '24h': [86_400, 1800],
  '7d': [604_800, 10_800],
}

function figures(): MonitoringFigures {
  return {
    requests: {
      total: 1840,
      errors: 212,
      error_rate: 0.11522,
      success_rate: 0.88478,
      by_outcome: { ok: 1628, provider_fault: 141, throttled: 38, rejected: 25, ambiguous: 8 },
      held: 17,
    },
    response_time_ms: { avg: 412.6, p50: 236.1, p95: 1180, p99: 4720 },
    rate_limit: { hits: 43, waits: 5, avg_wait_ms: 320 },
    messages: {
      sent: 1204,
      received: 1377,
      failed: 31,
      retried: 120,
      unknown: 2,
      failure_rate: 0.1127,
    },
    webhooks: {
      received: 4102,
      repeated: 12,
      errors: 3,
      failure_rate: 0.00073,
      by_type: { message: 1377, status: 2718, reaction: 7 },
      by_provider_type: { incomingMessageReceived: 1377, outgoingMessageStatus: 2718 },
    },
    queue: { depth: 64, oldest_age_secs: 185 },
    last_request_at: new Date(Date.now() - 4000).toISOString(),
  }
}

/** Chatwoot's own: it is asked, and nothing is sent through it. */
function ofChatwoot(): MonitoringFigures {
  const all = figures()
  return {
    ...all,
    requests: {
      total: 96,
      errors: 6,
      error_rate: 0.0625,
      success_rate: 0.9375,
      by_outcome: { ok: 90, provider_fault: 6 },
      held: 0,
    },
    messages: { ...all.messages, sent: 0, received: 0, failed: 0, failure_rate: null },
    queue: { depth: 0, oldest_age_secs: null },
  }
}

/** A wave with a bad hour in the middle; the same for the same time. */
function trend(window: MonitoringWindow): TrendPoint[] {
  const [length, step] = STEPS[window]
  const last = Math.floor(Date.now() / 1000 / step) * step
  return Array.from({ length: length / step }, (_, index) => {
    const wave = Math.sin(index / 4) + 1.4
    const bad = index > (length / step) * 0.55 && index < (length / step) * 0.75
    const requests = Math.round(wave * 18)
    const ms = 160 + wave * 60 + (bad ? 900 : 0)
    const faults: Record<string, number> = {
      provider_fault: Math.round(requests / 3),
      throttled: 2,
    }
    return {
      at: new Date((last - length + (index + 1) * step) * 1000).toISOString(),
      requests,
      errors: bad ? faults : {},
      response_time_ms: { avg: ms * 1.2, p50: ms, p95: ms * 2.6, p99: ms * 4.1 },
      sent: Math.round(wave * 11),
      received: Math.round(wave * 13),
      failed: bad ? 3 : 0,
      webhooks: Math.round(wave * 40),
      queue_depth: bad ? 60 : 2,
    }
  })
}

const rule = (
  title: string,
  metric: AlertRule['metric'],
  operator: AlertRule['operator'],
  threshold: number,
  minutes: number,
  severity: AlertRule['severity'],
): AlertRule => ({
  name: title.toLowerCase().replaceAll(' ', '_'),
  title,
  metric,
  operator,
  threshold,
  duration_secs: minutes * 60,
  severity,
  inbox_id: null,
  enabled: true,
  created_at: '2026-01-15T08:00:00Z',
  updated_at: '2026-01-15T08:00:00Z',
})

export function monitoringHandlers(inboxes: () => Inbox[]) {
  let rules: AlertRule[] = [
    rule('High Error Rate', 'error_rate', '>=', 0.1, 5, 'warning'),
    rule('Critical Error Rate', 'error_rate', '>=', 0.25, 1, 'critical'),
    rule('Slow Response Time', 'response_time_avg', '>', 5, 5, 'warning'),
    rule('Very Slow Response Time', 'response_time_avg', '>', 10, 3, 'critical'),
    rule('Rate Limit Hits', 'rate_limit_hits', '>=', 5, 5, 'warning'),
    rule('Webhook Failures', 'webhook_failure_rate', '>=', 0.2, 5, 'warning'),
    rule('Message Send Failures', 'message_failure_rate', '>=', 0.15, 5, 'warning'),
  ]
  let targets: AlertTargets = {
    webhook_url: null,
    webhook_secret: null,
    emails: [],
    email_available: true,
  }
  const put = (name: string, body: PutAlertRule): AlertRule => ({
    ...rule(
      body.name,
      body.metric,
      body.operator ?? '>=',
      body.threshold,
      1,
      body.severity ?? 'warning',
    ),
    name,
    duration_secs: body.duration_secs,
    inbox_id: body.inbox_id ?? null,
    enabled: body.enabled ?? true,
  })
  const alert = (
    id: number,
    title: string,
    severity: string,
    state: string,
    minutesAgo: number,
  ) => ({
    id,
    rule: title.toLowerCase().replaceAll(' ', '_'),
    title,
    summary: `${title}: ${inboxes()[0]?.name}`,
    severity,
    state,
    inbox_id: inboxes()[0]?.id ?? null,
    inbox_name: inboxes()[0]?.name ?? '',
    metric: 'error_rate',
    reason: null,
    operator: '>=',
    threshold: title.startsWith('Critical') ? 0.25 : 0.1,
    duration_secs: title.startsWith('Critical') ? 60 : 300,
    value: title.startsWith('Critical') ? 0.341 : 0.152,
    last_value: 0.2,
    fired_at: new Date(Date.now() - minutesAgo * 60_000).toISOString(),
    resolved_at:
      state === 'resolved' ? new Date(Date.now() - (minutesAgo - 12) * 60_000).toISOString() : null,
  })

  return [
    http.get('*/api/v1/monitoring/metrics', ({ request }) => {
      const window = (new URL(request.url).searchParams.get('window') ?? '5m') as MonitoringWindow
      const report: MetricsReport = {
        generated_at: new Date().toISOString(),
        window,
        window_secs: STEPS[window][0],
        step_secs: STEPS[window][1],
        total: figures(),
        inboxes: inboxes().map(({ id, name, channel, enabled }) => ({
          inbox_id: id,
          name,
          channel,
          enabled,
          breaker: 'closed',
          ...figures(),
        })),
        integrations: [{ name: 'chatwoot', breaker: 'closed', ...ofChatwoot() }],
        trend: trend(window),
      }
      return json(report)
    }),
    http.get('*/api/v1/monitoring/health', () => {
      const report: HealthReport = {
        status: 'degraded',
        checked_at: new Date().toISOString(),
        firing_alerts: 2,
        inboxes: inboxes().map((inbox, index) => ({
          inbox_id: inbox.id,
          name: inbox.name,
          channel: inbox.channel,
          status:
            index === 0 ? 'unhealthy' : inbox.state.code === 'connected' ? 'healthy' : 'degraded',
          connection: inbox.state.code,
          message: inbox.state.message,
          action: inbox.state.action,
          breaker: index === 0 ? 'open' : 'closed',
          queue:
            index === 0 ? { depth: 64, oldest_age_secs: 185 } : { depth: 0, oldest_age_secs: null },
          error_rate: index === 0 ? 0.341 : 0.002,
          p95_ms: index === 0 ? 4210 : 240,
          alerts: index === 0 ? ['critical_error_rate', 'high_error_rate'] : [],
          last_request_at: new Date(Date.now() - 4000 * (index + 1) ** 4).toISOString(),
          last_webhook_at: inbox.last_webhook_at,
        })),
        integrations: [
          {
            name: 'chatwoot',
            status: 'degraded',
            breaker: 'half_open',
            error_rate: 0.0625,
            p95_ms: 640,
            alerts: [],
            last_request_at: new Date(Date.now() - 95_000).toISOString(),
          },
        ],
      }
      return json(report)
    }),
    http.get('*/api/v1/monitoring/alerts', ({ request }) => {
      const resolved = new URL(request.url).searchParams.get('state') === 'resolved'
      const data = resolved
        ? [alert(1, 'High Error Rate', 'warning', 'resolved', 260)]
        : [
            alert(3, 'Critical Error Rate', 'critical', 'firing', 4),
            alert(2, 'High Error Rate', 'warning', 'firing', 1),
          ]
      return json({ data, next_cursor: null })
    }),
    http.get('*/api/v1/monitoring/alerts/rules', () => json({ data: rules })),
    http.post('*/api/v1/monitoring/alerts/rules', async ({ request }) => {
      const body = (await request.json()) as PutAlertRule
      const made = put(body.name.toLowerCase().replaceAll(' ', '_'), body)
      rules = [...rules, made]
      return json(made, 201)
    }),
    http.put('*/api/v1/monitoring/alerts/rules/:name', async ({ params, request }) => {
      const changed = put(String(params['name']), (await request.json()) as PutAlertRule)
      rules = rules.map((one) => (one.name === changed.name ? changed : one))
      return json(changed)
    }),
    http.delete('*/api/v1/monitoring/alerts/rules/:name', ({ params }) => {
      rules = rules.filter(({ name }) => name !== params['name'])
      return new HttpResponse(null, { status: 204 })
    }),
    http.get('*/api/v1/monitoring/alerts/targets', () => json(targets)),
    http.put('*/api/v1/monitoring/alerts/targets', async ({ request }) => {
      const body = (await request.json()) as Partial<AlertTargets>
      targets = { ...targets, webhook_url: body.webhook_url ?? null, emails: body.emails ?? [] }
      return json({
        ...targets,
        webhook_secret: body.webhook_url ? 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' : null,
      })
    }),
    http.post('*/api/v1/monitoring/alerts/targets/test', () => json({ deliveries: 1 }, 202)),
    http.get('*/api/v1/monitoring/alerts/deliveries', () =>
      json({
        data: [
          {
            id: 1,
            alert_id: 3,
            event: 'alert.fired',
            target: 'webhook',
            address: 'https://ops.example.org/hook',
            state: 'waiting',
            attempts: 2,
            http_status: 503,
            error: 'the provider answered 503 Service Unavailable',
            next_try_at: new Date().toISOString(),
            created_at: new Date().toISOString(),
            ended_at: null,
          },
        ],
        next_cursor: null,
      }),
    ),
  ]
}
