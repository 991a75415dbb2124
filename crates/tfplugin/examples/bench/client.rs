//! A client as Terraform is one: starts a provider's program, reads its handshake, and speaks gRPC over mutual TLS.

use std::ffi::OsStr;
use std::future::Future;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use base64::Engine as _;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P521_SHA512};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme, SupportedProtocolVersion};
use tfplugin::proto::plugin::Empty;
use tokio::net::UnixStream;
use tonic::body::Body;
use tonic::{Status, client::Grpc};
use tonic_prost::ProstCodec;

/// The client's certificate and key; the key is of the kind that go-plugin makes.
pub(crate) struct Identity {
    pub(crate) certificate: CertificateDer<'static>,
    key: Vec<u8>,
    pem: String,
}

impl Identity {
    pub(crate) fn new() -> io::Result<Self> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P521_SHA512).map_err(io::Error::other)?;
        let params = CertificateParams::new(vec!["localhost".to_owned()]).map_err(io::Error::other)?;
        let certificate = params.self_signed(&key).map_err(io::Error::other)?;
        let text = base64::engine::general_purpose::STANDARD.encode(certificate.der());
        let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
        Ok(Self {
            certificate: certificate.der().clone(),
            key: key.serialize_der(),
            pem,
        })
    }

    /// The certificate of one with the key of another.
    #[allow(dead_code, reason = "only tests play the thief")]
    pub(crate) fn with_key_of(shown: &Self, other: &Self) -> Self {
        Self {
            certificate: shown.certificate.clone(),
            key: other.key.clone(),
            pem: shown.pem.clone(),
        }
    }

    /// The certificate as the program's environment has it.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.clone()).into()
    }
}

/// A provider's program after its handshake.
pub(crate) struct Plugin {
    pub(crate) child: Child,
    #[allow(dead_code, reason = "tests read it, the measurement does not")]
    pub(crate) line: String,
    /// From the program's start to its line.
    #[allow(dead_code, reason = "the measurement reads it, tests do not")]
    pub(crate) handshake: Duration,
    pub(crate) identity: Identity,
    pub(crate) socket: PathBuf,
    pub(crate) certificate: CertificateDer<'static>,
    /// None once a test has taken it.
    #[allow(dead_code, reason = "tests read it, the measurement only keeps it open")]
    pub(crate) stdout: Option<BufReader<ChildStdout>>,
}

impl Plugin {
    /// Starts a program the way Terraform does, with more in its environment.
    pub(crate) fn start<K, V>(program: &Path, env: impl IntoIterator<Item = (K, V)>) -> io::Result<Self>
    where
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        let mut command = command(program);
        command.envs(env);
        Self::spawn(command)
    }

    /// Starts a program by a command of the caller's.
    pub(crate) fn spawn(mut command: Command) -> io::Result<Self> {
        let identity = Identity::new()?;
        command.env("PLUGIN_CLIENT_CERT", identity.pem());
        let begun = Instant::now();
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let bad = |what: &str| io::Error::other(format!("no handshake: {what}"));
        let mut stdout = BufReader::new(child.stdout.take().ok_or_else(|| bad("no output"))?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let handshake = begun.elapsed();
        let parts: Vec<&str> = line.trim_end().split('|').collect();
        let [_, _, "unix", socket, "grpc", certificate] = parts[..] else {
            return Err(bad(&line));
        };
        let certificate = base64::engine::general_purpose::STANDARD_NO_PAD.decode(certificate);
        let certificate = certificate.map_err(io::Error::other)?.into();
        Ok(Self {
            child,
            socket: socket.into(),
            certificate,
            identity,
            stdout: Some(stdout),
            line,
            handshake,
        })
    }

    /// Connects as Terraform does.
    pub(crate) async fn connect(&self) -> io::Result<Connection> {
        self.connect_as(Some(&self.identity), rustls::ALL_VERSIONS).await
    }

    /// Connects with some certificate or none, over some versions of TLS.
    pub(crate) async fn connect_as(
        &self,
        identity: Option<&Identity>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> io::Result<Connection> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = Arc::new(Pinned(self.certificate.clone()));
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .map_err(io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match identity {
            Some(identity) => builder
                .with_client_auth_cert(vec![identity.certificate.clone()], identity.key())
                .map_err(io::Error::other)?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let stream = connector
            .connect(name, UnixStream::connect(&self.socket).await?)
            .await?;
        Connection::over(TokioIo::new(stream)).await
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program with Terraform's cookie and nothing else of this environment that could matter.
pub(crate) fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("TF_") || name.starts_with("PLUGIN_") {
            command.env_remove(&*name);
        }
    }
    command
        .env(
            "TF_PLUGIN_MAGIC_COOKIE",
            "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
        )
        .env("PLUGIN_PROTOCOL_VERSIONS", "5,6");
    command
}

/// An HTTP/2 connection that carries gRPC.
#[derive(Clone)]
pub(crate) struct Connection(hyper::client::conn::http2::SendRequest<Body>);

impl Connection {
    pub(crate) async fn over<T>(io: T) -> io::Result<Self>
    where
        T: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let handshake = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(4 << 20)
            .initial_connection_window_size(4 << 20)
            .handshake(io);
        let (sender, connection) = handshake.await.map_err(io::Error::other)?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Has the program end, as Terraform does.
    pub(crate) async fn shutdown(&self) -> Result<(), Status> {
        let answered: Result<Empty, Status> = self.call("plugin.GRPCController/Shutdown", Empty {}).await;
        answered.map(drop)
    }

    /// Calls a method, such as `tfplugin6.Provider/GetMetadata`.
    pub(crate) async fn call<Q, A>(&self, method: &'static str, message: Q) -> Result<A, Status>
    where
        Q: prost::Message + Send + Sync + 'static,
        A: prost::Message + Default + Send + Sync + 'static,
    {
        let limit = 256 << 20;
        let mut grpc = Grpc::new(self.clone())
            .max_decoding_message_size(limit)
            .max_encoding_message_size(limit);
        grpc.ready()
            .await
            .map_err(|error| Status::unavailable(error.to_string()))?;
        let path = http::uri::PathAndQuery::from_maybe_shared(format!("/{method}"));
        let path = path.map_err(|error| Status::internal(error.to_string()))?;
        let answered = grpc
            .unary(tonic::Request::new(message), path, ProstCodec::<Q, A>::default())
            .await?;
        Ok(answered.into_inner())
    }
}

impl tonic::codegen::Service<Request<Body>> for Connection {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Incoming>, hyper::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // HTTP/2 wants a whole address; the name is the certificate's.
        let path = request.uri().path().to_owned();
        if let Ok(uri) = format!("https://localhost{path}").parse() {
            *request.uri_mut() = uri;
        }
        Box::pin(self.0.send_request(request))
    }
}

/// Takes the one certificate that came with the handshake line.
#[derive(Debug)]
struct Pinned(CertificateDer<'static>);

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if *end_entity == self.0 {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::General(
                "another certificate than the handshake's".to_owned(),
            ))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}
