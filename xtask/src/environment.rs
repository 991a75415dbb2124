//! The tables of the guide about environment variables: what the provider reads is declared in its code, what options of
//! `scalr-eventbridge` stand for is in its help.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::shell;

/// The guide that has the tables, each after the line that names it.
const GUIDE: &str = "docs/guides/environment.md";
/// Where the provider's variables are declared, from the repository's root.
pub(crate) const DECLARED: &str = "provider/src/variables.rs";
const OF_PROVIDER: &str = "<!-- variables of the provider -->";
const OF_OPTIONS: &str = "<!-- variables of options -->";

/// Fills the guide's tables. The companion has to be built.
pub(crate) fn add(pages: &mut BTreeMap<String, String>, root: &Path, companion: &Path) -> Result<()> {
    let declared = std::fs::read_to_string(root.join(DECLARED)).context(DECLARED)?;
    let guide = pages
        .get_mut(GUIDE)
        .with_context(|| format!("{GUIDE} is missing"))?;
    *guide = filled(guide, OF_PROVIDER, &provider(&declared)?)?;
    *guide = filled(guide, OF_OPTIONS, &options(&helps(companion)?)?)?;
    Ok(())
}

/// The page with a table after its mark, in place of the one that is there.
fn filled(page: &str, mark: &str, table: &str) -> Result<String> {
    let (before, after) = page
        .split_once(&format!("{mark}\n"))
        .with_context(|| format!("{GUIDE}: `{mark}` is missing"))?;
    let kept = after
        .lines()
        .skip_while(|line| line.starts_with('|'))
        .flat_map(|line| [line, "\n"]);
    Ok([before, mark, "\n", table].into_iter().chain(kept).collect())
}

/// A row for each constant: its text, and what its comment says.
fn provider(code: &str) -> Result<String> {
    let mut rows = vec!["| variable | what it sets |\n|---|---|\n".to_owned()];
    let mut comment = Vec::new();
    for line in code.lines() {
        if let Some(text) = line.strip_prefix("/// ") {
            comment.push(text.trim());
            continue;
        }
        if let Some(name) = line.strip_prefix("pub const ") {
            let name = name.split('"').nth(1);
            let name = name.with_context(|| format!("{DECLARED}: no name in `{line}`"))?;
            ensure!(!comment.is_empty(), "{DECLARED}: `{name}` has no comment");
            let sets = comment.join(" ");
            rows.push(format!("| `{name}` | {} |\n", sets.trim_end_matches('.')));
        }
        comment.clear();
    }
    Ok(rows.concat())
}

/// An option that a variable stands for, as a help shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Choice {
    variable: String,
    option: String,
    sets: String,
    /// With a blank before it, if there is one.
    default: String,
}

/// A row for each variable. Where commands say more or less of the same option, the least is what all of them mean.
fn options(helps: &[String]) -> Result<String> {
    let mut found: Vec<Choice> = Vec::new();
    for choice in helps.iter().flat_map(|help| help.lines()).filter_map(choice) {
        match found.iter_mut().find(|known| known.variable == choice.variable) {
            None => found.push(choice),
            Some(known) if known.sets.starts_with(&choice.sets) => *known = choice,
            Some(known) if choice.sets.starts_with(&known.sets) => {}
            Some(known) => bail!(
                "commands of scalr-eventbridge differ in what `{}` sets: `{}`, `{}`",
                choice.variable,
                known.sets,
                choice.sets
            ),
        }
    }
    ensure!(!found.is_empty(), "no help of scalr-eventbridge names a variable");
    found.sort_by(|a, b| a.variable.cmp(&b.variable));
    let mut rows = vec!["| variable | option | what it sets | default |\n|---|---|---|---|\n".to_owned()];
    rows.extend(found.iter().map(|one| {
        let (variable, option, sets, default) = (&one.variable, &one.option, &one.sets, &one.default);
        format!("| `{variable}` | `{option}` | {sets} |{default} |\n")
    }));
    Ok(rows.concat())
}

