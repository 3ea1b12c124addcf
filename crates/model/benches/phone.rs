//! Phone numbers, as each webhook brings one.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use frontdesk_model::contact::parse_phone;

fn phone(criterion: &mut Criterion) {
    let written =
        [("plain", "6281390045512"), ("brazilian", "551187650021"), ("spelled", "+62 (813) 9004-5512")];
    for (name, text) in written {
        criterion.bench_function(&format!("phone/{name}"), |b| b.iter(|| parse_phone(black_box(text))));
    }
}

criterion_group!(benches, phone);
criterion_main!(benches);
