//! Everything the fake providers know: inboxes, customers, chats, files, faults, and what happened.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::channel::Channel;
use crate::chat::{Author, Chat, ChatEntry, Progress};
use crate::chatwoot::Chatwoot;
use crate::clock::TimeMs;
use crate::customer::{Customer, NewCustomer};
use crate::faults::FaultRule;
use crate::gateway::Gateway;
use crate::green::GreenInstance;
use crate::ids::{IdMaker, WamidOrigin, wamid_address};
use crate::inbox::Inbox;
use crate::ledger::Ledger;
use crate::linked::LinkedWorld;
use crate::load::Load;
use crate::media::MediaShelf;
use crate::openai::OpenaiSettings;
use crate::phone_number::{digits, folded};
use crate::settings::LiveSettings;
use crate::template::Template;
use crate::webhooks::WebhookDelivery;

/// Customers at most.
const CUSTOMERS_MAX: usize = 200_000;

/// A message that the business sent and the provider took.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PhoneDelivery {
    /// When it was taken, in milliseconds since 1970.
    pub at_ms: TimeMs,
    /// Inbox it was sent from.
    pub inbox_id: String,
    /// Kind of network.
    pub channel: Channel,
    /// Customer it went to.
    pub customer_id: String,
    /// The provider's message id, as answered.
    pub message_id: String,
    /// Kind of content.
    pub kind: String,
    /// Text, caption or summary.
    pub text: Option<String>,
    /// The business' own reference.
    pub reference: Option<String>,
    /// How far it came by now.
    pub progress: Progress,
    /// The request body, as sent.
    #[schema(value_type = Object)]
    pub request: Value,
}

/// One call of a fake provider's API, refused ones included.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ApiCall {
    /// When it came, in milliseconds since 1970.
    pub at_ms: TimeMs,
    /// HTTP method.
    pub method: String,
    /// Path, without the query (which may hold a token).
    pub path: String,
    /// Inbox it was about, when it could be told.
    pub inbox_id: Option<String>,
    /// HTTP status answered; `null`: the connection was cut.
    pub http_status: Option<u16>,
    /// The fault that struck.
    #[schema(value_type = Option<Object>)]
    pub fault: Option<Value>,
    /// JSON or form body, for bodies up to 64 KiB; tokens are left out.
    #[schema(value_type = Object)]
    pub request: Value,
}

/// A per-second allowance of one number.
#[derive(Debug, Default, Clone, Copy)]
pub struct Throughput {
    second: TimeMs,
    used: u32,
}

/// The state of the sandbox.
#[derive(Debug)]
pub struct World {
    /// What the control API can change.
    pub settings: LiveSettings,
    /// Inboxes by id.
    pub inboxes: BTreeMap<String, Inbox>,
    /// Customers by id.
    pub customers: BTreeMap<String, Customer>,
    addresses: HashMap<String, String>,
    chats: HashMap<(String, String), Chat>,
    /// Files.
    pub media: MediaShelf,
    /// WhatsApp templates.
    pub templates: Vec<Template>,
    /// Fault rules per channel.
    pub faults: HashMap<Channel, Vec<FaultRule>>,
    /// Messages that reached phones.
    pub deliveries: Ledger<PhoneDelivery>,
    /// Calls of the fake APIs.
    pub api_calls: Ledger<ApiCall>,
    /// Webhook POSTs.
    pub webhooks: Ledger<WebhookDelivery>,
    /// Load runs by id.
    pub loads: BTreeMap<String, Load>,
    /// What Green API knows of its instances beyond the inbox, by inbox id.
    pub green: HashMap<String, GreenInstance>,
    /// The fake WhatsApp gateway.
    pub gateway: Gateway,
    /// Phones that are linked to a server, and servers that wait for one.
    pub linked: LinkedWorld,
    /// The fake Chatwoot.
    pub chatwoot: Chatwoot,
    /// The fake language model.
    pub openai: OpenaiSettings,
    /// Makes ids and draws chances.
    pub ids: IdMaker,
    throughput: HashMap<String, Throughput>,
    customers_made: u64,
}

