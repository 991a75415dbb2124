//! The guide *The command line*: its commands run, in its order, and its tables name what the program has.

use tokio::process::Command;

use crate::aws::Aws;
use crate::companion::{Companion, PROGRAM, dev};

const GUIDE: &str = include_str!("../../../docs/guides/command-line.md");

/// The lines of the guide's blocks for a shell.
fn lines() -> Vec<&'static str> {
    let mut lines = vec![];
    let mut is_shell = false;
    for line in GUIDE.lines() {
        match line {
            "```sh" => is_shell = true,
            "```" => is_shell = false,
            line if is_shell => lines.push(line),
            _ => {}
        }
    }
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_session_runs() {
    let c = Companion::spawn(dev()).await;
    let aws = Aws::at(c.text("/aws/endpoint")).await;
    let mut has_begun = false;
    for line in lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            // It runs already.
            ["scalr-eventbridge", "dev"] => has_begun = true,
            // The guide that it names makes the rest.
            ["aws", "events", "create-event-bus", ..] => {
                aws.receive("us-east-1", "aws.partner/scalr.com/local/prod").await;
            }
            ["scalr-eventbridge", args @ ..] => {
                let ended = Command::new(PROGRAM)
                    .args(args)
                    .env("SCALR_HOSTNAME", c.text("/scalr/hostname"))
                    .env("SCALR_TOKEN", c.text("/scalr/token"))
                    .env("AWS_ENDPOINT_URL", c.text("/aws/endpoint"))
                    .env("AWS_ACCESS_KEY_ID", c.text("/aws/account_id"))
                    .env("AWS_SECRET_ACCESS_KEY", "none")
                    .env("AWS_REGION", "us-east-1")
                    .output()
                    .await
                    .unwrap();
                assert!(ended.status.success(), "{line}: {ended:?}");
            }
            other => panic!("no test runs {other:?}"),
        }
    }
    assert!(has_begun);
}
