//! The log of a test's process, as the program writes it to a file.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

use crate::stage::until;

/// Everything that is logged in this process from the start on.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    /// Begins, with a filter as `log.filter` has it. Once in a process.
    pub fn start(filter: &str) -> Self {
        let log = Self::default();
        let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(log.clone());
        lines.json().flatten_event(true).init();
        log
    }

    /// What `grep WORD` finds.
    ///
    /// # Panics
    /// When a line is no JSON.
    #[expect(clippy::expect_used, reason = "a test cannot go on with a broken log")]
    pub fn grep(&self, word: &str) -> Vec<Value> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let text = String::from_utf8_lossy(&bytes);
        let found = text.lines().filter(|line| line.contains(word));
        found.map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
    }

    /// Waits until a line with this word says so; returns all it finds by then.
    pub async fn says(&self, word: &str, message: &str) -> Vec<Value> {
        until(&format!("the log says of {word}: {message}"), || async {
            let lines = self.grep(word);
            lines.iter().any(|line| line["message"] == message).then_some(lines)
        })
        .await
    }
}