/// Why a customer could not be made or changed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CustomerError {
    /// Another customer has this id or address.
    #[error("another customer has this id, number or scoped id")]
    Taken,
    /// The list is full.
    #[error("there are {CUSTOMERS_MAX} customers already: reset the sandbox")]
    Full,
}

impl World {
    /// A world with the default inboxes and templates, without customers, that remembers the newest `kept` deliveries,
    /// API calls and webhooks.
    #[must_use]
    pub fn new(settings: LiveSettings, seed: Option<u64>, kept: usize) -> Self {
        Self {
            settings,
            inboxes: Inbox::defaults().into_iter().map(|inbox| (inbox.id.clone(), inbox)).collect(),
            customers: BTreeMap::new(),
            addresses: HashMap::new(),
            chats: HashMap::new(),
            media: MediaShelf::default(),
            templates: Template::built_in(),
            faults: HashMap::new(),
            deliveries: Ledger::new(kept),
            api_calls: Ledger::new(kept),
            webhooks: Ledger::new(kept),
            loads: BTreeMap::new(),
            green: HashMap::new(),
            gateway: Gateway::default(),
            linked: LinkedWorld::default(),
            chatwoot: Chatwoot::default(),
            openai: OpenaiSettings::default(),
            ids: IdMaker::new(seed),
            throughput: HashMap::new(),
            customers_made: 0,
        }
    }

    /// Becomes `fresh`, but keeps inboxes, the id maker and all numbering.
    pub(crate) fn start_over(&mut self, fresh: Self) {
        self.deliveries.clear();
        self.api_calls.clear();
        self.webhooks.clear();
        let old = std::mem::replace(self, fresh);
        self.inboxes = old.inboxes;
        self.green = old.green;
        self.green.values_mut().for_each(GreenInstance::start_over);
        self.gateway = old.gateway;
        self.linked = old.linked;
        self.linked.start_over();
        self.chatwoot = old.chatwoot;
        self.chatwoot.start_over();
        self.ids = old.ids;
        self.customers_made = old.customers_made;
        self.deliveries = old.deliveries;
        self.api_calls = old.api_calls;
        self.webhooks = old.webhooks;
    }

    /// The inbox with this provider account id (`phone_number_id`, Page id, Instagram id) or WABA id.
    #[must_use]
    pub fn find_inbox_by_account(&self, account_id: &str) -> Option<&Inbox> {
        let owns = |inbox: &&Inbox| inbox.account_id == account_id;
        let belongs = |inbox: &&Inbox| inbox.business_account_id.as_deref() == Some(account_id);
        self.inboxes.values().find(owns).or_else(|| self.inboxes.values().find(belongs))
    }

    /// Makes a customer; absent addresses are made up.
    ///
    /// Errors: [`CustomerError`] when an id or address is taken or the list is full.
    pub fn add_customer(&mut self, new: NewCustomer) -> Result<Customer, CustomerError> {
        if self.customers.len() >= CUSTOMERS_MAX {
            return Err(CustomerError::Full);
        }
        let id = new.id.unwrap_or_else(|| {
            self.customers_made += 1;
            format!("customer-{:06}", self.customers_made)
        });
        let phone = match new.phone {
            Some(written) => Some(digits(&written)),
            None if new.bsuid_only => None,
            None => Some(format!("62813{}", self.ids.decimal(8))),
        };
        let bsuid = new.bsuid.unwrap_or_else(|| format!("ID.{}", self.ids.decimal(20)));
        let customer = Customer {
            id,
            name: new.name,
            username: new.username,
            phone,
            bsuid,
            scoped_ids: new.scoped_ids,
            on_whatsapp: true,
            online: true,
            blocked: false,
        };
        let keys = address_keys(&customer);
        if self.customers.contains_key(&customer.id)
            || keys.iter().any(|key| self.addresses.contains_key(key))
        {
            return Err(CustomerError::Taken);
        }
        self.addresses.extend(keys.into_iter().map(|key| (key, customer.id.clone())));
        self.customers.insert(customer.id.clone(), customer.clone());
        Ok(customer)
    }

