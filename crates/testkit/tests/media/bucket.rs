//! Files in a bucket: found by every node, checked, given up with their rows, and not lost while the store is down.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use frontdesk_engine::media::MediaStore;
use frontdesk_engine::settings::{BucketSettings, MediaSettings};
use frontdesk_model::AccountId;
use frontdesk_store::attachments::AttachmentState;
use frontdesk_testkit::stage::{Stage, StageSettings, sample, until};
use serde_json::json;
use tokio::net::TcpListener;

use crate::fetching::{address, settled};

const ACCESS_KEY: &str = "frontdesk-test";

/// A store with one bucket, `files`. It takes signed addresses of our key, without working out whether they are right.
#[derive(Clone, Default)]
struct Bucket(Arc<Mutex<Shelf>>);

#[derive(Default)]
struct Shelf {
    objects: HashMap<String, Bytes>,
    /// What the next calls are answered with.
    faults: Vec<StatusCode>,
}

impl Bucket {
    async fn open() -> (Self, BucketSettings) {
        let (bucket, listener) = (Self::default(), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let settings = BucketSettings {
            endpoint: format!("http://{}", listener.local_addr().unwrap()),
            bucket: "files".to_owned(),
            access_key: ACCESS_KEY.to_owned(),
            secret_key: "hidden".into(),
            ..BucketSettings::default()
        };
        let routes = Router::new().fallback(answer).with_state(bucket.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (bucket, settings)
    }

    fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().objects.keys().cloned().collect()
    }

    fn fail(&self, faults: &[StatusCode]) {
        self.0.lock().unwrap().faults = faults.to_vec();
    }

    fn faults_left(&self) -> usize {
        self.0.lock().unwrap().faults.len()
    }
}

async fn answer(
    State(bucket): State<Bucket>,
    method: Method,
    uri: Uri,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut shelf = bucket.0.lock().unwrap();
    let is_ours = query.get("X-Amz-Credential").is_some_and(|c| c.starts_with(&format!("{ACCESS_KEY}/")));
    if !is_ours || !query.contains_key("X-Amz-Signature") {
        return StatusCode::FORBIDDEN.into_response();
    }
    if !shelf.faults.is_empty() {
        return shelf.faults.remove(0).into_response();
    }
    let Some(name) = uri.path().strip_prefix("/files/frontdesk/").map(str::to_owned) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match method {
        Method::PUT if !headers.contains_key(header::CONTENT_LENGTH) => {
            StatusCode::LENGTH_REQUIRED.into_response()
        }
        Method::PUT => {
            shelf.objects.insert(name, body);
            StatusCode::OK.into_response()
        }
        Method::GET => match shelf.objects.get(&name) {
            Some(bytes) => bytes.clone().into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        },
        Method::DELETE => {
            shelf.objects.remove(&name);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

fn with_bucket(s3: BucketSettings) -> StageSettings {
    let mut settings = StageSettings::default();
    settings.engine.media.s3 = s3;
    settings
}

/// Empties the caches of all nodes. Any of them may have taken a file, and the others have none then.
fn empty(stage: &Stage) {
    let caches = stage.nodes.iter().map(|node| node.engine.settings.data_dir.join("media"));
    let emptied = caches.filter(|cache| std::fs::remove_dir_all(cache).is_ok()).count();
    assert!(emptied > 0, "a node had the file");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_in_the_bucket_and_every_node_brings_them_from_there() {
    let (bucket, s3) = Bucket::open().await;
    for mut stage in Stage::on_all(with_bucket(s3)).await {
        if stage.database.kind == "postgres" {
            stage.add_node().await; // with a data folder of its own
        }
        let thread = stage.thread("whatsapp").await;
        let remote = stage.act(&thread.customer, "whatsapp", json!({ "kind": "image" }));
        let file = settled(&stage, "whatsapp", &remote).await;
        assert_eq!(file.state, AttachmentState::Ready, "{:?}", file.error);
        let key = file.storage_key.clone().unwrap();
        assert!(bucket.names().iter().any(|name| name.ends_with(&key)), "{:?}", bucket.names());

        let path = address(&stage, &file).await;
        empty(&stage);
        for node in 0..stage.nodes.len() {
            let answer = stage.fetch(node, &path).await;
            assert_eq!(answer.status().as_u16(), 200, "node {node}");
            assert_eq!(answer.bytes().await.unwrap(), sample("photo.jpg"), "node {node}");
        }
        assert!(stage.first().media().is_sound(stage.account, &key).await.unwrap());

        stage.first().media().remove(stage.account, &key).await.unwrap();
        assert!(bucket.names().is_empty(), "what is removed is removed there");
        assert!(!stage.first().media().is_sound(stage.account, &key).await.unwrap());
        stage.first().media().probe().await.unwrap();
        assert!(bucket.names().is_empty(), "the probe leaves nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_out_for_a_moment_costs_a_second_and_a_longer_while_loses_nothing() {
    let (bucket, s3) = Bucket::open().await;
    let stage = Stage::on_all(with_bucket(s3)).await.remove(0);
    let thread = stage.thread("whatsapp").await;
    bucket.fail(&[StatusCode::SERVICE_UNAVAILABLE; 2]);
    stage.upload("a.png", "image/png", sample("photo.png")).await;
    assert_eq!((bucket.faults_left(), bucket.names().len()), (0, 1), "asked again until it was taken");

    // Forbidden is not for a moment: an upload is refused with a reason, and a customer's file waits.
    bucket.fail(&[StatusCode::FORBIDDEN; 2]);
    let (status, answer) =
        stage.send_form("/api/v1/media", &[], &[("b.pdf", "application/pdf", sample("invoice.pdf"))]).await;
    assert_eq!((status, answer["code"].as_str()), (503, Some("STORAGE_UNAVAILABLE")), "{answer}");
    let remote = stage.act(&thread.customer, "whatsapp", json!({ "kind": "image" }));
    until("the store refused it", || async { (bucket.faults_left() == 0).then_some(()) }).await;
    stage.clock.advance_ms(60_000);
    let file = settled(&stage, "whatsapp", &remote).await;
    assert_eq!(file.state, AttachmentState::Ready, "{:?}", file.error);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_before_the_bucket_was_set_is_still_found() {
    let (bucket, s3) = Bucket::open().await;
    for stage in Stage::on_all(StageSettings::default()).await {
        let file = stage.upload("a.png", "image/png", sample("photo.png")).await;
        let key = {
            let (account, id) = (stage.account, frontdesk_model::AttachmentId(file["id"].as_i64().unwrap()));
            let find =
                move |tx: &mut frontdesk_store::Tx<'_>| frontdesk_store::attachments::find(tx, account, id);
            stage.read(find).await.unwrap().storage_key.unwrap()
        };
        let engine = stage.first();
        let media = MediaSettings { s3: s3.clone(), ..MediaSettings::default() };
        // On PostgreSQL the node has a new folder; on SQLite it is the old one.
        let elsewhere = tempfile::tempdir().unwrap();
        let is_shared = engine.store.is_postgres();
        let data = if is_shared { elsewhere.path() } else { engine.settings.data_dir.as_path() };
        let now = MediaStore::open(data, &media, &engine.store).unwrap();
        let path = now.local_path(stage.account, &key).await.unwrap();
        assert_eq!(std::fs::read(path).unwrap(), sample("photo.png"));
        assert!(now.whereabouts().contains("files/frontdesk"), "{}", now.whereabouts());
    }
    assert!(bucket.names().is_empty(), "nothing was moved");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_changed_in_the_bucket_is_not_served() {
    let (bucket, s3) = Bucket::open().await;
    let stage = Stage::on_all(with_bucket(s3)).await.remove(0);
    stage.upload("a.png", "image/png", sample("photo.png")).await;
    let name = bucket.names().remove(0);
    let key = name.rsplit('/').next().unwrap().to_owned();
    bucket.0.lock().unwrap().objects.insert(name, Bytes::from_static(b"something else"));
    empty(&stage);
    assert!(stage.first().media().local_path(stage.account, &key).await.is_err());
    assert!(!stage.first().media().is_sound(AccountId(1), &key).await.unwrap());
}

#[test]
fn a_bucket_without_keys_or_with_no_address_is_refused_by_name() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stage = Stage::on_all(StageSettings::default()).await.remove(0);
        let refusal = |s3: BucketSettings| {
            let media = MediaSettings { s3, ..MediaSettings::default() };
            MediaStore::open(Path::new("/nowhere"), &media, &stage.first().store).err().unwrap().to_string()
        };
        let named = BucketSettings { bucket: "files".to_owned(), ..BucketSettings::default() };
        assert!(refusal(named.clone()).contains("AWS_SECRET_ACCESS_KEY"));
        let keyed = BucketSettings { access_key: "a".to_owned(), secret_key: "b".into(), ..named };
        assert!(refusal(keyed).contains("AWS_ENDPOINT_URL_S3"));
    });
}
