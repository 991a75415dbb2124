//! The self-signed certificate of `--tls`: an authority, and a certificate it signed for this machine.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls_native_certs::{CertificateResult, load_certs_from_paths};
use tokio_rustls::TlsAcceptor;

/// Names that every certificate is for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
const FOLDER: &str = "tls";
/// The authority's certificate, which clients have to trust.
const CA: &str = "ca.pem";
/// That certificate, and those that the system trusts.
const TRUSTED: &str = "trusted.pem";
const CERTIFICATE: &str = "server.der";
const KEY: &str = "server.key.der";
/// The names that the certificate is for, a line each.
const NAMES_FILE: &str = "names";
/// Where systems keep what they trust, for the case that `SSL_CERT_FILE` is set and is not it.
const SYSTEM_FILES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("cannot keep the certificate in `{path}`")]
    File { path: PathBuf, source: io::Error },
    #[error("cannot make a certificate")]
    Generate(#[from] rcgen::Error),
    #[error("cannot use the certificate in `{path}`; delete that folder, and the next start makes a new one")]
    Use {
        path: PathBuf,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// TLS for a server, and the file of the authority that clients have to trust.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) ca_file: PathBuf,
    /// The file of that authority and of those that this machine trusts, for clients that trust what one file has.
    pub(crate) trusted_file: PathBuf,
}

/// The certificate kept in a directory. A new one is made where there is none, or where that is for other names than these
/// and the machine's own. `system` is what this machine trusts.
pub(crate) fn open(dir: &Path, names: &[String], system: &[CertificateDer<'_>]) -> Result<Tls, TlsError> {
    let folder = dir.join(FOLDER);
    let mut wanted = NAMES.map(str::to_owned).to_vec();
    wanted.extend(
        names
            .iter()
            .filter(|name| !NAMES.contains(&name.as_str()))
            .cloned(),
    );
    let kept = std::fs::read_to_string(folder.join(NAMES_FILE)).unwrap_or_else(|_| NAMES.join("\n"));
    if !folder.join(KEY).exists() || kept != wanted.join("\n") {
        generate(&folder, &wanted)?;
    }
    let unusable = |source: Box<dyn std::error::Error + Send + Sync>| TlsError::Use {
        path: folder.clone(),
        source,
    };
    let read = |file: &str| {
        let path = folder.join(file);
        std::fs::read(&path).map_err(|source| TlsError::File { path, source })
    };
    let chain = vec![CertificateDer::from(read(CERTIFICATE)?)];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(read(KEY)?));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| unusable(Box::new(error)))?;
    let trusted = folder.join(TRUSTED);
    // Each time: what the machine trusts changes.
    std::fs::write(&trusted, bundle(&read(CA)?, system)).map_err(|source| TlsError::File {
        path: trusted.clone(),
        source,
    })?;
    // Clients run in other directories.
    let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
    Ok(Tls {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        ca_file: absolute(folder.join(CA)),
        trusted_file: absolute(trusted),
    })
}

/// The certificates that this machine trusts: those of `SSL_CERT_FILE` and `SSL_CERT_DIR` where these are set. Of what cannot be read
/// nothing is trusted; a warning says so where that is everything.
pub(crate) fn of_system() -> Vec<CertificateDer<'static>> {
    let file = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let found = match file {
        Some(file) if is_left_out(&file) => {
            let folders = std::env::var_os("SSL_CERT_DIR").unwrap_or_default();
            without_file(&folders, &SYSTEM_FILES.map(Path::new))
        }
        _ => rustls_native_certs::load_native_certs(),
    };
    if found.certs.is_empty() {
        let why = found.errors.iter().map(ToString::to_string).collect::<Vec<_>>();
        tracing::warn!(
            why = why.join("; "),
            "no certificate that this machine trusts was found: with `SSL_CERT_FILE` as printed, clients trust the local authority alone; \
             set `SSL_CERT_FILE` to the file of this machine's authorities before the start"
        );
    }
    found.certs
}

/// Whether `SSL_CERT_FILE` names no file, or one that an earlier start has written, with an authority of its own.
fn is_left_out(file: &Path) -> bool {
    !file.exists() || file.ends_with(Path::new(FOLDER).join(TRUSTED))
}