    /// Removes a customer with all chats; false if there was none.
    pub fn remove_customer(&mut self, id: &str) -> bool {
        self.addresses.retain(|_, owner| owner != id);
        self.chats.retain(|(owner, _), _| owner != id);
        self.customers.remove(id).is_some()
    }

    /// Gives a customer another WhatsApp number and BSUID; returns the old pair.
    ///
    /// Errors: [`CustomerError::Taken`] when somebody has the number.
    pub fn change_number(
        &mut self,
        id: &str,
        phone: &str,
    ) -> Result<Option<(Customer, Customer)>, CustomerError> {
        let key = phone_key(phone);
        if self.addresses.get(&key).is_some_and(|owner| owner != id) {
            return Err(CustomerError::Taken);
        }
        let bsuid = format!("ID.{}", self.ids.decimal(20));
        let Some(customer) = self.customers.get_mut(id) else { return Ok(None) };
        let before = customer.clone();
        customer.phone = Some(digits(phone));
        customer.bsuid = bsuid;
        let after = customer.clone();
        self.addresses.retain(|_, owner| owner != id);
        self.addresses.extend(address_keys(&after).into_iter().map(|key| (key, after.id.clone())));
        Ok(Some((before, after)))
    }

    /// The customer with this WhatsApp number, however written.
    #[must_use]
    pub fn find_by_phone(&self, phone: &str) -> Option<&Customer> {
        self.customers.get(self.addresses.get(&phone_key(phone))?)
    }

    /// The customer with this WhatsApp business-scoped user id.
    #[must_use]
    pub fn find_by_bsuid(&self, bsuid: &str) -> Option<&Customer> {
        self.customers.get(self.addresses.get(&format!("bsuid:{bsuid}"))?)
    }

    /// The customer whom this Messenger or Instagram inbox knows by this id.
    #[must_use]
    pub fn find_by_scoped_id(&self, inbox_id: &str, scoped_id: &str) -> Option<&Customer> {
        self.customers.get(self.addresses.get(&scoped_key(inbox_id, scoped_id))?)
    }

    /// Some inbox that knows a customer by this id, and the customer.
    #[must_use]
    pub fn find_scoped_anywhere(&self, scoped_id: &str) -> Option<(&Inbox, &Customer)> {
        self.inboxes.values().find_map(|inbox| Some((inbox, self.find_by_scoped_id(&inbox.id, scoped_id)?)))
    }

    /// The id under which this inbox knows the customer (PSID, IGSID), made when first needed.
    /// `None` when there is no such customer.
    pub fn scoped_id(&mut self, customer_id: &str, inbox_id: &str) -> Option<String> {
        let customer = self.customers.get_mut(customer_id)?;
        if let Some(known) = customer.scoped_ids.get(inbox_id) {
            return Some(known.clone());
        }
        let made = self.ids.decimal(16);
        customer.scoped_ids.insert(inbox_id.to_owned(), made.clone());
        self.addresses.insert(scoped_key(inbox_id, &made), customer_id.to_owned());
        Some(made)
    }

    /// A customer's chat with an inbox, if there is one.
    #[must_use]
    pub fn find_chat(&self, customer_id: &str, inbox_id: &str) -> Option<&Chat> {
        self.chats.get(&(customer_id.to_owned(), inbox_id.to_owned()))
    }

    /// A customer's chat with an inbox, begun when there is none.
    pub fn chat_mut(&mut self, customer_id: &str, inbox_id: &str) -> &mut Chat {
        self.chats.entry((customer_id.to_owned(), inbox_id.to_owned())).or_default()
    }

