//! How Chatwoot and its client fare, and what is kept.

use axum::Json;
use axum::extract::State;
use frontdesk_engine::chatwoot::{self, CacheStats, Health, Stats};
use frontdesk_routes::{Gather, routes};
use serde::Serialize;

use super::failure::{Asked, Failure};
use crate::auth::{AdminUser, InboxReader};
use crate::state::HttpState;

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(chatwoot_health))
        .routes(routes!(chatwoot_stats))
        .routes(routes!(chatwoot_cache))
        .routes(routes!(warm_chatwoot_cache))
        .routes(routes!(clear_chatwoot_cache))
}

/// How Chatwoot is.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(examples(json!({ "success": true, "status": "ok", "response_time_ms": 41, "message": "OK", "version": "4.16.2", "error_code": null })))]
struct ChatwootHealth {
    /// Whether `status` is `ok`.
    success: bool,
    /// `ok` or `error`.
    status: &'static str,
    /// How long its answer took.
    response_time_ms: u64,
    /// What is wrong, for people; `OK` if nothing is.
    message: String,
    /// Its version, where it says it.
    #[schema(required = true)]
    version: Option<String>,
    /// The code of what is wrong, as in refusals.
    #[schema(required = true)]
    error_code: Option<&'static str>,
}

impl From<Health> for ChatwootHealth {
    fn from(health: Health) -> Self {
        Self {
            success: health.status == "ok",
            status: health.status,
            response_time_ms: health.response_time_ms,
            message: health.message,
            version: health.version,
            error_code: health.error_code,
        }
    }
}

/// Asks Chatwoot how it is: whether it is there, its database and queue work, and it takes our token for our account.
#[utoipa::path(get, path = "/api/v1/chatwoot/health", tag = "chatwoot", security(("token" = ["inbox:read"])),
    responses((status = 200, body = ChatwootHealth)))]
async fn chatwoot_health(
    State(state): State<HttpState>,
    Asked(InboxReader(caller)): Asked<InboxReader>,
) -> Result<Json<ChatwootHealth>, Failure> {
    let chatwoot = chatwoot::of(&state.engine, caller.account_id).await?;
    Ok(Json(chatwoot.client().health_check().await.into()))
}

/// How the client fares, on the node that answers.
#[derive(Serialize, utoipa::ToSchema)]
struct ChatwootStats {
    /// True.
    success: bool,
    /// Requests that may leave now without waiting, by our own limit; null for no limit.
    #[schema(required = true)]
    rate_limit_remaining: Option<usize>,
    /// Failures in a row.
    circuit_breaker_failures: u32,
    /// `closed`, `open` or `half_open`.
    circuit_breaker_state: &'static str,
    /// Share of answers from memory, 0 to 100.
    cache_hit_rate: f64,
}

/// Shows how the client fares: its limit, its breaker. Requests, errors and times are in the monitoring.
#[utoipa::path(get, path = "/api/v1/chatwoot/stats", tag = "chatwoot", security(("token" = ["inbox:read"])),
    responses((status = 200, body = ChatwootStats)))]
async fn chatwoot_stats(
    State(state): State<HttpState>,
    Asked(InboxReader(caller)): Asked<InboxReader>,
) -> Result<Json<ChatwootStats>, Failure> {
    let chatwoot = chatwoot::of(&state.engine, caller.account_id).await?;
    let Stats { rate_limit_remaining, circuit_breaker_failures, circuit_breaker_state } =
        chatwoot.client().stats();
    Ok(Json(ChatwootStats {
        success: true,
        rate_limit_remaining,
        circuit_breaker_failures,
        circuit_breaker_state,
        cache_hit_rate: chatwoot.cache_stats().hit_rate_percentage,
    }))
}

/// How the cache of the node that answers fares.
#[derive(Serialize, utoipa::ToSchema)]
struct ChatwootCache {
    /// True.
    success: bool,
    /// Fresh answers from memory.
    hits: u64,
    /// Stale ones, handed out while they were fetched anew.
    stale_hits: u64,
    /// Answers that Chatwoot was waited for.
    misses: u64,
    /// Share of answers from memory, 0 to 100; 0 without any.
    hit_rate_percentage: f64,
    /// Answers kept, roughly.
    entries: u64,
    /// Their size, roughly.
    size_bytes: u64,
    /// The most that is kept.
    max_bytes: u64,
    /// Times that something was said to hold no longer.
    invalidations: u64,
}

impl From<CacheStats> for ChatwootCache {
    fn from(stats: CacheStats) -> Self {
        Self {
            success: true,
            hits: stats.hits,
            stale_hits: stats.stale_hits,
            misses: stats.misses,
            hit_rate_percentage: stats.hit_rate_percentage,
            entries: stats.entries,
            size_bytes: stats.size_bytes,
            max_bytes: stats.max_bytes,
            invalidations: stats.invalidations,
        }
    }
}

/// Shows how the cache fares. Every node has its own.
#[utoipa::path(get, path = "/api/v1/chatwoot/cache", tag = "chatwoot", security(("token" = ["inbox:read"])),
    responses((status = 200, body = ChatwootCache)))]
async fn chatwoot_cache(
    State(state): State<HttpState>,
    Asked(InboxReader(caller)): Asked<InboxReader>,
) -> Result<Json<ChatwootCache>, Failure> {
    Ok(Json(chatwoot::of(&state.engine, caller.account_id).await?.cache_stats().into()))
}

/// What was fetched beforehand.
#[derive(Serialize, utoipa::ToSchema)]
struct ChatwootCacheWarmed {
    /// True.
    success: bool,
    /// What came: `account`, `inboxes`, `labels`, `agents`, `conversations` (the newest).
    warmed: Vec<&'static str>,
    /// How much of what is read most was fetched anew.
    preloaded: usize,
}

/// Fetches what everybody needs and what is read most, for the node that answers.
#[utoipa::path(post, path = "/api/v1/chatwoot/cache/warm", tag = "chatwoot", security(("token" = ["admin"])),
    responses((status = 200, body = ChatwootCacheWarmed)))]
async fn warm_chatwoot_cache(
    State(state): State<HttpState>,
    Asked(AdminUser(caller)): Asked<AdminUser>,
) -> Result<Json<ChatwootCacheWarmed>, Failure> {
    let chatwoot = chatwoot::of(&state.engine, caller.account_id).await?;
    let preloaded = chatwoot.preload_frequent_data().await;
    Ok(Json(ChatwootCacheWarmed { success: true, warmed: chatwoot.warm_cache().await, preloaded }))
}

/// What was forgotten.
#[derive(Serialize, utoipa::ToSchema)]
struct ChatwootCacheCleared {
    /// True.
    success: bool,
    /// The kinds of answers.
    cleared: Vec<&'static str>,
}

/// Forgets all that is kept, on every node.
#[utoipa::path(post, path = "/api/v1/chatwoot/cache/clear", tag = "chatwoot", security(("token" = ["admin"])),
    responses((status = 200, body = ChatwootCacheCleared)))]
async fn clear_chatwoot_cache(
    State(state): State<HttpState>,
    Asked(AdminUser(caller)): Asked<AdminUser>,
) -> Result<Json<ChatwootCacheCleared>, Failure> {
    let cleared = chatwoot::of(&state.engine, caller.account_id).await?.clear_all_caches();
    Ok(Json(ChatwootCacheCleared { success: true, cleared }))
}
