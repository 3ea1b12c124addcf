//! Sixty a minute, through the product: the clocks are moved by hand, and the process is changed for another meanwhile.

use frontdesk_store::outbox;
use frontdesk_testkit::stage::{Stage, StageSettings, until};

const PER_MINUTE: usize = 60;
const CHATS: usize = 13;
const EACH: usize = 5;
/// A little more than a minute.
const MINUTE_MS: i64 = 61_000;

/// What went out so far, once it is `count` and nothing is due any more.
async fn rests_at(stage: &Stage, count: usize) {
    let what = format!("{count} went out on {}", stage.database.kind);
    until(&what, || async { (stage.delivered("hotel").len() >= count).then_some(()) }).await;
    until("nothing is due any more", || async {
        let now = stage.first().clock.now();
        stage.read(outbox::next_due).await.is_none_or(|at| at > now.plus_ms(1_000)).then_some(())
    })
    .await;
    assert_eq!(stage.delivered("hotel").len(), count, "on {}", stage.database.kind);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_go_out_in_a_minute_and_the_rest_when_it_is_over_whatever_is_restarted() {
    for mut stage in Stage::on_all(StageSettings::default()).await {
        // Green API itself takes 50 a second.
        let paces = [("rate_limit_per_second", "20"), ("rate_limit_per_minute", "60")];
        stage.add_instance("hotel", &paces).await;
        let threads = stage.threads("hotel", CHATS).await;
        for n in 0..EACH {
            for thread in &threads {
                stage.say(thread, &format!("number {n}")).await;
            }
        }
        rests_at(&stage, PER_MINUTE).await;

        // A process that has sent nothing yet keeps to what was sent before it, though its clock says that time went by.
        stage.nodes[0].stop().await;
        stage.nodes.remove(0);
        stage.clock.advance_ms(MINUTE_MS);
        stage.add_node().await;
        rests_at(&stage, PER_MINUTE).await;

        // The database's clock is the one that counts: as if the sixty were a minute older for it too.
        let older = format!(
            "UPDATE send_turns SET given = (SELECT {} FROM {} AS turn)",
            if stage.database.kind == "sqlite" {
                format!("json_group_array(turn.value - {MINUTE_MS})")
            } else {
                format!("json_agg(turn.value::BIGINT - {MINUTE_MS})::TEXT")
            },
            if stage.database.kind == "sqlite" {
                "json_each(given)"
            } else {
                "json_array_elements_text(given::JSON)"
            },
        );
        stage.database.script(&older).await;
        stage.clock.advance_ms(MINUTE_MS);
        rests_at(&stage, CHATS * EACH).await;
        for thread in &threads {
            let expected: Vec<String> = (0..EACH).map(|n| format!("number {n}")).collect();
            assert_eq!(stage.texts_of(thread), expected, "each once, in order");
        }
    }
}
