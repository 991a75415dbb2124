//! The settings of `serve`: each of its options is also a variable, and a key of the file that `--config` names. An option wins over a
//! variable, a variable over the file, the file over the default. All of it is read from the options' own definition, so that none
//! of the three can lack what another has.

use std::any::TypeId;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::BoolishValueParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use scalr_events::nearest;
use serde::Serialize;
use toml::{Table, Value};

use super::exit::Failure;
use super::{aws, log_filter, out, show};
use crate::store::without_password;

/// The command that has these settings.
pub(super) const COMMAND: &str = "serve";
/// The option that names the file.
const CONFIG: &str = "config";
/// The option that shows them.
const PRINT: &str = "print-config";
/// What every variable begins with.
const PREFIX: &str = "SCALR_EVENTBRIDGE_";
/// The option of the whole program that the file may have too.
const LOG: &str = "log";
/// The option that is an address, in which somebody may write a password.
const AWS_ENDPOINT: &str = "aws-endpoint";
/// The same, with a password more often than not.
const DATABASE_URL: &str = "database-url";
/// Another address.
const OTLP_ENDPOINT: &str = "otlp-endpoint";
/// Options for one start.
const OF_ONE_START: [&str; 5] = [CONFIG, PRINT, "new-operator-token", "json", "help"];

/// The program's command line, with what a file says of the settings.
pub(super) struct Program {
    pub(super) command: Command,
    /// The keys that the file has.
    keys: BTreeSet<String>,
    file: Option<PathBuf>,
}

/// A setting as it is shown.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Shown {
    setting: String,
    value: String,
    from: String,
}

/// The variable of an option.
fn variable(long: &str) -> String {
    format!("{PREFIX}{}", long.replace('-', "_").to_ascii_uppercase())
}

/// The option's name, if it is a setting.
fn setting(arg: &Arg) -> Option<&str> {
    arg.get_long().filter(|long| !OF_ONE_START.contains(long))
}

/// Gives each setting its variable.
pub(super) fn with_variables(program: Command) -> Command {
    program.mut_subcommand(COMMAND, |command| {
        command.mut_args(|arg| {
            let name = match arg.get_long() {
                Some(CONFIG) => variable(CONFIG),
                _ => match setting(&arg) {
                    Some(long) => variable(long),
                    None => return arg,
                },
            };
            match arg.get_action() {
                ArgAction::SetTrue => arg.env(name).value_parser(BoolishValueParser::new()),
                ArgAction::Append => arg.env(name).value_delimiter(','),
                _ => arg.env(name),
            }
        })
    })
}

/// Makes what the file says the defaults, where these arguments, or the variable, name one.
pub(super) fn with_file(program: Command, args: &[OsString]) -> anyhow::Result<Program> {
    let Some(file) = named_file(program.clone(), args) else {
        return Ok(Program {
            command: program,
            keys: BTreeSet::new(),
            file: None,
        });
    };
    let text = std::fs::read_to_string(&file).map_err(|error| {
        Failure::setting(format!(
            "`{}` (`--config` or `{}`) cannot be read: {error}",
            file.display(),
            variable(CONFIG)
        ))
    })?;
    with_text(program, file, &text)
}

/// The settings of the service that is started with these options, as its own start would read them.
pub(super) fn of_service(program: Command, options: &[(&str, OsString)]) -> anyhow::Result<ArgMatches> {
    let mut args: Vec<OsString> = vec![program.get_name().into(), COMMAND.into()];
    for (option, value) in options {
        args.extend([option.into(), value.clone()]);
    }
    let read = with_file(program, &args)?;
    let matches = read.command.try_get_matches_from(args).map_err(|error| {
        let text = error.to_string();
        let lines: Vec<&str> = text
            .lines()
            .take_while(|line| !line.is_empty())
            .map(str::trim)
            .collect();
        Failure::setting(lines.join(" ").trim_start_matches("error: ").to_owned())
    })?;
    let found = matches.subcommand_matches(COMMAND).cloned();
    found.ok_or_else(|| Failure::setting("the settings of `serve` cannot be read"))
}

