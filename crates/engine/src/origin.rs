//! Where work comes from: the request that asked for it. It is known to everything done for the request, and stored with
//! what the request queues, so that the send that follows is found by the same id, on whatever node and however much later.

use std::future::Future;

tokio::task_local! {
    static ORIGIN: Origin;
}

/// The request that work is done for; empty for what nobody asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Its id, as in `x-request-id`.
    pub request_id: Option<String>,
}

impl Origin {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_knows_the_request_it_is_done_for_and_other_work_does_not() {
        let origin = Origin { request_id: Some("abc-1".to_owned()) };
        assert_eq!(origin.clone().scope(async { Origin::current() }).await, origin);
        assert_eq!(Origin::current(), Origin::default());
    }
}
