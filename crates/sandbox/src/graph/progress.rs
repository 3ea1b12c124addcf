//! What happens to a message after it was taken: echo, sent, delivered, read, or failed; told by webhooks.

use std::time::Duration;

use super::error::GraphError;
use super::{messaging, whatsapp};
use crate::channel::Channel;
use crate::chat::Progress;
use crate::faults::{Fault, FaultScope, FaultStage};
use crate::green;
use crate::inbox::Inbox;
use crate::linked;
use crate::sandbox::{Sandbox, WeakSandbox};
use crate::webhooks::Event;

/// Sends a taken message on its way. `doomed`: it fails with this code instead of arriving.
pub(crate) fn start(
    sandbox: &Sandbox,
    inbox: &Inbox,
    customer_id: &str,
    message_id: &str,
    doomed: Option<i64>,
) {
    let drawn = sandbox.draw_fault(inbox.channel, FaultStage::Fail, FaultScope::All);
    let drawn =
        drawn.and_then(|fault| if let Fault::FailedStatus { code } = fault { Some(code) } else { None });
    let journey = Journey {
        sandbox: sandbox.downgrade(),
        inbox: inbox.clone(),
        customer_id: customer_id.to_owned(),
        message_id: message_id.to_owned(),
        failure: doomed.or(drawn),
    };
    let pending = sandbox.webhooks().pending();
    tokio::spawn(async move {
        // The sandbox may be gone before the message arrives; then nobody is left to be told.
        let _gone = journey.run().await;
        drop(pending);
    });
}

struct Journey {
    sandbox: WeakSandbox,
    inbox: Inbox,
    customer_id: String,
    message_id: String,
    failure: Option<i64>,
}

impl Journey {
    async fn run(&self) -> Option<()> {
        let timing = self.sandbox.upgrade()?.world().settings.timing.clone();
        pause(timing.sent_after_ms).await;
        let sandbox = self.sandbox.upgrade()?;
        if let Some(code) = self.failure {
            self.fail(&sandbox, code);
            return None;
        }
        self.sent(&sandbox, timing.echoes);
        drop(sandbox);
        pause(timing.delivered_after_ms).await;
        let sandbox = self.sandbox.upgrade()?;
        let (online, open) = {
            let world = sandbox.world();
            let online = world.customers.get(&self.customer_id)?.online;
            (online, world.find_chat(&self.customer_id, &self.inbox.id)?.open)
        };
        if online {
            arrive(&sandbox, &self.inbox, &self.customer_id);
            if open {
                read(&sandbox, &self.inbox, &self.customer_id);
            }
        }
        drop(sandbox);
        if let Some(read_after_ms) = timing.read_after_ms.filter(|_| online && !open) {
            pause(read_after_ms).await;
            read(&self.sandbox.upgrade()?, &self.inbox, &self.customer_id);
        }
        Some(())
    }

    fn sent(&self, sandbox: &Sandbox, echoes: bool) {
        move_to(
            sandbox,
            &self.inbox,
            &self.customer_id,
            std::slice::from_ref(&self.message_id),
            Progress::Sent,
        );
        if self.inbox.channel == Channel::LinkedWhatsapp {
            let ids = std::slice::from_ref(&self.message_id);
            linked::events::receipt(sandbox, &self.inbox, &self.customer_id, ids, Progress::Sent, None);
        } else if self.inbox.channel == Channel::GreenApi {
            green::queue::sent(sandbox, &self.inbox, &self.message_id);
        } else if self.inbox.channel == Channel::WhatsappCloud {
            tell_whatsapp(sandbox, &self.inbox, &self.customer_id, &self.message_id, Progress::Sent, None);
        } else if echoes {
            tell(sandbox, messaging::events::echo(sandbox, &self.inbox, &self.customer_id, &self.message_id));
        }
    }

    /// Messenger and Instagram have no failed status: there the message just never arrives.
    fn fail(&self, sandbox: &Sandbox, code: i64) {
        if let Some(entry) =
            sandbox.world().chat_mut(&self.customer_id, &self.inbox.id).find_mut(&self.message_id)
        {
            entry.error_code = Some(code);
        }
        move_to(
            sandbox,
            &self.inbox,
            &self.customer_id,
            std::slice::from_ref(&self.message_id),
            Progress::Failed,
        );
        if self.inbox.channel == Channel::LinkedWhatsapp {
            let ids = std::slice::from_ref(&self.message_id);
            let customer = &self.customer_id;
            linked::events::receipt(sandbox, &self.inbox, customer, ids, Progress::Failed, Some(code));
        } else if self.inbox.channel == Channel::GreenApi {
            green::queue::failed(sandbox, &self.inbox, &self.message_id, code);
        } else if self.inbox.channel == Channel::WhatsappCloud {
            let error = GraphError::of_code(code);
            tell_whatsapp(
                sandbox,
                &self.inbox,
                &self.customer_id,
                &self.message_id,
                Progress::Failed,
                Some(&error),
            );
        }
    }
}

/// Everything that waits for this phone arrives.
pub(crate) fn arrive(sandbox: &Sandbox, inbox: &Inbox, customer_id: &str) {
    let moved = sandbox.world().chat_mut(customer_id, &inbox.id).advance_business(Progress::Delivered);
    announce(sandbox, inbox, customer_id, &moved, Progress::Delivered);
}

/// Everything in this chat is seen.
pub(crate) fn read(sandbox: &Sandbox, inbox: &Inbox, customer_id: &str) {
    let moved = sandbox.world().chat_mut(customer_id, &inbox.id).advance_business(Progress::Read);
    announce(sandbox, inbox, customer_id, &moved, Progress::Read);
}

fn announce(sandbox: &Sandbox, inbox: &Inbox, customer_id: &str, moved: &[String], progress: Progress) {
    if moved.is_empty() {
        return;
    }
    move_to(sandbox, inbox, customer_id, moved, progress);
    if inbox.channel == Channel::LinkedWhatsapp {
        linked::events::receipt(sandbox, inbox, customer_id, moved, progress, None);
    } else if inbox.channel == Channel::GreenApi {
        for message_id in moved {
            green::queue::moved(sandbox, inbox, message_id, progress);
        }
    } else if inbox.channel == Channel::WhatsappCloud {
        for message_id in moved {
            tell_whatsapp(sandbox, inbox, customer_id, message_id, progress, None);
        }
    } else {
        tell(sandbox, messaging::events::watermark(sandbox, inbox, customer_id, moved, progress));
    }
}

/// Notes the progress in chat and list of deliveries.
fn move_to(sandbox: &Sandbox, inbox: &Inbox, customer_id: &str, message_ids: &[String], progress: Progress) {
    sandbox.world().note_progress(customer_id, &inbox.id, message_ids, progress);
    sandbox.changed("chat", Some(customer_id), Some(&inbox.id));
}

fn tell_whatsapp(
    sandbox: &Sandbox,
    inbox: &Inbox,
    customer_id: &str,
    message_id: &str,
    progress: Progress,
    error: Option<&GraphError>,
) {
    tell(sandbox, whatsapp::events::status(sandbox, inbox, customer_id, message_id, progress, error));
}

/// The customer may be gone by now: then there is no event.
fn tell(sandbox: &Sandbox, event: Option<Event>) {
    if let Some(event) = event {
        sandbox.tell(event);
    }
}

async fn pause(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}
