//! One draft in pieces, as it is written. A piece is let through when its sentence is whole and nothing in it is withheld; who goes
//! away ends the call.

use frontdesk_model::ConversationId;
use frontdesk_store::StoreError;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::client::{self, Upstream, Written};
use super::filter::Filter;
use super::prompt::{self, Form};
use super::settings::Access;
use super::{
    Asking, DraftError, EXAMPLES, Suggestions, Trouble, access, filter_for, is_replaced, item, passed,
    reserve, settle, told, trouble,
};
use crate::Engine;
use crate::caller::Caller;
use crate::suggest::answer::{self, Context, Item, SuggestError, Wanted};

/// Pieces that wait for whoever reads.
const WAITING: usize = 64;

/// What happens while a draft is written.
#[derive(Debug, Clone, PartialEq)]
pub enum LiveEvent {
    /// More of the text.
    Text(String),
    /// What was shown is to be taken away: nothing of it may stay.
    Withdrawn,
    /// It is done. Where no model wrote, with the team's own replies.
    Done(Suggestions),
    /// It ended without an answer.
    Failed(Trouble),
}

/// A draft that is being written. Dropping it ends the call.
pub struct Live {
    events: mpsc::Receiver<LiveEvent>,
    first: Option<LiveEvent>,
    _writing: AbortOnDropHandle<()>,
}

impl Live {
    /// The next event; `None` after the last.
    pub async fn next(&mut self) -> Option<LiveEvent> {
        match self.first.take() {
            Some(first) => Some(first),
            None => self.events.recv().await,
        }
    }
}

/// Begins a draft; returns when the first of it is there.
///
/// Errors: as [`super::suggest`], as far as nothing was shown yet.
pub async fn start(
    engine: &Engine,
    caller: &Caller,
    conversation: ConversationId,
    wanted: Wanted,
) -> Result<Live, DraftError> {
    let context = answer::context(engine, caller.account_id, conversation, wanted.context_messages).await?;
    let access = access(engine, caller.account_id).await?;
    let own = answer::answers(engine, caller, &context, EXAMPLES).await?;
    let (events, receiver) = mpsc::channel(WAITING);
    let (engine, caller) = (engine.clone(), caller.clone());
    let writing = tokio::spawn(async move {
        let done = match access.filter(|_| !context.question.is_empty()) {
            None => LiveEvent::Done(Suggestions::own(own, None, None)),
            Some(access) => match write(&engine, &caller, &access, &context, &own, &events).await {
                Ok(done) => done,
                Err(error) => failed(error, own, &access),
            },
        };
        let _ = events.send(done).await; // nobody may be there any more
    });
    let mut live = Live { events: receiver, first: None, _writing: AbortOnDropHandle::new(writing) };
    match live.events.recv().await {
        Some(LiveEvent::Failed(trouble)) => Err(DraftError::Trouble(trouble)),
        Some(event) => {
            live.first = Some(event);
            Ok(live)
        }
        None => Err(SuggestError::Store(StoreError::Panicked).into()),
    }
}

fn failed(error: DraftError, own: Vec<Item>, access: &Access) -> LiveEvent {
    match error {
        DraftError::Trouble(trouble) if is_replaced(trouble, access) => {
            LiveEvent::Done(Suggestions::own(own, access.settings.host(), Some(trouble)))
        }
        DraftError::Trouble(trouble) => LiveEvent::Failed(trouble),
        DraftError::Suggest(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a draft could not be written");
            LiveEvent::Failed(Trouble::Unavailable)
        }
    }
}

