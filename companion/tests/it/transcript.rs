//! What commands print, as a person sees it, with what differs from run to run replaced by text of the same length.

use std::fmt::Write as _;
use std::process::{Output, Stdio};

use tokio::process::Command;

use crate::companion::PROGRAM;

/// A command line with what it printed and its exit code.
#[derive(Default)]
pub(crate) struct Transcript {
    variables: Vec<(String, String)>,
    text: String,
}

impl Transcript {
    /// One whose commands see these variables alone.
    pub(crate) fn with(variables: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            variables: variables.iter().map(own).collect(),
            text: String::new(),
        }
    }

    /// Runs a command, and adds what it printed.
    pub(crate) async fn run(&mut self, args: &[&str]) -> Output {
        self.run_with(&[], args).await
    }

    /// The same with further variables, which are shown.
    pub(crate) async fn run_with(&mut self, variables: &[(&str, &str)], args: &[&str]) -> Output {
        let own = self
            .variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let ended = Command::new(PROGRAM)
            .args(args)
            .env_clear()
            .envs(own)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        let set = variables.iter().map(|(name, value)| format!("{name}={value} "));
        let set = set.collect::<Vec<_>>().concat();
        let args: Vec<String> = args.iter().map(|arg| shown(arg)).collect();
        let code = ended.status.code().unwrap();
        writeln!(self.text, "$ {set}scalr-eventbridge {}", args.join(" ")).unwrap();
        self.text.push_str(&String::from_utf8_lossy(&ended.stdout));
        self.text.push_str(&String::from_utf8_lossy(&ended.stderr));
        writeln!(self.text, "[{code}]\n").unwrap();
        ended
    }

    /// Compares it with the file of this name in `tests/snapshots`; `UPDATE_EXPECT=1` writes that.
    pub(crate) fn check(&self, file: &str) {
        let path = format!("{}/tests/snapshots/{file}", env!("CARGO_MANIFEST_DIR"));
        expect_test::expect_file![path].assert_eq(&normal(&self.text));
    }
}

fn shown(arg: &str) -> String {
    if arg.contains([' ', '"']) {
        format!("'{arg}'")
    } else {
        arg.to_owned()
    }
}

/// A text in which ids, times, ports and UUIDs are replaced.
fn normal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (taken, put) = replaced(rest).unwrap_or((first.len_utf8(), first.to_string()));
        out.push_str(&put);
        rest = &rest[taken..];
    }
    out
}

/// How much of the text's beginning is replaced, and by what.
fn replaced(text: &str) -> Option<(usize, String)> {
    let run = |text: &str, is: fn(char) -> bool| text.find(|c| !is(c)).unwrap_or(text.len());
    for prefix in [
        "in-v0",
        "run-v0",
        "event-busv2/platform/",
        "event-sourcev2/aws.partner/scalr/",
        "subscriber/audit/",
        "subscriber/runs/",
        "EventsV2-EventSource-",
    ] {
        if let Some(rest) = text.strip_prefix(prefix) {
            let length = run(rest, |c| c.is_ascii_alphanumeric());
            return Some((prefix.len() + length, format!("{prefix}{}", "x".repeat(length))));
        }
    }
    if let Some(rest) = text.strip_prefix("127.0.0.1:") {
        let length = run(rest, |c| c.is_ascii_digit());
        return Some(("127.0.0.1:".len() + length, "127.0.0.1:PORT".to_owned()));
    }
    for (shape, put) in [
        ("dddd-dd-ddTdd:dd:ddZ", "2026-01-01T00:00:00Z"),
        (
            "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh",
            "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
        ),
    ] {
        let fits = |(shape, byte): (u8, u8)| match shape {
            b'd' => byte.is_ascii_digit(),
            b'h' => byte.is_ascii_hexdigit(),
            other => other == byte,
        };
        if text.len() >= shape.len() && shape.bytes().zip(text.bytes()).all(fits) {
            return Some((shape.len(), put.to_owned()));
        }
    }
    None
}
