//! What webhooks told, counted for the inboxes they were for.

use frontdesk_channels::contract::{DoorKeys, RoutedEvent, VerifiedBy};
use frontdesk_model::inbound::InboundEvent;
use frontdesk_model::message::MessageStatus;
use frontdesk_model::{AccountId, InboxId};
use frontdesk_store::webhook_logs::WebhookState;

use super::figures::{ByWord, count};
use crate::Engine;
use crate::inboxes::InboxBook;
use crate::intake::Receipt;

/// What one body told, by inbox.
#[derive(Default)]
pub(crate) struct Told {
    tallies: Vec<Tally>,
    /// The provider's own word for the body.
    pub(crate) kind: Option<&'static str>,
}

struct Tally {
    account: AccountId,
    inbox: InboxId,
    channel: &'static str,
    types: ByWord,
    received: u64,
    failed: u64,
}

impl Told {
    /// Gathers what a body says, for the inboxes that its signature vouches for.
    pub(crate) fn gather(
        book: &InboxBook,
        keys: &DoorKeys,
        verified_by: VerifiedBy,
        events: &[RoutedEvent],
    ) -> Self {
        let mut told = Self::default();
        for routed in events {
            for inbox in book.find_for(routed, verified_by, keys) {
                if keys.vouch_for(verified_by, inbox.config.id) {
                    told.add((inbox.config.account_id, inbox.config.id), routed);
                }
            }
        }
        told
    }

    fn add(&mut self, (account, inbox): (AccountId, InboxId), routed: &RoutedEvent) {
        let (channel, event) = (routed.channel, &routed.event);
        let place = self.tallies.iter().position(|tally| tally.inbox == inbox).unwrap_or_else(|| {
            self.tallies.push(Tally {
                account,
                inbox,
                channel,
                types: ByWord::new(),
                received: 0,
                failed: 0,
            });
            self.tallies.len() - 1
        });
        let tally = &mut self.tallies[place];
        count(&mut tally.types, word(event));
        match event {
            InboundEvent::Message(message) if message.echo.is_none() => tally.received += 1,
            InboundEvent::Status(news) if news.status == MessageStatus::Failed => tally.failed += 1,
            _ => {}
        }
    }

    /// Counts the body. `receipt` is `None` when it could not be stored; the provider then delivers it again.
    pub(crate) fn note(mut self, engine: &Engine, receipt: Option<Receipt>) {
        if self.tallies.is_empty() {
            let nobody = (AccountId(0), InboxId(0));
            self.tallies.push(Tally {
                account: nobody.0,
                inbox: nobody.1,
                channel: "",
                types: ByWord::new(),
                received: 0,
                failed: 0,
            });
        }
        let is_repeated = receipt == Some(Receipt::Repeated);
        let is_error = !is_repeated && receipt != Some(Receipt::Kept(WebhookState::Applied));
        let is_applied =
            matches!(receipt, Some(Receipt::Kept(WebhookState::Applied | WebhookState::Unreadable)));
        let now = engine.clock.now();
        for tally in self.tallies {
            let meter = engine.monitoring().meter(tally.account, tally.inbox);
            meter.note(now, |figures| {
                let counts = &mut figures.counts;
                counts.webhooks += 1;
                counts.webhooks_repeated += u64::from(is_repeated);
                counts.webhook_errors += u64::from(is_error);
                if is_applied {
                    counts.received += tally.received;
                    counts.failed += tally.failed;
                    for (word, number) in &tally.types {
                        *counts.webhook_types.entry(word.clone()).or_default() += number;
                    }
                    if let Some(kind) = self.kind {
                        count(&mut counts.webhook_provider_types, kind);
                    }
                }
            });
            if is_error {
                meter.count_webhook_error();
            }
            if is_applied {
                meter.count_messages("received", tally.received);
                meter.count_messages("failed", tally.failed);
                meter.count_webhooks(&tally.types);
                if let Some(kind) = self.kind {
                    meter.count_webhook_of_type(kind);
                }
                if tally.failed > 0 {
                    tracing::error!(
                        inbox.id = tally.inbox.0,
                        channel = tally.channel,
                        messages = tally.failed,
                        "a provider says that messages failed for good"
                    );
                }
            }
        }
    }
}

/// A genuine body that is no inbox's.
pub(crate) enum Body {
    /// It told this.
    Told(&'static str),
    /// It came before.
    Repeated,
    /// It could not be read.
    Unreadable,
}

/// Counts a genuine body that is no inbox's.
pub(crate) fn note_body(engine: &Engine, account: AccountId, of: InboxId, body: &Body) {
    let meter = engine.monitoring().meter(account, of);
    let mut types = ByWord::new();
    if let Body::Told(word) = body {
        count(&mut types, word);
    }
    meter.note(engine.clock.now(), |figures| {
        figures.counts.webhooks += 1;
        match body {
            Body::Told(word) => count(&mut figures.counts.webhook_types, word),
            Body::Repeated => figures.counts.webhooks_repeated += 1,
            Body::Unreadable => figures.counts.webhook_errors += 1,
        }
    });
    meter.count_webhooks(&types);
    if matches!(body, Body::Unreadable) {
        meter.count_webhook_error();
    }
}

/// Counts a body that was not genuine: for the inbox that it claims to be for, where that is known, so that its people hear of
/// a wrong token; otherwise for nobody, whose figures the first account of the server sees.
pub(crate) fn note_refused(engine: &Engine, claimed: Option<(AccountId, InboxId)>) {
    let (account, inbox) = claimed.unwrap_or((AccountId(0), InboxId(0)));
    let meter = engine.monitoring().meter(account, inbox);
    meter.note(engine.clock.now(), |figures| {
        figures.counts.webhooks += 1;
        figures.counts.webhook_errors += 1;
        count(&mut figures.counts.webhook_types, "refused");
    });
    meter.count_webhook_error();
}

fn word(event: &InboundEvent) -> &'static str {
    match event {
        InboundEvent::Message(message) if message.echo.is_some() => "echo",
        InboundEvent::Message(_) => "message",
        InboundEvent::Status(_) => "status",
        InboundEvent::Watermark(_) => "watermark",
        InboundEvent::Reaction(_) => "reaction",
        InboundEvent::Edit(_) => "edit",
        InboundEvent::Delete(_) => "delete",
        InboundEvent::Typing(_) => "typing",
        InboundEvent::IdentityChange(_) => "identity_change",
        InboundEvent::Notice(_) => "notice",
        InboundEvent::Ignored { .. } => "ignored",
        InboundEvent::Unreadable { .. } => "unreadable",
    }
}
