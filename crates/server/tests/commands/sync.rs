//! `frontdesk sync …`, as far as it goes without a Chatwoot.

use serde_json::json;

use crate::program::Place;

#[test]
fn without_a_connection_a_run_says_how_to_make_one() {
    let place = Place::new();
    assert_eq!(place.get_json(&["sync", "status", "--json"]), json!({ "connections": [], "runs": [] }));
    for arguments in [
        &["sync", "run"][..],
        &["sync", "run", "--connection", "conn_7"],
        &["sync", "run", "--connection", "x"],
    ] {
        let ended = place.run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
        assert!(ended.stderr.contains("conn"), "{}", ended.stderr);
    }
}
