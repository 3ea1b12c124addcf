//! Monitoring: figures, health, alerts, and what people want to hear of.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use frontdesk_engine::monitoring::delivery;
use frontdesk_engine::monitoring::health::{self, HealthReport};
use frontdesk_engine::monitoring::news::AlertView;
use frontdesk_engine::monitoring::report::{self, MetricsReport, Window};
use frontdesk_engine::monitoring::rules::{self, RuleError, RuleInput};
use frontdesk_engine::monitoring::targets::{self, TargetError, TargetInput};
use frontdesk_model::alert::{AlertMetric, AlertOperator, AlertSeverity, AlertState};
use frontdesk_model::{AlertDeliveryId, AlertId, InboxId, Timestamp};
use frontdesk_routes::{Gather, routes};
use frontdesk_store::alert_deliveries::{self, AlertDelivery, AlertDeliveryState, AlertTarget};
use frontdesk_store::alert_rules::AlertRule;
use frontdesk_store::alert_targets::AlertTargets;
use frontdesk_store::alerts;
use serde::{Deserialize, Serialize};

use crate::auth::{AdminUser, InboxReader};
use crate::error::{ApiError, ErrorBody, ErrorCode};
use crate::input::{JsonBody, Query, Word};
use crate::paging::{Page, PageQuery};
use crate::state::HttpState;
use crate::web_app;

pub(crate) fn routes<R: Gather<HttpState>>() -> R {
    R::default()
        .routes(routes!(monitoring_dashboard))
        .routes(routes!(monitoring_metrics))
        .routes(routes!(monitoring_health))
        .routes(routes!(list_alerts))
        .routes(routes!(list_alert_rules, create_alert_rule))
        .routes(routes!(get_alert_rule, update_alert_rule, delete_alert_rule))
        .routes(routes!(get_alert_targets, set_alert_targets))
        .routes(routes!(test_alert_targets))
        .routes(routes!(list_alert_deliveries))
}

// ---------------------------------------------------------------------------------------------------------------
// figures

/// The monitoring page.
///
/// A browser that is not signed in gets the page too, with status 401: it asks to sign in and comes back.
#[utoipa::path(get, path = "/api/v1/monitoring/dashboard", tag = "monitoring", security(("token" = ["inbox:read"])),
    responses((status = 200, body = String, content_type = "text/html")))]
async fn monitoring_dashboard(caller: Result<InboxReader, ApiError>, headers: HeaderMap) -> Response {
    match caller {
        Ok(_) => web_app::page(&headers),
        Err(error) => {
            let refused = error.into_response();
            if refused.status() == StatusCode::UNAUTHORIZED && web_app::accepts_html(&headers) {
                let mut page = web_app::page(&headers);
                *page.status_mut() = StatusCode::UNAUTHORIZED;
                return page;
            }
            refused
        }
    }
}

/// How far back, and of what.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct MetricsQuery {
    /// `5m` (unless said otherwise), `15m`, `1h`, `6h`, `24h` or `7d`.
    #[param(pattern = "^(5m|15m|1h|6h|24h|7d)?$")]
    window: Option<String>,
    /// The trend of this inbox alone; of Chatwoot with -1.
    inbox_id: Option<i64>,
}

/// What happened lately: in total, in each inbox, and how it went.
///
/// The figures are those of all nodes together.
#[utoipa::path(get, path = "/api/v1/monitoring/metrics", tag = "monitoring", security(("token" = ["inbox:read"])),
    params(MetricsQuery), responses((status = 200, body = MetricsReport),
        (status = 404, body = ErrorBody, description = "There is no such inbox in this account")))]
async fn monitoring_metrics(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Query(wanted): Query<MetricsQuery>,
) -> Result<Json<MetricsReport>, ApiError> {
    let window = match wanted.window.as_deref().filter(|word| !word.is_empty()) {
        Some(word) => Window::parse(word)
            .ok_or_else(|| ApiError::invalid("window", "The selected window is invalid."))?,
        None => Window::FiveMinutes,
    };
    let (engine, account) = (&state.engine, caller.account_id);
    let inbox = wanted.inbox_id.map(InboxId);
    if let Some(inbox) = inbox
        && !report::has_inbox(engine, account, inbox).await?
    {
        return Err(ApiError::not_found("inbox"));
    }
    Ok(Json(report::metrics(engine, account, window, inbox).await?))
}