async fn write(
    engine: &Engine,
    caller: &Caller,
    access: &Access,
    context: &Context,
    own: &[Item],
    events: &mpsc::Sender<LiveEvent>,
) -> Result<LiveEvent, DraftError> {
    let account = caller.account_id;
    let mut asking = Asking::begin(engine, access, account, context).await?;
    let prompt = prompt::make(context, own, &mut asking.mask, &asking.nonce, Form::Text, false);
    let taken = reserve(engine, account, access, &asking.month, client::estimate(&prompt, 1)).await?;
    let mut shown = Shown {
        engine,
        account,
        filter: filter_for(&prompt, context, own),
        mask: &asking.mask,
        events,
        told: 0,
    };
    let (pieces, mut read) = mpsc::channel(WAITING);
    let calling = client::stream(&asking.http, access, &prompt, pieces);
    let reading = async {
        let mut text = String::new();
        while let Some(piece) = read.recv().await {
            text.push_str(&piece);
            if !shown.show(&text, false).await? {
                // Nobody reads on: the call ends with its pieces.
                drop(read);
                return Ok::<_, DraftError>(Err(()));
            }
        }
        Ok(Ok(()))
    };
    let (called, read) = tokio::join!(calling, reading);
    let is_withheld = read?.is_err();
    let written: Result<Written, Upstream> = called;
    let used = match &written {
        Ok(written) => written.tokens.unwrap_or_else(|| client::estimate_used(&prompt, &written.text)),
        // What was broken off was written all the same.
        Err(_) if is_withheld || shown.told > 0 => taken,
        Err(_) => 0,
    };
    settle(engine, account, &asking.month, taken, used).await?;
    if is_withheld {
        return Ok(withdrawn(own, access, used));
    }
    told(engine, access, account, written.as_ref().err()).await?;
    let written = match written {
        Ok(written) => written,
        Err(upstream) => {
            if shown.told > 0 {
                let _ = events.send(LiveEvent::Withdrawn).await;
            }
            return Err(DraftError::Trouble(trouble(&upstream)));
        }
    };
    if !shown.show(&written.text, true).await? {
        return Ok(withdrawn(own, access, used));
    }
    let text = asking.mask.put_back(&written.text).unwrap_or_default();
    let Some(text) = passed(engine, account, &mut shown.filter, &text).await? else {
        let _ = events.send(LiveEvent::Withdrawn).await;
        return Ok(withdrawn(own, access, used));
    };
    Ok(LiveEvent::Done(Suggestions {
        items: vec![item(text, 0, access)],
        is_model: true,
        tokens_used: used,
        is_estimate: written.tokens.is_none(),
        fallback: None,
        host: access.settings.host(),
    }))
}

fn withdrawn(own: &[Item], access: &Access, used: i64) -> LiveEvent {
    let own = Suggestions::own(own.to_vec(), access.settings.host(), Some(Trouble::Withheld));
    LiveEvent::Done(Suggestions { tokens_used: used, ..own })
}

/// What was let through so far.
struct Shown<'a> {
    engine: &'a Engine,
    account: frontdesk_model::AccountId,
    filter: Filter,
    mask: &'a super::mask::Mask,
    events: &'a mpsc::Sender<LiveEvent>,
    /// Bytes of what the model wrote that were shown.
    told: usize,
}

impl Shown<'_> {
    /// Shows as much of a text as consists of whole sentences; false when it is not to go on.
    async fn show(&mut self, text: &str, is_all: bool) -> Result<bool, StoreError> {
        let until = if is_all { text.len() } else { whole_sentences(text) };
        if until <= self.told {
            return Ok(true);
        }
        let known = self.mask.put_back(&text[..until]);
        let may_be = match known {
            Some(known) => passed(self.engine, self.account, &mut self.filter, &known).await?.is_some(),
            None => false,
        };
        let piece = self.mask.put_back(&text[self.told..until]);
        let (true, Some(piece)) = (may_be, piece) else {
            if self.told > 0 {
                let _ = self.events.send(LiveEvent::Withdrawn).await;
            }
            return Ok(false);
        };
        self.told = until;
        Ok(self.events.send(LiveEvent::Text(prompt::visible(&piece))).await.is_ok())
    }
}

/// Where the last whole sentence ends.
fn whole_sentences(text: &str) -> usize {
    let mut end = 0;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if c == '\n' || (c == ' ' && matches!(before, '.' | '!' | '?' | '…')) {
            end = at;
        }
        before = c;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_let_through_when_they_are_whole() {
        assert_eq!(whole_sentences("It is on"), 0);
        assert_eq!(whole_sentences("It is on its way. Ple"), "It is on its way.".len());
        assert_eq!(whole_sentences("Yes! One\nTwo"), "Yes! One".len());
        assert_eq!(whole_sentences("It costs 1.50"), 0);
    }
}
