//! `frontdesk doctor`: looks everything over and says what to do. Changes nothing.
//!
//! One file per part of the body: [`machine`] (key, folder, disk, clock), [`database`], [`outside`] (what providers and
//! browsers see), [`traffic`] (what went on in the last hour), [`chatwoot`], [`sync`] (connections
//! and bridges). To add a check: a function there that returns
//! [`Finding`]s.

mod chatwoot;
mod database;
mod finding;
mod machine;
mod outside;
mod sync;
mod traffic;

use std::process::ExitCode;

use clap::Args;
use frontdesk_engine::realtime::settings::PublicInbox;
use serde_json::json;

use super::{Surroundings, output};
use crate::secret_key;
use crate::settings::Settings;
use finding::{Finding, Level};

#[derive(Args)]
pub struct Doctor {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Ask nobody outside: neither providers nor the public address
    #[arg(long)]
    offline: bool,
}

pub async fn run(doctor: &Doctor, surroundings: &Surroundings) -> anyhow::Result<ExitCode> {
    let settings = &surroundings.settings;
    let mut findings = check_settings(surroundings);
    findings.extend(machine::check_key(settings));
    findings.extend(machine::check_folder(settings));
    findings.extend(machine::check_disk(settings));
    findings.extend(machine::check_clock(settings, surroundings.clock.now()));
    let (found, store) = database::check(settings, surroundings.clock.clone()).await;
    findings.extend(found);
    if let Some(store) = &store {
        findings.extend(database::check_people(store).await);
        findings.extend(database::check_media(settings, store).await);
        findings.extend(outside::check_doors(settings, store).await);
    }
    findings.push(check_realtime(settings));
    findings.extend(chatwoot::check(settings));
    findings.push(outside::check_listen(settings).await);
    findings.push(outside::check_public_url(settings));
    if !doctor.offline {
        findings.extend(outside::reach_public_url(settings).await);
        findings.extend(chatwoot::ask(settings).await);
        findings.extend(outside::compare_clock(settings, surroundings.clock.as_ref()).await);
    }
    // Without a key there are no inboxes yet, and looking must not make one.
    if let Some(store) = store
        && matches!(secret_key::load(settings), Ok(Some(_)))
    {
        drop(store);
        match surroundings.engine().await {
            Ok(engine) => {
                findings.extend(traffic::check(&engine).await);
                findings.extend(sync::check(&engine).await);
                if !doctor.offline {
                    findings.extend(outside::check_inboxes(&engine).await);
                }
            }
            Err(error) => {
                findings.push(Finding::fail("inboxes", format!("{error:#}"), "see the findings above"));
            }
        }
    }

    let is_well = findings.iter().all(|finding| finding.level != Level::Fail);
    if doctor.json {
        output::json(&json!({ "ok": is_well, "findings": findings }))?;
    } else {
        for finding in &findings {
            output::line(finding)?;
        }
    }
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn check_settings(surroundings: &Surroundings) -> Vec<Finding> {
    let file = surroundings.config.as_ref();
    let from = file.map_or_else(|| "the defaults".to_owned(), |path| path.display().to_string());
    let mut findings = vec![Finding::ok("settings", format!("read from {from} and the environment"))];
    findings.extend(Settings::unknown_variables(&surroundings.environment).into_iter().map(|variable| {
        Finding::warn(
            "settings",
            format!("{variable} looks like a setting but is none"),
            "correct its spelling or unset it",
        )
    }));
    findings
}

fn check_realtime(settings: &Settings) -> Finding {
    match settings.realtime.public_inbox {
        PublicInbox::Open => Finding::warn(
            "realtime",
            "realtime.public_inbox is open: whoever has the app key, which every page shows, reads customers' messages",
            "set it to signed_in or off",
        ),
        other => Finding::ok("realtime", format!("the public channel inbox is {}", other.as_str())),
    }
}
