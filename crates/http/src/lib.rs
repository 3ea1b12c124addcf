//! The door: every route, the Pusher socket, the embedded web inbox.
