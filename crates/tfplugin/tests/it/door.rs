//! The program at its door: clients without a certificate, connections that say nothing, folders for the socket.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;

use crate::client::{Connection, Plugin, command};
use crate::process::{metadata, start, tiny};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The folder of a plugin's socket.
fn folder(plugin: &Plugin) -> PathBuf {
    plugin.socket.parent().unwrap().to_owned()
}

/// Starts the program as a client that uses no TLS does; the rest of its handshake line, after the socket.
fn without_tls(pem: Option<&str>) -> (Child, PathBuf, String) {
    let mut command = command(&tiny());
    command.envs(pem.map(|pem| ("PLUGIN_CLIENT_CERT", pem)));
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    let rest = line.trim_end_matches('\n').strip_prefix("1|6|unix|").unwrap();
    let (socket, rest) = rest.split_once('|').unwrap();
    (child, socket.into(), rest.to_owned())
}

/// HashiCorp's `terraform-plugin-testing` sets `TF_DISABLE_PLUGIN_TLS` always: the client then gives no certificate.
#[tokio::test]
async fn a_client_without_a_certificate_is_served_without_tls() {
    for pem in [None, Some("")] {
        let (mut child, socket, rest) = without_tls(pem);
        assert_eq!(rest, "grpc|");
        assert_eq!((mode(socket.parent().unwrap()), mode(&socket)), (0o700, 0o600));
        let stream = TokioIo::new(UnixStream::connect(&socket).await.unwrap());
        let connection = Connection::over(stream).await.unwrap();
        assert_eq!(metadata(&connection).await.unwrap().resources.len(), 1);
        connection.shutdown().await.unwrap();
        assert!(child.wait().unwrap().success());
        assert!(!socket.parent().unwrap().exists());
    }
}

#[test]
fn a_certificate_that_cannot_be_used_is_refused() {
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for pem in [" ", "rubbish", no_certificate] {
        let output = command(&tiny()).env("PLUGIN_CLIENT_CERT", pem).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{pem:?}");
        refused_with(&output, "PLUGIN_CLIENT_CERT");
    }
}

/// Clients show the user the line in the handshake's place, and standard error in their log.
fn refused_with(output: &std::process::Output, reason: &str) {
    let texts = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8(bytes.clone()).unwrap());
    for text in texts {
        assert!(text.contains("cannot start") && text.contains(reason), "{text}");
        assert!(text.lines().count() == 1 && !text.contains('|'), "{text}");
    }
}

/// Connects without a word, so many times.
async fn silent(socket: &Path, count: usize) -> Vec<UnixStream> {
    let socket = socket.to_owned();
    let connect = move || -> Vec<_> {
        // One that blocks waits where the queue is full.
        let all = (0..count).map(|_| std::os::unix::net::UnixStream::connect(&socket).unwrap());
        all.collect()
    };
    let all = tokio::task::spawn_blocking(connect).await.unwrap().into_iter();
    all.map(|stream| {
        stream.set_nonblocking(true).unwrap();
        UnixStream::from_std(stream).unwrap()
    })
    .collect()
}

#[tokio::test]
async fn silent_connections_keep_no_client_out() {
    let mut plugin = start();
    let earlier = plugin.connect().await.unwrap();
    let mut silent = silent(&plugin.socket, 300).await;
    assert_eq!(metadata(&earlier).await.unwrap().resources.len(), 1);
    let later = plugin.connect().await.unwrap();
    for connection in [&later, &earlier] {
        assert_eq!(metadata(connection).await.unwrap().resources.len(), 1);
    }
    // They were accepted before the later client was: the oldest are dropped by now.
    for stream in &mut silent[..300 - 128] {
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    }
    // One that goes on ends with the program, which does not wait for it.
    later.shutdown().await.unwrap();
    assert!(plugin.child.wait().unwrap().success());
}

#[tokio::test]
async fn silent_connections_keep_no_client_out_where_there_is_no_tls() {
    let (mut child, socket, _) = without_tls(None);
    let silent = silent(&socket, 300).await;
    let stream = TokioIo::new(UnixStream::connect(&socket).await.unwrap());
    let connection = Connection::over(stream).await.unwrap();
    assert_eq!(metadata(&connection).await.unwrap().resources.len(), 1);
    connection.shutdown().await.unwrap();
    assert!(child.wait().unwrap().success());
    drop(silent);
}

/// Go's own providers start where the path of the folder for temporary files has up to 92 bytes. Where it is longer, or
/// no folder at all, the socket is elsewhere.
#[tokio::test]
async fn any_folder_for_temporary_files_will_do() {
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let of = |bytes: usize| {
        let folder = dir
            .path()
            .join("x".repeat(bytes - dir.path().as_os_str().len() - 1));
        std::fs::create_dir(&folder).unwrap();
        folder
    };
    for (folder, inside) in [(of(92), true), (of(150), false), (dir.path().join("none"), false)] {
        let errors = tempfile::NamedTempFile::new().unwrap();
        let mut command = command(&tiny());
        command.env("TMPDIR", &folder).env_remove("XDG_RUNTIME_DIR");
        let plugin = Plugin::spawn({
            command.stderr(errors.reopen().unwrap());
            command
        });
        let plugin = plugin.unwrap();
        assert_eq!(
            plugin.socket.starts_with(&folder),
            inside,
            "{}",
            plugin.socket.display()
        );
        let connection = plugin.connect().await.unwrap();
        assert_eq!(metadata(&connection).await.unwrap().resources.len(), 1);
        let said = std::fs::read_to_string(errors.path()).unwrap();
        assert_eq!(said.contains(&*folder.to_string_lossy()), !inside, "{said}");
    }
}

#[test]
fn a_folder_that_the_client_chose_is_used_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let chosen = dir.path().to_str().unwrap();
    let plugin = Plugin::start(&tiny(), [("PLUGIN_UNIX_SOCKET_DIR", chosen)]).unwrap();
    assert!(plugin.socket.starts_with(chosen), "{}", plugin.socket.display());
    let long = dir.path().join("x".repeat(100));
    std::fs::create_dir(&long).unwrap();
    for unusable in [long, dir.path().join("none")] {
        let output = command(&tiny())
            .env("PLUGIN_UNIX_SOCKET_DIR", &unusable)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        refused_with(&output, &unusable.to_string_lossy());
    }
}

#[tokio::test]
async fn what_a_killed_program_leaves_the_next_one_removes() {
    let dir = tempfile::tempdir().unwrap();
    let start = || Plugin::start(&tiny(), [("TMPDIR", dir.path())]).unwrap();
    let (running, mut killed) = (start(), start());
    let (stays, left) = (folder(&running), folder(&killed));
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();
    assert!(left.exists());
    let next = start();
    // It serves once it has looked.
    metadata(&next.connect().await.unwrap()).await.unwrap();
    assert!(!left.exists() && stays.exists());
    metadata(&running.connect().await.unwrap()).await.unwrap();
}
