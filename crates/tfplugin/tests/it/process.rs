//! The example provider as a program: handshake, calls over the socket, shutdown, debugging.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;

use tfplugin::proto::health::{HealthCheckRequest, HealthCheckResponse};
use tfplugin::proto::plugin::Empty;
use tfplugin::proto::tfplugin6 as pb;
use tonic::Code;

use crate::client::{Connection, Plugin, command};

/// The example provider.
pub(crate) fn tiny() -> PathBuf {
    example("tiny")
}

/// A provider that misbehaves.
pub(crate) fn rogue() -> PathBuf {
    example("rogue")
}

/// An example, which `cargo test` builds beside the tests.
fn example(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let built = tests
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples")
        .join(name);
    assert!(
        built.is_file(),
        "build it first: cargo build -p tfplugin --example {name}"
    );
    built
}

pub(crate) fn start() -> Plugin {
    Plugin::start(&tiny(), [("TF_LOG", "off")]).unwrap()
}

pub(crate) async fn metadata(connection: &Connection) -> Result<pb::get_metadata::Response, tonic::Status> {
    connection
        .call("tfplugin6.Provider/GetMetadata", pb::get_metadata::Request {})
        .await
}

#[test]
fn started_by_hand() {
    let output = std::process::Command::new(tiny())
        .env_remove("TF_PLUGIN_MAGIC_COOKIE")
        .output()
        .unwrap();
    assert_eq!(
        (output.status.code(), output.stdout.as_slice()),
        (Some(1), &b""[..])
    );
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("is a plugin of Terraform and OpenTofu"), "{text}");
}

#[tokio::test]
async fn a_whole_life() {
    let mut plugin = start();
    assert!(plugin.line.starts_with("1|6|unix|"), "{}", plugin.line);
    let folder = plugin.socket.parent().unwrap().to_owned();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&plugin.socket)), (0o700, 0o600));

    let connection = plugin.connect().await.unwrap();
    let health = |service: &str| {
        let message = HealthCheckRequest {
            service: service.to_owned(),
        };
        let connection = connection.clone();
        async move {
            connection
                .call::<_, HealthCheckResponse>("grpc.health.v1.Health/Check", message)
                .await
        }
    };
    assert_eq!(health("plugin").await.unwrap().status, 1);
    assert_eq!(health("other").await.unwrap_err().code(), Code::NotFound);
    let metadata = metadata(&connection).await.unwrap();
    assert_eq!(metadata.resources[0].type_name, "tiny_note");
    assert_eq!(metadata.functions[0].name, "shout");

    // Ctrl-C reaches the whole process group and is Terraform's to handle.
    let pid = plugin.child.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(health("plugin").await.unwrap().status, 1);

    connection.shutdown().await.unwrap();
    assert!(plugin.child.wait().unwrap().success());
    assert!(!folder.exists(), "the socket's folder is left behind");
    let mut rest = String::new();
    plugin.stdout.take().unwrap().read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "standard output is for the handshake alone");
}

/// Terraform waits for the program's end: it comes when the connections have ended, not when a clock says so.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_is_not_waited_for() {
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let mut plugin = start();
        let connection = plugin.connect().await.unwrap();
        let begun = Instant::now();
        connection.shutdown().await.unwrap();
        assert!(plugin.child.wait().unwrap().success());
        best = best.min(begun.elapsed());
    }
    assert!(best < Duration::from_millis(150), "{best:?}");
}

/// The program that started this one dies between the handshake and the first connection.
#[tokio::test]
async fn an_orphan_ends() {
    let mut command = command(Path::new("sh"));
    command.args(["-c", "\"$0\" & wait"]).arg(tiny());
    let mut plugin = Plugin::spawn(command).unwrap();
    let folder = plugin.socket.parent().unwrap().to_owned();
    plugin.child.kill().unwrap();
    plugin.child.wait().unwrap();
    // The output's other end is the program's own: it closes when the program ends.
    let mut output = plugin.stdout.take().unwrap();
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || done.send(output.read_to_string(&mut String::new())));
    let ended = ended.recv_timeout(Duration::from_mins(1));
    if ended.is_err() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let pid = name.strip_prefix("tfp").and_then(|name| name.split('-').next());
        let pid = u32::from_str_radix(pid.unwrap(), 36).unwrap().to_string();
        std::process::Command::new("kill")
            .args(["-9", &pid])
            .status()
            .unwrap();
    }
    assert!(ended.is_ok(), "the program goes on without anybody");
    assert!(!folder.exists(), "the socket's folder is left behind");
}

