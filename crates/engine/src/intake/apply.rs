//! One body inside a transaction: into the log, then event by event into the rows.

use std::sync::Arc;

use bytes::Bytes;
use frontdesk_channels::contract::{RoutedEvent, VerifiedBy};
use frontdesk_model::inbound::InboundEvent;
use frontdesk_model::{AccountId, InboxId, Timestamp};
use frontdesk_store::webhook_logs::{self, NewWebhookLog, Outcome, WebhookState};
use frontdesk_store::{StoreError, Tx, inboxes};

use super::queue::Receipt;
use super::{changes, message, status};
use crate::Engine;
use crate::inboxes::{Inbox, InboxBook};

/// A genuine webhook body, parsed.
pub(crate) struct Received {
    pub(crate) door: &'static str,
    pub(crate) body: Bytes,
    pub(crate) body_hash: [u8; 32],
    pub(crate) verified_by: VerifiedBy,
    pub(crate) events: Vec<RoutedEvent>,
    pub(crate) unreadable: Option<String>,
}

impl Received {
    /// Who the first event is about: bodies of one customer go the same way.
    pub(crate) fn first_sender(&self) -> (&str, &str) {
        self.events.first().map_or(("", ""), |first| {
            let who = match &first.event {
                InboundEvent::Message(m) => m.thread.as_str(),
                InboundEvent::Status(s) => s.remote_id.as_str(),
                InboundEvent::Edit(e) => e.target.as_str(),
                InboundEvent::Delete(d) => d.target.as_str(),
                _ => "",
            };
            (first.route.as_str(), who)
        })
    }

    fn verified_inbox(&self) -> Option<InboxId> {
        match self.verified_by {
            VerifiedBy::Settings => None,
            VerifiedBy::Inbox(id) => Some(id),
        }
    }
}

/// What applying needs beside the transaction.
pub(crate) struct Context {
    engine: Engine,
    inboxes: Arc<InboxBook>,
    now: Timestamp,
}

impl Context {
    pub(crate) async fn new(engine: &Engine) -> Result<Self, StoreError> {
        let inboxes = crate::inboxes::book(engine).await?;
        Ok(Self { engine: engine.clone(), inboxes, now: engine.clock.now() })
    }
}

/// Keeps a body and applies its events. A body seen before changes nothing.
pub(crate) fn keep_and_apply(
    tx: &mut Tx<'_>,
    context: &Context,
    body: &Received,
) -> Result<Receipt, StoreError> {
    let routing = route(context, body.door, body.verified_by, &body.events);
    let state = if body.unreadable.is_some() { WebhookState::Unreadable } else { routing.state() };
    let kept = webhook_logs::insert(
        tx,
        &NewWebhookLog {
            account_id: routing.account,
            inbox_id: routing.inbox,
            door: body.door,
            body_hash: &body.body_hash,
            body: &body.body,
            verified_by: body.verified_inbox(),
            state,
            error: body.unreadable.as_deref().or(routing.problem.as_deref()),
            events: body.events.len() as i64,
        },
        context.now,
    )?;
    if kept.is_none() {
        return apply_repeated(tx, context, body, &routing);
    }
    apply_routed(tx, context, &routing)?;
    Ok(Receipt::Kept(state))
}

/// The same bytes again. What was applied stays as it is; what was not has another chance: its inbox was added since, or
/// it now comes with the right signature.
fn apply_repeated(
    tx: &mut Tx<'_>,
    context: &Context,
    body: &Received,
    routing: &Routing<'_>,
) -> Result<Receipt, StoreError> {
    let earlier = webhook_logs::find_by_body(tx, body.door, &body.body_hash)?;
    let open = earlier.filter(|row| row.state != WebhookState::Applied && body.unreadable.is_none());
    let Some(earlier) = open else { return Ok(Receipt::Repeated) };
    apply_routed(tx, context, routing)?;
    if routing.problem.is_some() {
        return Ok(Receipt::Repeated);
    }
    webhook_logs::set_verified_by(tx, earlier.id, body.verified_inbox())?;
    webhook_logs::set_outcome(tx, earlier.id, &routing.outcome(body.events.len()), context.now)?;
    Ok(Receipt::Kept(WebhookState::Applied))
}

/// Keeps a body whose events could not be applied.
pub(crate) fn keep_as_failed(
    tx: &mut Tx<'_>,
    context: &Context,
    body: &Received,
    reason: &str,
) -> Result<Receipt, StoreError> {
    let routing = route(context, body.door, body.verified_by, &body.events);
    let kept = webhook_logs::insert(
        tx,
        &NewWebhookLog {
            account_id: routing.account,
            inbox_id: routing.inbox,
            door: body.door,
            body_hash: &body.body_hash,
            body: &body.body,
            verified_by: body.verified_inbox(),
            state: WebhookState::Failed,
            error: Some(reason),
            events: body.events.len() as i64,
        },
        context.now,
    )?;
    Ok(if kept.is_some() { Receipt::Kept(WebhookState::Failed) } else { Receipt::Repeated })
}

