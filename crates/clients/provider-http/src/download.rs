//! Files from a provider: streamed to a writer, capped, hashed on the way.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use reqwest::{RequestBuilder, header::CONTENT_TYPE};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWrite;

use crate::{CallError, CallLabel, ProviderHttp, client::build};

/// What a download may cost.
#[derive(Debug, Clone, Copy)]
pub struct DownloadLimits {
    /// Largest file, in bytes.
    pub max_bytes: u64,
    /// Longest time for the whole file; `None` = the settings' `download_timeout`.
    pub timeout: Option<Duration>,
}

impl DownloadLimits {
    /// A size cap and the usual time.
    pub fn bytes(max_bytes: u64) -> Self {
        Self { max_bytes, timeout: None }
    }
}

/// A file that was written whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// Its size in bytes.
    pub size_bytes: u64,
    /// Its SHA-256.
    pub sha256: [u8; 32],
    /// The `Content-Type` header as it came. A claim, not a fact: sniff before trusting it.
    pub content_type: Option<String>,
}

impl ProviderHttp {
    /// Streams an answer's body into `writer`. Asked once: what was written cannot be taken back, so
    /// the caller repeats with an empty writer. On an error the writer holds a part of the file.
    pub async fn download(
        &self,
        label: CallLabel<'_>,
        request: RequestBuilder,
        limits: DownloadLimits,
        writer: &mut (impl AsyncWrite + Unpin + Send + ?Sized),
    ) -> Result<Download, CallError> {
        let timeout = limits.timeout.unwrap_or(self.settings().download_timeout);
        let request = build(request.timeout(timeout))?;
        let mut hashing = Hashing { writer, hash: Sha256::new() };
        let received = self.inner().attempt(label, request, &mut hashing, limits.max_bytes, 1).await?;
        let content_type = received.headers.get(CONTENT_TYPE);
        Ok(Download {
            size_bytes: received.size_bytes,
            sha256: hashing.hash.finalize().into(),
            content_type: content_type.and_then(|value| value.to_str().ok()).map(str::to_owned),
        })
    }
}

/// Hashes what passes through.
struct Hashing<'a, W: ?Sized> {
    writer: &'a mut W,
    hash: Sha256,
}

impl<W: AsyncWrite + Unpin + ?Sized> AsyncWrite for Hashing<'_, W> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut *self.writer).poll_write(cx, bytes))?;
        self.hash.update(&bytes[..written]);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.writer).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.writer).poll_shutdown(cx)
    }
}
