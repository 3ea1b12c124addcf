//! Drafts by a language model: off until an administrator of the account names the host they come from.
//!
//! [`settings`] says who is asked. [`mask`] takes out what tells who somebody is, [`prompt`] puts the rest down as data,
//! [`client`] asks, [`filter`] lets through what the team could have said. A draft is shown and never sent. When it fails, the
//! team's own replies are shown in its place, except where what was paid for is used up: that is said.

mod client;
mod filter;
mod live;
mod mask;
mod prompt;
pub mod settings;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use frontdesk_model::crm::variables::Values;
use frontdesk_model::{AccountId, ConversationId, Timestamp};
use frontdesk_provider_http::ProviderHttp;
use frontdesk_store::{StoreError, contacts, suggest_settings};
use serde_json::json;
use tokio::time::Instant;

pub use live::{Live, LiveEvent, start};

use self::client::{Upstream, Written};
use self::filter::Filter;
use self::mask::Mask;
use self::prompt::{Form, Prompt};
use self::settings::Access;
use super::answer::{self, Context, Item, ItemId, Source, SourceKind, SuggestError, Wanted};
use super::shelf;
use crate::Engine;
use crate::audit::{self, Deed};
use crate::caller::{Actor, Caller};
use crate::vault;

/// What was paid for being used up, nobody is asked for so long, in milliseconds.
const PAUSE_MS: i64 = 15 * 60_000;
/// A server that asks for a longer wait is not waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(3);
/// With less time left nothing is tried again.
const SHORTEST_TRY: Duration = Duration::from_millis(200);
/// Replies of the team's own that the model is shown.
const EXAMPLES: usize = 3;
/// Of more drafts than asked for so many are looked at.
const MOST_LOOKED_AT: usize = 15;
/// Stacks of accounts kept open by one node.
const STACKS: usize = 200;

frontdesk_model::words! {
    /// What is wrong with the language model.
    pub enum Trouble {
        /// What was paid for is used up there.
        ProviderQuota = "AI_PROVIDER_QUOTA",
        /// The account's own limit of the month is reached.
        Quota = "AI_QUOTA",
        /// It does not take the key.
        Auth = "AI_AUTH",
        /// It does not take the request.
        BadRequest = "AI_BAD_REQUEST",
        /// It failed, or was not reached.
        Unavailable = "AI_UNAVAILABLE",
        /// It is asked too often.
        TooFast = "AI_TOO_FAST",
        /// Nothing of what it wrote may be shown.
        Withheld = "AI_WITHHELD",
    }
}

/// Why there is no draft.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The conversation, or the database.
    #[error(transparent)]
    Suggest(#[from] SuggestError),
    /// The language model.
    #[error("the language model brought nothing: {0}")]
    Trouble(Trouble),
}

impl From<StoreError> for DraftError {
    fn from(error: StoreError) -> Self {
        Self::Suggest(error.into())
    }
}

/// Replies that may fit, and who made them.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestions {
    /// The replies, the best first.
    pub items: Vec<Item>,
    /// A language model wrote them.
    pub is_model: bool,
    /// Tokens that it took.
    pub tokens_used: i64,
    /// Nobody counted them: they were estimated.
    pub is_estimate: bool,
    /// A language model was to write them and did not.
    pub fallback: Option<Trouble>,
    /// The host that may be asked for drafts.
    pub host: Option<String>,
}

impl Suggestions {
    fn own(items: Vec<Item>, host: Option<String>, fallback: Option<Trouble>) -> Self {
        Self { items, is_model: false, tokens_used: 0, is_estimate: false, fallback, host }
    }
}

/// The stacks of this node, by account and version of its settings.
#[derive(Default)]
pub(crate) struct Stacks(Mutex<HashMap<AccountId, (i64, ProviderHttp)>>);

