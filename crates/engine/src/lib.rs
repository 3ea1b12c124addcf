//! The flow: what happens, in order.
