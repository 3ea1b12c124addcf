//! What people type and programs ask for: searches and whole requests.

use axum::body::Body;
use axum::http::Request;
use frontdesk_store::conversations::{self, ConversationFilter, Page, Search};
use tower::ServiceExt;

use super::{line, stage};

/// A search is empty or a few plain words, and both databases can carry it out.
pub fn search(bytes: &[u8]) {
    let typed = String::from_utf8_lossy(bytes);
    let Some(search) = Search::parse(&typed) else { return };
    assert!((1..=8).contains(&search.words.len()));
    for word in &search.words {
        assert!((1..=64).contains(&word.chars().count()), "{word:?}");
        assert!(word.chars().all(char::is_alphanumeric), "{word:?}");
    }
    let stage = stage();
    for server in &stage.servers {
        let account = server.account;
        let filter = ConversationFilter { search: Some(search.clone()), ..ConversationFilter::default() };
        let found = stage.runtime.block_on(server.engine.store.read(move |tx| {
            conversations::list(tx, account, &filter, Page::Offset(0), 5)?;
            conversations::count(tx, account, &filter, i64::MAX)
        }));
        assert!(found.is_ok(), "{}: {:?} of {typed:?}", server.database.kind, found.err());
    }
}

/// First line: path and query; second: `X-Forwarded-For`; third: `Authorization`, an admin's token when empty. A GET
/// is answered, with a sentence when it is refused, and never says what is inside.
pub fn request(bytes: &[u8]) {
    let (target, rest) = line(bytes);
    let (hops, authorization) = line(rest);
    let stage = stage();
    for server in &stage.servers {
        server.clock.advance_ms(1_100); // so that no limit of so many a minute hides the handlers
        let bearer = format!("Bearer {}", stage.token);
        let authorization = if authorization.is_empty() { bearer.as_bytes() } else { authorization };
        let request = Request::get(target).header("x-forwarded-for", hops);
        let Ok(request) = request.header("authorization", authorization).body(Body::empty()) else { return };
        let (status, body) = stage.runtime.block_on(async {
            let response = server.router().oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            (status, axum::body::to_bytes(response.into_body(), 16 << 20).await.unwrap())
        });
        let shown = String::from_utf8_lossy(target);
        assert!(
            status < 500,
            "{}: {status} to {shown}: {}",
            server.database.kind,
            String::from_utf8_lossy(&body)
        );
        if (400..500).contains(&status) {
            let said = String::from_utf8_lossy(&body).to_lowercase();
            assert!(!said.contains("sqlite") && !said.contains("syntax error"), "{said}");
        }
    }
}
