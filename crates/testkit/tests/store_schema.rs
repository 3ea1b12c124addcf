//! Both databases have the same schema and understand every statement.

use frontdesk_store::{LATEST_SCHEMA, statements};
use frontdesk_testkit::database::databases;

#[tokio::test]
async fn every_statement_can_be_prepared_on_both_databases() {
    for database in databases().await {
        let mut refused = Vec::new();
        for (file, name, statement) in statements() {
            if let Err(error) = database.store.check_statement(statement).await {
                refused.push(format!("{file}::{name} on {}: {error:?}", database.kind));
            }
        }
        assert!(refused.is_empty(), "{}", refused.join("\n"));
    }
}

#[tokio::test]
async fn migrating_twice_changes_nothing() {
    for database in databases().await {
        let again = database.store.migrate().await.unwrap();
        assert_eq!((again.from, again.to), (LATEST_SCHEMA, LATEST_SCHEMA), "{}", database.kind);
        assert!(again.applied.is_empty());
    }
}
