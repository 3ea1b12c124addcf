//! Customers: who writes to an inbox, and what the inbox stored of it.

use frontdesk_model::{ConversationId, RemoteId};
use frontdesk_sandbox::Channel;
use frontdesk_sandbox::customer::NewCustomer;
use frontdesk_sandbox::phone::{self, action::CustomerMessage};
use frontdesk_store::messages::{self, MessageRow};
use serde_json::{Value, json};

use super::{Stage, fresh_number, until};

/// A customer in a conversation.
#[derive(Debug, Clone)]
pub struct Thread {
    /// The sandbox's name of the customer.
    pub customer: String,
    /// The sandbox's name of the inbox.
    pub inbox: &'static str,
    /// Our conversation.
    pub id: ConversationId,
    /// The provider's id of the customer's first message.
    pub first: String,
}

impl Stage {
    /// Puts a file of a customer's on the providers' shelf; returns its id there.
    pub async fn provide_file(&self, name: &str, mime: &str, bytes: &[u8]) -> String {
        let url = format!("{}/control/media?file_name={name}", self.sandbox.public_url());
        let request = self.http.post(url).header("content-type", mime).body(bytes.to_vec());
        let answer: Value = request.send().await.expect("the sandbox answers").json().await.expect("JSON");
        answer["media_id"].as_str().expect("the file has an id").to_owned()
    }

    /// Does something as a customer; returns the provider's message id.
    pub fn act(&self, customer: &str, inbox: &str, action: Value) -> String {
        let mut message = action;
        message["inbox_id"] = json!(inbox);
        let mut message: CustomerMessage = serde_json::from_value(message).expect("an action of the sandbox");
        message.action = message.action.with_usual_sample();
        phone::act(&self.sandbox, customer, &message).expect("the customer can do that").message_id
    }

    /// A new customer who has just written to an inbox.
    pub async fn thread(&self, inbox: &'static str) -> Thread {
        self.threads(inbox, 1).await.remove(0)
    }

    /// New customers who have just written to an inbox.
    pub async fn threads(&self, inbox: &'static str, count: usize) -> Vec<Thread> {
        let mut written = Vec::new();
        for _ in 0..count {
            let number = fresh_number();
            let new: NewCustomer = serde_json::from_value(json!({
                "name": format!("Customer {number}"), "phone": format!("62813{number:08}")
            }))
            .expect("a customer");
            let customer = self.sandbox.world().add_customer(new).expect("there is room for a customer").id;
            let first = self.act(&customer, inbox, json!({"kind": "text", "text": "Halo"}));
            written.push((customer, first));
        }
        let mut threads = Vec::new();
        for (customer, first) in written {
            let id = self.received(inbox, &self.scoped(inbox, &customer, &first)).await.conversation_id;
            threads.push(Thread { customer, inbox, id, first });
        }
        threads
    }

    /// The chat with a customer, as Green API writes it.
    pub fn chat(&self, customer: &str) -> String {
        let world = self.sandbox.world();
        let phone = world.customers.get(customer).and_then(|customer| customer.phone.clone());
        format!("{}@c.us", phone.unwrap_or_default())
    }

    /// What our inbox calls a message of a customer: ids of Green API are unique within their chat.
    pub fn scoped(&self, inbox: &str, customer: &str, id: &str) -> String {
        let channel = self.sandbox.world().inboxes.get(inbox).map(|inbox| inbox.channel);
        match channel {
            Some(Channel::GreenApi) => RemoteId::within(id, &self.chat(customer)).0,
            _ => id.to_owned(),
        }
    }

    /// Waits for a message of a customer to be stored.
    pub async fn received(&self, inbox: &str, remote_id: &str) -> MessageRow {
        let (account, inbox) = (self.account, self.inbox(inbox).await);
        until("the customer's message is stored", || async {
            let remote = RemoteId(remote_id.to_owned());
            self.read(move |tx| messages::find_by_remote(tx, account, inbox, &remote)).await
        })
        .await
    }
}
