//! Bodies inside a transaction: into the log, then their events into the rows.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use frontdesk_channels::contract::{RoutedEvent, VerifiedBy};
use frontdesk_model::inbound::InboundEvent;
use frontdesk_model::{AccountId, InboxId, RemoteId, Timestamp};
use frontdesk_store::webhook_logs::{self, NewWebhookLog, Outcome, WebhookState};
use frontdesk_store::{StoreError, Tx, erased_messages, inboxes};
use tracing::Span;

use super::message::Became;
use super::queue::Receipt;
use super::{changes, limits, message, status};
use crate::Engine;
use crate::inboxes::{Inbox, InboxBook};

/// A genuine webhook body, parsed.
pub(crate) struct Received {
    pub(crate) door: &'static str,
    pub(crate) body: Bytes,
    /// A hash of door and body.
    pub(crate) body_hash: [u8; 16],
    pub(crate) verified_by: VerifiedBy,
    pub(crate) events: Vec<RoutedEvent>,
    pub(crate) unreadable: Option<String>,
    /// The request that brought it: lines of the log about applying it are told apart by it.
    pub(crate) span: Span,
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

    /// The body as it is kept.
    fn log<'a>(&'a self, routing: &'a Routing<'_>) -> NewWebhookLog<'a> {
        NewWebhookLog {
            account_id: routing.account,
            inbox_id: routing.inbox,
            door: self.door,
            body_hash: &self.body_hash,
            body: &self.body,
            verified_by: self.verified_inbox(),
            state: if self.unreadable.is_some() { WebhookState::Unreadable } else { routing.state() },
            error: self.unreadable.as_deref().or(routing.remark()),
            events: self.events.len() as i64,
        }
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

/// Keeps bodies and applies their events. A body seen before changes nothing.
///
/// Bodies that hold nothing but customers' messages are recognised by those: such a body is kept when one of its messages
/// is new. All others are recognised by their bytes. Messages come first, all together, and then what is told about
/// messages: the order does not matter to the result.
pub(crate) fn keep_and_apply(
    tx: &mut Tx<'_>,
    context: &Context,
    bodies: &[Arc<Received>],
) -> Result<Vec<Receipt>, StoreError> {
    let routings: Vec<_> = bodies
        .iter()
        .map(|body| route(context, body.door, body.verified_by, &body.events, &body.span))
        .collect();
    let logs: Vec<_> = bodies.iter().zip(&routings).map(|(body, routing)| body.log(routing)).collect();
    let (by_messages, by_bytes): (Vec<_>, Vec<_>) = (0..bodies.len())
        .partition(|&n| logs[n].state == WebhookState::Applied && routings[n].is_told_by_messages());

    let unseen: Vec<_> = by_bytes.iter().map(|&n| logs[n].clone()).collect();
    let kept = webhook_logs::insert_many(tx, &unseen, context.now)?;
    let (seen, unseen): (Vec<_>, Vec<_>) = by_bytes.iter().zip(kept).partition(|(_, kept)| kept.is_none());
    let to_apply: Vec<_> = by_messages.iter().chain(unseen.into_iter().map(|(n, _)| n)).copied().collect();
    let brought_messages = apply_routed(tx, context, to_apply.iter().map(|&n| &routings[n]))?;

    let mut receipts: Vec<_> = logs.iter().map(|log| Receipt::Kept(log.state)).collect();
    let mut applied = Vec::with_capacity(by_messages.len());
    for (&n, is_new) in by_messages.iter().zip(brought_messages) {
        if is_new {
            applied.push(logs[n].clone());
        } else {
            receipts[n] = Receipt::Repeated;
        }
    }
    webhook_logs::keep_applied_many(tx, &applied, context.now)?;
    for (&n, _) in seen {
        receipts[n] = apply_repeated(tx, context, &bodies[n], &routings[n])?;
    }
    Ok(receipts)
}

