//! Figures for Prometheus: one recorder per process, rendered by `GET /metrics`.

use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Context;
use frontdesk_provider_http::{CallRecord, CallRecorder};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

/// Bounds of histograms of seconds: from a cached read to a provider's time-out.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// How often histograms are put in order, so that they do not grow between two looks at them.
const UPKEEP: Duration = Duration::from_secs(5);

/// The recorder of this process; the first call installs it.
pub fn recorder() -> anyhow::Result<PrometheusHandle> {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = RECORDER.get() {
        return Ok(handle.clone());
    }
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .context("the bounds of the histograms are wrong")?
        .build_recorder();
    let handle = RECORDER.get_or_init(|| recorder.handle()).clone();
    // Fails only when another server of this process was faster: its recorder is then the one in use.
    if metrics::set_global_recorder(recorder).is_ok() {
        describe();
    }
    Ok(handle)
}

/// Keeps histograms small until `stop`.
pub async fn keep_up(handle: PrometheusHandle, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(UPKEEP);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        handle.run_upkeep();
    }
}

/// Counts and times the calls to providers.
pub struct ProviderCalls;

impl CallRecorder for ProviderCalls {
    fn record(&self, call: &CallRecord<'_>) {
        // The key names an account: too many for a label, and nobody else's business.
        let labels = [
            ("provider", call.provider.to_owned()),
            ("operation", call.operation.to_owned()),
            ("outcome", call.outcome.as_str().to_owned()),
        ];
        metrics::histogram!("frontdesk_provider_call_seconds", &labels).record(call.duration.as_secs_f64());
    }
}

/// What is counted besides requests and calls: each refusal and each thing that went wrong and was mended. A list of
/// them stands in docs/operations.md.
pub const COUNTED: &[(&str, &str)] = &[
    ("frontdesk_webhooks_total", "Webhooks taken, by door and what they were"),
    ("frontdesk_webhooks_refused_total", "Webhooks that were not genuine, by door"),
    ("frontdesk_webhooks_failed_total", "Webhooks kept that could not be applied, by door"),
    ("frontdesk_sends_total", "Sends by how they ended"),
    ("frontdesk_realtime_messages_sent_total", "Frames written to sockets"),
    ("frontdesk_realtime_slow_readers_total", "Sockets closed because they read too slowly"),
    ("frontdesk_slow_clients_total", "Connections cut off, by what was too slow: head, body or answer"),
    ("frontdesk_breakers_opened_total", "Times an inbox was left alone because its provider kept failing"),
    ("frontdesk_leases_lost_total", "Sends answered after their lease had run out"),
    ("frontdesk_inbox_requests_total", "Requests of an inbox to its provider, by how they ended"),
    (
        "frontdesk_inbox_rate_limit_hits_total",
        "Times a limit, ours or the provider's, made an inbox wait or refused it",
    ),
    ("frontdesk_inbox_messages_total", "Messages of an inbox: sent, received, failed, retry, unknown"),
    ("frontdesk_inbox_webhooks_total", "What webhooks told an inbox, by type"),
    ("frontdesk_inbox_webhook_errors_total", "Webhooks that failed; inbox 0 for those of no inbox"),
    ("frontdesk_alerts_total", "Alerts that fired and that were resolved"),
    ("frontdesk_suggestions_total", "What people did with suggested replies, by who made them and the deed"),
    ("frontdesk_suggestion_drafts_withheld_total", "Drafts of language models that were not shown"),
    ("frontdesk_alert_deliveries_total", "News of alerts sent out, by where to and what came of it"),
    (
        "frontdesk_bridge_jobs_total",
        "Work of bridges to Chatwoot, both ways: done, waits, retry, failed, lost",
    ),
    ("frontdesk_webhook_sends_total", "Deliveries to other programs: delivered, retry, failed"),
    ("frontdesk_transactions_repeated_total", "Transactions run again after a deadlock (PostgreSQL)"),
];

/// Levels of each inbox. Queues and alerts are those of the cluster, so every node tells the same.
const LEVELS: &[(&str, &str)] = &[
    ("frontdesk_inbox_last_request_timestamp_seconds", "When the last request of an inbox ended, since 1970"),
    ("frontdesk_inbox_breaker_open", "1 while this node leaves the provider of an inbox alone"),
    ("frontdesk_inbox_queue_depth", "What waits to be sent"),
    ("frontdesk_inbox_queue_age_seconds", "How long the oldest of it has waited"),
    ("frontdesk_alerts_firing", "Alerts that fire, by severity"),
];

fn describe() {
    metrics::describe_histogram!(
        "frontdesk_provider_call_seconds",
        metrics::Unit::Seconds,
        "Calls to providers by what was asked and how it ended"
    );
    metrics::describe_histogram!(
        "frontdesk_inbox_request_seconds",
        metrics::Unit::Seconds,
        "How long the requests of an inbox took"
    );
    metrics::describe_histogram!(
        "frontdesk_inbox_rate_limit_wait_seconds",
        metrics::Unit::Seconds,
        "How long a limit of ours made requests of an inbox wait"
    );
    metrics::describe_histogram!(
        "frontdesk_webhook_send_seconds",
        metrics::Unit::Seconds,
        "How long after it happened other programs had taken what they were told"
    );
    for (name, about) in LEVELS {
        metrics::describe_gauge!(*name, *about);
    }
    for (name, about) in COUNTED {
        metrics::describe_counter!(*name, *about);
    }
    metrics::describe_gauge!("frontdesk_connections", "Connections open now, sockets of browsers included");
    metrics::describe_gauge!(
        "frontdesk_search_waiting_messages",
        "Messages that search cannot find yet, up to 50000: the index follows a moment later"
    );
    metrics::describe_gauge!("frontdesk_build_info", "1; its labels say which program this is");
    metrics::gauge!("frontdesk_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}