/// The file that the arguments or the variable name; none where they cannot be read, which is said later.
fn named_file(program: Command, args: &[OsString]) -> Option<PathBuf> {
    let matches = program.ignore_errors(true).try_get_matches_from(args).ok()?;
    let (_, matches) = matches.subcommand().filter(|(name, _)| *name == COMMAND)?;
    matches.get_one::<PathBuf>(CONFIG).cloned()
}

/// The same of a file with this text.
fn with_text(mut program: Command, file: PathBuf, text: &str) -> anyhow::Result<Program> {
    let wrong =
        |why: String| Failure::setting(format!("`{}` (`--config`) cannot be used: {why}", file.display()));
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        wrong(format!("line {line}: {}", error.message()))
    })?;
    let mut keys = BTreeSet::new();
    for (key, value) in &table {
        let found = settings(&program).find(|arg| arg.get_long() == Some(key.as_str()));
        let arg = found.ok_or_else(|| wrong(unknown(&program, key)))?.clone();
        let values = values(&arg, value, &file).map_err(|why| wrong(format!("`{key}` {why}")))?;
        check(&arg, key, &values).map_err(|why| wrong(format!("`{key}`: {why}")))?;
        let id = arg.get_id().as_str().to_owned();
        let with_default = |arg: Arg| arg.required(false).default_values(values);
        program = if key == LOG {
            program.mut_arg(id, with_default)
        } else {
            program.mut_subcommand(COMMAND, |command| command.mut_arg(id, with_default))
        };
        keys.insert(key.clone());
    }
    Ok(Program {
        command: program,
        keys,
        file: Some(file),
    })
}

/// All settings, in the order of the help.
fn settings(program: &Command) -> impl Iterator<Item = &Arg> {
    let own = program.find_subcommand(COMMAND).into_iter();
    let own = own.flat_map(Command::get_arguments);
    let log = program.get_arguments().filter(|arg| arg.get_long() == Some(LOG));
    own.filter(|arg| setting(arg).is_some() && arg.get_long() != Some(LOG))
        .chain(log)
}

fn unknown(program: &Command, key: &str) -> String {
    let shown = key.escape_debug();
    if OF_ONE_START.contains(&key) {
        return format!("`{shown}` is an option for one start, and is not for a file");
    }
    let names: Vec<&str> = settings(program).filter_map(Arg::get_long).collect();
    match nearest(&key.replace('_', "-"), names.iter().copied()) {
        Some(near) => format!("there is no setting `{shown}`; did you mean `{near}`?"),
        None => format!(
            "there is no setting `{shown}`. There are `{}`",
            names.join("`, `")
        ),
    }
}

/// A value of the file as the option takes it; a relative path is one from the file's directory.
fn values(arg: &Arg, value: &Value, file: &Path) -> Result<Vec<String>, String> {
    let is_path = arg.get_value_parser().type_id() == TypeId::of::<PathBuf>();
    let one = |value: &Value| match value {
        Value::String(text) if is_path => {
            let dir = file.parent().unwrap_or_else(|| Path::new(""));
            Ok(dir.join(text).display().to_string())
        }
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        _ => Err("takes a text or a whole number".to_owned()),
    };
    match (arg.get_action(), value) {
        (ArgAction::SetTrue, Value::Boolean(is)) => Ok(vec![is.to_string()]),
        (ArgAction::SetTrue, _) => Err("takes `true` or `false`".to_owned()),
        (ArgAction::Append, Value::Array(all)) => all
            .iter()
            .map(|value| one(value).map_err(|_| "takes a list of texts".to_owned()))
            .collect(),
        (_, value) => Ok(vec![one(value)?]),
    }
}