/// How each inbox does.
#[utoipa::path(get, path = "/api/v1/monitoring/health", tag = "monitoring", security(("token" = ["inbox:read"])),
    responses((status = 200, body = HealthReport)))]
async fn monitoring_health(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
) -> Result<Json<HealthReport>, ApiError> {
    Ok(Json(health::of_account(&state.engine, caller.account_id).await?))
}

/// Which alerts.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct AlertsQuery {
    /// `firing` (unless said otherwise), `resolved` or `all`.
    #[param(pattern = "^(firing|resolved|all)?$")]
    state: Option<String>,
}

/// Lists alerts, the newest first: those that fire, unless asked for others.
#[utoipa::path(get, path = "/api/v1/monitoring/alerts", tag = "monitoring", security(("token" = ["inbox:read"])),
    params(AlertsQuery, PageQuery), responses((status = 200, body = Page<AlertView>)))]
async fn list_alerts(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Query(wanted): Query<AlertsQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<AlertView>>, ApiError> {
    let wanted = match wanted.state.as_deref().filter(|word| !word.is_empty()) {
        None => Some(AlertState::Firing),
        Some("all") => None,
        Some(word) => {
            let parsed = AlertState::parse(word);
            Some(parsed.ok_or_else(|| ApiError::invalid("state", "The selected state is invalid."))?)
        }
    };
    let (limit, before) = (page.limit()?, AlertId(page.key(i64::MAX)?));
    let account = caller.account_id;
    let rows =
        state.engine.store.read(move |tx| alerts::list(tx, account, wanted, before, limit + 1)).await?;
    Ok(Json(Page::of(rows, limit, |row| row.id.0, AlertView::from)))
}

// ---------------------------------------------------------------------------------------------------------------
// rules

/// A rule.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AlertRule)]
struct RuleView {
    /// Its name in addresses.
    name: String,
    /// Its name for people.
    title: String,
    metric: AlertMetric,
    operator: AlertOperator,
    /// Shares are from 0 to 1, times in seconds.
    threshold: f64,
    /// For how long it has to be so.
    duration_secs: i64,
    severity: AlertSeverity,
    /// Only this inbox; null for each by itself.
    #[schema(required = true)]
    inbox_id: Option<i64>,
    enabled: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<AlertRule> for RuleView {
    fn from(rule: AlertRule) -> Self {
        Self {
            name: rule.name,
            title: rule.title,
            metric: rule.metric,
            operator: rule.operator,
            threshold: rule.threshold,
            duration_secs: rule.duration_secs,
            severity: rule.severity,
            inbox_id: rule.inbox_id.map(|id| id.0),
            enabled: rule.enabled,
            created_at: rule.created_at,
            updated_at: rule.updated_at,
        }
    }
}

/// The rules of an account.
#[derive(Serialize, utoipa::ToSchema)]
struct AlertRules {
    data: Vec<RuleView>,
}

/// A rule to make, or to put in the place of another.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "name": "Long queue", "metric": "queue_depth", "operator": ">=", "threshold": 100,
    "duration_secs": 300, "severity": "warning" })))]
struct PutAlertRule {
    /// What people call it; the name in addresses comes from it when the rule is made.
    #[schema(min_length = 1, max_length = 100, pattern = "[A-Za-z0-9]")]
    name: String,
    metric: AlertMetric,
    /// Absent: `>=`.
    operator: Option<AlertOperator>,
    /// Shares are from 0 to 1, times in seconds.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    threshold: f64,
    /// For how long it has to be so.
    #[schema(minimum = 10, maximum = 3600)]
    duration_secs: i64,
    /// Absent: `warning`.
    severity: Option<AlertSeverity>,
    /// Only this inbox. Absent or null: each by itself.
    inbox_id: Option<i64>,
    /// Absent: true.
    enabled: Option<bool>,
}

impl From<PutAlertRule> for RuleInput {
    fn from(body: PutAlertRule) -> Self {
        Self {
            title: body.name,
            metric: body.metric,
            operator: body.operator.unwrap_or(AlertOperator::AtLeast),
            threshold: body.threshold,
            duration_secs: body.duration_secs,
            severity: body.severity.unwrap_or(AlertSeverity::Warning),
            inbox_id: body.inbox_id.map(InboxId),
            enabled: body.enabled.unwrap_or(true),
        }
    }
}

impl From<RuleError> for ApiError {
    fn from(error: RuleError) -> Self {
        match error {
            RuleError::Invalid(field, why) => Self::invalid(field, why),
            RuleError::Taken => Self::invalid("name", error.to_string()),
            RuleError::TooMany => Self::new(ErrorCode::Conflict, error.to_string()),
            RuleError::NotFound => Self::not_found("rule"),
            RuleError::Store(error) => error.into(),
        }
    }
}

