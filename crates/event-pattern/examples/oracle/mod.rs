//! AWS's engine: its jar from Maven, and the programs in `java/` that speak to it.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A command that runs one of the programs. Needs `java`, `javac` and, the first time, `mvn`.
pub(crate) fn java(class: &str) -> Result<Command> {
    let mut command = Command::new("java");
    command.args(["-Xmx3g", "-cp", &classpath()?, class]);
    Ok(command)
}

/// Compiles the programs, with the jars of the engine and what it needs.
fn classpath() -> Result<String> {
    let java = Path::new(env!("CARGO_MANIFEST_DIR")).join("java");
    let oracle = beside_examples()?.join("oracle");
    let jars = oracle.join("jars");
    if !jars.join("event-ruler-2.0.1.jar").exists() {
        let plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
        let target = format!("-DoutputDirectory={}", jars.display());
        run(Command::new("mvn")
            .args(["-q", "-B", plugin, &target])
            .current_dir(&java))?;
    }
    let classes = oracle.join("classes");
    let mut sources: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(java.join("src/main/java/oracle"))? {
        sources.push(entry?.path());
    }
    let jars = format!("{}/*", jars.display());
    let mut compiler = Command::new("javac");
    compiler
        .args([
            "-nowarn",
            "-Xlint:none",
            "-J-Dfile.encoding=UTF-8",
            "-cp",
            &jars,
            "-d",
        ])
        .arg(&classes)
        .args(sources);
    run(&mut compiler)?;
    Ok(format!("{}:{jars}", classes.display()))
}

/// Cargo's target folder.
fn beside_examples() -> Result<PathBuf> {
    let exe = std::env::current_exe()?;
    let target = exe
        .ancestors()
        .nth(3)
        .ok_or("the example is not in a target folder")?;
    Ok(target.to_owned())
}

fn run(command: &mut Command) -> Result<()> {
    let ended = command
        .status()
        .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if ended.success() {
        Ok(())
    } else {
        Err(format!("{command:?} failed").into())
    }
}