/// Refuses what the option would refuse, in its words.
fn check(arg: &Arg, key: &str, values: &[String]) -> Result<(), String> {
    if matches!(arg.get_action(), ArgAction::SetTrue) {
        return Ok(());
    }
    if key == LOG {
        let refused = values.iter().find_map(|text| log_filter::read(text).err());
        return refused.map_or(Ok(()), |error| Err(error.to_string()));
    }
    let alone = Command::new(COMMAND)
        .no_binary_name(true)
        .arg(arg.clone().required(false));
    let words = values.iter().map(|value| format!("--{key}={value}"));
    let Err(error) = alone.try_get_matches_from(words) else {
        return Ok(());
    };
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    Err(line.trim_start_matches("error: ").to_owned())
}

impl Program {
    /// Prints the settings of these matches where that is asked for; whether it was.
    pub(super) fn print(&self, matches: &ArgMatches) -> anyhow::Result<bool> {
        let Some((COMMAND, matches)) = matches.subcommand() else {
            return Ok(false);
        };
        if !matches.get_flag("print_config") {
            return Ok(false);
        }
        let shown = self.shown(matches);
        if matches.get_flag("json") {
            out::json(&shown)?;
        } else {
            let row = |one: &Shown| [&one.setting, &one.value, &one.from].map(|text| text.as_str().into());
            let rows: Vec<_> = shown.iter().map(row).collect();
            out::styled(&show::table(["SETTING", "VALUE", "FROM"], &rows))?;
        }
        Ok(true)
    }