/// Lists the alert rules, the oldest first.
#[utoipa::path(get, path = "/api/v1/monitoring/alerts/rules", tag = "monitoring",
    security(("token" = ["inbox:read"])), responses((status = 200, body = AlertRules)))]
async fn list_alert_rules(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
) -> Result<Json<AlertRules>, ApiError> {
    let rules = rules::list(&state.engine, caller.account_id).await?;
    Ok(Json(AlertRules { data: rules.into_iter().map(RuleView::from).collect() }))
}

/// Makes an alert rule.
#[utoipa::path(post, path = "/api/v1/monitoring/alerts/rules", tag = "monitoring", security(("token" = ["admin"])),
    request_body = PutAlertRule, responses((status = 201, body = RuleView),
        (status = 409, body = ErrorBody, description = "The account has as many rules as it may")))]
async fn create_alert_rule(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    JsonBody(body): JsonBody<PutAlertRule>,
) -> Result<(StatusCode, Json<RuleView>), ApiError> {
    let rule = rules::create(&state.engine, caller.actor(), body.into()).await?;
    Ok((StatusCode::CREATED, Json(rule.into())))
}

/// Shows an alert rule.
#[utoipa::path(get, path = "/api/v1/monitoring/alerts/rules/{rule_name}", tag = "monitoring",
    security(("token" = ["inbox:read"])), params(("rule_name" = String, Path)),
    responses((status = 200, body = RuleView)))]
async fn get_alert_rule(
    State(state): State<HttpState>,
    InboxReader(caller): InboxReader,
    Word(name): Word,
) -> Result<Json<RuleView>, ApiError> {
    Ok(Json(rules::get(&state.engine, caller.account_id, &name).await?.into()))
}

/// Puts an alert rule in the place of the one of this name, which stays its name in addresses.
#[utoipa::path(put, path = "/api/v1/monitoring/alerts/rules/{rule_name}", tag = "monitoring",
    security(("token" = ["admin"])), params(("rule_name" = String, Path)), request_body = PutAlertRule,
    responses((status = 200, body = RuleView)))]
async fn update_alert_rule(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Word(name): Word,
    JsonBody(body): JsonBody<PutAlertRule>,
) -> Result<Json<RuleView>, ApiError> {
    Ok(Json(rules::update(&state.engine, caller.actor(), &name, body.into()).await?.into()))
}

/// Removes an alert rule. What it made fire ends.
#[utoipa::path(delete, path = "/api/v1/monitoring/alerts/rules/{rule_name}", tag = "monitoring",
    security(("token" = ["admin"])), params(("rule_name" = String, Path)), responses((status = 204)))]
async fn delete_alert_rule(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Word(name): Word,
) -> Result<StatusCode, ApiError> {
    rules::delete(&state.engine, caller.actor(), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

// ---------------------------------------------------------------------------------------------------------------
// delivery

/// Where news of alerts goes, besides pages and the log.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AlertTargets)]
struct TargetsView {
    /// The address that is called; null for none.
    #[schema(required = true)]
    webhook_url: Option<String>,
    /// The secret its signatures are made with, shown only in the answer to the request that made it; null otherwise.
    #[schema(required = true)]
    webhook_secret: Option<String>,
    /// Who gets letters.
    emails: Vec<String>,
    /// False while this server has no mail server: then `emails` must be empty.
    email_available: bool,
}

impl TargetsView {
    fn show(state: &HttpState, targets: AlertTargets, webhook_secret: Option<String>) -> Self {
        Self {
            webhook_url: targets.webhook_url,
            webhook_secret,
            emails: targets.emails,
            email_available: !state.engine.settings.mail.host.is_empty(),
        }
    }
}

/// Where news of alerts is to go.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(examples(json!({ "webhook_url": "https://ops.example.org/frontdesk", "emails": [] })))]
struct PutAlertTargets {
    /// An https address on the public internet, or a host of `providers.allow_private_hosts`. Absent or null: none.
    #[schema(max_length = 2000)]
    webhook_url: Option<String>,
    /// True makes a new secret; the first address gets one anyway.
    new_secret: Option<bool>,
    /// Who gets letters. Absent: nobody.
    #[schema(max_items = 20)]
    emails: Option<Vec<String>>,
}

impl From<TargetError> for ApiError {
    fn from(error: TargetError) -> Self {
        match error {
            TargetError::Invalid(field, why) => Self::invalid(field, why),
            TargetError::Nowhere => Self::new(ErrorCode::Conflict, error.to_string()),
            TargetError::Vault(_) => Self::internal(error),
            TargetError::Store(error) => error.into(),
        }
    }
}

/// Shows where news of alerts goes.
#[utoipa::path(get, path = "/api/v1/monitoring/alerts/targets", tag = "monitoring", security(("token" = ["admin"])),
    responses((status = 200, body = TargetsView)))]