/// The same bytes again. What was applied stays as it is; what was not has another chance when something changed: its
/// inbox was added since, it now comes with the right signature, or this program reads more of it than the one before.
fn apply_repeated(
    tx: &mut Tx<'_>,
    context: &Context,
    body: &Received,
    routing: &Routing<'_>,
) -> Result<Receipt, StoreError> {
    let earlier = webhook_logs::find_by_body(tx, &body.body_hash)?;
    let open = earlier.filter(|row| row.state != WebhookState::Applied && body.unreadable.is_none());
    let Some(earlier) = open else { return Ok(Receipt::Repeated) };
    if earlier.state == routing.state() && earlier.error.as_deref() == routing.remark() {
        return Ok(Receipt::Repeated);
    }
    apply_routed(tx, context, [routing])?;
    webhook_logs::set_verified_by(tx, earlier.id, body.verified_inbox())?;
    webhook_logs::set_outcome(tx, earlier.id, &routing.outcome(body.events.len()), context.now)?;
    Ok(Receipt::Kept(routing.state()))
}

/// Keeps a body whose events could not be applied.
pub(crate) fn keep_as_failed(
    tx: &mut Tx<'_>,
    context: &Context,
    body: &Received,
    reason: &str,
) -> Result<Receipt, StoreError> {
    let routing = route(context, body.door, body.verified_by, &body.events, &body.span);
    let log = NewWebhookLog { state: WebhookState::Failed, error: Some(reason), ..body.log(&routing) };
    let kept = webhook_logs::insert_many(tx, &[log], context.now)?.into_iter().flatten().next();
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
    span: &Span,
) -> Result<WebhookState, StoreError> {
    let routing = route(context, door, verified_by, events, span);
    apply_routed(tx, context, [&routing])?;
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
    /// What is left out, and why.
    left_out: LeftOut,
    /// The request that brought it.
    span: &'a Span,
}

impl Routing<'_> {
    fn state(&self) -> WebhookState {
        if self.problem.is_some() {
            WebhookState::Unrouted
        } else if self.left_out.unreadable > 0 {
            WebhookState::Unreadable
        } else {
            WebhookState::Applied
        }
    }

    /// True when it holds customers' messages and nothing else: where they are stored, the body was here before.
    fn is_told_by_messages(&self) -> bool {
        let is_message = |event: &InboundEvent| match event {
            InboundEvent::Message(m) => m.echo.is_none() && !m.contact.identities.is_empty(),
            _ => false,
        };
        self.left_out.named == 0
            && !self.steps.is_empty()
            && self.steps.iter().all(|(_, event)| is_message(event))
    }

    /// What the log says beside the state.
    fn remark(&self) -> Option<&str> {
        self.problem.as_deref().or(self.left_out.remark.as_deref())
    }

    fn outcome(&self, events: usize) -> Outcome<'_> {
        Outcome {
            state: self.state(),
            error: self.remark(),
            events: events as i64,
            account_id: Some(self.account),
            inbox_id: self.inbox,
        }
    }
}

/// Parts of a body that nothing is made of. They are named in the log: nothing is dropped in silence.
#[derive(Default)]
struct LeftOut {
    unreadable: usize,
    named: usize,
    remark: Option<String>,
}

impl LeftOut {
    /// So many are named; a batch may hold a thousand.
    const MAX_NAMED: usize = 8;

    fn of(events: &[RoutedEvent]) -> Self {
        let mut left_out = Self::default();
        for event in events {
            match &event.event {
                InboundEvent::Ignored { what } => left_out.name("not used", what),
                InboundEvent::Unreadable { what } => {
                    left_out.unreadable += 1;
                    left_out.name("unreadable", what);
                }
                _ => {}
            }
        }
        if left_out.named > Self::MAX_NAMED
            && let Some(remark) = &mut left_out.remark
        {
            let _ = write!(remark, "; and {} more", left_out.named - Self::MAX_NAMED);
        }
        left_out
    }

    fn name(&mut self, why: &str, what: &str) {
        self.named += 1;
        match &mut self.remark {
            _ if self.named > Self::MAX_NAMED => {}
            None => self.remark = Some(format!("{why}: {what}")),
            Some(remark) => {
                let _ = write!(remark, "; {why}: {what}");
            }
        }
    }
}

