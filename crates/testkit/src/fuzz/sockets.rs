//! The live socket and Pusher's HTTP API.

use std::sync::{Arc, OnceLock};

use frontdesk_engine::realtime::apps::{self, App};
use frontdesk_engine::realtime::auth::Signer;
use frontdesk_engine::realtime::session::Session;
use frontdesk_model::Timestamp;
use futures_util::FutureExt;
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha2::Sha256;

use super::{line, stage};

/// Frames a client sends, one a line: each answer is a frame of the protocol, no longer than what was sent allows, and
/// nobody is let into a channel that needs a signature.
pub fn frame(bytes: &[u8]) {
    static APP: OnceLock<Arc<App>> = OnceLock::new();
    let stage = stage();
    let server = &stage.servers[0];
    let app = APP.get_or_init(|| {
        let found = apps::find_by_account(&server.engine, server.account);
        stage.runtime.block_on(found).unwrap().unwrap()
    });
    let _runtime = stage.runtime.enter();
    let Ok(mut session) = Session::open(server.engine.realtime(), app.clone(), true) else { panic!("full") };
    let mut answers = Vec::new();
    for sent in String::from_utf8_lossy(bytes).split('\n').take(64) {
        session.receive(sent);
        let _ = session.socket.queue.drain(&mut answers).now_or_never();
        for answer in answers.drain(..) {
            let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
            let event = answer["event"].as_str().unwrap();
            let channel = answer["channel"].as_str().unwrap_or_default();
            if event == "pusher_internal:subscription_succeeded" {
                let closed = ["private-", "presence-", "#server-to-user-"];
                assert!(!closed.iter().any(|prefix| channel.starts_with(prefix)), "let into {channel}");
            }
            assert!(event != "pusher:signin_success", "signed in with {sent}");
            assert!(answer.to_string().len() <= 8 * sent.len() + 1_000, "a long answer to {sent}");
        }
    }
}

/// First line: the path; second: the query; then the body. Nobody guesses a signature; a right one holds for this
/// path, these parameters and this body alone.
pub fn request(bytes: &[u8]) {
    let (path, rest) = line(bytes);
    let (query, body) = line(rest);
    let path = String::from_utf8_lossy(path);
    let secret = "what nobody knows";
    let signer = Signer::new("key", secret);
    let now = Timestamp::from_secs(1_768_464_000);
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query).into_owned().collect();
    let check = |path: &str, pairs: &[(String, String)], body: &[u8]| {
        signer.check_request("POST", path, pairs, body, now).is_ok()
    };
    assert!(!check(&path, &pairs, body), "{pairs:?}");

    let ours = [
        ("auth_key", "key".to_owned()),
        ("auth_timestamp", "1768464000".to_owned()),
        ("auth_version", "1.0".to_owned()),
        ("body_md5", hex::encode(Md5::digest(body))),
    ];
    let mut signed: Vec<(String, String)> = ours.map(|(name, value)| (name.to_owned(), value)).into();
    let theirs = pairs.iter().filter(|(name, _)| !name.to_ascii_lowercase().starts_with("auth_"));
    signed.extend(theirs.filter(|(name, _)| !name.eq_ignore_ascii_case("body_md5")).cloned());
    let signature = sign(secret, &path, &signed);
    signed.push(("auth_signature".to_owned(), signature));
    assert!(check(&path, &signed, body), "{signed:?}");
    assert!(!check(&format!("{path}x"), &signed, body));
    assert!(!check(&path, &signed, &[body, b" "].concat()));
    for at in 0..signed.len() {
        let mut changed = signed.clone();
        changed[at].1.push('0');
        assert!(!check(&path, &changed, body), "{changed:?}");
    }
    let more = [&signed[..], &[("info".to_owned(), "x".to_owned())]].concat();
    assert!(!check(&path, &more, body), "{more:?}");
}

/// As Pusher's documentation has it, written again.
fn sign(secret: &str, path: &str, query: &[(String, String)]) -> String {
    let mut pairs: Vec<(String, &String)> =
        query.iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("POST\n{path}\n{}", pairs.join("&")).as_bytes());
    hex::encode(mac.finalize().into_bytes())
}
