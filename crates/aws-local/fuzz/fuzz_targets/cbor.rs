//! `cargo fuzz run cbor`: a body in CBOR.
#![no_main]

use aws_local::testing::read_cbor;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    read_cbor(body);
});