    /// The customer whose address a WhatsApp message id holds.
    #[must_use]
    pub fn find_by_wamid(&self, wamid: &str) -> Option<&Customer> {
        let address = wamid_address(wamid)?;
        self.find_by_phone(&address).or_else(|| self.find_by_bsuid(&address))
    }

    /// Inboxes with which this customer has a chat.
    pub fn chats_of(&self, customer_id: &str) -> impl Iterator<Item = (&str, &Chat)> {
        self.chats
            .iter()
            .filter(move |((owner, _), _)| owner == customer_id)
            .map(|((_, inbox_id), chat)| (inbox_id.as_str(), chat))
    }

    /// A fresh message id of this inbox's kind.
    pub fn message_id(&mut self, channel: Channel, address: &str, author: Author) -> String {
        match (channel, author) {
            (Channel::WhatsappCloud, Author::Customer) => self.ids.wamid(address, WamidOrigin::Customer),
            (Channel::WhatsappCloud, Author::Business) => self.ids.wamid(address, WamidOrigin::Business),
            (Channel::Messenger, _) => self.ids.messenger_mid(),
            (Channel::Instagram, _) => self.ids.instagram_mid(),
            (Channel::GreenApi | Channel::LinkedWhatsapp, _) => self.ids.green_id(),
            (Channel::Chatwoot | Channel::Openai, _) => self.ids.uuid(),
        }
    }

    /// Puts a message that the provider took into the customer's chat and the list of deliveries.
    pub fn deliver(&mut self, inbox: &Inbox, customer_id: &str, mut entry: ChatEntry, request: Value) {
        let seq = self.deliveries.push(PhoneDelivery {
            at_ms: entry.at_ms,
            inbox_id: inbox.id.clone(),
            channel: inbox.channel,
            customer_id: customer_id.to_owned(),
            message_id: entry.id.clone(),
            kind: entry.kind.clone(),
            text: entry.text.clone(),
            reference: entry.reference.clone(),
            progress: entry.progress,
            request,
        });
        entry.delivery_seq = Some(seq);
        let chat = self.chat_mut(customer_id, &inbox.id);
        chat.business_typing_until_ms = None;
        chat.push(entry);
    }

    /// Notes in chat and list of deliveries how far these messages came.
    pub fn note_progress(
        &mut self,
        customer_id: &str,
        inbox_id: &str,
        message_ids: &[String],
        progress: Progress,
    ) {
        for message_id in message_ids {
            let Some(entry) = self.chat_mut(customer_id, inbox_id).find_mut(message_id) else { continue };
            entry.progress = entry.progress.max(progress);
            let delivery_seq = entry.delivery_seq;
            if let Some(delivery) = delivery_seq.and_then(|seq| self.deliveries.find_mut(seq)) {
                delivery.progress = delivery.progress.max(progress);
            }
        }
    }

    /// Takes one message from a number's allowance of this second; false when there is none left.
    pub fn take_throughput(&mut self, inbox_id: &str, per_second: u32, now: TimeMs) -> bool {
        let counter = self.throughput.entry(inbox_id.to_owned()).or_default();
        if counter.second != now / 1_000 {
            *counter = Throughput { second: now / 1_000, used: 0 };
        }
        counter.used = counter.used.saturating_add(1);
        counter.used <= per_second
    }
}

fn phone_key(phone: &str) -> String {
    format!("phone:{}", folded(phone))
}

fn scoped_key(inbox_id: &str, scoped_id: &str) -> String {
    format!("scoped:{inbox_id}:{scoped_id}")
}

fn address_keys(customer: &Customer) -> Vec<String> {
    let scoped = customer.scoped_ids.iter().map(|(inbox_id, id)| scoped_key(inbox_id, id));
    customer
        .phone
        .iter()
        .map(|phone| phone_key(phone))
        .chain([format!("bsuid:{}", customer.bsuid)])
        .chain(scoped)
        .collect()
}
