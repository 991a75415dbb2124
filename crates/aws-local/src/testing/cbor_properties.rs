//! Any bytes are read as CBOR or refused: random ones, items of all kinds put together, and mutated requests.

use proptest::prelude::*;

use super::{Local, read_cbor};

const SCOPE: &str =
    "AWS4-HMAC-SHA256 Credential=123456789012/20240101/us-east-1/events/aws4_request, Signature=x";

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// The head of an item: its major type, and a number in one of its lengths, or the mark of an indefinite length.
fn head(major: u8, number: u64, length: u8) -> Vec<u8> {
    let first = |low: u8| (major << 5) | low;
    let bytes = number.to_be_bytes();
    match length {
        0 => vec![first(u8::try_from(number % 24).unwrap())],
        1 => vec![first(24), bytes[7]],
        2 => [&[first(25)], &bytes[6..]].concat(),
        3 => [&[first(26)], &bytes[4..]].concat(),
        4 => [&[first(27)], &bytes[..]].concat(),
        _ => vec![first(31)],
    }
}

/// Items that are well-formed for the most part, and some that are not: they claim more than follows, or end nothing.
fn items() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        (0..8_u8, any::<u64>(), 0..6_u8).prop_map(|(major, number, length)| head(major, number, length)),
        (0..2_u8, any::<u64>(), 0..5_u8).prop_map(|(major, number, length)| head(major, number, length)),
        "\\PC{0,6}".prop_map(|text| [head(3, text.len() as u64, 1), text.into_bytes()].concat()),
        prop::collection::vec(any::<u8>(), 0..6).prop_map(|all| [head(2, all.len() as u64, 0), all].concat()),
        any::<f64>().prop_map(|number| [&[0xFB][..], &number.to_be_bytes()].concat()),
        any::<f32>().prop_map(|number| [&[0xC1, 0xFA][..], &number.to_be_bytes()].concat()),
        prop::sample::select(&[0xF4_u8, 0xF5, 0xF6, 0xF7, 0xFF][..]).prop_map(|byte| vec![byte]),
    ];
    leaf.prop_recursive(6, 64, 6, |item| {
        let key = "[a-d]{0,2}".prop_map(|key| [head(3, key.len() as u64, 0), key.into_bytes()].concat());
        let pair = (key, item.clone()).prop_map(|(key, value)| [key, value].concat());
        let definite =
            |major: u8, all: Vec<Vec<u8>>| [head(major, all.len() as u64, 0), all.concat()].concat();
        let indefinite =
            |major: u8, all: Vec<Vec<u8>>| [head(major, 0, 5), all.concat(), vec![0xFF]].concat();
        let items = prop::collection::vec(item, 0..6);
        let pairs = prop::collection::vec(pair, 0..6);
        prop_oneof![
            items.clone().prop_map(move |all| definite(4, all)),
            items.clone().prop_map(move |all| indefinite(4, all)),
            items.prop_map(move |all| indefinite(3, all)),
            pairs.clone().prop_map(move |all| definite(5, all)),
            pairs.prop_map(move |all| indefinite(5, all)),
        ]
    })
}

/// One change of a body: a byte replaced, left out, put in, the rest cut off, or a part repeated.
fn mutated(mut body: Vec<u8>, changes: &[(u8, prop::sample::Index, u8)]) -> Vec<u8> {
    for (kind, at, byte) in changes {
        if body.is_empty() {
            break;
        }
        let at = at.index(body.len());
        match kind {
            0 => body[at] = *byte,
            1 => body[at] ^= 1 << (byte % 8),
            2 => drop(body.remove(at)),
            3 => body.insert(at, *byte),
            4 => body.truncate(at),
            _ => body.extend_from_within(at..),
        }
    }
    body
}

fn changes() -> impl Strategy<Value = Vec<(u8, prop::sample::Index, u8)>> {
    prop::collection::vec((0..6_u8, any::<prop::sample::Index>(), any::<u8>()), 0..4)
}

fn operations() -> Vec<String> {
    let all = Local::operations().into_iter();
    all.filter(|target| target.starts_with("AWSEventsV2.")).collect()
}

thread_local! {
    static LOCAL: Local = Local::new();
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..64),
            items(),
            items().prop_map(|item| [&b"\xA1\x61a"[..], &item].concat()),
        ],
        changes in changes(),
    ) {
        read_cbor(&bytes);
        read_cbor(&mutated(bytes, &changes));
    }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn any_mutated_request_is_answered(
        operation in any::<prop::sample::Index>(),
        seed in any::<u64>(),
        changes in changes(),
    ) {
        let operations = operations();
        let target: &String = operation.get(&operations);
        let body = Local::body(target, seed);
        read_cbor(&body);
        LOCAL.with(|local| {
            local.used();
            local.ask(target, SCOPE, &mutated(body, &changes));
        });
    }
}

/// Strategies that give nothing readable would test little.
#[test]
fn items_are_mostly_readable_within_a_map() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut is_read = || {
        let item = items().new_tree(&mut runner).unwrap().current();
        read_cbor(&[&b"\xA1\x61a"[..], &item].concat()).is_some()
    };
    let read = (0..400).filter(|_| is_read()).count();
    assert!(read > 100, "{read} of 400");
}
