//! Protection against bodies that never end: a request's body has so long, plus what its size so far earns it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

/// How slow a body may be.
#[derive(Debug, Clone, Copy)]
pub struct BodyPace {
    /// What every body has.
    pub grace: Duration,
    /// Each this many bytes earn one second more.
    pub bytes_per_second: u64,
}

/// A body that came too slowly.
#[derive(Debug, thiserror::Error)]
#[error("the request's body came too slowly")]
pub struct TooSlow;

fn too_slow() -> TooSlow {
    metrics::counter!("frontdesk_slow_clients_total", "part" => "body").increment(1);
    tracing::info!("A request was cut off: its body came too slowly");
    TooSlow
}

/// Middleware: hands the request on with its body on a timer.
pub async fn keep_pace(State(pace): State<BodyPace>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    next.run(request.map(|body| Body::new(PacedBody::new(body, pace)))).await
}

struct PacedBody {
    body: Body,
    bytes_per_second: u64,
    deadline: Instant,
    /// Made when the body is waited for: most have come with their head.
    timer: Option<Pin<Box<Sleep>>>,
}

impl PacedBody {
    fn new(body: Body, pace: BodyPace) -> Self {
        let deadline = Instant::now() + pace.grace;
        Self { body, bytes_per_second: pace.bytes_per_second.max(1), deadline, timer: None }
    }

    fn earn(&mut self, bytes: usize) {
        self.deadline += Duration::from_millis(bytes as u64 * 1000 / self.bytes_per_second);
    }

    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(context)
    }
}

impl HttpBody for PacedBody {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            ready!(self.poll_deadline(context));
            return Poll::Ready(Some(Err(too_slow().into())));
        };
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.earn(data.len());
            // A trickle of bytes must not keep the timer from being looked at.
            if self.deadline < Instant::now() {
                return Poll::Ready(Some(Err(too_slow().into())));
            }
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};

    use super::*;

    const PACE: BodyPace = BodyPace { grace: Duration::from_secs(10), bytes_per_second: 100 };

    fn body(pieces: usize, bytes: usize, every: Duration) -> Body {
        let pieces = stream::iter(0..pieces).then(move |_| async move {
            tokio::time::sleep(every).await;
            Ok::<_, std::convert::Infallible>(Bytes::from(vec![b'x'; bytes]))
        });
        Body::new(PacedBody::new(Body::from_stream(pieces), PACE))
    }

    #[tokio::test(start_paused = true)]
    async fn a_trickle_is_cut_off_and_a_steady_body_is_not() {
        let trickle = axum::body::to_bytes(body(1000, 1, Duration::from_secs(1)), usize::MAX).await;
        assert!(trickle.is_err());
        let silent = axum::body::to_bytes(body(1, 1, Duration::from_secs(11)), usize::MAX).await;
        assert!(silent.is_err());
        // A minute at twice the least speed.
        let steady = axum::body::to_bytes(body(60, 200, Duration::from_secs(1)), usize::MAX).await;
        assert_eq!(steady.unwrap().len(), 12_000);
    }
}
