//! A command line that cannot be read: clap's message, with the usage line that the command's help has. Clap itself writes one of the
//! options that have a value, also where the environment gave it: as if they had to be typed.

use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, Error};

/// The error with the usage line of the command that these arguments name.
pub(super) fn with_usage_of_help(
    mut error: Error,
    program: Command,
    args: impl IntoIterator<Item = OsString>,
) -> Error {
    if error.get(ContextKind::Usage).is_some() {
        let usage = named(program, args).render_usage();
        error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
    }
    error
}

/// The command that arguments name, the program's own name aside.
pub(super) fn named(mut program: Command, args: impl IntoIterator<Item = OsString>) -> Command {
    program.build();
    let names = args.into_iter().skip(1);
    let found = names.fold(&program, |command, arg| {
        arg.to_str()
            .and_then(|name| command.find_subcommand(name))
            .unwrap_or(command)
    });
    found.clone()
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    #[test]
    fn the_usage_line_has_what_must_be_typed() {
        let token = || Arg::new("token").long("token").env("PATH");
        let program = || {
            let show = Command::new("show")
                .arg(token())
                .arg(Arg::new("name").required(true));
            let group = Command::new("group").subcommand_required(true).subcommand(show);
            Command::new("program")
                .arg(Arg::new("log").long("log"))
                .subcommand(group)
        };
        for (args, want) in [
            (
                &["group", "show"][..],
                "Usage: program group show [OPTIONS] <name>\n",
            ),
            (
                &["--log", "info", "group", "show", "--tokne", "x"],
                "Usage: program group show [OPTIONS] <name>\n",
            ),
            (&["group", "shwo"], "Usage: program group <COMMAND>\n"),
            (&["--lgo"], "Usage: program [OPTIONS] [COMMAND]\n"),
        ] {
            let args: Vec<OsString> = ["program"].iter().chain(args).map(OsString::from).collect();
            let error = program().try_get_matches_from(&args).err().unwrap();
            let text = with_usage_of_help(error, program(), args.clone()).to_string();
            assert!(text.contains(want), "{args:?}: {text}");
        }
    }
}
