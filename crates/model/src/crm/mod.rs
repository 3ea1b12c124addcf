//! The record of a donor beside the chat: gifts, what they come to, and what people noted. Pure rules; rows stand in
//! `store::crm`, what happens in `engine::crm`.
//!
//! Read [`figures`] first: gifts become [`figures::Figures`], those a [`segment::Segment`] and a [`score`].

pub mod donation;
pub mod figures;
pub mod money;
pub mod reminder;
pub mod score;
pub mod segment;
pub mod settings;
pub mod variables;
