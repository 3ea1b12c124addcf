//! Fake providers over HTTP for tests, demo, benchmarks and integrators.
//!
//! One process imitates what a business talks to: Meta's Graph API for WhatsApp, Messenger and Instagram at `/graph`,
//! with faithful refusals, and webhooks signed byte for byte as Meta signs them; Green API at `/green`, with its
//! queues, states and either way of receiving; a WhatsApp session gateway at `/gateway`; phones that are linked to a server
//! itself at `/phones`; Chatwoot at `/chatwoot`, with accounts, people, threads and webhooks; and a language model at `/openai`,
//! which obeys everybody. Customers have phones: the control API at `/control` (described in `/control/openapi.json`) and the
//! page at `/sandbox/` write as them, show what reached
//! them, and make the provider fail. State is in memory, bounded, and gone at the end.
//!
//! To add a fake: a folder beside [`graph`] with its router, a variant in [`Channel`], its envelope in
//! [`webhooks::event`], its customer side in [`phone`]; [`Sandbox`] mounts it. Customers, faults, webhooks, records and
//! control API are shared.
//!
//! ```no_run
//! # async fn run() -> Result<(), frontdesk_sandbox::SandboxError> {
//! use frontdesk_sandbox::{SandboxSettings, serve};
//! serve(([127, 0, 0, 1], 9090).into(), SandboxSettings::default()).await
//! # }
//! ```

pub mod channel;
pub mod chat;
pub mod chatwoot;
pub mod clock;
pub mod control;
pub mod customer;
pub mod faults;
pub mod gateway;
pub mod graph;
pub mod green;
mod ids;
pub mod inbox;
pub mod ledger;
pub mod linked;
pub mod load;
mod media;
mod misbehaviour;
pub mod openai;
mod page;
pub mod phone;
mod phone_number;
mod sandbox;
pub mod settings;
pub mod template;
pub mod webhooks;
pub mod world;

pub use channel::Channel;
pub use clock::Clock;
pub use sandbox::{Change, Sandbox, SandboxError, serve};
pub use settings::SandboxSettings;
