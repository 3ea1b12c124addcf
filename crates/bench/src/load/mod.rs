//! The clients: closed loops over HTTP, readers of sockets. One thread serves them all, so that they take one core at
//! most; when they take all of it, a figure is the client's and not the server's.

pub mod closed_loop;
pub mod fill;
mod frames;
pub mod http;
mod mark;
pub mod publish;
pub mod sockets;
