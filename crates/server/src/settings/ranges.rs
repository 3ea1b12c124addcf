//! Values that no server can work with. The kinds are right by now; this is about their size and shape.

use super::layers::Layers;
use super::{Settings, SettingsError};
use frontdesk_engine::monitoring::settings::Mailbox;
use url::Url;

/// The longest duration taken, in milliseconds: ten years. Also keeps sums of durations from overflowing.
const LONGEST_MS: i128 = 10 * 365 * 86_400_000;

pub fn check(settings: &Settings, layers: &Layers) -> Result<(), SettingsError> {
    let between = |key: &str, value: i128, least: i128, most: i128| {
        if (least..=most).contains(&value) {
            Ok(())
        } else {
            Err(layers.wrong(key, format!("a whole number from {least} to {most}")))
        }
    };
    let duration = |key: &str, value: i128| between(key, value, 1, LONGEST_MS);

    let server = &settings.server;
    between("server.max_connections", server.max_connections.into(), 1, 1_000_000)?;
    between("server.max_body_bytes", server.max_body_bytes as i128, 1024, 1 << 30)?;
    duration("server.header_timeout_ms", server.header_timeout_ms.into())?;
    duration("server.body_timeout_ms", server.body_timeout_ms.into())?;
    between("server.body_bytes_per_second", server.body_bytes_per_second.into(), 1, 1 << 40)?;
    duration("server.write_timeout_ms", server.write_timeout_ms.into())?;
    between("server.shutdown_ms", server.shutdown_ms.into(), 0, LONGEST_MS)?;
    check_url(layers, "server.public_url", server.public_url.as_ref())?;

    check_url(layers, "traces.endpoint", settings.traces.endpoint.as_ref())?;
    if !(0.0..=1.0).contains(&settings.traces.sample_ratio) {
        return Err(layers.wrong("traces.sample_ratio", "a number from 0 to 1"));
    }
    between("database.postgres_connections", settings.database.postgres_connections as i128, 2, 1000)?;
    check_url(layers, "meta.graph_url", Some(&settings.meta.graph_url))?;
    check_url(layers, "meta.instagram_url", Some(&settings.meta.instagram_url))?;
    let green = &settings.green_api;
    check_url(layers, "green_api.base_url", Some(&green.base_url))?;
    between("green_api.timeout_secs", green.timeout_secs.into(), 6, 3600)?;
    between("green_api.webhook_max_bytes", green.webhook_max_bytes as i128, 1024, 64 << 20)?;
    between("green_api.max_retries", green.max_retries as i128, 0, 20)?;
    between("green_api.rate_limit_per_minute", green.rate_limit_per_minute.into(), 0, 100_000)?;
    between("green_api.rate_limit_per_second", green.rate_limit_per_second.into(), 0, 10_000)?;
    let gateway = &settings.whatsapp_gateway;
    check_url(layers, "whatsapp_gateway.api_url", gateway.api_url.as_ref())?;
    let filled = [gateway.api_url.is_some(), gateway.api_token.is_some(), gateway.session_id.is_some()];
    if filled.contains(&true) && filled.contains(&false) {
        let lacks = ["api_url", "api_token", "session_id"].into_iter().zip(filled).find(|(_, there)| !there);
        let lacks = format!("whatsapp_gateway.{}", lacks.map_or("api_url", |(name, _)| name));
        return Err(layers.wrong(&lacks, "filled in, or the other two empty: all three make an inbox"));
    }
    let linked = &settings.linked_whatsapp;
    between("linked_whatsapp.lease_ms", linked.lease_ms.into(), 3_000, 3_600_000)?;
    between("linked_whatsapp.start_gap_ms", linked.start_gap_ms.into(), 0, 60_000)?;
    duration("linked_whatsapp.backoff_first_ms", linked.backoff_first_ms.into())?;
    duration("linked_whatsapp.backoff_longest_ms", linked.backoff_longest_ms.into())?;
    between("linked_whatsapp.restart_budget", linked.restart_budget.into(), 0, 10_000)?;
    between("linked_whatsapp.new_recipients_per_day", linked.new_recipients_per_day.into(), 0, 100_000)?;
    between("linked_whatsapp.cold_gap_min_ms", linked.cold_gap_min_ms.into(), 0, LONGEST_MS)?;
    between("linked_whatsapp.cold_gap_max_ms", linked.cold_gap_max_ms.into(), 0, LONGEST_MS)?;
    let chatwoot = &settings.chatwoot;
    check_url(layers, "chatwoot.url", chatwoot.url.as_ref())?;
    between("chatwoot.account_id", chatwoot.account_id.into(), 1, i64::MAX.into())?;
    between("chatwoot.timeout_secs", chatwoot.timeout_secs.into(), 1, 600)?;
    between("chatwoot.retry_attempts", chatwoot.retry_attempts as i128, 0, 20)?;
    between("chatwoot.retry_delay_ms", chatwoot.retry_delay_ms.into(), 1, 600_000)?;
    between("chatwoot.requests_per_minute", chatwoot.requests_per_minute.into(), 0, 1_000_000)?;
    between("chatwoot.max_redirects", chatwoot.max_redirects as i128, 0, 20)?;
    if chatwoot.user_agent.is_empty() || chatwoot.user_agent.contains(|c: char| !(' '..='~').contains(&c)) {
        return Err(layers.wrong("chatwoot.user_agent", "plain letters, as Bridge-Service/2.1"));
    }
    for (key, value) in [
        ("chatwoot.cache.conversation_ttl_secs", chatwoot.cache.conversation_ttl_secs),
        ("chatwoot.cache.messages_ttl_secs", chatwoot.cache.messages_ttl_secs),
        ("chatwoot.cache.contact_ttl_secs", chatwoot.cache.contact_ttl_secs),
        ("chatwoot.cache.account_ttl_secs", chatwoot.cache.account_ttl_secs),
    ] {
        between(key, value.into(), 0, 30 * 86_400)?;
    }
    between("chatwoot.cache.max_bytes", chatwoot.cache.max_bytes.into(), 0, 1 << 40)?;
    between("chatwoot.webhook.tolerance_secs", chatwoot.webhook.tolerance_secs.into(), 1, 86_400)?;
    between("chatwoot.webhook.max_bytes", chatwoot.webhook.max_bytes as i128, 1024, 1 << 26)?;
    between("chatwoot.webhook.idempotency_secs", chatwoot.webhook.idempotency_secs.into(), 1, 365 * 86_400)?;
    duration("providers.timeout_ms", settings.providers.timeout_ms.into())?;
    between("replies.content_max", settings.replies.content_max as i128, 1, 1_000_000)?;
    between("sign_in.session_secs", settings.sign_in.session_secs.into(), 60, LONGEST_MS / 1000)?;

    let realtime = &settings.realtime.limits;
    between("realtime.limits.activity_timeout_secs", realtime.activity_timeout_secs.into(), 1, 3600)?;
    between("realtime.limits.pong_timeout_secs", realtime.pong_timeout_secs.into(), 1, 3600)?;
    between("realtime.limits.max_frame_bytes", realtime.max_frame_bytes as i128, 1024, 1 << 24)?;
    between("realtime.limits.max_backlog_bytes", realtime.max_backlog_bytes as i128, 65_536, 1 << 30)?;
    between(
        "realtime.limits.max_sockets_per_account",
        realtime.max_sockets_per_account as i128,
        1,
        1_000_000,
    )?;
    between("realtime.limits.max_channels_per_socket", realtime.max_channels_per_socket as i128, 1, 10_000)?;
    between("realtime.limits.max_presence_members", realtime.max_presence_members as i128, 1, 10_000)?;
    between("realtime.limits.max_user_info_bytes", realtime.max_user_info_bytes as i128, 2, 65_536)?;
    between("realtime.limits.max_event_bytes", realtime.max_event_bytes as i128, 1, 1 << 24)?;

    let outbox = &settings.outbox;
    between("outbox.concurrency", outbox.concurrency as i128, 1, 10_000)?;
    between("outbox.lease_ms", outbox.lease_ms.into(), 1000, LONGEST_MS)?;
    if outbox.retry_ladder_ms.is_empty() {
        return Err(layers.wrong("outbox.retry_ladder_ms", "a list of at least one wait"));
    }
    for wait in &outbox.retry_ladder_ms {
        duration("outbox.retry_ladder_ms", (*wait).into())?;
    }
    duration("outbox.give_up_ms", outbox.give_up_ms.into())?;
    if !(0.0..=1.0).contains(&outbox.jitter) {
        return Err(layers.wrong("outbox.jitter", "a number from 0 to 1"));
    }
    duration("outbox.unknown_settle_ms", outbox.unknown_settle_ms.into())?;
    between("outbox.per_inbox_per_second", outbox.per_inbox_per_second.into(), 1, 100_000)?;
    between("outbox.breaker_failures", outbox.breaker_failures.into(), 1, 100_000)?;
    duration("outbox.breaker_open_ms", outbox.breaker_open_ms.into())?;

    between("media.max_bytes", settings.media.max_bytes.into(), 1, 1 << 40)?;
    between("media.concurrency", settings.media.concurrency as i128, 1, 1000)?;
    between("media.url_secs", settings.media.url_secs.into(), 1, LONGEST_MS / 1000)?;
    for (key, value) in [
        ("limits.send_per_minute", settings.limits.send_per_minute),
        ("limits.list_per_minute", settings.limits.list_per_minute),
        ("limits.suggest_per_minute", settings.limits.suggest_per_minute),
        ("limits.login_per_minute", settings.limits.login_per_minute),
    ] {
        between(key, value.into(), 1, 1_000_000)?;
    }
    for (key, value) in [
        ("retention.webhook_log_days", settings.retention.webhook_log_days),
        ("retention.event_days", settings.retention.event_days),
        ("retention.audit_days", settings.retention.audit_days),
        ("retention.alert_days", settings.retention.alert_days),
        ("retention.webhook_delivery_days", settings.retention.webhook_delivery_days),
    ] {
        between(key, value.into(), 1, 3650)?;
    }
    let suggestions = &settings.suggestions;
    between("suggestions.pairs_in_memory", suggestions.pairs_in_memory as i128, 100, 1_000_000)?;
    between("suggestions.wait_ms", suggestions.wait_ms.into(), 0, 10_000)?;
    between("suggestions.idle_minutes", suggestions.idle_minutes.into(), 1, 10_080)?;
    between("suggestions.keep_days", suggestions.keep_days.into(), 0, 3650)?;
    for (key, value) in [
        ("retention.media_days", settings.retention.media_days),
        ("retention.message_days", settings.retention.message_days),
    ] {
        between(key, value.into(), 0, 3650)?;
    }
    let webhooks = &settings.webhooks;
    between("webhooks.concurrency", webhooks.concurrency as i128, 1, 10_000)?;
    between("webhooks.timeout_ms", webhooks.timeout_ms.into(), 100, 600_000)?;
    if webhooks.retry_ladder_ms.is_empty() {
        return Err(layers.wrong("webhooks.retry_ladder_ms", "a list of at least one wait"));
    }
    for wait in &webhooks.retry_ladder_ms {
        duration("webhooks.retry_ladder_ms", (*wait).into())?;
    }
    if !(0.0..=1.0).contains(&webhooks.jitter) {
        return Err(layers.wrong("webhooks.jitter", "a number from 0 to 1"));
    }
    duration("webhooks.give_up_ms", webhooks.give_up_ms.into())?;
    duration("webhooks.disable_after_ms", webhooks.disable_after_ms.into())?;
    between("webhooks.file_wait_ms", webhooks.file_wait_ms.into(), 0, LONGEST_MS)?;
    let mail = &settings.mail;
    between("mail.port", mail.port.into(), 1, 65_535)?;
    if !mail.host.is_empty() && mail.from.parse::<Mailbox>().is_err() {
        return Err(layers.wrong("mail.from", "who letters are from, as Frontdesk <alerts@example.org>"));
    }
    Ok(())
}

fn check_url(layers: &Layers, key: &str, url: Option<&Url>) -> Result<(), SettingsError> {
    match url {
        Some(url) if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() => {
            Err(layers.wrong(key, "an http or https address, as https://inbox.example.org"))
        }
        Some(url) if !url.username().is_empty() || url.password().is_some() => {
            Err(layers.wrong(key, "an address without a user name and password"))
        }
        Some(url) if url.query().is_some() || url.fragment().is_some() => {
            Err(layers.wrong(key, "an address without ? and #"))
        }
        _ => Ok(()),
    }
}
