//! New ids, in Scalr's form: a prefix, `-`, letters and digits.

use scalr_api::{Id, InvalidId};
use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
/// 5 random bits each: 85 bits.
const LENGTH: u32 = 17;

/// A new id as text, such as `run-v0o3k…`.
pub(crate) fn new_text(prefix: &str) -> String {
    // Six of these bits are fixed by the UUID's form; the rest are random.
    let bits = Uuid::new_v4().as_u128();
    let digit = |at: u32| char::from(ALPHABET[usize::try_from((bits >> (5 * at)) & 31).unwrap_or_default()]);
    format!("{prefix}-v0{}", (0..LENGTH).map(digit).collect::<String>())
}

/// A new id of this kind.
pub(crate) fn new<K>(prefix: &str) -> Result<Id<K>, InvalidId> {
    Id::new(new_text(prefix))
}

/// A call's id: 32 hex digits.
pub(crate) fn request() -> String {
    Uuid::new_v4().simple().to_string()
}
