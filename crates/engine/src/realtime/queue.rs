//! What waits to be written to one socket: bounded in bytes, drained as a whole.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::protocol::{CloseCode, Frame};

/// What one frame costs beyond its bytes.
const FRAME_OVERHEAD: usize = 64;

/// Why a socket is to be closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    /// The code of the close frame.
    pub code: CloseCode,
    /// For people.
    pub reason: &'static str,
}

/// Frames on their way to one socket. Many push, one (the socket's task) drains.
pub struct SocketQueue {
    waiting: Mutex<Waiting>,
    filled: Notify,
    closing: Notify,
    max_bytes: usize,
}

#[derive(Default)]
struct Waiting {
    frames: Vec<Frame>,
    bytes: usize,
    /// Of the frames that were drained last and may still be on their way.
    writing_bytes: usize,
    close: Option<Close>,
}

/// What became of a pushed frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It will be written.
    Queued,
    /// The socket is being closed: it was dropped.
    Closed,
    /// They were too many: everything waiting was dropped and the socket is being closed.
    Overflowed,
}

impl SocketQueue {
    /// Takes up to `max_bytes`, counting what is being written.
    pub fn new(max_bytes: usize) -> Self {
        Self { waiting: Mutex::default(), filled: Notify::new(), closing: Notify::new(), max_bytes }
    }

    /// Adds a frame.
    pub fn push(&self, frame: Frame) -> Pushed {
        self.push_all(std::slice::from_ref(&frame))
    }

    /// Adds frames that are written together.
    pub fn push_all(&self, frames: &[Frame]) -> Pushed {
        let mut waiting = self.lock();
        if waiting.close.is_some() {
            return Pushed::Closed;
        }
        let size = frames.iter().map(|frame| frame.len() + FRAME_OVERHEAD).sum::<usize>();
        if waiting.bytes + waiting.writing_bytes + size > self.max_bytes {
            waiting.frames = Vec::new();
            waiting.bytes = 0;
            waiting.close =
                Some(Close { code: CloseCode::OverCapacity, reason: "The connection reads too slowly" });
            drop(waiting);
            self.filled.notify_one();
            self.closing.notify_one();
            return Pushed::Overflowed;
        }
        let was_empty = waiting.frames.is_empty();
        waiting.bytes += size;
        waiting.frames.extend_from_slice(frames);
        drop(waiting);
        if was_empty {
            self.filled.notify_one();
        }
        Pushed::Queued
    }

    /// Closes the socket once what waits is written. The first reason stands.
    pub fn close(&self, code: CloseCode, reason: &'static str) {
        let mut waiting = self.lock();
        if waiting.close.is_none() {
            waiting.close = Some(Close { code, reason });
            drop(waiting);
            self.filled.notify_one();
            self.closing.notify_one();
        }
    }

    /// Waits for frames and moves all of them to `batch`, which must be empty. `Some` when there are no more and the
    /// socket is to be closed. Frames handed out before count as written. Safe to cancel.
    pub async fn drain(&self, batch: &mut Vec<Frame>) -> Option<Close> {
        loop {
            {
                let mut waiting = self.lock();
                waiting.writing_bytes = 0;
                if !waiting.frames.is_empty() {
                    waiting.writing_bytes = std::mem::take(&mut waiting.bytes);
                    std::mem::swap(&mut waiting.frames, batch);
                    return None;
                }
                if let Some(close) = &waiting.close {
                    return Some(close.clone());
                }
            }
            self.filled.notified().await;
        }
    }

    /// Waits until the socket is to be closed, whatever still waits.
    pub async fn closed(&self) -> Close {
        loop {
            if let Some(close) = &self.lock().close {
                return close.clone();
            }
            self.closing.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(bytes: usize) -> Frame {
        Frame::from(vec![b'x'; bytes])
    }

    #[tokio::test]
    async fn everything_waiting_is_drained_at_once_and_in_order() {
        let queue = SocketQueue::new(10_000);
        for text in ["a", "b", "c"] {
            assert_eq!(queue.push(Frame::from(text)), Pushed::Queued);
        }
        let mut batch = Vec::new();
        assert_eq!(queue.drain(&mut batch).await, None);
        assert_eq!(batch, ["a", "b", "c"]);
    }

    #[tokio::test]
    async fn a_slow_reader_overflows_by_what_waits_and_what_is_being_written() {
        let queue = SocketQueue::new(1000);
        let mut batch = Vec::new();
        assert_eq!(queue.push(frame(400)), Pushed::Queued);
        queue.drain(&mut batch).await; // 464 bytes are being written
        assert_eq!(queue.push(frame(400)), Pushed::Queued);
        assert_eq!(queue.push(frame(400)), Pushed::Overflowed);
        assert_eq!(queue.push(frame(1)), Pushed::Closed);
        batch.clear();
        let close = queue.drain(&mut batch).await.unwrap();
        assert_eq!((close.code, batch.len()), (CloseCode::OverCapacity, 0), "what waited is let go");
        assert_eq!(queue.closed().await.code, CloseCode::OverCapacity);
    }

    #[tokio::test]
    async fn what_was_written_makes_room() {
        let queue = SocketQueue::new(1000);
        for _ in 0..10 {
            let mut batch = Vec::new();
            assert_eq!(queue.push(frame(900)), Pushed::Queued);
            assert_eq!(queue.drain(&mut batch).await, None);
            assert!(
                tokio::time::timeout(std::time::Duration::ZERO, queue.drain(&mut Vec::new())).await.is_err()
            );
        }
    }

    #[tokio::test]
    async fn closing_lets_what_waits_go_out_first() {
        let queue = SocketQueue::new(1000);
        queue.push(Frame::from("last"));
        queue.close(CloseCode::UnknownApp, "no such key");
        queue.close(CloseCode::GoingAway, "later reasons do not count");
        let mut batch = Vec::new();
        assert_eq!(queue.drain(&mut batch).await, None);
        assert_eq!(batch, ["last"]);
        assert_eq!(queue.drain(&mut batch).await.unwrap().code, CloseCode::UnknownApp);
    }

    #[tokio::test]
    async fn a_push_wakes_the_one_who_waits() {
        let queue = std::sync::Arc::new(SocketQueue::new(1000));
        let waiting = tokio::spawn({
            let queue = queue.clone();
            async move {
                let mut batch = Vec::new();
                queue.drain(&mut batch).await;
                batch
            }
        });
        tokio::task::yield_now().await;
        queue.push(Frame::from("x"));
        assert_eq!(waiting.await.unwrap(), ["x"]);
    }
}
