//! The project's chores, as `cargo xtask COMMAND`.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! places                   leaf: where files and tools are
//! shell                    commands that a reader could type
//! service/                 a service and its local AWS as processes, and what drives them
//! changelog console environment permissions   the fragments of the changelog; the walk through the console; the tables of variables and the
//!                          policies of the pages
//! third_party              the licences of what is linked into both programs
//! docs tools tidy bench chaos mirror   one chore each
//! dist test demo           chores that use other chores
//! works_with               what uses the demo's companion
//! ```
#![expect(clippy::print_stdout, reason = "a command-line tool speaks on stdout")]

mod bench;
mod changelog;
mod chaos;
mod console;
mod demo;
mod dist;
mod docs;
mod environment;
mod mirror;
mod permissions;
mod places;
mod service;
mod shell;
mod test;
mod third_party;
mod tidy;
mod tools;
mod works_with;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's chores")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs every check: format, lints, house rules, units, generated files, licences, acceptance.
    Test(test::Options),
    /// Shows the whole flow on this machine: apply, events in their log groups, an empty plan, destroy.
    Demo(demo::Options),
    /// Writes `docs/` and `provider/schema.json` from the provider's schemas, `templates/` and `examples/`.
    Docs(docs::Options),
    /// Measures the release builds, beside what they have to be.
    Bench(bench::Options),
    /// Kills a service and its local AWS under load, and looks for what was lost, out of order, or delivered too often.
    Chaos(chaos::Options),
    /// Compares the pattern engine with AWS's published one, live; needs Java and Maven.
    DiffPatterns {
        /// Passed on to the comparing program.
        #[arg(last = true)]
        more: Vec<String>,
    },
    /// Installs the tools that `test` and `docs` use into `target/tools`.
    Tools,
    /// Writes a mirror from which `terraform init` and `tofu init` install the provider.
    Mirror(mirror::Options),
    /// Packs a release for this machine's platform: registry packages, archives, a Debian package, a container image.
    Dist(dist::Options),
    /// Tries the tools that people use around a provider against the one that cargo has built; needs the network.
    WorksWith(works_with::Options),
    /// Moves the fragments of `changelog.d/` to CHANGELOG.md.
    Changelog,
    /// Checks the house rules alone.
    Tidy(tidy::Options),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Test(options) => test::run(&options),
        Command::Demo(options) => demo::run(&options),
        Command::Docs(options) => docs::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Chaos(options) => chaos::run(&options),
        Command::DiffPatterns { more } => bench::diff_patterns(&more),
        Command::Tools => tools::install(),
        Command::Mirror(options) => mirror::run(&options),
        Command::Dist(options) => dist::run(&options),
        Command::WorksWith(options) => works_with::run(&options),
        Command::Changelog => changelog::run(),
        Command::Tidy(options) => tidy::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::{Cli, places};

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    /// A workflow that only runs at a release would otherwise fail there.
    #[test]
    fn the_workflows_type_commands_that_there_are() {
        let files = [
            ".ci/run",
            ".github/workflows/ci.yml",
            ".github/workflows/release.yml",
        ];
        let mut found = 0;
        for file in files {
            let text = std::fs::read_to_string(places::root().join(file)).unwrap();
            for command in text.lines().filter_map(|line| line.split_once("cargo xtask ")) {
                let words = command.1.split_whitespace();
                let parsed = Cli::try_parse_from(["cargo xtask"].into_iter().chain(words));
                assert!(parsed.is_ok(), "{file}: {}: {}", command.1, parsed.err().unwrap());
                found += 1;
            }
        }
        assert!(found > 4, "{found} commands");
    }
}