/// A panic's text may hold anything. No secret in it reaches the log or the user.
#[tokio::test]
async fn a_panic_tells_no_secret() {
    let (secret, errors) = ("s3cr3t-key", tempfile::NamedTempFile::new().unwrap());
    let mut command = command(&rogue());
    command.stderr(errors.reopen().unwrap());
    let mut plugin = Plugin::spawn(command).unwrap();
    let connection = plugin.connect().await.unwrap();
    let json = |json: serde_json::Value| {
        Some(pb::DynamicValue {
            msgpack: Vec::new(),
            json: json.to_string().into_bytes(),
        })
    };
    let request = pb::configure_provider::Request {
        config: json(serde_json::json!({ "key": secret })),
        ..Default::default()
    };
    let _: pb::configure_provider::Response = connection
        .call("tfplugin6.Provider/ConfigureProvider", request)
        .await
        .unwrap();
    let request = pb::apply_resource_change::Request {
        type_name: "rogue_bomb".to_owned(),
        prior_state: json(serde_json::Value::Null),
        planned_state: json(serde_json::json!({})),
        config: json(serde_json::json!({})),
        ..Default::default()
    };
    let applied: pb::apply_resource_change::Response = connection
        .call("tfplugin6.Provider/ApplyResourceChange", request)
        .await
        .unwrap();
    assert_eq!(
        applied.diagnostics[0].detail,
        "This is a bug in the provider: the key is (hidden). What was done before is in the state as far as it was saved."
    );
    connection.shutdown().await.unwrap();
    plugin.child.wait().unwrap();

    let logged = std::fs::read_to_string(errors.path()).unwrap();
    assert!(!logged.contains(secret), "{logged}");
    let json: serde_json::Value = serde_json::from_str(&logged).unwrap();
    assert_eq!(json["@level"], "error");
    assert_eq!(json["@message"], "The provider crashed");
    assert_eq!(json["panic"], "the key is (hidden)");
    let location = json["location"].as_str().unwrap();
    assert!(
        location.contains("rogue.rs:") && location.matches(':').count() == 2,
        "{location}"
    );
}

#[tokio::test]
async fn powers_that_nobody_has() {
    let plugin = start();
    let connection = plugin.connect().await.unwrap();
    let code = |result: Result<Empty, tonic::Status>| result.unwrap_err().code();
    for method in [
        "tfplugin6.Provider/LockState",
        "tfplugin6.Provider/NoSuchMethod",
        "no.such.Service/Method",
    ] {
        assert_eq!(
            code(connection.call(method, Empty {}).await),
            Code::Unimplemented,
            "{method}"
        );
    }
    // A resource that is not there is a message to the user, not a broken call.
    let request = pb::plan_resource_change::Request {
        type_name: "tiny_other".to_owned(),
        ..Default::default()
    };
    let planned: pb::plan_resource_change::Response = connection
        .call("tfplugin6.Provider/PlanResourceChange", request)
        .await
        .unwrap();
    assert_eq!(
        planned.diagnostics[0].detail,
        "This provider has no resource `tiny_other`."
    );
}

/// `moved` from another type of resource: the answer says what to write instead.
#[tokio::test]
async fn moved_from_another_type() {
    let plugin = start();
    let connection = plugin.connect().await.unwrap();
    let metadata = metadata(&connection).await.unwrap();
    assert!(metadata.server_capabilities.unwrap().move_resource_state);
    for (target, said) in [
        (
            "tiny_note",
            &[
                "other_note.NAME",
                "destroy = false",
                "tiny_note.NAME",
                "`import`",
                "Nothing was changed",
            ][..],
        ),
        ("tiny_other", &["no resource `tiny_other`"]),
    ] {
        let request = pb::move_resource_state::Request {
            source_type_name: "other_note".to_owned(),
            target_type_name: target.to_owned(),
            ..Default::default()
        };
        let moved: pb::move_resource_state::Response = connection
            .call("tfplugin6.Provider/MoveResourceState", request)
            .await
            .unwrap();
        assert!(moved.target_state.is_none());
        let [refused] = &moved.diagnostics[..] else {
            panic!("{moved:?}")
        };
        for part in said {
            assert!(refused.detail.contains(part), "{part}: {}", refused.detail);
        }
    }
}

#[tokio::test]
async fn logs() {
    let mut command = command(&tiny());
    let identity = crate::client::Identity::new().unwrap();
    let mut child = command
        .env("PLUGIN_CLIENT_CERT", identity.pem())
        .env("TF_LOG_SDK_PROTO", "debug")
        .env("PLUGIN_PROTOCOL_VERSIONS", "5")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let json: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(json["@level"], "warn");
    assert_eq!(json["@module"], "sdk.proto");
    assert_eq!(json["@message"], "The client does not speak protocol 6");
    assert_eq!(json["versions"], "5");
    let fraction = json["@timestamp"].as_str().unwrap().rsplit_once('.').unwrap().1;
    assert!(fraction.len() == 7 && fraction.ends_with('Z'), "{fraction}");
}

#[tokio::test]
async fn debugging() {
    let mut command = command(&tiny());
    let mut child = command
        .env_remove("TF_PLUGIN_MAGIC_COOKIE")
        .env("TF_PROVIDER_ADDRESS", "example.com/try/tiny")
        .arg("-debug")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let attach = loop {
        let mut line = String::new();
        assert!(out.read_line(&mut line).unwrap() > 0, "no TF_REATTACH_PROVIDERS");
        if let Some(json) = line.trim().strip_prefix("TF_REATTACH_PROVIDERS='") {
            break serde_json::from_str::<serde_json::Value>(json.trim_end_matches('\'')).unwrap();
        }
    };
    let entry = &attach["example.com/try/tiny"];
    assert_eq!(
        (&entry["Protocol"], &entry["ProtocolVersion"]),
        (&"grpc".into(), &6.into())
    );
    let socket = PathBuf::from(entry["Addr"]["String"].as_str().unwrap());
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(socket.parent().unwrap()), mode(&socket)), (0o700, 0o600));
    let stream = tokio::net::UnixStream::connect(&socket).await.unwrap();
    let connection = Connection::over(hyper_util::rt::TokioIo::new(stream))
        .await
        .unwrap();
    assert_eq!(metadata(&connection).await.unwrap().resources.len(), 1);
    let pid = child.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert!(child.wait().unwrap().success());
    assert!(!socket.exists());
}
