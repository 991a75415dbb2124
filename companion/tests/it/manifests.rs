//! What a release has to run the service with: the systemd unit and the Kubernetes manifest, read as text, and started as they say.

use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::companion::PROGRAM;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// How long the service finishes what is under way, in seconds.
const DRAIN_SECONDS: u64 = 20;

fn read(path: &str) -> String {
    std::fs::read_to_string(format!("{ROOT}/{path}")).unwrap()
}

/// The settings that `serve` has with these arguments.
async fn settings(args: &[&str]) -> Value {
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--print-config", "--json"]).args(args);
    let ended = command.env_clear().stdin(Stdio::null()).output().await.unwrap();
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{args:?}: {stderr}");
    serde_json::from_slice(&ended.stdout).unwrap()
}

fn value(settings: &Value, name: &str) -> String {
    let found = settings
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["setting"] == name);
    found.unwrap()["value"].as_str().unwrap().to_owned()
}

/// The value of a line `KEY=VALUE` or `KEY: VALUE`, wherever it is indented.
fn of<'a>(text: &'a str, key: &str) -> &'a str {
    let found = text
        .lines()
        .map(|line| line.trim().trim_start_matches("- "))
        .find_map(|line| {
            let value = line.strip_prefix(key)?;
            value.strip_prefix('=').or_else(|| value.strip_prefix(": "))
        });
    found.unwrap_or_else(|| panic!("no {key}"))
}

#[tokio::test]
async fn the_unit_starts_serve_and_gives_it_time_to_end() {
    let unit = read("packaging/scalr-eventbridge.service");
    assert!(
        read("docs/guides/serve.md").contains(&format!("```ini\n{unit}```")),
        "the guide has another unit"
    );
    let mut words = of(&unit, "ExecStart").split(' ');
    assert_eq!(
        (words.next(), words.next()),
        (Some("/usr/bin/scalr-eventbridge"), Some("serve"))
    );
    // What it names is the file that the guide shows and installs; nothing on the line wins over what the file says.
    assert_eq!(
        words.collect::<Vec<_>>(),
        ["--config", "/etc/scalr-eventbridge.toml"]
    );
    let guide = read("docs/guides/serve.md");
    let file = "packaging/scalr-eventbridge.toml";
    assert!(
        guide.contains(&format!("```toml\n{}```", read(file))),
        "the guide has another file"
    );
    for step in [
        "scalr-eventbridge.toml /etc/scalr-eventbridge.toml",
        "scalr-eventbridge.service /etc/systemd/system/",
        "systemctl daemon-reload",
    ] {
        assert!(guide.contains(step), "{step}");
    }
    let settings = settings(&["--config", &format!("{ROOT}/{file}")]).await;
    assert_eq!(value(&settings, "log"), "info");
    let state = format!("/var/lib/{}", of(&unit, "StateDirectory"));
    assert_eq!(value(&settings, "data-dir"), state);
    assert!(of(&unit, "TimeoutStopSec").parse::<u64>().unwrap() > DRAIN_SECONDS);
    assert_eq!(of(&unit, "StateDirectoryMode"), "0700");
    assert_eq!(of(&unit, "UMask"), "0077");
    // It is started again for as long as it fails, but for a setting that cannot be used.
    assert_eq!(of(&unit, "StartLimitIntervalSec"), "0");
    assert_eq!(of(&unit, "RestartSec"), "5");
    assert_eq!(of(&unit, "RestartPreventExitStatus"), "2");
    assert_eq!(of(&unit, "EnvironmentFile"), "-/etc/scalr-eventbridge.env");
}

#[tokio::test]
async fn the_manifest_starts_serve_once_where_its_probes_ask() {
    let manifest = read("packaging/kubernetes.yaml");
    let args = manifest
        .lines()
        .map(str::trim)
        .filter_map(|line| line.strip_prefix("- --"));
    let args: Vec<String> = args.map(|arg| format!("--{arg}")).collect();
    let settings = settings(&args.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(
        of(&manifest, "replicas"),
        "1",
        "one process uses a data directory"
    );
    assert!(
        of(&manifest, "terminationGracePeriodSeconds")
            .parse::<u64>()
            .unwrap()
            > DRAIN_SECONDS
    );
    let mount = of(&manifest, "mountPath");
    assert!(value(&settings, "data-dir").starts_with(mount), "{mount}");
    for (name, setting) in [("http", "listen"), ("metrics", "metrics-listen")] {
        let port = manifest
            .split(&format!("- name: {name}\n              containerPort: "))
            .nth(1);
        let port = port.unwrap().lines().next().unwrap();
        assert_eq!(value(&settings, setting), format!("0.0.0.0:{port}"), "{name}");
    }
    for part in [
        "path: /healthz\n              port: metrics",
        "path: /readyz\n              port: metrics",
        "runAsNonRoot: true",
        "runAsUser: 65532",
        "readOnlyRootFilesystem: true",
        "allowPrivilegeEscalation: false",
        "drop: [\"ALL\"]",
        "type: RuntimeDefault",
        "volumeClaimTemplates:",
        "kind: StatefulSet",
        "podManagementPolicy: Parallel",
        "startupProbe:",
    ] {
        assert!(manifest.contains(part), "{part}");
    }
    let image = read("docs/guides/install.md");
    assert!(
        image.contains(of(&manifest, "image")),
        "the guide of installing has another image"
    );
}
