//! A command line that cannot be read: clap's message, with the usage line that the command's help has. Clap itself writes one of the
//! options that have a value, also where the environment gave it: as if they had to be typed.

use std::ffi::OsString;

use clap::Command;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

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

/// The error without the tip to write a misspelt option behind `--`: no object's name begins with dashes, and only a command that
/// runs another one has words to pass on.
pub(super) fn without_tip_of_dashes(mut error: Error, command: &Command) -> Error {
    let passes_on = command.get_positionals().any(clap::Arg::is_trailing_var_arg_set);
    if error.kind() != ErrorKind::UnknownArgument || passes_on {
        return error;
    }
    if let Some(ContextValue::StyledStrs(tips)) = error.remove(ContextKind::Suggested) {
        let others: Vec<StyledStr> = tips
            .into_iter()
            .filter(|tip| !tip.to_string().starts_with("to pass "))
            .collect();
        if !others.is_empty() {
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(others));
        }
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
    #[test]
    fn a_misspelt_option_is_not_proposed_as_a_value() {
        let program = |passes_on: bool| {
            let name = Arg::new("name").num_args(1..).trailing_var_arg(passes_on);
            let other = Command::new("other").arg(Arg::new("wait").long("wait"));
            let show = Command::new("show").arg(name).subcommand(other);
            Command::new("program").subcommand(show)
        };
        for (args, passes_on, has_tip, want) in [
            (
                &["show", "--xyz"][..],
                false,
                false,
                "unexpected argument '--xyz'",
            ),
            (&["show", "-1h"], false, false, "unexpected argument '-1'"),
            (
                &["show", "--wait", "other"],
                false,
                false,
                "'other --wait' exists",
            ),
            (&["show", "--xyz"], true, true, "use '-- --xyz'"),
        ] {
            let all: Vec<OsString> = ["program"].iter().chain(args).map(OsString::from).collect();
            let error = program(passes_on).try_get_matches_from(&all).err().unwrap();
            let command = named(program(passes_on), all);
            let text = without_tip_of_dashes(error, &command).to_string();
            assert!(text.contains(want), "{args:?}: {text}");
            assert_eq!(text.contains("to pass"), has_tip, "{args:?}: {text}");
        }
    }
}