fn route<'a>(
    context: &'a Context,
    door: &str,
    verified_by: VerifiedBy,
    events: &'a [RoutedEvent],
    span: &'a Span,
) -> Routing<'a> {
    let mut routing = Routing {
        steps: Vec::with_capacity(events.len()),
        account: AccountId(0),
        inbox: None,
        problem: None,
        left_out: LeftOut::of(events),
        span,
    };
    let Some(keys) = context.inboxes.door_keys(door) else {
        routing.problem = Some(format!("no channel receives webhooks at {door}"));
        return routing;
    };
    let mut concerned: Vec<&Inbox> = Vec::new();
    for routed in events {
        let left_out = matches!(routed.event, InboundEvent::Ignored { .. } | InboundEvent::Unreadable { .. });
        let mut known = false;
        let mut vouched = false;
        for inbox in context.inboxes.find_for(routed, verified_by, keys) {
            known = true;
            if keys.vouch_for(verified_by, inbox.config.id) {
                vouched = true;
                concerned.push(inbox);
                if !left_out {
                    routing.steps.push((inbox, &routed.event));
                }
            }
        }
        if left_out {
            continue;
        }
        if !known && routed.route.is_empty() {
            let channel = routed.channel;
            routing.problem =
                Some(format!("it names no inbox on {channel}, and its key belongs to none or to several"));
        } else if !known {
            routing.problem =
                Some(format!("no inbox on {} is connected as {}", routed.channel, routed.route));
        } else if !vouched {
            routing.problem = Some(format!("signed with a secret that does not belong to {}", routed.route));
        }
    }
    let mut accounts = concerned.iter().map(|inbox| inbox.config.account_id);
    if let Some(first) = accounts.next()
        && accounts.all(|account| account == first)
    {
        routing.account = first;
        let mut ids = concerned.iter().map(|inbox| inbox.config.id);
        routing.inbox = ids.next().filter(|first| ids.all(|id| id == *first));
    }
    routing
}

/// Applies what bodies hold; tells of each whether a customer's message in it was new.
fn apply_routed<'r, 'e: 'r>(
    tx: &mut Tx<'_>,
    context: &Context,
    routings: impl IntoIterator<Item = &'r Routing<'e>>,
) -> Result<Vec<bool>, StoreError> {
    let mut messages = Vec::new();
    let mut bodies_of_messages = Vec::new();
    let mut brought_messages = Vec::new();
    let mut spans = Vec::new();
    let (mut statuses, mut others) = (Vec::new(), Vec::new());
    let mut heard = BTreeMap::new();
    for routing in routings {
        for (inbox, event) in &routing.steps {
            let news = News { account: inbox.config.account_id, inbox: inbox.config.id, now: context.now };
            heard.insert(news.inbox, news.account);
            match event {
                InboundEvent::Message(m) => {
                    messages.push((news, &**m));
                    bodies_of_messages.push(brought_messages.len());
                }
                InboundEvent::Status(status) => statuses.push((news, status)),
                other => others.push((news, other)),
            }
        }
        brought_messages.push(false);
        spans.push(routing.span);
    }
    let erased = find_erased(tx, &context.inboxes, &messages)?;
    let numbered = messages.into_iter().zip(bodies_of_messages).enumerate();
    let (messages, bodies_of_messages): (Vec<_>, Vec<_>) =
        numbered.filter(|(n, _)| !erased.contains(n)).map(|(_, told)| told).unzip();
    let became = message::apply_all(tx, &messages)?;
    for ((body, (news, _)), became) in bodies_of_messages.into_iter().zip(&messages).zip(became) {
        match became {
            Became::New(id) => {
                brought_messages[body] = true;
                spans[body].in_scope(|| {
                    tracing::debug!(
                        message.id = id.0,
                        inbox.id = news.inbox.0,
                        "a customer's message is stored"
                    )
                });
            }
            Became::Known => {}
            Became::LeftOut => spans[body].in_scope(|| {
                tracing::warn!(inbox.id = news.inbox.0, "a message without a sender was left out")
            }),
        }
    }
    status::apply_all(tx, &statuses)?;
    for (news, event) in others {
        apply_other(tx, news, event)?;
    }
    for (inbox, account) in heard {
        if context.engine.connections().is_touch_due(inbox, context.now) {
            inboxes::touch_webhook(tx, account, inbox, context.now)?;
        }
    }
    Ok(brought_messages)
}

