//! Spans on their way to a collector: OTLP over HTTP, when the settings name one.
//!
//! Only spans leave, with the ids and fixed words they are made of. Lines of the log do not, so that neither bodies nor
//! reasons of providers are among them. A collector that does not answer costs nothing but spans: they wait in a queue of
//! limited length, and go out from a thread of their own.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use secrecy::ExposeSecret as _;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::settings::TraceSettings;

/// Where a collector takes spans, below its address.
const PATH: &str = "/v1/traces";
/// How long one delivery may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the last ones may take when the program ends.
const LAST_PATIENCE: Duration = Duration::from_secs(3);

/// The way out for spans, until finished.
pub struct Traces(SdkTracerProvider);

/// Spans cannot be exported as the settings say.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// The HTTP client could not be made.
    #[error("the HTTP client for traces could not be built")]
    Client(#[source] reqwest::Error),
    /// The exporter refused the settings.
    #[error("traces cannot be exported to traces.endpoint (OTEL_EXPORTER_OTLP_ENDPOINT)")]
    Exporter(#[source] opentelemetry_otlp::ExporterBuildError),
}

impl Traces {
    /// Opens the way to the collector of the settings; `None` when they name none.
    pub fn start(settings: &TraceSettings) -> Result<Option<Self>, TracesError> {
        let Some(endpoint) = &settings.endpoint else { return Ok(None) };
        let client = reqwest::blocking::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(TracesError::Client)?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector { client, is_silent: AtomicBool::new(false) })
            .with_endpoint(format!("{}{PATH}", endpoint.as_str().trim_end_matches('/')))
            .with_headers(headers(settings.headers.as_ref().map_or("", |headers| headers.expose_secret())))
            .build()
            .map_err(TracesError::Exporter)?;
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.sample_ratio)));
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(sampler)
            .with_resource(Resource::builder().with_service_name(settings.service_name.clone()).build())
            .build();
        // How spans of several processes become one trace; read and written in `frontdesk_engine::origin`.
        opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
        Ok(Some(Self(provider)))
    }

    /// Hands our spans over, whatever the filter of the log.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    {
        let is_ours = filter_fn(|about| about.is_span() && about.target().starts_with("frontdesk"));
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("frontdesk"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(is_ours.with_max_level_hint(LevelFilter::INFO))
    }

    /// Delivers what waits. Not within a runtime: it blocks.
    pub fn finish(self) {
        if self.0.shutdown_with_timeout(LAST_PATIENCE).is_err() {
            tracing::warn!("The last traces were not delivered");
        }
    }
}

/// `key=value` pairs, separated by commas, as the standard has them.
fn headers(text: &str) -> HashMap<String, String> {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect()
}

/// The collector, and whether it was last heard of as one that does not take what it is given.
#[derive(Debug)]
struct Collector {
    client: reqwest::blocking::Client,
    is_silent: AtomicBool,
}

impl Collector {
    fn deliver(&self, request: Request<Bytes>) -> Result<Response<Bytes>, reqwest::Error> {
        let request = reqwest::blocking::Request::try_from(request)?;
        let mut answer = self.client.execute(request)?;
        let headers = std::mem::take(answer.headers_mut());
        let status = answer.status();
        let mut response = Response::new(answer.bytes()?);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }

    /// Says once when it begins to fail, and once when that is over.
    fn note(&self, problem: Option<String>) {
        let was_silent = self.is_silent.swap(problem.is_some(), Ordering::Relaxed);
        match problem {
            Some(problem) if !was_silent => {
                tracing::warn!(problem, "The collector does not take traces; those of meanwhile are lost");
            }
            None if was_silent => tracing::info!("The collector takes traces again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        // The address may hold a password.
        let answer = self.deliver(request).map_err(reqwest::Error::without_url);
        self.note(match &answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("it answered {}", answer.status())),
            Err(error) => Some(innermost(error)),
        });
        Ok(answer?)
    }
}

/// The innermost cause: the outer ones only say that a request failed.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_the_standard_writes_them() {
        let read = headers("api-key=abc=, x-team = ops");
        assert_eq!((read["api-key"].as_str(), read["x-team"].as_str(), read.len()), ("abc=", "ops", 2));
        assert!(headers("").is_empty());
    }
}
