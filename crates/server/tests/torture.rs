//! The quick forms of all scenarios of `make torture`: the real program, broken in the middle of its work; what it
//! promised is there, once.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::PathBuf;

use frontdesk_torture::database::Kind;
use frontdesk_torture::{Size, Trial, scenarios};

async fn torture(name: &str, kind: Kind) {
    if kind == Kind::Postgres && std::env::var_os("TEST_DATABASE_URL").is_none() {
        return;
    }
    let scenario = scenarios::find(name).unwrap();
    assert!(scenario.quick.contains(&kind));
    let trial =
        Trial { binary: PathBuf::from(env!("CARGO_BIN_EXE_frontdesk")), old: None, kind, size: Size::Quick };
    let report = scenario.run(trial).await.unwrap();
    assert!(report.findings.is_empty(), "{:#?}", report);
}

/// One test per scenario and database, so that each can fail, and be run again, alone.
macro_rules! scenarios {
    ($($test:ident: $name:literal on $kind:ident;)+) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            torture($name, Kind::$kind).await;
        })+

        #[test]
        fn every_scenario_has_its_quick_form_here() {
            let mut here = vec![$(($name, Kind::$kind.name())),+];
            let all = scenarios::ALL.iter();
            let mut there: Vec<_> =
                all.flat_map(|s| s.quick.iter().map(|kind| (s.name, kind.name()))).collect();
            here.sort_unstable();
            there.sort_unstable();
            assert_eq!(here, there);
        }
    };
}

scenarios! {
    kill_9_loses_and_doubles_nothing_on_sqlite: "killing" on Sqlite;
    kill_9_loses_and_doubles_nothing_on_postgres: "killing" on Postgres;
    what_was_synced_survives_a_loss_of_power_on_sqlite: "power_loss" on Sqlite;
    an_interrupted_send_is_not_repeated_on_sqlite: "interrupted_send" on Sqlite;
    nodes_that_are_killed_lose_and_double_nothing_on_postgres: "nodes_killed" on Postgres;
    a_node_that_stood_still_doubles_nothing_on_postgres: "node_paused" on Postgres;
    a_crashed_database_is_waited_for_on_postgres: "database_restarted" on Postgres;
    an_outage_of_the_provider_is_sat_out_on_sqlite: "outage" on Sqlite;
    a_full_disk_refuses_and_recovers_on_sqlite: "disk_full" on Sqlite;
    a_locked_database_refuses_and_recovers_on_sqlite: "locked" on Sqlite;
    a_locked_database_refuses_and_recovers_on_postgres: "locked" on Postgres;
    a_backup_under_load_has_every_promise_on_sqlite: "backup" on Sqlite;
    everything_is_in_chatwoot_once_whoever_is_killed_on_sqlite: "bridged" on Sqlite;
    everything_is_in_chatwoot_once_whoever_is_killed_on_postgres: "bridged" on Postgres;
    two_in_a_chain_lose_and_double_nothing_whoever_is_killed_on_sqlite: "chained" on Sqlite;
    two_in_a_chain_lose_and_double_nothing_whoever_is_killed_on_postgres: "chained" on Postgres;
    a_webhook_that_comes_ten_times_counts_once_on_postgres: "repeats" on Postgres;
    a_reply_asked_for_five_times_is_one_on_postgres: "double_click" on Postgres;
    conversations_arrive_in_order_on_sqlite: "order" on Sqlite;
    browsers_that_lost_their_sockets_miss_nothing_on_postgres: "sockets" on Postgres;
    slow_clients_hold_nobody_up_on_sqlite: "slow_clients" on Sqlite;
    expensive_questions_are_answered_soon_on_sqlite: "searches" on Sqlite;
    idle_sockets_cost_little_and_hear_on_sqlite: "idle_sockets" on Sqlite;
    signed_nonsense_breaks_nothing_on_sqlite: "hostile_bodies" on Sqlite;
    guesses_at_passwords_are_slowed_down_on_sqlite: "sign_in" on Sqlite;
    a_first_start_that_was_killed_goes_on_on_postgres: "first_start" on Postgres;
    an_upgrade_that_was_killed_is_whole_or_has_not_begun_on_sqlite: "upgrade_killed" on Sqlite;
    an_upgrade_that_was_killed_is_whole_or_has_not_begun_on_postgres: "upgrade_killed" on Postgres;
    a_pull_that_was_killed_goes_on_without_a_double_on_sqlite: "sync_killed" on Sqlite;
    memory_and_files_do_not_grow_on_sqlite: "soak" on Sqlite;
}
