//! Out: queued work becomes requests at the providers.
//!
//! [`worker`] claims what is due (one row per conversation, by lease and fencing token), [`send`] carries one out: it reads what
//! is [`outgoing`], asks [`permission`], makes the request and tells its inbox the [`verdict`]; a [`read_mark`] needs less.
//! [`record`] writes down what came of it in one transaction; [`reaction`] says what that means for a reaction. [`pace`] and
//! [`breaker`] keep one inbox from hurting its provider or the others; [`schedule`] says when to try again. An outcome that
//! was lost is never repeated blindly: [`sweep`] turns sends of dead workers into `unknown`, which the provider's word settles, its [`journal`] or a person.

pub mod breaker;
mod journal;
mod outgoing;
pub mod pace;
mod permission;
pub(crate) mod reaction;
mod read_mark;
mod record;
pub mod schedule;
mod send;
mod sweep;
mod verdict;
mod worker;

pub(crate) use journal::reconcile;
pub(crate) use sweep::{sweep, take_over};
pub(crate) use worker::run;
