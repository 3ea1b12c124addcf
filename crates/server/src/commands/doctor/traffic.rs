//! What went on in the last hour, as the nodes wrote it down: what people see first when something is wrong.

use frontdesk_engine::Engine;
use frontdesk_engine::monitoring::report::{self, BreakerWord, FiguresView, InboxFigures, Window};
use frontdesk_model::AccountId;
use frontdesk_store::{StoreError, accounts, deliveries};

use super::finding::{Finding, chain};

/// The figures looked at.
const WINDOW: Window = Window::Hour;
/// With fewer requests or attempts a share says nothing.
const FEW: u64 = 5;
/// From here on, as the alert rules have it.
const MANY_ERRORS: f64 = 0.10;
const MANY_FAILURES: f64 = 0.15;
const SLOW_MS: f64 = 5_000.0;
const LIMIT_HITS: u64 = 5;
/// What has waited for so long is not just waiting for its turn.
const OLD_SECS: i64 = 300;
/// So many kinds of failures are named.
const NAMED: usize = 3;

/// Looks at the figures of every inbox, and at what was nobody's.
pub async fn check(engine: &Engine) -> Vec<Finding> {
    match look(engine).await {
        Ok(findings) if findings.is_empty() => {
            vec![Finding::ok("traffic", "nothing unusual in the last hour")]
        }
        Ok(findings) => findings,
        Err(error) => vec![Finding::fail("traffic", chain(error), "see the database's finding")],
    }
}

async fn look(engine: &Engine) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    let since = engine.clock.now().plus_ms(-WINDOW.secs() * 1000);
    let (accounts, failures) = engine
        .store
        .read(move |tx| Ok::<_, StoreError>((accounts::list(tx)?, deliveries::failures_since(tx, since)?)))
        .await?;
    for account in accounts {
        for inbox in report::metrics(engine, account.id, WINDOW, None).await?.inboxes {
            let codes: Vec<String> = failures
                .iter()
                .filter(|failure| failure.inbox_id.0 == inbox.inbox_id)
                .take(NAMED)
                .map(|failure| format!("{} {}", failure.count, failure.code))
                .collect();
            findings.extend(of_inbox(&inbox, &codes));
        }
    }
    let nobodys = report::metrics(engine, AccountId(0), WINDOW, None).await?.total.webhooks.errors;
    if nobodys > 0 {
        findings.push(Finding::warn(
            "refused",
            format!("{nobodys} webhooks in the last hour were refused or for no inbox"),
            "compare the webhook token and the app secret with the provider's, and look at the sender: the log says why \
             each was refused",
        ));
    }
    Ok(findings)
}

