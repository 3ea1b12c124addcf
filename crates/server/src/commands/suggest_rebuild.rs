//! `frontdesk suggest-rebuild`: reads all conversations anew for what replies are suggested from. The server may run meanwhile.

use clap::Args;
use frontdesk_engine::suggest;
use frontdesk_store::events;

use super::{Surroundings, account, output};

#[derive(Args)]
pub struct SuggestRebuild {
    /// The account's name; all accounts when it is left out
    #[arg(long)]
    account: Option<String>,
}

pub async fn run(command: &SuggestRebuild, surroundings: &Surroundings) -> anyhow::Result<()> {
    let engine = surroundings.engine().await?;
    let accounts = match &command.account {
        Some(name) => vec![account::get_or_create(&engine, Some(name)).await?.id],
        None => engine.store.read(events::heads).await?.into_iter().map(|(account, _)| account).collect(),
    };
    for account in accounts {
        let pairs = suggest::rebuild(&engine, account).await?;
        output::line(format_args!("account {account}: {pairs} answers to suggest"))?;
    }
    Ok(())
}
