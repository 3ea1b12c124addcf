//! Searches, cursors and pages made to be expensive, on many messages: answered soon, or refused.

use std::time::{Duration, Instant};

use crate::report::Report;
use crate::scene::{Plan, Scene};
use crate::trial::{Size, Trial};

/// An answer takes no longer than this.
const WITHIN: Duration = Duration::from_millis(500);
/// A quick form runs beside other tests, on a program that was not optimised: only what would never end is found.
const QUICK_WITHIN: Duration = Duration::from_secs(25);

/// How often somebody asks is limited elsewhere.
const SETTINGS: &[(&str, &str)] = &[("FRONTDESK_LIMITS_LIST_PER_MINUTE", "1000000")];

/// Runs it.
pub async fn run(trial: Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let scene = Scene::open(&trial, Plan { set: SETTINGS, ..Plan::default() }).await?;
    let messages = trial.pick(10_000, 100_000);
    fill(&scene, messages).await?;
    let within = if trial.size == Size::Quick { QUICK_WITHIN } else { WITHIN };
    // The first search makes up for all that came at once; those of a day come one by one.
    let warmed = Instant::now();
    ask(&scene, "/admin/inbox?q=wort1").await?;
    let warming = warmed.elapsed();
    let (mut asked, mut slowest, mut slowest_path) = (0, Duration::ZERO, String::new());
    for path in expensive() {
        let began = Instant::now();
        let status = ask(&scene, &path).await?;
        let took = began.elapsed();
        let shown = path.chars().take(80).collect::<String>();
        report.expect([200, 400, 404, 414, 422, 431].contains(&status), || format!("{status} to {shown}"));
        report.expect(took <= within, || format!("{took:.1?} for {shown}"));
        asked += 1;
        if took > slowest {
            (slowest, slowest_path) = (took, shown);
        }
    }
    report.size = format!("{asked} expensive questions on {messages} messages");
    report.figure(format!(
        "slowest {slowest:.0?} for {slowest_path}; first search after filling {warming:.1?}"
    ));
    scene.close(report).await
}

/// Stores messages of many words and few, old and new, in the conversations there are.
async fn fill(scene: &Scene, messages: usize) -> anyhow::Result<()> {
    let sql = format!(
        "INSERT INTO messages (account_id, inbox_id, conversation_id, contact_id, direction, sender_type, kind, content, \
         remote_id, status, status_rank, sent_at, created_at, updated_at) \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {messages}) \
         SELECT v.account_id, v.inbox_id, v.id, v.contact_id, 'inbound', 'customer', 'text', \
         'wort' || (n.i % 5000) || ' order ' || (n.i % 97) || ' a b c the same again % _ ' || n.i, \
         'filled.' || n.i, 'delivered', 3, v.last_message_at + n.i, v.created_at, v.created_at \
         FROM n JOIN conversations v ON v.id = (n.i % {}) + (SELECT MIN(id) FROM conversations)",
        scene.conversations.len()
    );
    scene.database.execute(&sql).await
}

/// Paths that a person with a token may ask for to keep the database busy.
fn expensive() -> Vec<String> {
    let encoded = |text: &str| {
        let encode =
            |b: u8| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02x}") };
        text.replace(' ', "\u{0}")
            .bytes()
            .map(|b| if b == 0 { "+".to_owned() } else { encode(b) })
            .collect::<String>()
    };
    let many = "wort ".repeat(10_000);
    let operators = "a* OR a* ".repeat(100);
    let letters = (b'a'..=b'z').map(|c| format!("{} ", char::from(c))).collect::<String>();
    let quotes = "\"".repeat(900);
    let searches = [
        "a",
        "e",
        "o",
        "order",
        "the same again",
        "wort1",
        "a b c the same again order wort",
        "1",
        "%",
        "_",
        "%%%%%%",
        "_%_%",
        "*",
        "a*",
        "a* OR a*",
        "NEAR(a b, 1000000)",
        "a AND b AND c",
        "NOT a",
        "^a",
        "content:a",
        "zzzz",
        "0 1 2 3 4 5 6 7",
        &operators,
        &letters,
        &quotes,
        &many,
    ];
    let lists = ["/admin/inbox", "/api/v1/conversations"];
    let mut paths: Vec<String> = searches
        .iter()
        .flat_map(|q| lists.iter().map(move |list| format!("{list}?q={}", encoded(q))))
        .collect();
    for extra in ["&unread=1", "&status=closed", "&assignee=none", "&platform=facebook"] {
        paths.push(format!("/admin/inbox?q=a{extra}"));
    }
    for page in ["1", "2", "100", "10000", "1000000", "9223372036854775807"] {
        paths.push(format!("/admin/inbox?page={page}&per_page=100"));
        paths.push(format!("/admin/inbox/1?page={page}&per_page=100"));
    }
    for cursor in ["0.0", "999999999999999.1", "1.999999999999999999", "x"] {
        paths.push(format!("/api/v1/conversations?cursor={cursor}&limit=200"));
        paths.push(format!("/api/v1/conversations/1/messages?before={cursor}&limit=200"));
    }
    paths.push("/api/v1/events?after=0&limit=500".to_owned());
    paths.push("/api/v1/webhook-logs?cursor=999999999999999999&limit=200".to_owned());
    paths.push("/api/v1/audit?limit=200".to_owned());
    paths
}

async fn ask(scene: &Scene, path: &str) -> anyhow::Result<u16> {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
    let url = format!("{}{path}", scene.agent.url());
    let answer = http.get(url).bearer_auth(scene.agent.token()).send().await?;
    let status = answer.status().as_u16();
    answer.bytes().await?;
    Ok(status)
}
