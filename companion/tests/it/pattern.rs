//! `pattern build`, `pattern test` and `pattern explain`, with files and exit codes.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::companion::PROGRAM;

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

/// The exit code, and what is on stdout and stderr.
async fn run(args: &[&str]) -> (Option<i32>, String) {
    let ended = Command::new(PROGRAM)
        .arg("pattern")
        .args(args)
        .output()
        .await
        .unwrap();
    let said = [ended.stdout, ended.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (ended.status.code(), said.concat())
}

#[track_caller]
fn check(args: &[&str], (code, said): &(Option<i32>, String), want: (i32, &str)) {
    assert_eq!(*code, Some(want.0), "{args:?}: {said}");
    assert!(said.contains(want.1), "{args:?}: {said} lacks {:?}", want.1);
}

fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn a_verdict_has_an_exit_code() {
    let files = Files::new();
    let event = files.write("event.json", r#"{"a": "x", "b": true}"#);
    let broken = files.write("broken.json", "{\n  \"a\": [}");
    for (pattern, event, want) in [
        (r#"{"a": ["x"]}"#, shown(&event), (0, "match\n")),
        (
            r#"{"a": ["y"]}"#,
            shown(&event),
            (1, "no-match\n  - `a` wants [\"y\"]"),
        ),
        (r#"{"a": ["X"]}"#, shown(&event), (1, "differ only in case")),
        (
            r#"{"b": ["true"]}"#,
            shown(&event),
            (1, "`\"true\"` is a text and `true` is a boolean"),
        ),
        (
            r#"{"$or": [{"a": ["y"]}, {"b": [false]}]}"#,
            shown(&event),
            (1, "alternative 1 of `$or`:\n    - `b` wants"),
        ),
        (
            r#"{"a": []}"#,
            shown(&event),
            (
                2,
                "invalid-pattern: Empty arrays are not allowed (line 1, column 9)",
            ),
        ),
        (r#"{"a": ["x"]}"#, shown(&broken), (2, "invalid-event: ")),
        (r#"{"a": ["x"]}"#, shown(&broken), (2, "(line 2, column ")),
        (r#"{"a": ["x"]}"#, "none.json", (3, "cannot read `none.json`")),
    ] {
        let pattern = files.write("pattern.json", pattern);
        for verb in ["test", "explain"] {
            let args = [verb, "--pattern", shown(&pattern), "--event", event];
            let (code, said) = run(&args).await;
            assert_eq!(code, Some(want.0), "{args:?}: {said}");
            if verb == "test" {
                check(&args, &(code, said), want);
            }
        }
    }
    let args = ["test", "--pattern", "none.json", "--sample", "run-executed"];
    check(&args, &run(&args).await, (3, "cannot read `none.json`"));
    let args = ["test", "--pattern", "-", "--event", "-"];
    check(&args, &run(&args).await, (2, "stdin can be one of them"));
    let args = ["test", "--pattern", shown(&event)];
    check(&args, &run(&args).await, (2, "no event to test with"));
}

/// What `build` prints lets the sample through that has its values, and not the sample as it is.
#[tokio::test]
async fn what_is_built_is_tested_with_a_sample() {
    let files = Files::new();
    for (filters, fields) in [
        (
            &["--filter", "result=errored", "--filter", "result=canceled"][..],
            "result=canceled",
        ),
        (
            &["--filter", r#"workspace={"prefix": "net"}"#, "--compact"],
            "workspace=network",
        ),
        (&["--filter", "workspace_id=ws-7"], "workspace_id=ws-7"),
        (
            &[
                "--any-of",
                r#"{"result": "errored"}"#,
                "--any-of",
                r#"{"is_destroy": true}"#,
            ],
            "is_destroy=true",
        ),
    ] {
        let built = run(&[&["build", "run-executed"], filters].concat()).await;
        check(filters, &built, (0, "RunExecuted"));
        let pattern = files.write("pattern.json", &built.1);
        let sample = ["test", "--pattern", shown(&pattern), "--sample", "run-executed"];
        check(filters, &run(&sample).await, (1, "no-match\n"));
        let args = [&sample[..], &["--set", fields]].concat();
        check(filters, &run(&args).await, (0, "match\n"));
    }
    for (args, want) in [
        (
            &["build", "run-executed", "--filter", "resutl=x"][..],
            (2, "the nearest is `result`"),
        ),
        (
            &["build", "audit-log", "--filter", "action=create-*"],
            (2, "wildcard"),
        ),
        (&["build", "audit-log", "--any-of", "{"], (2, "is not JSON")),
        (
            &["build", "audit-log", "--any-of", "[]"],
            (2, "is no JSON object"),
        ),
        (&["build", "audits"], (2, "write `run-executed` or `audit-log`")),
    ] {
        check(args, &run(args).await, want);
    }
}

#[tokio::test]
async fn an_explanation_is_json_where_that_is_asked_for() {
    let files = Files::new();
    for (pattern, sample, code, pointer, want) in [
        (
            r#"{"detail-type": ["RunExecuted"]}"#,
            true,
            0,
            "/matched",
            json!(true),
        ),
        (
            r#"{"detail": {"event": {"result": ["erorred"]}}}"#,
            true,
            1,
            "/leaves/0/found/0",
            json!("\"applied\""),
        ),
        (
            r#"{"detail": {"event": {"result": ["errored"]}}}"#,
            true,
            1,
            "/leaves/0/hint",
            Value::Null,
        ),
        (
            r#"{"detail-type": ["RunExecuted"]}"#,
            false,
            0,
            "/whole",
            json!([]),
        ),
        (
            r#"{"detail-type": ["RunExecuted"]}"#,
            false,
            0,
            "/warnings",
            json!([]),
        ),
        (
            r#"{"a": []}"#,
            false,
            2,
            "/error",
            json!(
                "invalid-pattern: Empty arrays are not allowed (line 1, column 9), at `a`; expected at least one value"
            ),
        ),
    ] {
        let pattern = files.write("pattern.json", pattern);
        let mut args = vec!["explain", "--json", "--pattern", shown(&pattern)];
        if sample {
            args.extend(["--sample", "run-executed"]);
        }
        let (ended, said) = run(&args).await;
        assert_eq!(ended, Some(code), "{said}");
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said.pointer(pointer), Some(&want), "{said}");
    }
}

#[tokio::test]
async fn a_pattern_is_explained_without_an_event() {
    let files = Files::new();
    for (pattern, want) in [
        (
            r#"{"detail-type": ["RunExecuted"]}"#,
            (0, "may match events of Scalr's"),
        ),
        (
            r#"{"detail": {"event": {"result": ["erorred"]}}}"#,
            (1, "perhaps `errored` is meant"),
        ),
        (
            r#"{"detail": {"event": {"workspace": ["a*"]}}}"#,
            (0, "Probably not meant"),
        ),
    ] {
        let pattern = files.write("pattern.json", pattern);
        let args = ["explain", "--pattern", shown(&pattern)];
        check(&args, &run(&args).await, want);
    }
}
