//! The listener: takes connections, limits them, and lets them finish when the program stops.
//!
//! HTTP/1.1 only: the proxy in front speaks HTTP/2 and 3 with browsers, and where a connection is looked at first to
//! tell the version, nothing limits how long its first bytes may take.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::settings::ServerSettings;

/// How long to wait when the system has no more file handles.
const OUT_OF_HANDLES: Duration = Duration::from_millis(100);

/// Connections that are open, a socket of a browser for as long as it lives.
pub struct Connections {
    free: Arc<Semaphore>,
    most: u32,
}

impl Connections {
    /// How many are open.
    pub fn open(&self) -> usize {
        (self.most as usize).saturating_sub(self.free.available_permits())
    }

    /// Waits until all are closed.
    pub async fn closed(&self) {
        let _all = self.free.acquire_many(self.most).await; // the semaphore is never closed
    }
}

/// Serves `router` on `listener` until `stop`. From then on nothing new is taken, idle connections are closed and the
/// others as soon as the request under way is answered; wait for that with [`Connections::closed`].
pub fn listen(
    listener: TcpListener,
    router: Router,
    settings: &ServerSettings,
    stop: CancellationToken,
) -> Arc<Connections> {
    let most = settings.max_connections;
    let connections = Arc::new(Connections { free: Arc::new(Semaphore::new(most as usize)), most });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new());
    http.header_read_timeout(Duration::from_millis(settings.header_timeout_ms));
    let write_timeout = Duration::from_millis(settings.write_timeout_ms);
    let free = connections.free.clone();
    tokio::spawn(async move {
        let accepting = async {
            while let Ok(permit) = free.clone().acquire_owned().await {
                let (stream, peer) = accept(&listener).await;
                let connection = Connection::new(stream, permit);
                tokio::spawn(serve(
                    connection,
                    peer,
                    router.clone(),
                    http.clone(),
                    write_timeout,
                    stop.clone(),
                ));
            }
        };
        stop.run_until_cancelled(accepting).await;
    });
    connections
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Small answers and socket frames go out at once. A failure means that the client has gone already.
                let _ = stream.set_nodelay(true);
                return (stream, peer);
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::ConnectionReset
                        | io::ErrorKind::ConnectionRefused
                ) => {}
            Err(error) => {
                tracing::error!(error = %error, "A connection could not be accepted");
                tokio::time::sleep(OUT_OF_HANDLES).await;
            }
        }
    }
}

async fn serve(
    connection: Connection,
    peer: SocketAddr,
    router: Router,
    http: http1::Builder,
    write_timeout: Duration,
    stop: CancellationToken,
) {
    let mut stream = Box::pin(TimeoutStream::new(connection));
    stream.as_mut().set_write_timeout_pinned(Some(write_timeout));
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let router = router.clone();
        async move { Ok::<_, Infallible>(answer(router, request.map(Body::new)).await) }
    });
    let serving = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    tokio::pin!(serving);
    let result = tokio::select! {
        result = &mut serving => result,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = result {
        let part = if error.is_timeout() {
            Some("head")
        } else if is_timed_out(&error) {
            Some("answer")
        } else {
            None
        };
        if let Some(part) = part {
            metrics::counter!("frontdesk_slow_clients_total", "part" => part).increment(1);
            if part == "head" {
                // A browser that asks nothing for a while looks the same.
                tracing::debug!(part, "A connection was cut off: no request came in time");
            } else {
                tracing::info!(part, "A connection was cut off: the client was too slow");
            }
        }
        // The client went away, was too slow, or does not speak HTTP: nothing anyone here could mend.
        tracing::debug!(error = %error, "A connection ended early");
    }
}

/// Whether writing was given up because nothing was read.
fn is_timed_out(error: &hyper::Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::TimedOut)
}

async fn answer(router: Router, request: axum::extract::Request) -> axum::response::Response {
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// A TCP connection that counts for as long as it lives, also after it became a socket.
struct Connection {
    stream: TcpStream,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    fn new(stream: TcpStream, permit: OwnedSemaphorePermit) -> Self {
        metrics::gauge!("frontdesk_connections").increment(1.0);
        Self { stream, _permit: permit }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        metrics::gauge!("frontdesk_connections").decrement(1.0);
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
