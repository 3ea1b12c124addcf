//! Several nodes on one PostgreSQL: it does not matter which of them one talks to.

mod chatwoot;
mod pace;
mod shared;
mod turns;
