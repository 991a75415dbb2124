//! What `dev` is started with: its token, workspaces, accounts, log; and that both servers say that they answer.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::aws::Aws;
use crate::companion::{Companion, PROGRAM, dev};
use crate::process;

#[tokio::test(flavor = "multi_thread")]
async fn the_token_and_the_workspaces_are_those_that_are_given() {
    let dir = tempfile::tempdir().unwrap();
    let at = |args: &[&str]| {
        let mut command = dev();
        command.arg("--data-dir").arg(dir.path()).args(args);
        command
    };
    let first = ["--workspace", "production/network", "--token", "token-of-a-test"];
    let c = Companion::spawn(at(&first)).await;
    assert_eq!(c.text("/scalr/token"), "token-of-a-test");
    let names = async |c: &Companion, path: &str| -> Vec<String> {
        let (_, body) = c.call("GET", path, None).await;
        let all = body["data"].as_array().unwrap().iter();
        all.map(|one| one["attributes"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&c, "/environments").await, ["production"]);
    assert_eq!(names(&c, "/workspaces").await, ["network"]);
    let id = c.text("/scalr/workspace_id").to_owned();
    assert!(c.stop().await);

    let more = [
        "--workspace",
        "staging/network",
        "--workspace",
        "production/network",
    ];
    let c = Companion::spawn(at(&more)).await;
    assert_eq!(c.text("/scalr/token"), "token-of-a-test", "the token is kept");
    assert_eq!(names(&c, "/environments").await, ["production", "staging"]);
    assert_ne!(
        c.text("/scalr/workspace_id"),
        id,
        "the first that is given is printed"
    );
    let (_, found) = c
        .call(
            "GET",
            &format!("/workspaces/{}", c.text("/scalr/workspace_id")),
            None,
        )
        .await;
    let environment = &found["data"]["relationships"]["environment"]["data"]["id"];
    assert_eq!(environment, c.text("/scalr/environment_id"));
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_a_token_is_not_repeated() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let file = file.path().to_str().unwrap();
    for (args, part) in [
        (&["--data-dir", file][..], "(`--data-dir`) is not a directory"),
        (
            &["--scalr-listen", "0.0.0.0:0"],
            "`0.0.0.0:0` (`--scalr-listen`) is reachable from other machines",
        ),
        (
            &["--aws-listen", "0.0.0.0:0"],
            "`0.0.0.0:0` (`--aws-listen`) is reachable from other machines",
        ),
        (
            &["--region", "us-esat-1"],
            "did you mean `us-east-1`? If AWS has added it since, give `--any-region`",
        ),
        (&["--token", "s3 cret!!"], "`--token` cannot be used"),
        (&["--token", "s3cret"], "`--token` cannot be used"),
        (&["--workspace", "network"], "write ENVIRONMENT/NAME"),
        (&["--account", "12"], "an AWS account id has 12 digits"),
    ] {
        let ended = dev().args(args).output().await.unwrap();
        let stderr = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{args:?}");
        assert!(
            stderr.contains(part) && !stderr.contains("s3"),
            "{args:?}: {stderr}"
        );
    }
    for args in [
        ["--data-dir", file],
        ["--listen", "0.0.0.0:0"],
        ["--region", "us-esat-1"],
        ["--account", "12"],
    ] {
        let ended = Command::new(PROGRAM)
            .arg("aws-local")
            .args(args)
            .output()
            .await
            .unwrap();
        assert_eq!(ended.status.code(), Some(2), "{args:?}");
    }
}

/// Options of the local AWS have no effect on another one.
#[tokio::test]
async fn options_of_the_local_aws_are_refused_beside_another_one() {
    for given in [
        ["--aws-listen", "127.0.0.1:0"],
        ["--allow-host", "h"],
        ["--target", "arn:aws:lambda:r:1:function:f=http://127.0.0.1:9"],
        ["--assume", "creating=1"],
        ["--unknown-roles", "allow"],
        ["--log-bytes-max", "1"],
    ] {
        for (command, more) in [("dev", &[][..]), ("exec", &["--", "true"])] {
            let other = ["--aws-endpoint", "http://127.0.0.1:9"];
            let args = [&[command][..], &other, &given, more].concat();
            let ended = Command::new(PROGRAM).args(&args).output().await.unwrap();
            let stderr = String::from_utf8_lossy(&ended.stderr);
            assert_eq!(ended.status.code(), Some(2), "{args:?}: {stderr}");
            let said = stderr.contains("cannot be used with") && stderr.contains(given[0]);
            assert!(said, "{args:?}: {stderr}");
        }
    }
}

/// A region that AWS has added since this version.
#[tokio::test(flavor = "multi_thread")]
async fn regions_that_are_not_known_are_there_where_they_are_asked_for() {
    for (more, takes) in [(&[][..], false), (&["--any-region"], true)] {
        let mut command = dev();
        command.args(more);
        let c = Companion::spawn(command).await;
        let aws = Aws::at(c.text("/aws/endpoint")).await;
        for region in ["eu-west-1", "us-east-77"] {
            let listed = aws.events(region).list_event_buses().send().await;
            assert_eq!(
                listed.is_ok(),
                takes || region == "eu-west-1",
                "{more:?} {region}"
            );
        }
        assert!(c.stop().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_servers_say_that_they_answer_and_further_accounts_are_printed() {
    let accounts = ["--account", "111111111111", "--account", "222222222222"];
    let mut child = Command::new(PROGRAM)
        .arg("dev")
        .args(accounts)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = process::lines(&mut child);
    let mut urls = vec![];
    while urls.len() < 2 {
        let line = lines.next_line().await.unwrap().unwrap();
        urls.extend(
            line.split_whitespace()
                .find(|word| word.starts_with("http"))
                .map(str::to_owned),
        );
        if line.starts_with("AWS ") {
            assert!(line.contains("account 111111111111, 222222222222"), "{line}");
        }
    }
    for url in urls {
        let answer = reqwest::get(format!("{url}/healthz")).await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{url}");
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(body["status"], "ok", "{url}");
    }
}

/// Each line is waited for: the test ends when all have come.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_of_runs_events_and_deliveries() {
    let mut command = dev();
    command.args(["--log", "info"]).stderr(Stdio::piped());
    let (c, stderr) = Companion::spawn_with_log(command).await;
    let id = c.connect("prod", "us-east-1").await;
    let aws = Aws::at(c.text("/aws/endpoint")).await;
    aws.receive("us-east-1", "aws.partner/scalr.com/local/prod").await;
    assert_eq!(c.set_status(&id, "active").await, "active");
    let run = c.run().await;
    let mut lines = BufReader::new(stderr).lines();
    for part in [
        "a run was started",
        "a run has a new status",
        "an event is to be sent",
        "AWS acknowledged an event",
    ] {
        let read = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if line.contains(part) && line.contains(&run) {
                    return;
                }
            }
            panic!("the log ends without {part}");
        };
        tokio::time::timeout(crate::PATIENCE, read).await.expect(part);
    }
}
