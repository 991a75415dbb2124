//! Running commands so that a reader sees them and could type them.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc;

use anyhow::{Context, Result, bail};

/// What a shell would be given for this command, without the environment.
pub(crate) fn spell(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| quote(&word.to_string_lossy()))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Quotes a word where a shell would need it.
pub(crate) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Prints the command and runs it with this terminal as its own.
pub(crate) fn run(mut command: Command) -> Result<()> {
    println!("$ {}", spell(&command));
    let status = command
        .status()
        .with_context(|| format!("cannot start `{}`", spell(&command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", spell(&command));
    }
    Ok(())
}

/// Runs the command and returns its standard output.
pub(crate) fn read(mut command: Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| spell(&command))?;
    if !output.status.success() {
        bail!("`{}` ended with {}", spell(&command), output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Prints the command and runs it as [`each_line`] does.
pub(crate) fn follow(command: Command, each: impl FnMut(&str)) -> Result<bool> {
    println!("$ {}", spell(&command));
    each_line(command, each)
}

/// Runs the command, passes each line of its output (stdout and stderr) to `each` as it comes, and returns whether it
/// succeeded.
pub(crate) fn each_line(mut command: Command, mut each: impl FnMut(&str)) -> Result<bool> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", spell(&command)))?;
    let (send, lines) = mpsc::channel();
    let readers = [
        child.stdout.take().map(|out| pump(out, send.clone())),
        child.stderr.take().map(|err| pump(err, send)),
    ];
    for line in lines {
        each(&line);
    }
    for reader in readers.into_iter().flatten() {
        // A reader ends with its pipe; it has no result.
        let _ = reader.join();
    }
    Ok(child.wait()?.success())
}

fn pump(from: impl Read + Send + 'static, to: mpsc::Sender<String>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            if to.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    })
}

/// Builds what the checks build, so that neither compiles the other's dependencies again with other features.
pub(crate) fn build_everything() -> Command {
    cargo(&["build", "--workspace", "--all-targets", "--locked"])
}

/// Builds both programs. Always together: one alone has other features, and its dependencies are compiled again.
pub(crate) fn build_programs() -> Command {
    cargo(&[
        "build",
        "--locked",
        "-p",
        "terraform-provider-scalr",
        "-p",
        "scalr-eventbridge",
    ])
}

/// Cargo itself, in the repository.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(args).current_dir(crate::places::root());
    command
}
