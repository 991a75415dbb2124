//! The MD5 digests that SQS answers with and SDKs check.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};

use crate::state::queue::MessageAttribute;

pub(super) fn of_body(body: &str) -> String {
    hex(&Md5::digest(body.as_bytes()))
}

/// Names in order, each with its type and value, lengths before all; a 1 marks text and a 2 bytes.
pub(super) fn of_attributes(attributes: &BTreeMap<String, MessageAttribute>) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut hasher = Md5::new();
    for (name, attribute) in attributes {
        put(&mut hasher, name.as_bytes());
        put(&mut hasher, attribute.data_type.as_bytes());
        if let Some(text) = &attribute.string_value {
            hasher.update([1]);
            put(&mut hasher, text.as_bytes());
        } else {
            let encoded = attribute.binary_value.as_deref().unwrap_or_default();
            hasher.update([2]);
            put(&mut hasher, &STANDARD.decode(encoded).unwrap_or_default());
        }
    }
    Some(hex(&hasher.finalize()))
}

fn put(hasher: &mut Md5, bytes: &[u8]) {
    hasher.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    hasher.update(bytes);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_that_sdks_compute() {
        assert_eq!(
            of_body("This is a test message"),
            "fafb00f5732ab283681e124bf8747ed1"
        );
        assert_eq!(of_attributes(&BTreeMap::new()), None);
        let attributes = BTreeMap::from([("A".to_owned(), MessageAttribute::text("x"))]);
        assert_eq!(of_attributes(&attributes).unwrap().len(), 32);
    }
}
