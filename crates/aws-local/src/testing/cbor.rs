//! Entry point of fuzzers and property tests to the reader of CBOR.
#![allow(
    clippy::expect_used,
    reason = "it runs under tests and fuzzers, where a panic is the finding"
)]

use serde_json::Value;

use crate::http::cbor;

/// How deep a body may nest, as for requests.
const DEPTH_MAX: usize = 100;

/// Reads a body. What could be read is written, is read again, and is the same: the reader and the writer agree on every value.
pub fn read_cbor(bytes: &[u8]) -> Option<Value> {
    let input = cbor::read(bytes, DEPTH_MAX).ok()?;
    let written = cbor::output(None, &input);
    let again = cbor::read(&written, DEPTH_MAX).expect("what was written can be read");
    assert_eq!(cbor::output(None, &again), written, "{bytes:02x?}");
    Some(input)
}
