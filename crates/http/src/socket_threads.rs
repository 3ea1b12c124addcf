//! Threads for the live sockets alone.
//!
//! An event for a thousand sockets makes a thousand tasks ready at once. On the threads that everything else runs on,
//! each answer of the database and each request would wait behind them; here the system shares the processors out.

use std::io;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Handle, Runtime};

/// Started with the first socket: a server nobody listens to does not keep them.
#[derive(Default)]
pub(crate) struct SocketThreads {
    runtime: Mutex<Option<Runtime>>,
}

impl SocketThreads {
    /// Where to spawn a socket. It runs until it is done or the threads are dropped.
    pub fn start(&self) -> io::Result<Handle> {
        let mut runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = &*runtime {
            return Ok(runtime.handle().clone());
        }
        let started = Builder::new_multi_thread().thread_name("sockets").enable_time().build()?;
        Ok(runtime.insert(started).handle().clone())
    }
}

impl Drop for SocketThreads {
    fn drop(&mut self) {
        let runtime = self.runtime.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = runtime.take() {
            runtime.shutdown_background(); // may be dropped by a task, which must not wait
        }
    }
}