/// Suggests replies: from the language model where one is set up and `own_only` is false, else from the team's own.
pub async fn suggest(
    engine: &Engine,
    caller: &Caller,
    conversation: ConversationId,
    wanted: Wanted,
    own_only: bool,
) -> Result<Suggestions, DraftError> {
    let context = answer::context(engine, caller.account_id, conversation, wanted.context_messages).await?;
    let access = access(engine, caller.account_id).await?;
    let host = access.as_ref().and_then(|access| access.settings.host());
    let own = answer::answers(engine, caller, &context, wanted.count.max(EXAMPLES)).await?;
    let mine = |own: Vec<Item>| own.into_iter().take(wanted.count).collect::<Vec<_>>();
    let access = match access.filter(|_| !own_only && !context.question.is_empty()) {
        Some(access) => access,
        None => return Ok(Suggestions::own(mine(own), host, None)),
    };
    match draft(engine, caller, &access, &context, &own, wanted.count).await {
        Ok((items, Some(written))) if !items.is_empty() => Ok(Suggestions {
            items,
            is_model: true,
            tokens_used: written.0,
            is_estimate: written.1,
            fallback: None,
            host,
        }),
        // What was taken was taken, also when nothing of it may be shown.
        Ok((_, written)) => {
            let (tokens_used, is_estimate) = written.unwrap_or_default();
            let own = Suggestions::own(mine(own), host, Some(Trouble::Withheld));
            Ok(Suggestions { tokens_used, is_estimate, ..own })
        }
        Err(DraftError::Trouble(trouble)) if is_replaced(trouble, &access) => {
            Ok(Suggestions::own(mine(own), host, Some(trouble)))
        }
        Err(error) => Err(error),
    }
}

/// Whether the team's own replies are shown in place of this trouble.
fn is_replaced(trouble: Trouble, access: &Access) -> bool {
    match trouble {
        Trouble::ProviderQuota | Trouble::Quota => false,
        Trouble::TooFast | Trouble::Withheld => true,
        Trouble::Auth | Trouble::BadRequest | Trouble::Unavailable => access.settings.fallback,
    }
}

async fn access(engine: &Engine, account: AccountId) -> Result<Option<Access>, StoreError> {
    let reader = engine.clone();
    engine.store.read(move |tx| settings::access(tx, &reader.vault, account)).await
}

/// Everything that is needed for asking.
struct Asking {
    http: ProviderHttp,
    mask: Mask,
    nonce: String,
    month: String,
}

impl Asking {
    /// Refuses where nobody is asked at present.
    async fn begin(
        engine: &Engine,
        access: &Access,
        account: AccountId,
        context: &Context,
    ) -> Result<Self, DraftError> {
        let now = engine.clock.now();
        if access.paused_until.is_some_and(|until| until > now) {
            return Err(DraftError::Trouble(Trouble::ProviderQuota));
        }
        let nonce = vault::random::<16>().map_err(|_| DraftError::Trouble(Trouble::Unavailable))?;
        let http = stack(engine, account, access).map_err(|_| DraftError::Trouble(Trouble::Unavailable))?;
        let known = noted(engine, account, context).await?;
        let mask = Mask::new(context.contact.as_ref(), &known);
        Ok(Self { http, mask, nonce: hex::encode(nonce), month: settings::month(now) })
    }
}

/// What is noted of the customer, in whatever field.
async fn noted(engine: &Engine, account: AccountId, context: &Context) -> Result<Values, StoreError> {
    let Some(contact) = context.contact.as_ref().map(|contact| contact.id) else { return Ok(Values::new()) };
    let details = engine
        .store
        .read(move |tx| contacts::other_side::details_many(tx, account, [contact]))
        .await?
        .remove(&contact)
        .unwrap_or_default();
    let texts = details.custom_fields.into_iter().filter_map(|(key, value)| match value {
        serde_json::Value::String(text) => Some((key, text)),
        serde_json::Value::Number(number) => Some((key, number.to_string())),
        _ => None,
    });
    Ok(texts.collect())
}

fn stack(engine: &Engine, account: AccountId, access: &Access) -> Result<ProviderHttp, Upstream> {
    let mut open = engine.draft_stacks().0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((version, http)) = open.get(&account)
        && *version == access.version
    {
        return Ok(http.clone());
    }
    let http = client::stack(engine, access)?;
    if open.len() >= STACKS {
        open.clear();
    }
    open.insert(account, (access.version, http.clone()));
    Ok(http)
}

