//! Where work comes from: the request that asked for it. It is known to everything done for the request, and stored with
//! what the request queues, so that the send that follows is found by the same id, on whatever node and however much later.
//!
//! Where spans are exported, it also says which span the work belongs below, in the words of
//! [W3C Trace Context](https://www.w3.org/TR/trace-context/): the whole is one trace.

use std::future::Future;

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
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
        let context = span.context();
        let trace_parent = write(context.span().span_context());
        Self { request_id: Some(id.to_owned()), trace_parent }
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
    if let Some(parent) = trace_parent.and_then(read) {
        // Without somebody who exports spans there is nothing to put it below.
        let _not_exported = span.set_parent(Context::new().with_remote_span_context(parent));
    }
}

/// Reads a `traceparent`: version, trace, span and flags in hex. Later versions may add fields.
fn read(text: &str) -> Option<SpanContext> {
    let mut parts = text.trim().split('-');
    let mut hex = |digits: usize| {
        let is_hex = |part: &&str| {
            part.len() == digits && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        parts.next().filter(is_hex)
    };
    let version = hex(2)?;
    let (trace, span, flags) = (hex(32)?, hex(16)?, hex(2)?);
    if version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    let context = SpanContext::new(trace, span, flags, true, TraceState::default());
    context.is_valid().then_some(context)
}

fn write(context: &SpanContext) -> Option<String> {
    let flags = u8::from(context.is_sampled());
    context.is_valid().then(|| format!("00-{}-{}-{flags:02x}", context.trace_id(), context.span_id()))
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

    #[test]
    fn what_is_read_is_written_again_and_what_is_none_is_not_read() {
        for text in [
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
        ] {
            assert_eq!(read(text).as_ref().and_then(write).as_deref(), Some(text));
        }
        let later = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03-more";
        assert!(read(later).is_some_and(|context| context.is_sampled() && context.is_remote()));
        for text in [
            "",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f35-00f067aa0ba902b7-01",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
