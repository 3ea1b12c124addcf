//! `frontdesk suggest-rebuild`: what it reads anew and what it prints.

use rusqlite::Connection;

use crate::program::Place;

fn count(database: &Connection, what: &str) -> i64 {
    database.query_row(&format!("SELECT COUNT(*) FROM {what}"), [], |row| row.get(0)).unwrap()
}

#[test]
fn what_replies_are_suggested_from_is_read_anew_for_all_accounts_or_for_one() {
    let place = Place::new();
    place.add_admin();
    assert_eq!(place.get(&["suggest-rebuild"]), "account 1: 0 answers to suggest\n");

    let database = Connection::open(place.database()).unwrap();
    for (id, shortcut) in [(1, "wifi"), (2, "hours")] {
        database
            .execute(
                "INSERT INTO quick_replies (id, account_id, shortcut, title, content, created_at, updated_at)
                 VALUES (?1, 1, ?2, ?2, 'Please ask for it at the desk.', 1, 1)",
                (id, shortcut),
            )
            .unwrap();
    }
    assert_eq!(place.get(&["suggest-rebuild"]), "account 1: 2 answers to suggest\n");
    // What is there and should not be goes, what is missing comes back.
    database
        .execute_batch(
            "DELETE FROM suggest_pairs WHERE id = -1;
             INSERT INTO suggest_pairs (account_id, id, question, reply, said_at, changed)
             VALUES (1, 77, 'of a message that is gone', 'An answer to nobody at all.', 1, 1);",
        )
        .unwrap();
    assert_eq!(place.get(&["suggest-rebuild"]), "account 1: 2 answers to suggest\n");
    assert_eq!(count(&database, "suggest_pairs WHERE removed = FALSE AND id IN (-1, -2)"), 2);
    assert_eq!(count(&database, "suggest_pairs WHERE removed = FALSE"), 2);

    let other = place.get(&["suggest-rebuild", "--account", "Other"]);
    assert_eq!(other, "account 2: 0 answers to suggest\n", "no other account is read");
}
