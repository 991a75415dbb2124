//! The help of every command: found from the program itself, so that none is forgotten.

use std::process::Stdio;

use tokio::process::Command;

use crate::companion::PROGRAM;

async fn help(command: &[String]) -> String {
    let ended = Command::new(PROGRAM)
        .args(command)
        .arg("--help")
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    assert!(ended.status.success(), "{command:?}");
    String::from_utf8(ended.stdout).unwrap()
}

/// The commands that a help lists.
fn commands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| line.starts_with("  "));
    let names = listed.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[tokio::test]
async fn every_command_has_the_help_that_was_reviewed_and_an_example() {
    let mut waiting = vec![vec![]];
    let mut seen = 0;
    while let Some(command) = waiting.pop() {
        let text = help(&command).await;
        let further = commands(&text);
        let name = if command.is_empty() {
            "scalr-eventbridge".to_owned()
        } else {
            command.join("_")
        };
        let path = format!("{}/tests/snapshots/help/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        expect_test::expect_file![path].assert_eq(&text);
        assert!(
            !further.is_empty() || text.contains("Example"),
            "no example in the help of {name}"
        );
        for next in further {
            waiting.push([command.as_slice(), &[next]].concat());
        }
        seen += 1;
    }
    assert!(seen > 20, "{seen} commands");
}