/// The drafts that may be shown, with the tokens they took and whether those were estimated.
async fn draft(
    engine: &Engine,
    caller: &Caller,
    access: &Access,
    context: &Context,
    own: &[Item],
    count: usize,
) -> Result<(Vec<Item>, Option<(i64, bool)>), DraftError> {
    let account = caller.account_id;
    let mut asking = Asking::begin(engine, access, account, context).await?;
    let examples = &own[..own.len().min(EXAMPLES)];
    let mut make = |trimmed| {
        prompt::make(context, examples, &mut asking.mask, &asking.nonce, Form::List(count), trimmed)
    };
    let (whole, short) = (make(false), make(true));
    let taken = reserve(engine, account, access, &asking.month, client::estimate(&whole, count)).await?;
    let asked = ask(&asking.http, access, (&whole, &short), count).await;
    let used = asked.as_ref().ok().map(|(_, written)| {
        let estimate = || client::estimate_used(&whole, &written.text);
        (written.tokens.unwrap_or_else(estimate), written.tokens.is_none())
    });
    settle(engine, account, &asking.month, taken, used.map_or(0, |(tokens, _)| tokens)).await?;
    told(engine, access, account, asked.as_ref().err()).await?;
    let (mut drafts, _) = asked.map_err(|upstream| DraftError::Trouble(trouble(&upstream)))?;
    drafts.truncate(MOST_LOOKED_AT);
    let mut filter = filter_for(&whole, context, examples);
    let mut items: Vec<Item> = Vec::new();
    for text in drafts.iter().filter_map(|draft| asking.mask.put_back(draft)) {
        if let Some(text) = passed(engine, account, &mut filter, &text).await?
            && items.iter().all(|item| item.text != text)
        {
            items.push(item(text, items.len(), access));
        }
    }
    let withheld = drafts.len() - items.len().min(drafts.len());
    if withheld > 0 {
        metrics::counter!("frontdesk_suggestion_drafts_withheld_total").increment(withheld as u64);
    }
    items.truncate(count);
    Ok((items, used))
}

/// Asks, and once again where that may help, all within the time that was set.
async fn ask(
    http: &ProviderHttp,
    access: &Access,
    (whole, short): (&Prompt, &Prompt),
    count: usize,
) -> Result<(Vec<String>, Written), Upstream> {
    let timeout = Duration::from_millis(u64::try_from(access.settings.timeout_ms).unwrap_or(20_000));
    let until = Instant::now() + timeout;
    let attempt = async |prompt: &Prompt, plain: bool| {
        let within = until.saturating_duration_since(Instant::now());
        let written = client::complete(http, access, prompt, count, plain, within).await?;
        let drafts = client::drafts(&written.text).ok_or(Upstream::Unavailable)?;
        Ok((drafts, written))
    };
    let first = match attempt(whole, false).await {
        Err(upstream) => upstream,
        done => return done,
    };
    let prompt = match &first {
        Upstream::Quota | Upstream::Auth | Upstream::Resting => return Err(first),
        Upstream::TooFast(wait) => {
            let wait = wait.unwrap_or(Duration::from_secs(1));
            if wait > LONGEST_WAIT {
                return Err(first);
            }
            tokio::time::sleep(wait).await;
            whole
        }
        Upstream::BadRequest => short,
        Upstream::Unavailable => whole,
    };
    if until.saturating_duration_since(Instant::now()) < SHORTEST_TRY {
        return Err(first);
    }
    attempt(prompt, first == Upstream::BadRequest).await
}

fn trouble(upstream: &Upstream) -> Trouble {
    match upstream {
        Upstream::Quota => Trouble::ProviderQuota,
        Upstream::TooFast(_) => Trouble::TooFast,
        Upstream::Auth => Trouble::Auth,
        Upstream::BadRequest => Trouble::BadRequest,
        Upstream::Unavailable | Upstream::Resting => Trouble::Unavailable,
    }
}

