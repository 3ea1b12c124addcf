//! `frontdesk erase --contact ID`: one customer's data, gone for good. The server may run meanwhile.

use clap::Args;
use frontdesk_engine::caller::Actor;
use frontdesk_engine::conversations::ConversationError;
use frontdesk_engine::erase;
use frontdesk_model::ContactId;

use super::{Surroundings, UsageError, account, output};

#[derive(Args)]
pub struct Erase {
    /// The contact's id: the page shows it in the address of the contact, the API as `customer_id`
    #[arg(long, value_name = "ID")]
    contact: i64,
    /// The account's name; the first account when it is left out
    #[arg(long)]
    account: Option<String>,
}

pub async fn run(command: &Erase, surroundings: &Surroundings) -> anyhow::Result<()> {
    let engine = surroundings.engine().await?;
    let account = account::get_or_create(&engine, command.account.as_deref()).await?;
    let actor = Actor { account_id: account.id, user_id: None, token_id: None };
    match erase::erase(&engine, actor, ContactId(command.contact)).await {
        Err(ConversationError::NotFound) => {
            return Err(UsageError(format!("there is no contact {}", command.contact)).into());
        }
        done => done?,
    }
    output::line(format_args!("contact {} is erased", command.contact))?;
    output::note("Backups made before still hold it; after restoring one, erase it again.");
    Ok(())
}
