//! The checksum of a package that lock files and mirrors hold.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// `h1:`: of the files' names and contents, however they are packed. Go's module checksums are made alike.
pub(super) fn contents<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> String {
    // In order of their names.
    let files: BTreeMap<_, _> = files.into_iter().collect();
    let mut list = Sha256::new();
    for (name, contents) in files {
        list.update(format!("{}  {name}\n", hex(contents)));
    }
    format!("h1:{}", STANDARD.encode(list.finalize()))
}

/// SHA-256, as it is written in lists of checksums.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::contents;

    /// The value is that of `Hash1` in `golang.org/x/mod/sumdb/dirhash` for the same files.
    #[test]
    fn contents_do_not_depend_on_the_order() {
        let [a, b] = [("a", b"one\n".as_slice()), ("b", b"two\n")];
        assert_eq!(contents([a, b]), contents([b, a]));
        assert_eq!(
            contents([a, b]),
            "h1:c9kx41MfEyR7vDoBCPzQwO9IAmCl51mA23+m4LxTGsQ="
        );
    }
}