async fn reserve(
    engine: &Engine,
    account: AccountId,
    access: &Access,
    month: &str,
    tokens: i64,
) -> Result<i64, DraftError> {
    let (month, cap) = (month.to_owned(), access.settings.monthly_tokens);
    let taken =
        engine.store.write(move |tx| suggest_settings::reserve(tx, account, &month, tokens, cap)).await?;
    if taken { Ok(tokens) } else { Err(DraftError::Trouble(Trouble::Quota)) }
}

async fn settle(
    engine: &Engine,
    account: AccountId,
    month: &str,
    taken: i64,
    used: i64,
) -> Result<(), StoreError> {
    let month = month.to_owned();
    engine.store.write(move |tx| suggest_settings::settle(tx, account, &month, used - taken)).await
}

/// Keeps what went wrong for the administrators: on the settings page, in the audit trail and in the log, once.
async fn told(
    engine: &Engine,
    access: &Access,
    account: AccountId,
    upstream: Option<&Upstream>,
) -> Result<(), StoreError> {
    let (version, now) = (access.version, engine.clock.now());
    let Some(trouble) = upstream.map(trouble) else {
        if access.trouble.is_some() {
            engine.store.write(move |tx| suggest_settings::well(tx, account, version)).await?;
        }
        return Ok(());
    };
    if !matches!(trouble, Trouble::ProviderQuota | Trouble::Auth | Trouble::BadRequest) {
        return Ok(());
    }
    let host = access.settings.host();
    let is_news = engine
        .store
        .write(move |tx| {
            let is_news = if trouble == Trouble::ProviderQuota {
                let until: Timestamp = now.plus_ms(PAUSE_MS);
                suggest_settings::pause(tx, account, version, (until, trouble.as_str()), now)?
            } else {
                suggest_settings::fail(tx, account, version, trouble.as_str())?
            };
            if is_news {
                let deed = Deed {
                    action: "suggest_settings.trouble",
                    subject_type: "account",
                    subject_id: account.0,
                };
                let details = json!({ "code": trouble.as_str(), "host": host });
                audit::record(tx, Actor::server(account), deed, Some(&details), now)?;
            }
            Ok::<_, StoreError>(is_news)
        })
        .await?;
    if is_news {
        tracing::warn!(
            account.id = account.0,
            code = trouble.as_str(),
            "the language model of an account refuses its drafts"
        );
    }
    Ok(())
}

fn filter_for(prompt: &Prompt, context: &Context, examples: &[Item]) -> Filter {
    let ours = context.turns.iter().filter(|(ours, _)| *ours).map(|(_, text)| text.as_str());
    let ours = ours.chain(examples.iter().map(|item| item.text.as_str()));
    let contact = context.contact.as_ref();
    let known = contact.and_then(|contact| contact.phone.as_deref()).into_iter();
    let known = known.chain(contact.and_then(|contact| contact.email.as_deref()));
    let customers = context.turns.iter().filter(|(ours, _)| !*ours).map(|(_, text)| text.as_str());
    Filter::new(prompt, ours, known, customers)
}

/// The draft as it may be shown. What it states that stands nowhere in the conversation, the team must tell everybody.
async fn passed(
    engine: &Engine,
    account: AccountId,
    filter: &mut Filter,
    draft: &str,
) -> Result<Option<String>, StoreError> {
    let unstated = filter.unstated(draft);
    if !unstated.is_empty() {
        let told = shelf::ask(engine, account, move |index| {
            unstated.into_iter().filter(|fact| index.tells_everybody(fact)).collect::<Vec<_>>()
        });
        for fact in told.await? {
            filter.allow(&fact);
        }
    }
    Ok(filter.pass(draft).ok())
}

fn item(text: String, number: usize, access: &Access) -> Item {
    let host = access.settings.host().unwrap_or_default();
    Item {
        id: ItemId::Draft(u8::try_from(number + 1).unwrap_or(u8::MAX)),
        text,
        score: None,
        source: Source {
            kind: SourceKind::Model,
            said_at: None,
            said_by: Some(access.settings.model.clone()),
            is_own: false,
            shortcut: None,
            alike: 0,
            sentence: format!("written by {} at {host}", access.settings.model),
        },
    }
}
