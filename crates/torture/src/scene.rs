//! A program with its provider, an agent and conversations, ready to be tortured.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tempfile::TempDir;

use crate::agent::Agent;
use crate::balancer::Balancer;
use crate::database::Database;
use crate::ledger::Ledger;
use crate::program::{ACCESS_TOKEN, EMAIL, PASSWORD, Program};
use crate::provider::Provider;
use crate::report::Report;
use crate::trial::Trial;

/// The key that nodes of one database share.
const SHARED_KEY: &str = "4711471147114711471147114711471147114711471147114711471147114711";
/// What is under way has to become less within this time, until nothing is.
const PATIENCE: Duration = Duration::from_secs(120);
/// Nobody counts it as a backlog what is done this soon.
const AT_ONCE: Duration = Duration::from_secs(10);

/// What a scene is made of.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Customers, each with a conversation.
    pub customers: usize,
    /// Nodes on the one database; more than one stands behind a balancer.
    pub nodes: usize,
    /// Settings that differ.
    pub set: &'static [(&'static str, &'static str)],
}

impl Default for Plan {
    fn default() -> Self {
        Self { customers: 40, nodes: 1, set: &[] }
    }
}

/// Everything of one run.
pub struct Scene {
    /// What the run was given.
    pub trial: Trial,
    /// Where everything is kept.
    pub folder: TempDir,
    /// What the nodes share.
    pub database: Database,
    /// Their provider.
    pub provider: Provider,
    /// The nodes, running.
    pub nodes: Vec<Program>,
    /// What stands before them, when they are several.
    pub balancer: Option<Balancer>,
    /// What was promised.
    pub ledger: Arc<Ledger>,
    /// Someone with a token.
    pub agent: Agent,
    /// A conversation of each customer.
    pub conversations: Vec<i64>,
}

impl Scene {
    /// Sets everything up: schema, user, token and inbox by the program's own commands, then the nodes, and each
    /// customer writes once.
    pub async fn open(trial: &Trial, plan: Plan) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("torture-").tempdir()?;
        let database = Database::make(trial.kind, folder.path()).await?;
        let provider = Provider::open(plan.customers).await?;
        let mut nodes = Vec::new();
        for number in 0..plan.nodes {
            let place = folder.path().join(format!("node-{number}"));
            let mut node = Program::new(trial, &place, &database, &provider.graph_url)?;
            plan.set.iter().for_each(|(name, value)| node.set(name, value));
            if plan.nodes > 1 {
                node.set("FRONTDESK_SECRET_KEY", SHARED_KEY);
            }
            nodes.push(node);
        }
        let first = nodes.first().context("a scene has at least one node")?;
        let token = furnish(first, &provider)?;
        let balancer = match nodes.as_slice() {
            [_] => None,
            several => Some(Balancer::open(several.iter().map(Program::port).collect()).await?),
        };
        let url = balancer.as_ref().map_or_else(|| first.url(), Balancer::url);
        for node in &mut nodes {
            node.start().await?;
        }
        provider.deliver_to(&url);
        let agent = Agent::new(&url, &token)?;
        let ledger = Arc::new(Ledger::default());
        for n in 0..plan.customers {
            provider.write(&ledger, n)?;
        }
        provider.idle(Duration::from_secs(60)).await?;
        let conversations = agent.conversations().await?;
        ensure!(conversations.len() == plan.customers, "{} conversations", conversations.len());
        let trial = trial.clone();
        Ok(Self { trial, folder, database, provider, nodes, balancer, ledger, agent, conversations })
    }

    /// The only node, or the first.
    pub fn node(&mut self) -> &mut Program {
        &mut self.nodes[0]
    }

    /// Waits until no webhook and no reply is under way any more.
    pub async fn rest(&self) -> anyhow::Result<()> {
        self.provider.idle(PATIENCE).await?;
        let waiting =
            "SELECT COUNT(*) FROM messages WHERE direction = 'outbound' AND status IN ('queued', 'sending')";
        let (mut fewest, mut since) = (i64::MAX, Instant::now());
        loop {
            let left = self.database.number(waiting).await?;
            if left == 0 {
                // Statuses follow the last sends.
                return self.provider.idle(PATIENCE).await;
            }
            if left < fewest {
                (fewest, since) = (left, Instant::now());
            }
            ensure!(since.elapsed() < PATIENCE, "{left} replies are still under way");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits for rest, compares all promises with what is there, and looks the database over.
    pub async fn settle(&self, report: &mut Report) -> anyhow::Result<()> {
        let began = Instant::now();
        self.rest().await?;
        if began.elapsed() > AT_ONCE {
            let behind = began.elapsed().as_secs();
            report.figure(format!("it was behind: what was under way at the end took {behind} s more"));
        }
        let account = self.ledger.settle(&self.database, &self.provider).await?;
        report.take(account.tally, account.findings);
        let faults = self.database.faults().await?;
        report.expect(faults.is_empty(), || format!("the database is not whole: {faults:?}"));
        Ok(())
    }

    /// Ends the nodes as an operator would. With findings, everything is kept for a look.
    pub async fn close(mut self, mut report: Report) -> anyhow::Result<Report> {
        for node in &mut self.nodes {
            let status = node.terminate().await?;
            report.expect(status.code() == Some(0), || format!("it did not stop well: {status}"));
            let panics = node.logged("panicked at")?;
            report.expect(panics == 0, || format!("it panicked {panics} times"));
        }
        if !report.findings.is_empty() {
            let place = self.folder.keep();
            report.figure(format!("logs and database are kept in {}", place.display()));
        }
        Ok(report)
    }
}

/// A user with a token, and the inbox; secrets go in by stdin. Returns the token.
fn furnish(program: &Program, provider: &Provider) -> anyhow::Result<String> {
    program.run(&["migrate"], "")?;
    let user = ["user", "create", "--email", EMAIL, "--name", "Ana", "--role", "admin", "--password-stdin"];
    program.run(&user, PASSWORD)?;
    let token = program.run(&["token", "create", "--email", EMAIL], "")?;
    let number = provider.sandbox.world().inboxes.get("whatsapp").cloned().context("a WhatsApp number")?;
    let id = format!("phone_number_id={}", number.account_id);
    let business = format!("business_account_id={}", number.business_account_id.unwrap_or_default());
    let inbox = ["inbox", "add", "whatsapp_cloud", "--name", "W", "--set", &id, "--set", &business];
    program.run(&[&inbox[..], &["--set", "access_token=-"]].concat(), ACCESS_TOKEN)?;
    Ok(token)
}
