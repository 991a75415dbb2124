//! What the programs under test trust in place of the system's authorities: one that has signed nothing. Their calls go to
//! loopback without TLS, and each start of a debug build would take longest for reading the system's certificates.

use std::path::Path;
use std::sync::OnceLock;

use anyhow::Result;
use base64::Engine as _;

/// The variable that names the authorities to the programs and to the tools.
pub(crate) const VARIABLE: &str = "SSL_CERT_FILE";

/// Writes the certificate, which is one for all cases.
pub(crate) fn write(file: &Path) -> Result<()> {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = if let Some(text) = TEXT.get() {
        text
    } else {
        let made = rcgen::generate_simple_self_signed(["authority.invalid".to_owned()])?;
        // Of two that are made at the same time, the first stays.
        TEXT.get_or_init(|| pem(made.cert.der()))
    };
    Ok(std::fs::write(file, text)?)
}

/// A certificate as a file has it.
pub(crate) fn pem(der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}
