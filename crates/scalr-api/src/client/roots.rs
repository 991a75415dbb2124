//! Certificates that are trusted beside the system's.

/// Certificates of authorities that the system does not know: a proxy's that inspects TLS, or an installation's own.
#[derive(Clone)]
pub struct ExtraRoots {
    pem: String,
    certificates: Vec<reqwest::Certificate>,
}

/// Why a text gives no certificates.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RootsError {
    /// There is none in it.
    #[error("holds no certificate")]
    NoCertificate,
    /// One cannot be read.
    #[error("holds a certificate that cannot be read")]
    Unreadable(#[source] reqwest::Error),
}

impl ExtraRoots {
    /// From the text of a PEM file.
    pub fn from_pem(pem: String) -> Result<Self, RootsError> {
        let certificates =
            reqwest::Certificate::from_pem_bundle(pem.as_bytes()).map_err(RootsError::Unreadable)?;
        if certificates.is_empty() {
            return Err(RootsError::NoCertificate);
        }
        // What is in a certificate is read when a client is made of it.
        reqwest::Client::builder()
            .tls_certs_only(certificates.clone())
            .build()
            .map_err(RootsError::Unreadable)?;
        Ok(Self { pem, certificates })
    }

    /// The text that they are from.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub(super) fn certificates(&self) -> Vec<reqwest::Certificate> {
        self.certificates.clone()
    }
}

impl std::fmt::Debug for ExtraRoots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ExtraRoots")
            .field(&self.certificates.len())
            .finish()
    }
}
