//! How long a suggestion and a learned pair take with as many pairs as one account may have.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use frontdesk_suggest::{Ask, Index, Pair};

/// Words of many turns; combined by number, so that every run measures the same.
const WORDS: &[&str] = &[
    "where",
    "is",
    "my",
    "order",
    "refund",
    "the",
    "room",
    "booking",
    "cancel",
    "please",
    "quando",
    "chega",
    "o",
    "pedido",
    "quero",
    "trocar",
    "tamanho",
    "nota",
    "fiscal",
    "pagamento",
    "berapa",
    "harga",
    "kamar",
    "ongkir",
    "sudah",
    "dikirim",
    "belum",
    "bayar",
    "saya",
    "mau",
    "card",
    "payment",
    "delivery",
    "address",
    "change",
    "breakfast",
    "airport",
    "late",
];

fn turn(number: usize) -> String {
    let mut state = number as u64 * 2_654_435_761 + 1;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut words: Vec<String> = (0..5 + next(8)).map(|_| WORDS[next(WORDS.len())].to_owned()).collect();
    // Every turn has a word of its own kind: real ones do, and the list of stems must not stay small.
    words.push(format!("{}{}", WORDS[next(WORDS.len())], ["a", "os", "nya", "ing", "ed", "ku"][next(6)]));
    words.push(rare(next(20_000)));
    words.join(" ")
}

/// One of many words that no table knows.
fn rare(number: usize) -> String {
    const SYLLABLES: [&str; 28] = [
        "ba", "ke", "lo", "mi", "nu", "pra", "sto", "ti", "vel", "zu", "gra", "chi", "do", "fen", "hur",
        "jo", "kal", "lim", "mos", "ner", "pol", "qui", "rak", "sun", "tor", "ul", "wex", "yan",
    ];
    [number % 28, number / 28 % 28, number / 784 % 28].map(|at| SYLLABLES[at]).concat()
}

/// The same, with a slip in every other word.
fn mistyped(number: usize) -> String {
    let slip = |(at, word): (usize, &str)| {
        let mut letters: Vec<char> = word.chars().collect();
        if at % 2 == 0 && letters.len() >= 4 {
            letters.swap(1 + number % 2, 2 + number % 2);
        }
        letters.into_iter().collect::<String>()
    };
    turn(number).split(' ').enumerate().map(slip).collect::<Vec<_>>().join(" ")
}

fn pair(number: usize) -> Pair {
    Pair {
        id: number as i64,
        contact: (number / 4) as i64,
        contact_names: vec![format!("Maria {number}")],
        question: turn(number),
        before: number.is_multiple_of(2).then(|| turn(number + 7)),
        reply: format!("Thank you for writing! {}. Your number is {}.", turn(number % 5_000), number % 900),
        said_at: number as i64,
        ..Pair::default()
    }
}

fn filled(pairs: usize) -> Index {
    let mut index = Index::new();
    for number in 0..pairs {
        index.add(&pair(number));
    }
    index
}

fn suggest(criterion: &mut Criterion) {
    let mut index = filled(100_000);
    let mut number = 0;
    criterion.bench_function("suggest/100k", |b| {
        b.iter(|| {
            number += 1;
            let question = turn(1_000_000 + number);
            black_box(index.suggest(&Ask { question: &question, before: None, first_name: None, count: 3 }))
        });
    });
    criterion.bench_function("suggest/100k in context", |b| {
        b.iter(|| {
            number += 1;
            let (question, before) = (turn(1_000_000 + number), turn(number));
            black_box(index.suggest(&Ask {
                question: &question,
                before: Some(&before),
                first_name: None,
                count: 3,
            }))
        });
    });
    criterion.bench_function("suggest/100k mistyped", |b| {
        b.iter(|| {
            number += 1;
            let question = mistyped(1_000_000 + number);
            black_box(index.suggest(&Ask { question: &question, before: None, first_name: None, count: 3 }))
        });
    });
    criterion.bench_function("learn/100k", |b| {
        b.iter(|| {
            number += 1;
            index.add(black_box(&pair(number % 100_000)));
        });
    });
}

criterion_group!(benches, suggest);
criterion_main!(benches);