/// `--name <VALUE>  What it sets [env: NAME=] [default: text]`.
fn choice(line: &str) -> Option<Choice> {
    let line = line.trim();
    let (text, rest) = line.strip_prefix("--")?.split_once(" [env: ")?;
    let (variable, rest) = rest.split_once(']')?;
    let default = rest
        .split_once("[default: ")
        .and_then(|(_, text)| text.split_once(']'));
    let (option, sets) = text.split_once("  ")?;
    Some(Choice {
        variable: variable.trim_end_matches('=').to_owned(),
        option: format!("--{}", option.split(' ').next()?),
        sets: sets.trim().to_owned(),
        default: default.map_or_else(String::new, |(text, _)| format!(" `{text}`")),
    })
}

/// The short help of each command, found from the program itself.
fn helps(companion: &Path) -> Result<Vec<String>> {
    let mut helps = Vec::new();
    let mut waiting = vec![Vec::new()];
    while let Some(words) = waiting.pop() {
        let mut command = Command::new(companion);
        command.args(&words).arg("-h").env_clear();
        let help = shell::read(command)?;
        waiting.extend(commands(&help).map(|below| [words.as_slice(), &[below.to_owned()]].concat()));
        helps.push(help);
    }
    Ok(helps)
}

/// The commands that a help lists.
fn commands(help: &str) -> impl Iterator<Item = &str> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| line.starts_with("  "));
    let names = listed.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help")
}

#[cfg(test)]
mod tests {
    use super::{commands, filled, options, provider};

    #[test]
    fn a_declared_variable_is_a_row() {
        let check = |code: &str, rows: Option<&str>| {
            let table = provider(code).ok();
            let body =
                table.and_then(|table| table.split_once("|---|---|\n").map(|(_, rows)| rows.to_owned()));
            assert_eq!(body.as_deref(), rows, "{code}");
        };
        check(
            "//! Page.\n\n/// First,\n/// and more.\npub const A: &str = \"A\";\n",
            Some("| `A` | First, and more |\n"),
        );
        check(
            "/// One. Two.\npub const A: &str = \"A_…\";\n/// B.\npub const B: &str = \"B\";\n",
            Some("| `A_…` | One. Two |\n| `B` | B |\n"),
        );
        check("pub const A: &str = \"A\";\n", None);
        check("/// First.\n\npub const A: &str = \"A\";\n", None);
    }

    #[test]
    fn an_option_with_a_variable_is_a_row() {
        let check = |helps: &[&str], rows: Option<&str>| {
            let helps: Vec<_> = helps.iter().map(|help| (*help).to_owned()).collect();
            let table = options(&helps).ok();
            let body = table.and_then(|table| table.split_once("|---|\n").map(|(_, rows)| rows.to_owned()));
            assert_eq!(body.as_deref(), rows, "{helps:?}");
        };
        let plain =
            "Options:\n      --json            Print JSON\n      --host <HOST>     The host [env: HOST=]";
        let more = "      --host <HOST>  The host. Or another [env: HOST=]";
        let log = "      --log <FILTER>  What is logged [env: LOG=] [default: warn,a=b]\n  -h, --help          Print help";
        let token = "      --token <TOKEN>  A token [env: TOKEN]";
        check(&[plain], Some("| `HOST` | `--host` | The host | |\n"));
        check(&[plain, more], Some("| `HOST` | `--host` | The host | |\n"));
        check(&[more, plain], Some("| `HOST` | `--host` | The host | |\n"));
        check(
            &[token, log],
            Some("| `LOG` | `--log` | What is logged | `warn,a=b` |\n| `TOKEN` | `--token` | A token | |\n"),
        );
        check(&[plain, "      --host <HOST>  Another [env: HOST=]"], None);
        check(&["      --json  Print JSON"], None);
    }

    #[test]
    fn a_table_is_put_after_its_mark() {
        let page = "A\n\n<!-- m -->\n| old |\n|---|\n\nB\n";
        let want = "A\n\n<!-- m -->\n| new |\n\nB\n";
        assert_eq!(
            filled(page, "<!-- m -->", "| new |\n").ok().as_deref(),
            Some(want)
        );
        assert_eq!(
            filled(want, "<!-- m -->", "| new |\n").ok().as_deref(),
            Some(want)
        );
        assert!(filled(page, "<!-- other -->", "").is_err());
    }

    #[test]
    fn commands_are_those_of_the_list() {
        let help =
            "Text\n\nCommands:\n  list  List them\n  help  Print this\n\nOptions:\n  --json  Print JSON\n";
        assert_eq!(commands(help).collect::<Vec<_>>(), ["list"]);
        assert_eq!(commands("Options:\n  --json\n").count(), 0);
    }
}
