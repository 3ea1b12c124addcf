//! Where work comes from: the request that asked for it. It is known to everything done for the request, and stored with
//! what the request queues, so that the send that follows is found by the same id, on whatever node and however much later.
//!
//! Where spans are exported, it also says which span the work belongs below, in the words of
//! [W3C Trace Context](https://www.w3.org/TR/trace-context/): the whole is one trace. Whoever exports spans also sets
//! the propagator of the process, which reads and writes those words.

use std::future::Future;

use opentelemetry::global::get_text_map_propagator;
use opentelemetry::propagation::{Extractor, Injector};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

tokio::task_local! {
    static ORIGIN: Origin;
}

/// The request that work is done for; empty for what nobody asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Its id, as in `x-request-id`.
    pub request_id: Option<String>,
    /// Its span, as in `traceparent`; `None` where spans are not exported.
    pub trace_parent: Option<String>,
}

impl Origin {
    /// A request with its id and its span, which is put below the span that the caller named in `traceparent`.
    pub fn of_request(id: &str, span: &Span, trace_parent: Option<&str>) -> Self {
        follow(span, trace_parent);
        let mut carrier = Carrier(None);
        get_text_map_propagator(|words| words.inject_context(&span.context(), &mut carrier));
        Self { request_id: Some(id.to_owned()), trace_parent: carrier.0 }
    }

    /// Where the work of this task comes from.
    pub fn current() -> Self {
        ORIGIN.try_with(Self::clone).unwrap_or_default()
    }

    /// An id for what brings none.
    pub fn new_id() -> String {
        format!("{:016x}", rand::random::<u64>())
    }

    /// Does work that comes from here.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        ORIGIN.scope(self, work).await
    }
}

/// Puts a new span below another one, of whatever process. What is no `traceparent` is passed over.
pub(crate) fn follow(span: &Span, trace_parent: Option<&str>) {
    if let Some(parent) = trace_parent {
        let carrier = Carrier(Some(parent.to_owned()));
        let above = get_text_map_propagator(|words| words.extract(&carrier));
        // Without somebody who exports spans there is nothing to put it below.
        let _not_exported = span.set_parent(above);
    }
}

/// The one header that leads from span to span.
struct Carrier(Option<String>);

impl Carrier {
    const HEADER: &str = "traceparent";
}

impl Injector for Carrier {
    fn set(&mut self, key: &str, value: String) {
        if key == Self::HEADER {
            self.0 = Some(value);
        }
    }
}

impl Extractor for Carrier {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.as_deref().filter(|_| key == Self::HEADER)
    }

    fn keys(&self) -> Vec<&str> {
        vec![Self::HEADER]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_knows_the_request_it_is_done_for_and_other_work_does_not() {
        let origin = Origin { request_id: Some("abc-1".to_owned()), trace_parent: None };
        assert_eq!(origin.clone().scope(async { Origin::current() }).await, origin);
        assert_eq!(Origin::current(), Origin::default());
    }
}