/// The certificates of these folders, or, where none is named, of the first of these files that is there.
fn without_file(folders: &OsStr, files: &[&Path]) -> CertificateResult {
    let folders = std::env::split_paths(folders).filter(|folder| !folder.as_os_str().is_empty());
    let mut found = CertificateResult::default();
    let mut named = false;
    for folder in folders {
        named = true;
        let more = load_certs_from_paths(None, Some(&folder));
        found.certs.extend(more.certs);
        found.errors.extend(more.errors);
    }
    match files.iter().find(|file| file.exists()) {
        Some(file) if !named => load_certs_from_paths(Some(file), None),
        _ => found,
    }
}

/// The authority's certificate, then those of the system.
fn bundle(authority: &[u8], system: &[CertificateDer<'_>]) -> Vec<u8> {
    let mut text = authority.to_vec();
    for certificate in system {
        text.extend_from_slice(pem(certificate).as_bytes());
    }
    text
}

fn generate(folder: &Path, names: &[String]) -> Result<(), TlsError> {
    let ca_key = KeyPair::generate()?;
    let mut ca = CertificateParams::default();
    ca.distinguished_name
        .push(DnType::CommonName, "scalr-eventbridge dev");
    // It signs this one certificate and no authority below it.
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_pem = pem(ca.self_signed(&ca_key)?.der());

    let key = KeyPair::generate()?;
    let mut server = CertificateParams::new(names)?;
    server.distinguished_name.push(DnType::CommonName, "localhost");
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.use_authority_key_identifier_extension = true;
    let certificate = server.signed_by(&key, &Issuer::from_params(&ca, &ca_key))?;
    // The authority's key is not stored, so that nobody can sign with it again.

    let failed = |source| TlsError::File {
        path: folder.to_owned(),
        source,
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    // An older set without its key counts as none, should writing this one be interrupted.
    let _ = std::fs::remove_file(folder.join(KEY));
    std::fs::write(folder.join(NAMES_FILE), names.join("\n")).map_err(failed)?;
    std::fs::write(folder.join(CA), ca_pem).map_err(failed)?;
    std::fs::write(folder.join(CERTIFICATE), certificate.der()).map_err(failed)?;
    // The key is written last: with it the set is complete.
    write_private(&folder.join(KEY), key.serialized_der()).map_err(failed)
}

/// A certificate as the text that clients read.
fn pem(der: &[u8]) -> String {
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    let lines = body
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect::<Vec<_>>()
        .join("\n");
    format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
}

#[cfg(unix)]
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)
}

#[cfg(not(unix))]
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    std::fs::write(path, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_trust_is_the_authority_and_what_the_system_trusts() {
        let dir = tempfile::tempdir().unwrap();
        let system = [CertificateDer::from(vec![1, 2, 3]), CertificateDer::from(vec![4])];
        for trusted in [&system[..], &[]] {
            let tls = open(dir.path(), &[], trusted).unwrap();
            let authority = std::fs::read_to_string(&tls.ca_file).unwrap();
            let rest: String = trusted.iter().map(|one| pem(one)).collect();
            let found = std::fs::read_to_string(&tls.trusted_file).unwrap();
            assert_eq!(found, authority + &rest);
        }
    }

    #[test]
    fn a_start_does_not_trust_what_an_earlier_one_has_written() {
        let dir = tempfile::tempdir().unwrap();
        let earlier = open(dir.path(), &[], &[]).unwrap();
        for (file, is) in [
            (earlier.trusted_file.as_path(), true),
            (&dir.path().join("gone.pem"), true),
            (Path::new(""), true),
            (&earlier.ca_file, false),
        ] {
            assert_eq!(is_left_out(file), is, "{}", file.display());
        }
    }

    #[test]
    fn without_a_file_the_folders_are_trusted_or_the_system_s_own() {
        let dir = tempfile::tempdir().unwrap();
        let [folder, other] = ["folder", "other"].map(|name| dir.path().join(name));
        let [first, second] = [&folder, &other].map(|to| {
            let tls = open(to, &[], &[]).unwrap();
            std::fs::create_dir(to.join("ca")).unwrap();
            std::fs::copy(&tls.ca_file, to.join("ca/ca.pem")).unwrap();
            tls.ca_file
        });
        let gone = dir.path().join("gone.pem");
        let certificates = |file: &Path| load_certs_from_paths(Some(file), None).certs;
        let check = |folders: &[PathBuf], files: &[&Path], want: &[CertificateDer<'_>]| {
            let folders = std::env::join_paths(folders).unwrap();
            assert_eq!(without_file(&folders, files).certs, want, "{folders:?} {files:?}");
        };
        check(&[folder.join("ca")], &[&second], &certificates(&first));
        check(&[], &[&gone, &second, &first], &certificates(&second));
        check(&[], &[&gone], &[]);
    }
}
