//! `completions` and `man`: what a package installs beside the program, made from the command line's own description.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;

use scalr_events::nearest;

use super::exit::Failure;
use super::out;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  scalr-eventbridge completions bash > ~/.local/share/bash-completion/completions/scalr-eventbridge
  scalr-eventbridge completions fish > ~/.config/fish/completions/scalr-eventbridge.fish")]
pub(super) struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  scalr-eventbridge man connections list | man -l -
  scalr-eventbridge man --dir ~/.local/share/man/man1")]
pub(super) struct ManArgs {
    /// The command that the page is about, such as `connections list`; without one, the program.
    #[arg(value_name = "COMMAND", conflicts_with = "dir")]
    command: Vec<String>,
    /// Write all pages into this directory, one a command.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints the completions of a shell.
pub(super) fn completions(args: &CompletionsArgs, mut program: Command) -> anyhow::Result<()> {
    let name = program.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut program, name, &mut script);
    Ok(out::text(&String::from_utf8(script)?)?)
}

/// Prints a page, or writes them all.
pub(super) fn man(args: &ManArgs, program: Command) -> anyhow::Result<()> {
    let version = program.get_version().unwrap_or_default();
    let source = format!("{} {version}", program.get_name());
    let mut program = program.disable_help_subcommand(true);
    program.build();
    if let Some(dir) = &args.dir {
        return std::fs::create_dir_all(dir)
            .and_then(|()| write(&program, &source, dir))
            .with_context(|| format!("cannot write into `{}`", dir.display()));
    }
    let mut page = Vec::new();
    Man::new(find(program, &args.command)?)
        .source(source)
        .render(&mut page)?;
    Ok(out::text(&String::from_utf8(page)?)?)
}

/// Writes the pages of a command and of those below it.
fn write(command: &Command, source: &str, dir: &Path) -> io::Result<()> {
    let below = command.get_subcommands().filter(|below| !below.is_hide_set());
    for below in below {
        write(below, source, dir)?;
    }
    Man::new(command.clone()).source(source).generate_to(dir)?;
    Ok(())
}

/// A command by its words.
fn find(program: Command, words: &[String]) -> anyhow::Result<Command> {
    let mut found = program;
    for word in words {
        let Some(inner) = found.find_subcommand(word) else {
            let near = nearest(word, found.get_subcommands().map(Command::get_name));
            let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            return Err(Failure::setting(format!(
                "there is no command `{}`{near}",
                words.join(" ").escape_debug()
            )));
        };
        found = inner.clone();
    }
    Ok(found)
}
