//! A stream that does not run, and an AWS that is not there: what `status` and `run --log-group` say, and how they end.

use crate::aws::Aws;
use crate::companion::{Companion, dev};
use crate::stage::{REGION, SOURCE};
use crate::transcript::Transcript;

/// A home in which there are no credentials.
const HOME: (&str, &str) = ("HOME", "/home/nobody-at-all");
/// No metadata service is asked for credentials.
const NO_METADATA: (&str, &str) = ("AWS_EC2_METADATA_DISABLED", "true");
/// An address at which nothing answers.
const DOWN: &str = "http://127.0.0.1:1";

/// Commands that see this companion, and AWS at this address.
fn session(c: &Companion, aws: &str) -> Transcript {
    Transcript::with(&[
        HOME,
        ("SCALR_HOSTNAME", c.text("/scalr/hostname")),
        ("SCALR_TOKEN", c.text("/scalr/token")),
        ("AWS_ENDPOINT_URL", aws),
        ("AWS_REGION", REGION),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn no_run_is_started_whose_event_cannot_arrive() {
    let c = Companion::spawn(dev()).await;
    let aws = Aws::at(c.text("/aws/endpoint")).await;
    let mut t = session(&c, c.text("/aws/endpoint"));
    let run = ["run", "network", "--log-group", "/aws/events/scalr"];
    t.run(&run).await;
    aws.log_group(REGION, "/aws/events/other").await;
    let elsewhere = ["run", "network", "--log-group", "/aws/events/other"];
    t.run(&elsewhere).await;

    let id = c.connect("prod", REGION).await;
    t.run(&elsewhere).await;
    aws.receive(REGION, SOURCE).await;
    t.run(&run).await;
    assert_eq!(c.set_status(&id, "active").await, "active");
    t.run(&elsewhere).await;
    assert_eq!(c.set_status(&id, "disabled").await, "disabled");
    t.run(&run).await;
    t.run(&elsewhere).await;
    assert_eq!(c.set_status(&id, "active").await, "active");
    aws.disable_rule(REGION, SOURCE).await;
    t.run(&run).await;
    c.connect("second", "eu-west-1").await;
    t.run(&run).await;
    t.run(&[
        "run",
        "network",
        "--log-group",
        "/aws/events/scalr",
        "--region",
        "eu-west-1",
    ])
    .await;
    aws.log_group("ap-south-1", "/aws/events/scalr").await;
    t.run(&[
        "run",
        "network",
        "--log-group",
        "/aws/events/scalr",
        "--region",
        "ap-south-1",
    ])
    .await;
    t.run(&["runs", "list", "--table"]).await;
    t.check("no_run.txt");
}

/// What passes events on may lead anywhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_started_where_its_event_may_arrive_by_another_way() {
    let c = Companion::spawn(dev()).await;
    let aws = Aws::at(c.text("/aws/endpoint")).await;
    let id = c.connect("prod", REGION).await;
    aws.receive(REGION, SOURCE).await;
    assert_eq!(c.set_status(&id, "active").await, "active");
    aws.log_group(REGION, "/aws/events/other").await;
    let queue = format!("arn:aws:sqs:{REGION}:123456789012:passes-on");
    aws.target(REGION, SOURCE, "queue", &queue).await;
    let mut t = session(&c, c.text("/aws/endpoint"));
    // Its wait for the event would be a minute: that it ends as errored is enough.
    let run = ["run", "network", "--fail", "--log-group", "/aws/events/other"];
    let ended = t.run(&run).await;
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(
        String::from_utf8_lossy(&ended.stderr).contains("ended as errored"),
        "{ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_break_is_named_and_what_does_not_stream_is_no_success() {
    let c = Companion::spawn(dev()).await;
    let aws = Aws::at(c.text("/aws/endpoint")).await;
    let mut t = session(&c, c.text("/aws/endpoint"));
    let status = ["status", "--table"];
    let id = c.connect("prod", REGION).await;
    assert_eq!(c.set_status(&id, "disabled").await, "disabled");
    t.run(&status).await;
    t.run(&["status"]).await;
    aws.receive(REGION, SOURCE).await;
    t.run(&status).await;
    assert_eq!(c.set_status(&id, "active").await, "active");
    t.run(&status).await;
    aws.disable_rule(REGION, SOURCE).await;
    assert_eq!(c.set_status(&id, "disabled").await, "disabled");
    t.run(&status).await;
    t.check("status.txt");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aws_that_is_not_there_is_said_once() {
    let c = Companion::spawn(dev()).await;
    let aws = Aws::at(c.text("/aws/endpoint")).await;
    let id = c.connect("prod", REGION).await;
    aws.receive(REGION, SOURCE).await;
    assert_eq!(c.set_status(&id, "active").await, "active");
    let scalr = c.text("/scalr/hostname");
    let bare = Transcript::with(&[
        HOME,
        NO_METADATA,
        ("SCALR_HOSTNAME", scalr),
        ("SCALR_TOKEN", c.text("/scalr/token")),
    ]);
    let mut t = bare;
    t.run(&["status", "--table"]).await;
    t.run(&["status", "--scalr-only", "--table"]).await;
    t.check("not_seen.txt");

    c.connect("second", "eu-west-1").await;
    for (aws, file) in [(DOWN, "aws_down.txt"), (scalr, "aws_is_scalr.txt")] {
        let mut t = session(&c, aws);
        t.run(&["status", "--table"]).await;
        t.run(&["doctor", "--table"]).await;
        t.run(&["tail", "/g"]).await;
        t.run(&["run", "network", "--log-group", "/g"]).await;
        t.run(&["connections", "refresh", "second", "--timeout", "1s"])
            .await;
        t.run(&["emit", "run-executed"]).await;
        t.run(&["events", "list"]).await;
        t.run(&["clock", "show"]).await;
        t.run(&["export"]).await;
        t.run(&["deliveries", "list", "--table"]).await;
        t.check(file);
    }
    let started = dev().args(["--aws-endpoint", scalr]).output().await.unwrap();
    assert_eq!(started.status.code(), Some(2), "{started:?}");
}
