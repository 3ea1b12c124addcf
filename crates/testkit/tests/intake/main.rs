//! From a signed webhook to what the API shows: nothing lost, nothing twice, whatever the order.

mod extremes;
mod fixtures;
mod order;
mod people;
mod replay;
mod routing;
mod statuses;