    /// Each setting, its value, and where that comes from.
    fn shown(&self, matches: &ArgMatches) -> Vec<Shown> {
        let one = |arg: &Arg| {
            let long = arg.get_long()?;
            let id = arg.get_id().as_str();
            let value = if matches!(arg.get_action(), ArgAction::SetTrue) {
                vec![matches.get_flag(id).to_string()]
            } else {
                let raw = matches.get_raw(id).into_iter().flatten();
                let raw = raw.map(|value| value.to_string_lossy().into_owned());
                match long {
                    AWS_ENDPOINT | OTLP_ENDPOINT => raw.map(|url| aws::without_user(&url)).collect(),
                    DATABASE_URL => raw.map(|url| without_password(&url)).collect(),
                    _ => raw.collect(),
                }
            };
            let from = match matches.value_source(id) {
                Some(ValueSource::CommandLine) => format!("--{long}"),
                Some(ValueSource::EnvVariable) => variable(long),
                _ if self.keys.contains(long) => {
                    let file = self.file.as_deref().unwrap_or_else(|| Path::new(""));
                    file.display().to_string()
                }
                _ => "default".to_owned(),
            };
            Some(Shown {
                setting: long.to_owned(),
                value: value.join(", "),
                from,
            })
        };
        settings(&self.command).filter_map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::super::program;
    use super::*;

    /// The value of a setting and where it comes from, with this file and these arguments.
    #[track_caller]
    fn check(text: &str, args: &[&str], setting: &str, want: (&str, &str)) {
        let read = with_text(program(), PathBuf::from("/etc/c/serve.toml"), text).unwrap();
        let words = ["scalr-eventbridge", "serve"].iter().chain(args);
        let matches = read.command.clone().try_get_matches_from(words).unwrap();
        let (_, matches) = matches.subcommand().unwrap();
        let shown = read.shown(matches);
        let found = shown.iter().find(|one| one.setting == setting).unwrap();
        assert_eq!(
            (found.value.as_str(), found.from.as_str()),
            want,
            "{text} {args:?}"
        );
    }

    #[test]
    fn an_option_wins_over_the_file_and_the_file_over_the_default() {
        const FILE: &str = "/etc/c/serve.toml";
        let dir = ["--data-dir", "/d"];
        check("", &dir, "listen", ("127.0.0.1:8080", "default"));
        check("listen = '127.0.0.1:1'", &dir, "listen", ("127.0.0.1:1", FILE));
        let listen = ["--data-dir", "/d", "--listen", "127.0.0.1:2"];
        check(
            "listen = '127.0.0.1:1'",
            &listen,
            "listen",
            ("127.0.0.1:2", "--listen"),
        );
        check("", &dir, "data-dir", ("/d", "--data-dir"));
        check("data-dir = 'state'", &[], "data-dir", ("/etc/c/state", FILE));
        check("data-dir = '/state'", &[], "data-dir", ("/state", FILE));
        check("tls = true", &dir, "tls", ("true", FILE));
        check(
            "tls = false",
            &["--data-dir", "/d", "--tls"],
            "tls",
            ("true", "--tls"),
        );
        check("hold-hours-max = 5", &dir, "hold-hours-max", ("5", FILE));
        check("tls-name = ['a', 'b']", &dir, "tls-name", ("a, b", FILE));
        check("console-host = 'a'", &dir, "console-host", ("a", FILE));
        let names = ["--data-dir", "/d", "--tls", "--tls-name", "c"];
        check("tls-name = ['a', 'b']", &names, "tls-name", ("c", "--tls-name"));
        check("log = 'info'", &dir, "log", ("info", FILE));
        check(
            "aws-endpoint = 'http://us:hidden@x'",
            &dir,
            "aws-endpoint",
            ("http://…@x", FILE),
        );
        check(
            "database-url = 'postgres://us:hidden@x/d'",
            &[],
            "database-url",
            ("postgres://us:…@x/d", FILE),
        );
    }

    #[test]
    fn what_a_file_cannot_mean_is_refused_with_what_would_be_right() {
        for (text, want) in [
            (
                "data_dir = 'x'",
                "there is no setting `data_dir`; did you mean `data-dir`?",
            ),
            (
                "lisen = 'x'",
                "there is no setting `lisen`; did you mean `listen`?",
            ),
            (
                "zzz = 1",
                "there is no setting `zzz`. There are `data-dir`, `database-url`, `listen`",
            ),
            ("json = true", "`json` is an option for one start"),
            ("config = 'x'", "`config` is an option for one start"),
            ("tls = 1", "`tls` takes `true` or `false`"),
            ("listen = true", "`listen` takes a text or a whole number"),
            ("tls-name = [1.5]", "`tls-name` takes a list of texts"),
            ("[listen]\na = 1", "`listen` takes a text or a whole number"),
            (
                "listen = 'here'",
                "`listen`: invalid value 'here' for '--listen <ADDR>': write an address",
            ),
            ("log = 'a=b=c'", "`log`: `a=b=c` (`SCALR_EVENTBRIDGE_LOG`"),
            ("hold-hours-max = 0", "`hold-hours-max`: invalid value '0'"),
            ("\ntls = ", "line 2: "),
        ] {
            let refused = with_text(program(), PathBuf::from("/c.toml"), text).err();
            let said = refused.map(|error| error.to_string()).unwrap_or_default();
            assert!(
                said.starts_with("`/c.toml` (`--config`) cannot be used: "),
                "{text}: {said}"
            );
            assert!(said.contains(want), "{text}: {said}");
        }
    }

    #[test]
    fn every_setting_has_a_variable() {
        let program = program();
        for arg in settings(&program) {
            let long = arg.get_long().unwrap();
            let name = arg.get_env().map(|name| name.to_string_lossy().into_owned());
            assert_eq!(name, Some(variable(long)), "{long}");
        }
    }

    /// A row for each setting, from the definition of its option.
    fn table() -> String {
        let mut text =
            "| key and option | variable | default | what it sets |\n|---|---|---|---|\n".to_owned();
        for arg in settings(&program()) {
            let long = arg.get_long().unwrap();
            let defaults: Vec<_> = arg
                .get_default_values()
                .iter()
                .map(|value| value.to_string_lossy())
                .collect();
            let default = match (arg.get_action(), defaults.join(", ")) {
                (ArgAction::SetTrue, _) => "false".to_owned(),
                (_, none) if none.is_empty() => String::new(),
                (_, some) => format!("`{some}`"),
            };
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            let name = variable(long);
            writeln!(text, "| `{long}` | `{name}` | {default} | {help} |").unwrap();
        }
        text
    }

    #[test]
    fn the_guide_has_the_table_of_settings() {
        crate::testing::table_in_guide("operations.md", "<!-- settings of serve -->", &table());
    }
}
