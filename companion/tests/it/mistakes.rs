//! Mistakes that people make: each message says what is wrong and what to do, and has its exit code.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde_json::{Value, json};

use crate::companion::{Companion, dev};
use crate::transcript::Transcript;

/// A home in which there are no credentials.
const HOME: (&str, &str) = ("HOME", "/home/nobody-at-all");
/// No metadata service is asked for credentials.
const NO_METADATA: (&str, &str) = ("AWS_EC2_METADATA_DISABLED", "true");

/// Scalr as its own API has it: connections, and no path of the companion's.
async fn scalr_itself() -> String {
    let none = json!({ "data": [], "meta": { "pagination": {
        "current-page": 1, "prev-page": null, "next-page": null, "total-pages": 1, "total-count": 0,
    } } });
    let workspace = json!({ "data": {
        "type": "workspaces", "id": "ws-1", "attributes": { "name": "network" },
        "relationships": { "environment": { "data": { "type": "environments", "id": "env-1" } } },
    } });
    let environment = json!({ "data": {
        "type": "environments", "id": "env-1", "attributes": { "name": "production" },
        "relationships": { "account": { "data": { "type": "accounts", "id": "acc-1" } } },
    } });
    let account = json!({ "data": { "type": "accounts", "id": "acc-1", "attributes": { "name": "acme" } } });
    let gone = || async {
        let error = json!({ "errors": [{ "status": "404", "title": "Not found", "detail": "Not found." }] });
        (StatusCode::NOT_FOUND, error.to_string())
    };
    let api = Router::new()
        .route(
            "/integrations/aws-event-bridge",
            get(|| async move { none.to_string() }),
        )
        .route("/workspaces/ws-1", get(|| async move { workspace.to_string() }))
        .route(
            "/environments/env-1",
            get(|| async move { environment.to_string() }),
        )
        .route("/accounts/acc-1", get(|| async move { account.to_string() }));
    let app = Router::new()
        .nest("/api/iacp/v3", api)
        .route("/_companion/events", post(gone))
        .fallback(gone);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_are_missing_or_wrong_are_named() {
    let mut t = Transcript::with(&[HOME, NO_METADATA]);
    let list = ["connections", "list"];
    t.run(&list).await;
    t.run_with(&[("SCALR_HOSTNAME", "")], &list).await;
    t.run_with(&[("SCALR_HOSTNAME", "acme scalr")], &list).await;
    t.run_with(&[("SCALR_HOSTNAME", "https://me:s3cret@acme.scalr.io")], &list)
        .await;
    t.run_with(&[("SCALR_HOSTNAME", "acme.scalr.io")], &list).await;
    t.run_with(&[("SCALR_HOSTNAME", "acme.scalr.io"), ("SCALR_TOKEN", "")], &list)
        .await;
    let own = [("SCALR_HOSTNAME", "acme.scalr.io"), ("SCALR_TOKEN", "a b")];
    t.run_with(&own, &list).await;
    let own = [
        ("SCALR_HOSTNAME", "acme.scalr.io"),
        ("SCALR_TOKEN", "s3cret"),
        ("AWS_CA_BUNDLE", "/none.pem"),
    ];
    t.run_with(&own, &list).await;
    t.run(&["tail", "/g"]).await;
    t.run(&["tail", "/g", "--region", "us_east_1"]).await;
    t.run(&["tail", "/g", "--region", "us-east-1"]).await;
    t.run(&["tail", "/g", "--aws-endpoint", "127.0.0.1:4566"]).await;
    t.run(&["tail", "/g", "--aws-endpoint", "aws.example.com"]).await;
    t.run(&["dev", "--aws-endpoint", "127.0.0.1:4566"]).await;
    t.run(&["events", "list"]).await;
    t.run(&["--log", "scalr=loud", "events", "list"]).await;
    t.run(&["events", "list", "--log", "infoo"]).await;
    t.run_with(&[("SCALR_EVENTBRIDGE_LOG", "warn,DEBG")], &["events", "list"])
        .await;
    t.run(&[
        "connections",
        "create",
        "prod",
        "--aws-account-id",
        "12",
        "--region",
        "us-east-1",
    ])
    .await;
    let account = ["--aws-account-id", "123456789012"];
    for region in [
        &["--region", "us-esat-1"][..],
        &["--region", "us_east_1", "--any-region"],
    ] {
        t.run(&[&["connections", "create", "prod"], &account[..], region].concat())
            .await;
    }
    t.run(&["connections", "refresh", "prod", "--timeout", "soon"])
        .await;
    t.run(&["tail", "/g", "--region", "us-esat-1"]).await;
    let as_local = [
        ("AWS_ACCESS_KEY_ID", "123456789012"),
        ("AWS_SECRET_ACCESS_KEY", "none"),
    ];
    t.run_with(&as_local, &["tail", "/g", "--region", "us-east-1"])
        .await;
    t.run_with(
        &[("AWS_PROFILE", "nope")],
        &["tail", "/g", "--region", "us-east-1"],
    )
    .await;
    t.run_with(&[("SCALR_HOSTNAME", "http://127.0.0.1:1")], &list)
        .await;
    t.run(&["clock", "show"]).await;
    t.run(&["emit", "run-executed", "--print", "--set", "junk"]).await;
    t.run(&["emit", "run-executed", "--print", "--set", "region=x"])
        .await;
    t.run(&["tail", "/g", "--jq", ".detail.event.run-id"]).await;
    t.run(&["tail", "/g", "--jq", "detail.event.result"]).await;
    t.check("settings.txt");
}

/// What comes next in the table of settings is used.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_region_is_none() {
    let mut t = Transcript::with(&[
        HOME,
        NO_METADATA,
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "none"),
    ]);
    let tail = ["tail", "/g"];
    t.run(&tail).await;
    t.run_with(&[("AWS_REGION", "")], &tail).await;
    t.run_with(&[("AWS_DEFAULT_REGION", "")], &tail).await;
    t.run_with(&[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "")], &tail)
        .await;
    t.run_with(&[("AWS_REGION", "")], &["doctor", "--table"]).await;
    t.run_with(&[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "us_east_1")], &tail)
        .await;
    t.check("empty_region.txt");
}

