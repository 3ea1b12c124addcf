//! Names of customers, asked for where messages do not carry them.

use frontdesk_sandbox::Channel;
use frontdesk_store::{contacts, conversations};
use frontdesk_testkit::stage::{Stage, StageSettings, Thread, until};
use serde_json::json;

pub async fn name(stage: &Stage, thread: &Thread) -> Option<String> {
    let (account, id) = (stage.account, thread.id);
    stage
        .read(move |tx| {
            let contact = conversations::find(tx, account, id)?.map(|c| c.contact_id);
            contact.map_or(Ok(None), |id| Ok(contacts::find(tx, account, id)?.and_then(|c| c.name)))
        })
        .await
}

pub fn name_at_provider(stage: &Stage, thread: &Thread) -> String {
    stage.sandbox.world().customers[&thread.customer].name.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_of_messenger_and_instagram_get_their_names() {
    for stage in Stage::on_all(StageSettings::default()).await {
        for inbox in ["messenger", "instagram"] {
            let thread = stage.thread(inbox).await;
            let wanted = name_at_provider(&stage, &thread);
            until("the name is known", || async {
                (name(&stage, &thread).await == Some(wanted.clone())).then_some(())
            })
            .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_could_not_be_asked_for_is_asked_for_again() {
    for stage in Stage::on_all(StageSettings::default()).await {
        for (inbox, channel) in [("messenger", Channel::Messenger), ("whatsapp", Channel::WhatsappCloud)] {
            // Without a known object in its path, a profile call counts as one of WhatsApp's.
            stage.fault(channel, json!({"fault": "unavailable", "rate": 1.0, "scope": "all"}));
            let _ = inbox;
        }
        let thread = stage.thread("messenger").await;
        until("it was asked for", || async {
            let world = stage.sandbox.world();
            world.api_calls.iter().any(|c| c.entry.method == "GET").then_some(())
        })
        .await;
        assert_ne!(name(&stage, &thread).await, Some(name_at_provider(&stage, &thread)));
        stage.heal();
        let wanted = name_at_provider(&stage, &thread);
        until("the name is known", || async {
            stage.clock.advance_ms(60_000);
            (name(&stage, &thread).await == Some(wanted.clone())).then_some(())
        })
        .await;
    }
}
