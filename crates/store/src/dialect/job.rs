//! The closure of a transaction, carried to its database without its types.
//!
//! There are hundreds of closures. Whatever knows their types (queues, threads, futures) would be in the program once for
//! each and each database, several megabytes in all; so nothing knows them but the ends.

use std::any::Any;

use futures_util::future::BoxFuture;

use crate::{StoreError, Tx};

/// One transaction that is to be run.
pub trait Job: Any + Send {
    /// Runs the closure and keeps its result. True when its changes are to be kept.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Whatever the closure told, this is the result.
    fn fail(&mut self, error: StoreError);
}

/// A job that has been run; an error when that was not possible at all.
pub type Done<'a> = BoxFuture<'a, Result<Box<dyn Job>, StoreError>>;

struct Asked<T, E, F> {
    body: F,
    result: Option<Result<T, E>>,
}

impl<T, E, F> Job for Asked<T, E, F>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let result = (self.body)(tx);
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    fn fail(&mut self, error: StoreError) {
        self.result = Some(Err(error.into()));
    }
}

/// Hands a closure to `carry_out` and tells what it returned.
pub async fn run<'a, T, E, F>(body: F, carry_out: impl FnOnce(Box<dyn Job>) -> Done<'a>) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
{
    let done: Box<dyn Any> = carry_out(Box::new(Asked { body, result: None })).await?;
    let result = done.downcast::<Asked<T, E, F>>().ok().and_then(|asked| asked.result);
    result.unwrap_or_else(|| Err(StoreError::Closed.into()))
}
