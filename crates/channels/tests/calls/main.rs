//! Our messages as requests, and the provider's answers as results, against a fake Graph API over real HTTP.

#![expect(clippy::expect_used, reason = "a test")]

mod fake;
mod messaging;
mod whatsapp;
