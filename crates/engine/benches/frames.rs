//! The frames of live updates: read for every frame of a client, written once for every event.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on ends")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use frontdesk_engine::realtime::protocol::{self, ClientFrame, Subscribe};
use frontdesk_engine::realtime::render::wire_name;
use serde_json::json;

fn read(criterion: &mut Criterion) {
    let auth = format!("key:{}", "0".repeat(64));
    let data = json!({ "channel": "private-inbox", "auth": auth });
    let subscribe = json!({ "event": "pusher:subscribe", "data": data }).to_string();
    criterion.bench_function("frame/read subscribe", |b| {
        b.iter(|| {
            let frame: ClientFrame<'_> = serde_json::from_str(black_box(&subscribe)).unwrap();
            frame.parse_data::<Subscribe>()
        });
    });
}

/// An event of a customer's message is about two KiB of JSON, which is put into JSON once more as text.
fn write(criterion: &mut Criterion) {
    let name = wire_name("NewMessageReceived");
    let mut group = criterion.benchmark_group("frame/write event");
    for bytes in [200_usize, 2_000] {
        let data = json!({ "seq": 1, "message": { "content": "a \"word\" ".repeat(bytes / 9) } }).to_string();
        group.throughput(Throughput::Bytes(data.len() as u64));
        group.bench_function(format!("{bytes} bytes"), |b| {
            b.iter(|| protocol::event(black_box(&name), "private-inbox", black_box(&data)));
        });
    }
    group.finish();
}

criterion_group!(benches, read, write);
criterion_main!(benches);