/// Applies the events of a body that is in the log already and says what became of it.
pub(crate) fn apply_again(
    tx: &mut Tx<'_>,
    context: &Context,
    door: &str,
    verified_by: VerifiedBy,
    events: &[RoutedEvent],
    log: frontdesk_model::WebhookLogId,
) -> Result<WebhookState, StoreError> {
    let routing = route(context, door, verified_by, events);
    apply_routed(tx, context, &routing)?;
    webhook_logs::set_outcome(tx, log, &routing.outcome(events.len()), context.now)?;
    Ok(routing.state())
}

/// Which inbox each event is for.
struct Routing<'a> {
    steps: Vec<(&'a Inbox, &'a InboundEvent)>,
    /// The account all of it concerns; 0 for none or several.
    account: AccountId,
    inbox: Option<InboxId>,
    problem: Option<String>,
}

impl Routing<'_> {
    fn state(&self) -> WebhookState {
        if self.problem.is_some() { WebhookState::Unrouted } else { WebhookState::Applied }
    }

    fn outcome(&self, events: usize) -> Outcome<'_> {
        Outcome {
            state: self.state(),
            error: self.problem.as_deref(),
            events: events as i64,
            account_id: Some(self.account),
            inbox_id: self.inbox,
        }
    }
}

fn route<'a>(
    context: &'a Context,
    door: &str,
    verified_by: VerifiedBy,
    events: &'a [RoutedEvent],
) -> Routing<'a> {
    let mut routing = Routing {
        steps: Vec::with_capacity(events.len()),
        account: AccountId(0),
        inbox: None,
        problem: None,
    };
    let Some(keys) = context.inboxes.door_keys(door) else {
        routing.problem = Some(format!("no channel receives webhooks at {door}"));
        return routing;
    };
    for routed in events.iter().filter(|r| !matches!(r.event, InboundEvent::Ignored { .. })) {
        let mut known = false;
        let mut vouched = false;
        for inbox in context.inboxes.find_by_route(routed.channel, &routed.route) {
            known = true;
            if keys.vouch_for(verified_by, inbox.config.id) {
                vouched = true;
                routing.steps.push((inbox, &routed.event));
            }
        }
        if !known {
            routing.problem =
                Some(format!("no inbox on {} is connected as {}", routed.channel, routed.route));
        } else if !vouched {
            routing.problem = Some(format!("signed with a secret that does not belong to {}", routed.route));
        }
    }
    let mut accounts = routing.steps.iter().map(|(inbox, _)| inbox.config.account_id);
    if let Some(first) = accounts.next()
        && accounts.all(|account| account == first)
    {
        routing.account = first;
        let mut ids = routing.steps.iter().map(|(inbox, _)| inbox.config.id);
        routing.inbox = ids.next().filter(|first| ids.all(|id| id == *first));
    }
    routing
}

fn apply_routed(tx: &mut Tx<'_>, context: &Context, routing: &Routing<'_>) -> Result<(), StoreError> {
    for (inbox, event) in &routing.steps {
        let news = News { account: inbox.config.account_id, inbox: inbox.config.id, now: context.now };
        match event {
            InboundEvent::Message(m) => message::apply(tx, news, m)?,
            InboundEvent::Status(s) => status::apply(tx, news, s)?,
            InboundEvent::Watermark(w) => status::apply_watermark(tx, news, w)?,
            InboundEvent::Reaction(r) => changes::react(tx, news, r)?,
            InboundEvent::Edit(e) => changes::edit(tx, news, e)?,
            InboundEvent::Delete(d) => changes::delete(tx, news, d)?,
            InboundEvent::IdentityChange(c) => message::apply_identity_change(tx, news, c)?,
            InboundEvent::Notice(n) => changes::notice(tx, news, n)?,
            InboundEvent::Typing(_) | InboundEvent::Ignored { .. } => {}
        }
        if context.engine.connections().is_touch_due(inbox.config.id, context.now) {
            inboxes::touch_webhook(tx, inbox.config.account_id, inbox.config.id, context.now)?;
        }
    }
    Ok(())
}

/// Where and when a piece of news is applied.
#[derive(Clone, Copy)]
pub(crate) struct News {
    pub(crate) account: AccountId,
    pub(crate) inbox: InboxId,
    pub(crate) now: Timestamp,
}