/// The region behind an empty variable is the one that a log group is looked for in.
#[tokio::test(flavor = "multi_thread")]
async fn behind_an_empty_region_comes_the_next_setting() {
    let c = Companion::spawn(dev()).await;
    let profile = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&profile, "[profile work]\nregion = eu-north-1\n").unwrap();
    let profile = profile.path().to_str().unwrap();
    let of_profile = [("AWS_CONFIG_FILE", profile), ("AWS_PROFILE", "work")];
    let mut t = Transcript::with(&[
        HOME,
        NO_METADATA,
        ("AWS_ENDPOINT_URL", c.text("/aws/endpoint")),
        ("AWS_REGION", ""),
        ("SCALR_HOSTNAME", c.text("/scalr/hostname")),
        ("SCALR_TOKEN", c.text("/scalr/token")),
    ]);
    for (variables, region) in [
        (&[][..], "us-east-1"),
        (&[("AWS_DEFAULT_REGION", "")], "us-east-1"),
        (&[("AWS_DEFAULT_REGION", "eu-west-1")], "eu-west-1"),
        (&of_profile[..], "eu-north-1"),
    ] {
        for command in [
            &["tail", "/none"][..],
            &["run", "network", "--log-group", "/none"],
        ] {
            let ended = t.run_with(variables, command).await;
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            let want = format!("there is no log group `/none` in {region}");
            assert!(said.contains(&want), "{variables:?}: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_answered_with_what_is() {
    let c = Companion::spawn(dev()).await;
    c.connect("prod", "us-east-1").await;
    let mut t = Transcript::with(&[
        HOME,
        ("SCALR_HOSTNAME", c.text("/scalr/hostname")),
        ("SCALR_TOKEN", c.text("/scalr/token")),
        ("AWS_ENDPOINT_URL", c.text("/aws/endpoint")),
        ("AWS_REGION", "us-east-1"),
    ]);
    t.run(&["connections", "show", "prdo"]).await;
    t.run(&["connections", "show", "staging"]).await;
    t.run(&["run", "netwrok"]).await;
    t.run(&["run", "ws-none"]).await;
    t.run(&["run", "network", "--log-group", "/none"]).await;
    t.run(&["runs", "list", "--table"]).await;
    t.run(&["tail", "/none"]).await;
    t.run(&["tail", "a b"]).await;
    t.run(&["tail", "/none", "--region", "us-est-1"]).await;
    let somewhere = ["--aws-account-id", "123456789012", "--region", "us-est-1"];
    t.run(
        &[
            &["connections", "create", "misspelt"],
            &somewhere[..],
            &["--any-region"],
        ]
        .concat(),
    )
    .await;
    t.run(&["status", "--aws-endpoint", "nonsense"]).await;
    t.run(&["connections", "refresh", "prod", "--aws-endpoint", "nonsense"])
        .await;
    t.run(&["connections", "list", "--hostname", c.text("/aws/endpoint")])
        .await;
    t.run(&["tail", "/g", "--aws-endpoint", c.text("/scalr/hostname")])
        .await;
    t.run(&["dev", "--scalr-listen", "localhost"]).await;
    t.run(&["man", "conections"]).await;
    let taken = c.text("/scalr/hostname").trim_start_matches("http://");
    t.run(&["dev", "--scalr-listen", taken]).await;
    t.run(&["dev", "--aws-listen", taken]).await;
    t.run(&["emit", "audit-log"]).await;
    t.run_with(&[("SCALR_TOKEN", "not-the-token")], &["connections", "list"])
        .await;
    t.check("mistakes.txt");
}

/// What the API documents is checked before the call, and what it refuses comes with what to type next.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_cannot_be_made_is_refused_with_a_next_step() {
    let c = Companion::spawn(dev()).await;
    c.connect("prod", "us-east-1").await;
    let mut t = Transcript::with(&[
        HOME,
        ("SCALR_HOSTNAME", c.text("/scalr/hostname")),
        ("SCALR_TOKEN", c.text("/scalr/token")),
    ]);
    let (long, longer) = ("x".repeat(230), "x".repeat(233));
    for (name, account, region) in [
        ("a/b", "123456789012", "us-east-1"),
        ("größe", "123456789012", "us-east-1"),
        ("", "123456789012", "us-east-1"),
        (&longer, "123456789012", "us-east-1"),
        ("prod", "1234-5678-9012", "us-east-1"),
        ("prod", "123456789012", "us-east-1"),
        ("second", "123456789012", "us-east-1"),
        ("prod", "210987654321", "us-east-1"),
        (&long, "123456789012", "eu-west-1"),
    ] {
        let place = ["--aws-account-id", account, "--region", region];
        t.run(&[&["connections", "create", name], &place[..]].concat())
            .await;
    }
    t.run(&["emit", "audit-log"]).await;
    t.check("create.txt");
}

/// Without AWS's settings nothing is recommended whose cause was not seen.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_seen_is_not_judged() {
    let c = Companion::spawn(dev()).await;
    c.connect("prod", "us-east-1").await;
    let hostname = c.text("/scalr/hostname");
    let mut t = Transcript::with(&[
        HOME,
        NO_METADATA,
        ("SCALR_HOSTNAME", hostname),
        ("SCALR_TOKEN", c.text("/scalr/token")),
    ]);
    t.run(&["status", "--table"]).await;
    t.run(&["status", "--scalr-only", "--table"]).await;
    t.run(&["connections", "refresh", "prod", "--timeout", "1s"])
        .await;
    let bare = hostname.trim_start_matches("http://");
    t.run_with(&[("SCALR_HOSTNAME", bare)], &["connections", "list"])
        .await;
    t.check("unseen.txt");
}

