//! The providers: how they misbehave, and what they were asked and given.

use frontdesk_sandbox::Channel;
use frontdesk_sandbox::faults::FaultRule;
use frontdesk_sandbox::world::{ApiCall, PhoneDelivery};
use serde_json::Value;

use super::{Stage, Thread};

impl Stage {
    /// Adds a way to misbehave, as `POST /control/faults/{channel}` takes it.
    pub fn fault(&self, channel: Channel, rule: Value) {
        let rule: FaultRule = serde_json::from_value(rule).expect("a fault rule");
        self.sandbox.world().faults.entry(channel).or_default().push(rule);
    }

    /// Lets the providers behave.
    pub fn heal(&self) {
        self.sandbox.world().faults.clear();
    }

    /// What the providers took for customers of an inbox, in order.
    pub fn delivered(&self, inbox: &str) -> Vec<PhoneDelivery> {
        let world = self.sandbox.world();
        world.deliveries.iter().map(|n| n.entry.clone()).filter(|d| d.inbox_id == inbox).collect()
    }

    /// What the providers took for one customer, in order.
    pub fn delivered_to(&self, thread: &Thread) -> Vec<PhoneDelivery> {
        self.delivered(thread.inbox).into_iter().filter(|d| d.customer_id == thread.customer).collect()
    }

    /// The texts one customer got, in order.
    pub fn texts_of(&self, thread: &Thread) -> Vec<String> {
        self.delivered_to(thread).into_iter().filter_map(|d| d.text).collect()
    }

    /// The calls of an inbox at its provider, in order.
    pub fn calls(&self, inbox: &str) -> Vec<ApiCall> {
        let world = self.sandbox.world();
        let calls = world.api_calls.iter().map(|n| n.entry.clone());
        calls.filter(|c| c.inbox_id.as_deref() == Some(inbox)).collect()
    }
}
