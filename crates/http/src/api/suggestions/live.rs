//! One draft in pieces, for the composer: server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use frontdesk_engine::suggest::drafts::{self, Live, LiveEvent};
use frontdesk_model::ConversationId;
use frontdesk_routes::{Gather, routes};
use futures_util::stream;
use serde_json::json;

use super::{SuggestQuery, Suggested};
use crate::auth::InboxWriter;
use crate::error::{ApiError, ErrorBody};
use crate::input::{Ids, Query};
use crate::state::HttpState;

/// Says that it is still there at least this often.
const ALIVE: Duration = Duration::from_secs(10);

pub(super) fn routes<R: Gather<HttpState>>() -> R {
    R::default().routes(routes!(stream_suggestion))
}

/// One event of the stream.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what axum writes")]
struct DraftEvent {
    event: DraftEventName,
    /// JSON, as the operation says for each event.
    data: String,
}

/// What an event of the stream tells.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes what axum writes")]
enum DraftEventName {
    Text,
    Withdrawn,
    Done,
    Failed,
}

/// Writes one reply in pieces, as server-sent events: `text` (`{"text"}`, more of it), `withdrawn` (what was shown is to be
/// taken away), at the end `done` (as `…/suggest-ai` answers) or `failed` (`{"error", "code"}`).
///
/// What fails before the first piece is answered as `…/suggest-ai` answers it. Where the account has no language model, `done` with
/// the team's own replies comes at once. Going away ends the call at the model's server.
#[utoipa::path(get, path = "/admin/inbox/{id}/suggest-ai/stream", tag = "inbox", security(("token" = ["inbox:write"])),
    params(("id" = i64, Path), SuggestQuery),
    responses((status = 200, body = DraftEvent, content_type = "text/event-stream"),
        (status = 402, body = ErrorBody, description = "What was paid for at the language model's server is used up, or the account's own tokens of the month are")))]
async fn stream_suggestion(
    State(state): State<HttpState>,
    InboxWriter(caller): InboxWriter,
    Ids(id): Ids<ConversationId>,
    Query(query): Query<SuggestQuery>,
) -> Result<Response, ApiError> {
    let wanted = query.check()?;
    let live = drafts::start(&state.engine, &caller, id, wanted).await?;
    let events = stream::unfold((live, state), |(mut live, state): (Live, HttpState)| async move {
        let event = live.next().await?;
        Some((Ok::<_, Infallible>(written(event, &state)), (live, state)))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)).into_response())
}

fn written(event: LiveEvent, state: &HttpState) -> Event {
    let (name, data) = match event {
        LiveEvent::Text(text) => ("text", json!({ "text": text })),
        LiveEvent::Withdrawn => ("withdrawn", json!({})),
        LiveEvent::Done(found) => {
            let done = Suggested::of(found, state.engine.clock.now());
            ("done", serde_json::to_value(done).unwrap_or_default())
        }
        LiveEvent::Failed(trouble) => {
            let body = ApiError::from(trouble).into_body();
            ("failed", serde_json::to_value(body).unwrap_or_default())
        }
    };
    Event::default().event(name).data(data.to_string())
}