async fn get_alert_targets(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
) -> Result<Json<TargetsView>, ApiError> {
    let targets = targets::get(&state.engine, caller.account_id).await?;
    Ok(Json(TargetsView::show(&state, targets, None)))
}

/// Says where news of alerts goes.
#[utoipa::path(put, path = "/api/v1/monitoring/alerts/targets", tag = "monitoring", security(("token" = ["admin"])),
    request_body = PutAlertTargets, responses((status = 200, body = TargetsView)))]
async fn set_alert_targets(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    JsonBody(body): JsonBody<PutAlertTargets>,
) -> Result<Json<TargetsView>, ApiError> {
    let input = TargetInput {
        webhook_url: body.webhook_url,
        new_secret: body.new_secret.unwrap_or(false),
        emails: body.emails.unwrap_or_default(),
    };
    let (stored, secret) = targets::set(&state.engine, caller.actor(), input).await?;
    Ok(Json(TargetsView::show(&state, stored, secret)))
}

/// How much is on its way.
#[derive(Serialize, utoipa::ToSchema)]
struct TestSent {
    /// To so many places.
    deliveries: usize,
}

/// Sends news of nothing (`alert.test`) to everywhere news goes; the deliveries tell what became of it.
#[utoipa::path(post, path = "/api/v1/monitoring/alerts/targets/test", tag = "monitoring",
    security(("token" = ["admin"])), responses((status = 202, body = TestSent),
        (status = 409, body = ErrorBody, description = "There is nowhere to send it")))]
async fn test_alert_targets(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
) -> Result<(StatusCode, Json<TestSent>), ApiError> {
    let deliveries = delivery::send_test(&state.engine, caller.account_id).await?;
    Ok((StatusCode::ACCEPTED, Json(TestSent { deliveries })))
}

/// News of an alert on its way to one place.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AlertDelivery)]
struct DeliveryView {
    id: i64,
    /// Null for a test.
    #[schema(required = true)]
    alert_id: Option<i64>,
    /// `alert.fired`, `alert.resolved` or `alert.test`.
    event: String,
    target: AlertTarget,
    /// The address called, or the reader's.
    address: String,
    state: AlertDeliveryState,
    attempts: i64,
    /// The status of the last answer.
    #[schema(required = true)]
    http_status: Option<i64>,
    /// Why the last try did not succeed.
    #[schema(required = true)]
    error: Option<String>,
    /// When it is tried again; null when it is not.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    next_try_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    ended_at: Option<Timestamp>,
}

impl From<AlertDelivery> for DeliveryView {
    fn from(row: AlertDelivery) -> Self {
        Self {
            id: row.id.0,
            alert_id: (row.alert_id != AlertId(0)).then_some(row.alert_id.0),
            event: row.event,
            target: row.target,
            address: row.address,
            next_try_at: (row.state == AlertDeliveryState::Waiting).then_some(row.due_at),
            state: row.state,
            attempts: row.attempts,
            http_status: row.http_status,
            error: row.error,
            created_at: row.created_at,
            ended_at: row.ended_at,
        }
    }
}

/// Lists what became of the news of alerts, the newest first.
#[utoipa::path(get, path = "/api/v1/monitoring/alerts/deliveries", tag = "monitoring",
    security(("token" = ["admin"])), params(PageQuery), responses((status = 200, body = Page<DeliveryView>)))]
async fn list_alert_deliveries(
    State(state): State<HttpState>,
    AdminUser(caller): AdminUser,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<DeliveryView>>, ApiError> {
    let (limit, before) = (page.limit()?, AlertDeliveryId(page.key(i64::MAX)?));
    let account = caller.account_id;
    let rows =
        state.engine.store.read(move |tx| alert_deliveries::list(tx, account, before, limit + 1)).await?;
    Ok(Json(Page::of(rows, limit, |row| row.id.0, DeliveryView::from)))
}