/// What the SDK logs of its search for credentials is left out where nobody has asked for it.
#[tokio::test]
async fn a_log_filter_that_is_typed_is_the_one_that_is_used() {
    let broken = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&broken, "[default]\nno property\n").unwrap();
    let config = ("AWS_CONFIG_FILE", broken.path().to_str().unwrap());
    let mut t = Transcript::with(&[HOME, NO_METADATA, config]);
    let tail = ["tail", "/g", "--region", "us-east-1"];
    for (typed, logs) in [
        (&[][..], false),
        (&["--log", "warn"], true),
        (&["--log", "error"], false),
    ] {
        let ended = t.run(&[typed, &tail].concat()).await;
        let stderr = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(stderr.contains("WARN"), logs, "{typed:?}: {stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_scalr_has_no_call_for_has_an_exit_code_of_its_own() {
    let scalr = scalr_itself().await;
    let mut t = Transcript::with(&[
        HOME,
        NO_METADATA,
        ("SCALR_HOSTNAME", &scalr),
        ("SCALR_TOKEN", "s3cret-s3cret"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "none"),
    ]);
    t.run(&["audit-log", "get", "--account", "acc-1"]).await;
    t.run(&["audit-log", "set", "--off", "--account", "acc-1"]).await;
    t.run(&["emit", "run-executed", "--workspace", "ws-1"]).await;
    t.run(&["run", "ws-1", "--fail"]).await;
    t.run(&["events", "list"]).await;
    t.run(&["status", "--table"]).await;
    t.run(&["connections", "list", "--table"]).await;
    t.check("unsupported.txt");
}

/// The token that `terraform login` stores is used, and a certificate that `AWS_CA_BUNDLE` names is trusted.
#[tokio::test(flavor = "multi_thread")]
async fn the_settings_are_those_of_the_provider() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = dev();
    command.arg("--tls").arg("--data-dir").arg(folder.path());
    let c = Companion::spawn(command).await;
    let hostname = c.text("/scalr/hostname");
    let home = tempfile::tempdir().unwrap();
    let stored = home.path().join(".terraform.d");
    std::fs::create_dir(&stored).unwrap();
    let name = hostname.trim_start_matches("https://");
    let credentials = json!({ "credentials": { name: { "token": c.text("/scalr/token") } } });
    std::fs::write(stored.join("credentials.tfrc.json"), credentials.to_string()).unwrap();
    let authority = folder.path().join("tls").join("ca.pem");
    let authority = authority.to_str().unwrap();
    let home = home.path().to_str().unwrap();
    let mut t = Transcript::with(&[("HOME", home), ("SCALR_HOSTNAME", hostname)]);
    for command in [&["connections", "list"][..], &["export", "--scalr-only"]] {
        let trusted = t.run_with(&[("AWS_CA_BUNDLE", authority)], command).await;
        assert!(trusted.status.success(), "{trusted:?}");
        let refused = t.run(command).await;
        let text = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(text.contains("certificate"), "{text}");
    }
    let aws = [
        ("AWS_CA_BUNDLE", authority),
        ("AWS_ENDPOINT_URL", c.text("/aws/endpoint")),
    ];
    let looked_at = t.run_with(&aws, &["doctor"]).await;
    let checks: Value = serde_json::from_slice(&looked_at.stdout).unwrap();
    let checks = checks.as_array().unwrap();
    let clock = checks.iter().find(|one| one["check"] == "clock against Scalr");
    assert_eq!(clock.unwrap()["result"], "ok", "{checks:?}");
}
