//! Every route. Each noun's file names its own; what is no JSON API stands here.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use frontdesk_engine::Engine;
use frontdesk_routes::{Gather, OpenApiRouter};
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi as Document;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::openapi::{self, Endpoint};
use crate::state::{HttpSettings, HttpState};
use crate::{api, error, health, rate, short_paths, socket, trace, web_app, webhooks};

/// Where the description of the API is.
const DESCRIPTION: &str = "/api/openapi.json";

/// The routes of the API, which say what they are: what answers, and what [`document`] describes.
fn api_routes<R: Gather<HttpState>>() -> R {
    R::default()
        .merge(api::inbox::routes()) //         /admin/inbox
        .merge(api::replies::routes()) //       /admin/inbox/{id}/messages, /api/v1/messages
        .merge(api::messages::routes()) //      /admin/inbox/{id}/messages/{message_id}
        .merge(api::suggestions::routes()) //   /admin/inbox/{id}/suggest-ai
        .merge(api::conversations::routes()) // /api/v1/conversations
        .merge(api::contacts::routes()) //      /api/v1/contacts
        .merge(api::media::routes()) //         /api/v1/media, /media/{id}/{file_name}
        .merge(api::session::routes()) //       /api/v1/session
        .merge(api::users::routes()) //         /api/v1/users
        .merge(api::tokens::routes()) //        /api/v1/tokens
        .merge(api::channels::routes()) //      /api/v1/channels
        .merge(api::inboxes::routes()) //       /api/v1/inboxes
        .merge(api::inbox_link::routes()) //    /api/v1/inboxes/{id}/link, /check-number
        .merge(api::templates::routes()) //     /api/v1/inboxes/{id}/templates
        .merge(api::webhook_logs::routes()) //  /api/v1/webhook-logs
        .merge(api::webhooks::routes()) //      /api/v1/webhooks
        .merge(api::chatwoot::routes()) //      /api/v1/chatwoot, /api/v1/sync/chatwoot/webhook
        .merge(api::sync::routes()) //          /api/v1/sync
        .merge(api::gateway::routes()) //       /api/v1/auth/login, /api/v1/sessions
        .merge(api::crm::routes()) //           /api/crm
        .merge(api::monitoring::routes()) //    /api/v1/monitoring
        .merge(api::audit::routes()) //         /api/v1/audit
        .merge(api::realtime::routes()) //      /api/v1/realtime, /api/v1/events, /broadcasting/auth
        .merge(api::pusher::routes()) //        /apps/{app_id}/events, …
        .merge(health::routes()) //             /healthz, /readyz, /metrics
}

/// The whole server.
pub fn router(engine: Engine, settings: HttpSettings) -> Router {
    let max_body_bytes = settings.max_body_bytes;
    let state = HttpState::new(engine, settings);
    let routes: Router<HttpState> = api_routes();
    let docs = SwaggerUi::new("/api/docs").config(Config::from(DESCRIPTION));
    let routes = routes.layer(from_fn_with_state(state.clone(), rate::limit));
    // The same routes once more, for addresses that lost their beginning.
    let short = routes.clone().layer(DefaultBodyLimit::max(max_body_bytes)).with_state(state.clone());
    routes
        .merge(docs)
        .route(DESCRIPTION, get(openapi::serve))
        .layer(DefaultBodyLimit::max(max_body_bytes))
        .merge(webhooks::routes()) //            the doors of the channels: limits of their own, nothing in their way
        .merge(socket::routes()) //              /app/{key}, the live socket
        .fallback(move |request| rest(short, request))
        .method_not_allowed_fallback(error::wrong_method)
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(from_fn(trace::follow))
        .with_state(state)
}

/// What no route is for: the page and its files, and addresses of the gateway that lost their beginning.
async fn rest(routes: Router, mut request: Request) -> Response {
    let is_page = request.method().is_safe() && web_app::accepts_html(request.headers());
    let Some(whole) = short_paths::lengthened(&request, is_page) else {
        return web_app::serve(request).await;
    };
    *request.uri_mut() = whole;
    match routes.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Every operation of the API with who may call it, for tests that walk them all. Routes that are not in the
/// description (files of the page, docs) are public and hold nothing of anyone.
pub fn endpoints() -> Vec<Endpoint> {
    openapi::endpoints(&described())
}

/// The description of the API, made of the handlers: what the checked-in `openapi.json` must be.
pub fn document() -> serde_json::Value {
    openapi::complete(&described())
}

fn described() -> Document {
    let routes: OpenApiRouter<HttpState> = api_routes();
    let mut document = openapi::start();
    document.merge(routes.into_openapi());
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_have_names_of_their_own() {
        let document = document();
        let operations =
            document["paths"].as_object().unwrap().values().flat_map(|item| {
                item.as_object().unwrap().values().filter_map(|o| o["operationId"].as_str())
            });
        let mut names: Vec<&str> = operations.collect();
        names.sort_unstable();
        let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
        assert!(!names.is_empty() && twice.is_none(), "{twice:?}");
    }

    #[test]
    fn every_reference_of_the_description_leads_somewhere() {
        let document = document();
        let text = document.to_string();
        let references = text.split(r##""$ref":"#"##).skip(1).filter_map(|rest| rest.split('"').next());
        let mut count = 0;
        for reference in references {
            assert!(document.pointer(reference).is_some(), "{reference}");
            count += 1;
        }
        assert!(count > 0);
    }
}
