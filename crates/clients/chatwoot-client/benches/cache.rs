//! What a hit costs beside the plain cache it stands on: `cargo bench -p frontdesk-chatwoot-client`.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

use std::{hint::black_box, sync::Arc};

use criterion::{Criterion, criterion_group, criterion_main};
use frontdesk_chatwoot_client::{CachedChatwoot, ChatwootClient, ChatwootSettings};
use frontdesk_provider_http::{AddressPolicy, install_crypto};
use frontdesk_sandbox::{Sandbox, SandboxSettings};

fn hits(criterion: &mut Criterion) {
    install_crypto();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let cached = runtime.block_on(async {
        let (router, sandbox) = Sandbox::new(SandboxSettings::default()).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        sandbox.set_public_url(&url);
        let crowd = reqwest::Client::new()
            .post(format!("{url}/control/chatwoot/accounts/1/crowd"))
            .json(&serde_json::json!({"contacts": 100, "messages_each": 2}));
        crowd.send().await.unwrap().error_for_status().unwrap();
        let mut settings =
            ChatwootSettings::new(format!("{url}/chatwoot").parse().unwrap(), "token".into(), 1);
        settings.addresses = AddressPolicy::with_loopback();
        let cached = CachedChatwoot::new(ChatwootClient::new(settings).unwrap());
        for id in 1..=100 {
            cached.get_conversation(id).await.unwrap();
        }
        cached
    });
    let plain: moka::sync::Cache<i64, Arc<String>> = moka::sync::Cache::new(10_000);
    for id in 1..=100 {
        plain.insert(id, Arc::new("kept".to_owned()));
    }
    let mut group = criterion.benchmark_group("cache hit");
    let mut next = 0_i64;
    let mut id = move || {
        next = next % 100 + 1;
        next
    };
    group.bench_function("plain moka", |bencher| bencher.iter(|| black_box(plain.get(&id()).unwrap())));
    group.bench_function("get_conversation", |bencher| {
        bencher.to_async(&runtime).iter(|| {
            let (cached, id) = (&cached, id());
            async move { black_box(cached.get_conversation(id).await.unwrap()) }
        });
    });
    group.finish();
}

criterion_group!(benches, hits);
criterion_main!(benches);
