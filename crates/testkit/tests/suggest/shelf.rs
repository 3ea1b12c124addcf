//! The indexes in memory: nobody waits for a large one, and none is held for nobody.

use frontdesk_engine::suggest;
use frontdesk_testkit::stage::until;

use crate::{Desk, desks_with, roomy, teach, texts};

const ASKING: &str = "6281390045512";
const MANY: usize = 3_000;
const MINUTE_MS: i64 = 60_000;

/// Texts that nobody asks for, older than everything that was said: they are read last.
async fn fill(desk: &Desk) {
    let account = desk.server.account;
    for from in (0..MANY).step_by(500) {
        let rows: Vec<String> = (from..from + 500)
            .map(|n| {
                format!("({account}, -{n} - 1000, 'zirkon {n} plomt', NULL, 'Zirkon {n} is served.', {n}, 1)")
            })
            .collect();
        let rows = rows.join(", ");
        desk.server
            .database
            .script(&format!(
                "INSERT INTO suggest_pairs (account_id, id, question, before_text, reply, said_at, changed) VALUES {rows}"
            ))
            .await;
    }
}

async fn held(desk: &Desk, pairs: usize) {
    let engine = &desk.server.engine;
    until("the index is read", || async { (suggest::pairs_held(engine) == pairs).then_some(()) }).await;
}

#[tokio::test]
async fn nobody_waits_for_a_large_index_and_an_idle_one_is_put_away() {
    let mut settings = roomy();
    settings.engine.suggestions.wait_ms = 0;
    settings.engine.suggestions.idle_minutes = 60;
    for desk in desks_with(settings).await {
        teach(&desk).await;
        fill(&desk).await;
        desk.write(ASKING, "Siti", 60, "is breakfast included?").await;
        let conversation = desk.conversation(ASKING).await;
        assert_eq!(suggest::pairs_held(&desk.server.engine), 0, "nothing is read before somebody asks");
        desk.suggest(conversation).await;
        let read = suggest::pairs_held(&desk.server.engine);
        assert!(read < MANY, "the answer waited for {read} pairs");
        held(&desk, MANY + 6).await;
        let whole = texts(&desk.suggest(conversation).await);
        assert_eq!(whole, ["Breakfast is included in every room."]);

        desk.server.clock.advance_ms(60 * MINUTE_MS);
        suggest::put_away_idle(&desk.server.engine);
        assert_eq!(suggest::pairs_held(&desk.server.engine), MANY + 6);
        desk.server.clock.advance_ms(1);
        suggest::put_away_idle(&desk.server.engine);
        assert_eq!(suggest::pairs_held(&desk.server.engine), 0);
        // What is read first is what was said last: it is found before everything is read.
        until("the newest are found again", || async {
            (texts(&desk.suggest(conversation).await) == whole).then_some(())
        })
        .await;
        held(&desk, MANY + 6).await;
    }
}

#[tokio::test]
async fn of_more_pairs_than_may_be_held_the_newest_are() {
    let mut settings = roomy();
    settings.engine.suggestions.pairs_in_memory = 1_000;
    for desk in desks_with(settings).await {
        teach(&desk).await;
        fill(&desk).await;
        let found = desk.suggested(ASKING, "Siti", 60, "is breakfast included?").await;
        assert_eq!(found, ["Breakfast is included in every room."]);
        assert_eq!(suggest::pairs_held(&desk.server.engine), 1_000);
    }
}

#[tokio::test]
async fn what_was_taken_away_is_not_said_by_an_index_that_has_not_caught_up() {
    let mut settings = roomy();
    settings.engine.suggestions.wait_ms = 0;
    for desk in desks_with(settings).await {
        teach(&desk).await;
        fill(&desk).await;
        desk.write(ASKING, "Siti", 60, "is breakfast included?").await;
        let conversation = desk.conversation(ASKING).await;
        let account = desk.server.account;
        let said = async || texts(&desk.suggest(conversation).await);
        for (says, change) in [
            ("Breakfast is included in every room.", "reply = 'Breakfast is served from now on.'"),
            ("Breakfast is served from now on.", "removed = TRUE, question = '', reply = ''"),
        ] {
            until("the index answers", || async { said().await.contains(&says.to_owned()).then_some(()) })
                .await;
            held(&desk, MANY + 6).await;
            let next =
                format!("UPDATE suggest_progress SET version = version + 1 WHERE account_id = {account}");
            let changed = format!(
                "UPDATE suggest_pairs SET {change}, changed =
                    (SELECT version FROM suggest_progress p WHERE p.account_id = suggest_pairs.account_id)
                 WHERE account_id = {account} AND reply = '{says}'"
            );
            desk.server.database.script(&format!("BEGIN; {next}; {changed}; COMMIT")).await;
            // Nobody waits, so the index still holds what it held.
            let said = said().await;
            assert!(!said.contains(&says.to_owned()), "{said:?}");
        }
    }
}
