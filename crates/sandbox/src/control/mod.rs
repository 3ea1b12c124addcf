//! The control API: what tests, load generators and the phones page do with the fake world.
//!
//! Stable: outside checkers rely on it. Described in its own OpenAPI at `/control/openapi.json`.

mod chatwoot;
mod customers;
mod error;
mod faults;
mod green;
mod inboxes;
mod linked;
mod live;
mod loads;
mod media;
mod openai;
mod records;
mod settings;

use axum::Router;
use axum::extract::{FromRequest, FromRequestParts};
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use frontdesk_routes::{Gather, OpenApiRouter, routes};
use utoipa::OpenApi;

use crate::sandbox::Sandbox;
use error::ControlError;

/// JSON body; what cannot be read is a 422 in the control API's own words.
#[derive(FromRequest)]
#[from_request(via(axum::Json), rejection(ControlError))]
struct Body<T>(T);

/// Query parameters; what cannot be read is a 422 in the control API's own words.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(ControlError))]
struct Params<T>(T);

#[derive(OpenApi)]
#[openapi(servers((url = "/control")), info(
    title = "Sandbox control API",
    description = "Write as a customer, set faults, read what was delivered. All times are milliseconds since 1970 \
                   (UTC) unless a name ends otherwise. Lists of records are numbered: ask with `after=seq` for what \
                   came later."
))]
struct ControlApi;

/// The description, as [`openapi`] makes it: a test holds the two together.
const DESCRIPTION: &str = include_str!("../../openapi.json");

/// Everything below `/control`.
pub fn router(sandbox: Sandbox) -> Router {
    let routes: Router<Sandbox> = routes();
    let document = ([(CONTENT_TYPE, "application/json")], DESCRIPTION);
    routes.route("/stream", get(live::stream)).route("/openapi.json", get(document)).with_state(sandbox)
}

/// The description of the control API, made of the handlers.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let routes: OpenApiRouter<Sandbox> = routes();
    let mut api = ControlApi::openapi();
    api.merge(routes.into_openapi());
    name_operations(&mut api);
    api
}

/// Handlers are named within their file (`list`, `read`); ids must be unique: `inboxes_list`.
fn name_operations(api: &mut utoipa::openapi::OpenApi) {
    for path in api.paths.paths.values_mut() {
        let operations = [&mut path.get, &mut path.post, &mut path.put, &mut path.patch, &mut path.delete];
        for operation in operations.into_iter().flatten() {
            let tag = operation.tags.iter().flatten().next();
            operation.operation_id =
                tag.zip(operation.operation_id.take()).map(|(tag, id)| format!("{tag}_{id}"));
        }
    }
}

fn routes<R: Gather<Sandbox>>() -> R {
    R::default()
        .routes(routes!(live::health))
        .routes(routes!(live::idle))
        .routes(routes!(live::reset))
        .routes(routes!(settings::read, settings::change))
        .routes(routes!(settings::clock))
        .routes(routes!(settings::shift_clock))
        .routes(routes!(settings::verify_webhook))
        .routes(routes!(inboxes::list, inboxes::create))
        .routes(routes!(inboxes::read, inboxes::change, inboxes::delete))
        .routes(routes!(inboxes::templates, inboxes::put_template))
        .routes(routes!(customers::list, customers::create))
        .routes(routes!(customers::read, customers::change, customers::delete))
        .routes(routes!(customers::write))
        .routes(routes!(customers::change_number))
        .routes(routes!(customers::chat))
        .routes(routes!(customers::open))
        .routes(routes!(customers::close))
        .routes(routes!(customers::silence))
        .routes(routes!(customers::typing))
        .routes(routes!(media::samples))
        .routes(routes!(media::upload))
        .routes(routes!(media::download))
        .routes(routes!(green::read, green::change))
        .routes(routes!(green::write))
        .routes(routes!(green::notify))
        .routes(routes!(linked::list, linked::create))
        .routes(routes!(linked::read, linked::change))
        .routes(routes!(linked::scan))
        .routes(routes!(linked::type_code))
        .routes(routes!(linked::log_out))
        .routes(routes!(linked::cut))
        .routes(routes!(linked::write))
        .routes(routes!(chatwoot::read, chatwoot::change))
        .routes(routes!(chatwoot::add_account))
        .routes(routes!(chatwoot::write))
        .routes(routes!(chatwoot::typing))
        .routes(routes!(chatwoot::crowd))
        .routes(routes!(openai::read, openai::change))
        .routes(routes!(faults::list, faults::clear_all))
        .routes(routes!(faults::replace, faults::add, faults::clear))
        .routes(routes!(records::deliveries))
        .routes(routes!(records::api_calls))
        .routes(routes!(records::webhooks))
        .routes(routes!(loads::list, loads::start))
        .routes(routes!(loads::read, loads::stop))
        .routes(routes!(loads::ledger))
}