/// What is neither a message nor how far one has come.
fn apply_other(tx: &mut Tx<'_>, news: News, event: &InboundEvent) -> Result<(), StoreError> {
    match event {
        InboundEvent::Watermark(w) => status::apply_watermark(tx, news, w),
        InboundEvent::Reaction(r) => changes::react(tx, news, r),
        InboundEvent::Edit(e) => changes::edit(tx, news, e),
        InboundEvent::Delete(d) => changes::delete(tx, news, d),
        InboundEvent::IdentityChange(c) => message::apply_identity_change(tx, news, c),
        InboundEvent::Notice(n) => changes::notice(tx, news, n),
        InboundEvent::Message(_)
        | InboundEvent::Status(_)
        | InboundEvent::Typing(_)
        | InboundEvent::Ignored { .. }
        | InboundEvent::Unreadable { .. } => Ok(()),
    }
}

/// Applies what an inbox was told when its provider was asked, in the order of the answer: no webhook brought it, so none is
/// logged. What is here already changes nothing. Tells how many customers' messages were new.
pub(crate) fn apply_asked(
    tx: &mut Tx<'_>,
    book: &InboxBook,
    news: News,
    events: &[InboundEvent],
) -> Result<usize, StoreError> {
    let mut events = events.to_vec();
    events.iter_mut().for_each(limits::shorten);
    let messages: Vec<message::Told<'_>> = events
        .iter()
        .filter_map(|event| match event {
            InboundEvent::Message(message) => Some((news, &**message)),
            _ => None,
        })
        .collect();
    let erased = find_erased(tx, book, &messages)?;
    let is_erased = |id: &RemoteId| erased.iter().any(|n| messages[*n].1.remote_id == *id);
    let kept: Vec<_> =
        messages.iter().filter(|(_, message)| !is_erased(&message.remote_id)).copied().collect();
    let mut new = 0;
    // Of one moment, customers' messages would come first: a provider that counts seconds has many such moments.
    for part in kept.chunk_by(|(_, a), (_, b)| a.sent_at != b.sent_at || a.echo.is_some() == b.echo.is_some())
    {
        let became = message::apply_all(tx, part)?;
        new += became.iter().filter(|became| matches!(became, Became::New(_))).count();
    }
    let statuses: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            InboundEvent::Status(status) if !is_erased(&status.remote_id) => Some((news, status)),
            _ => None,
        })
        .collect();
    status::apply_all(tx, &statuses)?;
    for event in &events {
        match event {
            // Nothing waits for a message that stays away.
            InboundEvent::Delete(delete) if is_erased(&delete.target) => {}
            event => apply_other(tx, news, event)?,
        }
    }
    Ok(new)
}

/// The numbers of messages that were here and were erased. They stay so, whoever delivers them again.
fn find_erased(
    tx: &mut Tx<'_>,
    book: &InboxBook,
    messages: &[message::Told<'_>],
) -> Result<HashSet<usize>, StoreError> {
    if !messages.iter().any(|(news, _)| book.has_erased(news.account)) {
        return Ok(HashSet::new());
    }
    let named: Vec<_> =
        messages.iter().map(|(news, m)| (news.account, news.inbox, m.remote_id.as_str())).collect();
    erased_messages::find_many(tx, &named)
}

/// Where and when a piece of news is applied.
#[derive(Clone, Copy)]
pub(crate) struct News {
    pub(crate) account: AccountId,
    pub(crate) inbox: InboxId,
    pub(crate) now: Timestamp,
}
