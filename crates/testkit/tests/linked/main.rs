//! Phones linked to the server itself, by the simulated driver and the sandbox's phones.

mod crowd;
mod life;
mod messages;
mod phones;
mod tokens;
