//! Everything is built once: programs, tests and examples in one call, so that each dependency is compiled with one set
//! of features. A build of the programs alone, or of the acceptance tests alone, compiles sixty dependencies again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::report::{Job, StepResult};
use crate::shell;

/// A test program that cargo has built.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TestProgram {
    /// The package's name.
    pub(super) package: String,
    /// The target's name: the library's, the program's, or that of the file under `tests/`.
    pub(super) target: String,
    program: PathBuf,
    /// The package's folder, in which cargo runs tests.
    folder: PathBuf,
}

impl TestProgram {
    /// Runs it as `cargo test` would.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .current_dir(&self.folder)
            .env("CARGO_MANIFEST_DIR", &self.folder)
            .env("CARGO_PKG_NAME", &self.package);
        command
    }
}

/// The one build of a run.
#[derive(Default)]
pub(super) struct Build {
    tests: OnceLock<Vec<TestProgram>>,
    /// Held while it runs: the other lane waits for its end.
    under_way: Mutex<()>,
}

impl Build {
    /// The test programs, built if no step has done so yet.
    pub(super) fn tests(&self, job: &mut Job) -> Result<&[TestProgram]> {
        if self.tests.get().is_none() && !matches!(self.run(job)?, StepResult::Passed) {
            bail!("the build failed");
        }
        Ok(self.tests.get().map(Vec::as_slice).unwrap_or_default())
    }

    /// Builds, where that has not been done.
    pub(super) fn run(&self, job: &mut Job) -> Result<StepResult> {
        let _turn = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if self.tests.get().is_some() {
            return Ok(StepResult::Passed);
        }
        let mut command = shell::build_everything();
        command.args(["--quiet", "--message-format=json-render-diagnostics"]);
        let text = shell::spell(&command);
        job.say(&format!("$ {text}"));
        let mut found = Vec::new();
        let good = shell::each_line(command, |line| match artifact(line) {
            Some(message) => found.extend(test_program(&message)),
            None => job.say(line),
        })?;
        if !good {
            return Ok(StepResult::Failed(format!("`{text}`")));
        }
        found.sort_by(|a, b| (&a.package, &a.target).cmp(&(&b.package, &b.target)));
        // Nobody else builds meanwhile.
        let _ = self.tests.set(found);
        Ok(StepResult::Passed)
    }
}

/// A message of cargo's for programs; anything else is for the reader.
fn artifact(line: &str) -> Option<Value> {
    let message: Value = serde_json::from_str(line).ok()?;
    message.get("reason").is_some().then_some(message)
}

fn test_program(message: &Value) -> Option<TestProgram> {
    if message["profile"]["test"] != true {
        return None;
    }
    let manifest = Path::new(message["manifest_path"].as_str()?);
    Some(TestProgram {
        package: package(message["package_id"].as_str()?).to_owned(),
        target: message["target"]["name"].as_str()?.to_owned(),
        program: PathBuf::from(message["executable"].as_str()?),
        folder: manifest.parent()?.to_path_buf(),
    })
}

/// The name in `path+file:///…/folder#name@version`; where it is the folder's, cargo leaves it out.
fn package(id: &str) -> &str {
    let (place, after) = id.rsplit_once('#').unwrap_or((id, ""));
    match after.split_once('@') {
        Some((name, _)) => name,
        None => place.rsplit('/').next().unwrap_or(place),
    }
}

/// The program with this name among those of a package.
pub(super) fn one<'a>(tests: &'a [TestProgram], package: &str, target: &str) -> Result<&'a TestProgram> {
    tests
        .iter()
        .find(|test| test.package == package && test.target == target)
        .with_context(|| format!("cargo built no test `{target}` of `{package}`"))
}

#[cfg(test)]
mod tests {
    use super::{TestProgram, artifact, test_program};

    fn check(line: &str, wanted: Option<&TestProgram>) {
        let found = artifact(line).as_ref().and_then(test_program);
        assert_eq!(found.as_ref(), wanted, "{line}");
    }

    fn built(package: &str, target: &str) -> TestProgram {
        TestProgram {
            package: package.to_owned(),
            target: target.to_owned(),
            program: "/t/debug/deps/x-1".into(),
            folder: "/r/provider".into(),
        }
    }

    #[test]
    fn test_programs_are_found_in_cargos_messages() {
        let message = |id: &str, test: bool| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"{id}","manifest_path":"/r/provider/Cargo.toml","target":{{"name":"it"}},"profile":{{"test":{test}}},"executable":"/t/debug/deps/x-1"}}"#
            )
        };
        check(
            &message("path+file:///r/provider#terraform-provider-scalr@0.1.0", true),
            Some(&built("terraform-provider-scalr", "it")),
        );
        check(
            &message("path+file:///r/crates/tfplugin#0.1.0", true),
            Some(&built("tfplugin", "it")),
        );
        check(&message("path+file:///r/crates/tfplugin#0.1.0", false), None);
        check("warning: unused import", None);
        check(r#"{"reason":"build-finished","success":true}"#, None);
    }
}