fn of_inbox(inbox: &InboxFigures, codes: &[String]) -> Vec<Finding> {
    let name = format!("{} ({} {})", inbox.name, inbox.channel, inbox.inbox_id);
    let FiguresView { requests, response_time_ms, rate_limit, messages, webhooks, queue, .. } =
        &inbox.figures;
    let percent = |share: f64| (share * 100.0).round();
    let mut findings = Vec::new();
    if inbox.breaker == BreakerWord::Open {
        findings.push(Finding::fail(
            "breaker",
            format!("{name}: its provider keeps failing, so that nothing is sent at present"),
            "look at the provider's status page and at the network; what waits is sent when it answers again",
        ));
    }
    if let Some(rate) = requests.error_rate.filter(|rate| requests.total >= FEW && *rate >= MANY_ERRORS) {
        let kinds = requests.by_outcome.iter().filter(|(outcome, _)| *outcome != "ok");
        let kinds: Vec<String> = kinds.map(|(outcome, count)| format!("{count} {outcome}")).collect();
        findings.push(Finding::warn(
            "errors",
            format!("{name}: {} % of {} calls failed in the last hour: {}", percent(rate), requests.total, kinds.join(", ")),
            "rejected: credentials and settings; throttled: limits; anything else is the provider's or the network's",
        ));
    }
    if let Some(avg) = response_time_ms.avg.filter(|avg| *avg > SLOW_MS) {
        findings.push(Finding::warn(
            "slow",
            format!("{name}: its provider took {:.1} s on average in the last hour", avg / 1000.0),
            "look at the network, the provider's status page, and whether the inbox has the account's own address",
        ));
    }
    if rate_limit.hits >= LIMIT_HITS {
        findings.push(Finding::warn(
            "limits",
            format!("{name}: a limit made {} calls wait, or refused them, in the last hour", rate_limit.hits),
            "send less at once, or raise the limits of the inbox as far as its provider allows",
        ));
    }
    if let Some(age) = queue.oldest_age_secs.filter(|age| *age >= OLD_SECS) {
        findings.push(Finding::warn(
            "queue",
            format!("{name}: {} wait to be sent, the oldest for {} min", queue.depth, age / 60),
            "look at the state of the inbox, at its limits, and whether the server runs",
        ));
    }
    let failed = messages.failure_rate.filter(|rate| messages.failed >= 1 && *rate >= MANY_FAILURES);
    if let Some(rate) = failed {
        let why = if codes.is_empty() { String::new() } else { format!(": {}", codes.join(", ")) };
        findings.push(Finding::warn(
            "messages",
            format!(
                "{name}: {} % of the attempts to send did not succeed in the last hour{why}",
                percent(rate)
            ),
            "each message says why below it: number format, allowance, closed window, permissions, content",
        ));
    }
    if webhooks.errors > 0 {
        findings.push(Finding::warn(
            "webhooks",
            format!(
                "{name}: {} of {} webhooks could not be used in the last hour",
                webhooks.errors, webhooks.received
            ),
            "look at Settings > Webhook log, and apply them again with: frontdesk replay",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use frontdesk_engine::monitoring::report::{
        MessageFigures, QueueFigures, RateLimitFigures, RequestFigures, ResponseTimes, WebhookFigures,
    };

    use super::*;

    fn quiet() -> InboxFigures {
        let (none, calm) = (None, BTreeMap::from([("ok".to_owned(), 100)]));
        InboxFigures {
            inbox_id: 1,
            name: "Hotel".to_owned(),
            channel: "green_api".to_owned(),
            enabled: true,
            breaker: BreakerWord::Closed,
            figures: FiguresView {
                requests: RequestFigures {
                    total: 100,
                    errors: 0,
                    error_rate: Some(0.0),
                    success_rate: Some(1.0),
                    by_outcome: calm,
                    held: 0,
                },
                response_time_ms: ResponseTimes { avg: Some(4_999.0), p50: none, p95: none, p99: none },
                rate_limit: RateLimitFigures { hits: LIMIT_HITS - 1, waits: 0, avg_wait_ms: none },
                messages: MessageFigures {
                    sent: 90,
                    received: 9,
                    failed: 1,
                    retried: 9,
                    unknown: 0,
                    failure_rate: Some(0.1),
                },
                webhooks: WebhookFigures {
                    received: 9,
                    repeated: 9,
                    errors: 0,
                    failure_rate: Some(0.0),
                    by_type: BTreeMap::new(),
                    by_provider_type: BTreeMap::new(),
                },
                queue: QueueFigures { depth: 100, oldest_age_secs: Some(OLD_SECS - 1) },
                last_request_at: None,
            },
        }
    }

    #[test]
    fn what_is_usual_is_not_told_and_slow_answers_and_reasons_are() {
        let mut inbox = quiet();
        assert!(of_inbox(&inbox, &["1 BAD_PHONE".to_owned()]).is_empty());
        inbox.figures.response_time_ms.avg = Some(6_300.0);
        inbox.figures.messages.failure_rate = Some(0.2);
        let told = of_inbox(&inbox, &["3 BAD_PHONE".to_owned(), "1 QUOTA_USED_UP".to_owned()]);
        let checks: Vec<_> = told.iter().map(|finding| finding.check).collect();
        assert_eq!(checks, ["slow", "messages"]);
        assert!(told[0].message.contains("took 6.3 s on average"), "{}", told[0].message);
        assert!(told[1].message.ends_with("last hour: 3 BAD_PHONE, 1 QUOTA_USED_UP"), "{}", told[1].message);
    }
}
