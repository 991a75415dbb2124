//! The token that the user's command line already has for the host.
//!
//! Looked for as Terraform and OpenTofu do: the variable `TF_TOKEN_<host>`; the `credentials` blocks of the CLI's
//! configuration file; the file in which `terraform login` keeps what it was given.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::host::Host;

/// What the search found, and which files it could not read.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// The token, and where it was, in words.
    pub found: Option<(String, String)>,
    /// Where it looked, in words.
    pub looked_at: Vec<String>,
    /// Files that are there and could not be read, with the reason.
    pub unreadable: Vec<String>,
}

/// Where the search looks: environment variables and files.
pub struct Environment<'a> {
    /// The environment variables.
    pub variables: &'a BTreeMap<String, String>,
    /// Reads a file.
    pub read: &'a dyn Fn(&Path) -> io::Result<String>,
}

/// Searches for the host's token.
pub fn search(host: &Host, environment: &Environment<'_>) -> Search {
    let name = host.name();
    let mut search = Search::default();
    // No shell sets a variable with a colon in its name, so one for a port is not proposed.
    if !name.contains(':') {
        search.looked_at.push(format!(
            "`TF_TOKEN_{}`",
            name.replace('-', "__").replace('.', "_")
        ));
    }
    if let Some((variable, token)) = from_env(&name, environment.variables) {
        search.found = Some((token, format!("the variable `{variable}`")));
        return search;
    }
    for file in files(environment.variables) {
        search.looked_at.push(format!("`{}`", file.display()));
        let text = match (environment.read)(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                search.unreadable.push(format!("`{}`: {error}", file.display()));
                continue;
            }
        };
        match tokens(&text) {
            Ok(mut tokens) => {
                let same = |other: &&String| normal(other) == name;
                if let Some(key) = tokens.keys().find(same).cloned()
                    && let Some(token) = tokens.remove(&key)
                {
                    search.found = Some((
                        token,
                        format!("the credentials of `{key}` in `{}`", file.display()),
                    ));
                    return search;
                }
            }
            Err(reason) => search.unreadable.push(format!("`{}`: {reason}", file.display())),
        }
    }
    search
}

/// `TF_TOKEN_app_example_com`: dots as `_`, hyphens as `__` or as they are.
fn from_env(name: &str, env: &BTreeMap<String, String>) -> Option<(String, String)> {
    env.iter().find_map(|(variable, token)| {
        let spelt = variable.strip_prefix("TF_TOKEN_")?;
        let host = spelt.replace("__", "-").replace('_', ".");
        (!token.is_empty() && normal(&host) == name).then(|| (variable.clone(), token.clone()))
    })
}

/// A host as [`Host::name`] spells it: lower case, punycode, no default port.
fn normal(host: &str) -> String {
    host.parse::<Host>()
        .map_or_else(|_| host.to_owned(), |host| host.name())
}

/// The files that may hold credentials, in the order of their precedence.
fn files(env: &BTreeMap<String, String>) -> Vec<PathBuf> {
    let set = |name: &str| env.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = set("HOME").or_else(|| set("USERPROFILE"));
    let xdg = set("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
    let mut files = Vec::new();
    match set("TF_CLI_CONFIG_FILE").or_else(|| set("TERRAFORM_CONFIG")) {
        Some(file) => files.push(file),
        None if cfg!(windows) => {
            files.extend(
                set("APPDATA")
                    .iter()
                    .flat_map(|dir| [dir.join("terraform.rc"), dir.join("tofu.rc")]),
            );
        }
        None => {
            files.extend(
                home.iter()
                    .flat_map(|home| [home.join(".terraformrc"), home.join(".tofurc")]),
            );
            files.extend(xdg.iter().map(|xdg| xdg.join("opentofu/tofurc")));
        }
    }
    let kept = if cfg!(windows) {
        set("APPDATA").map(|dir| dir.join("terraform.d"))
    } else {
        home.map(|home| home.join(".terraform.d"))
    };
    files.extend(kept.iter().map(|dir| dir.join("credentials.tfrc.json")));
    files.extend(xdg.iter().map(|xdg| xdg.join("opentofu/credentials.tfrc.json")));
    files
}

/// The tokens of a configuration file by host. It is HCL or JSON.
fn tokens(text: &str) -> Result<BTreeMap<String, String>, &'static str> {
    if text.trim_start().starts_with('{') {
        return tokens_of_json(text).ok_or("it is not the JSON of a CLI configuration");
    }
    tokens_of_hcl(&lex(text)?)
}

fn tokens_of_json(text: &str) -> Option<BTreeMap<String, String>> {
    let root: Json = serde_json::from_str(text).ok()?;
    let Some(credentials) = root.get("credentials") else {
        return Some(BTreeMap::new());
    };
    let token =
        |(host, inner): (&String, &Json)| Some((host.clone(), inner.get("token")?.as_str()?.to_owned()));
    Some(credentials.as_object()?.iter().filter_map(token).collect())
}

/// A token of HCL 1, which this file is written in: its keys may be quoted and a block may be on one line, both of which a
/// reader of HCL 2 refuses. Only the tokens that credentials consist of are distinguished.
#[derive(Clone, PartialEq, Eq)]
enum Word {
    Name(String),
    Text(String),
    Mark(char),
}

/// `credentials "host" { token = "…" }` at the top level; everything else is passed over.
fn tokens_of_hcl(words: &[Word]) -> Result<BTreeMap<String, String>, &'static str> {
    let mut tokens = BTreeMap::new();
    let mut open: Vec<Option<&str>> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        match word {
            Word::Mark('{') => {
                let host = match (
                    at.checked_sub(2).map(|before| &words[before..at]),
                    open.is_empty(),
                ) {
                    (Some([Word::Name(name), Word::Text(host)]), true) if name == "credentials" => {
                        Some(host.as_str())
                    }
                    _ => None,
                };
                open.push(host);
            }
            Word::Mark('}') => {
                open.pop().ok_or("a brace is closed that was not opened")?;
            }
            Word::Name(name) if name == "token" => {
                if let ([Some(host)], [Word::Mark('='), Word::Text(token), ..]) =
                    (open.as_slice(), &words[at + 1..])
                {
                    tokens.insert((*host).to_owned(), token.clone());
                }
            }
            _ => {}
        }
    }
    if open.is_empty() {
        Ok(tokens)
    } else {
        Err("a brace is not closed")
    }
}

fn lex(text: &str) -> Result<Vec<Word>, &'static str> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first == '#' || rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if rest.starts_with("/*") {
            rest = rest
                .find("*/")
                .map(|end| &rest[end + 2..])
                .ok_or("a comment is not closed")?;
        } else if first == '"' {
            let (word, after) = quoted(&rest[1..]).ok_or("a quote is not closed")?;
            words.push(Word::Text(word));
            rest = after;
        } else if first.is_alphanumeric() || first == '_' {
            let end = rest
                .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')))
                .unwrap_or(rest.len());
            words.push(Word::Name(rest[..end].to_owned()));
            rest = &rest[end..];
        } else {
            if !first.is_whitespace() {
                words.push(Word::Mark(first));
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    Ok(words)
}

/// A quoted text from behind its first quote, and what follows its last.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut word = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((word, &text[at + 1..])),
            '\n' => return None,
            '\\' => word.push(match chars.next()?.1 {
                'n' => '\n',
                't' => '\t',
                other => other,
            }),
            other => word.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(host: &str, env: &[(&str, &str)], files: &[(&str, &str)]) -> Search {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let env = env.iter().map(own).collect();
        let files: BTreeMap<String, String> = files.iter().map(own).collect();
        let read = |path: &Path| {
            files
                .get(path.to_str().unwrap())
                .cloned()
                .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
        };
        search(
            &host.parse().unwrap(),
            &Environment {
                variables: &env,
                read: &read,
            },
        )
    }

    /// Looks for the token and for the names that its origin shows; the sentences are the snapshot's.
    #[track_caller]
    fn check(host: &str, env: &[(&str, &str)], files: &[(&str, &str)], expected: Option<(&str, &[&str])>) {
        let found = found(host, env, files).found;
        let found = found
            .as_ref()
            .map(|(token, origin)| (token.as_str(), names(origin)));
        assert!(
            found == expected.map(|(token, names)| (token, names.to_vec())),
            "{host} {env:?} {files:?}"
        );
    }

    /// What is in backticks.
    fn names(text: &str) -> Vec<&str> {
        text.split('`').skip(1).step_by(2).collect()
    }

    #[test]
    fn a_variable_names_the_host() {
        for variable in [
            "TF_TOKEN_my_acme_scalr_io",
            "TF_TOKEN_my.acme.scalr.io",
            "TF_TOKEN_MY_acme_scalr_io",
        ] {
            check(
                "my.acme.scalr.io",
                &[(variable, "t")],
                &[],
                Some(("t", &[variable])),
            );
        }
        for variable in ["TF_TOKEN_my__acme_scalr_io", "TF_TOKEN_my-acme_scalr_io"] {
            check(
                "my-acme.scalr.io",
                &[(variable, "t")],
                &[],
                Some(("t", &[variable])),
            );
        }
        check(
            "xn--caf-dma.scalr.io",
            &[("TF_TOKEN_café_scalr_io", "t")],
            &[],
            Some(("t", &["TF_TOKEN_café_scalr_io"])),
        );
        check(
            "acme.scalr.io",
            &[("TF_TOKEN_other_scalr_io", "t"), ("TF_TOKEN_acme_scalr_io", "")],
            &[],
            None,
        );
    }

    #[test]
    fn a_block_of_the_cli_configuration() {
        let rc = "# credentials \"acme.scalr.io\" { token = \"no\" }\n\
                  provider_installation { dev_overrides { \"a/b\" = \"/x\" } direct {} }\n\
                  /* { */ credentials \"other\" { token = \"o\" }\n\
                  credentials \"Acme.scalr.io\" {\n  token = \"s3\\\"cret\" // mine\n}\n";
        check(
            "acme.scalr.io",
            &[("HOME", "/h")],
            &[("/h/.terraformrc", rc)],
            Some(("s3\"cret", &["Acme.scalr.io", "/h/.terraformrc"])),
        );
        check(
            "elsewhere.io",
            &[("HOME", "/h")],
            &[("/h/.terraformrc", rc)],
            None,
        );
    }

    #[test]
    fn a_file_named_in_the_environment_replaces_the_usual_one() {
        let (named, usual) = (
            "credentials \"a.io\" { token = \"n\" }",
            "credentials \"a.io\" { token = \"u\" }",
        );
        check(
            "a.io",
            &[("HOME", "/h"), ("TF_CLI_CONFIG_FILE", "/x.rc")],
            &[("/x.rc", named), ("/h/.terraformrc", usual)],
            Some(("n", &["a.io", "/x.rc"])),
        );
        let other = &[("HOME", "/h"), ("TF_CLI_CONFIG_FILE", "/none.rc")];
        check("a.io", other, &[("/h/.terraformrc", usual)], None);
    }

    #[test]
    fn what_login_keeps() {
        let json = r#"{"credentials": {"127.0.0.1:8080": {"token": "t"}, "x": {}}}"#;
        let file = "/h/.terraform.d/credentials.tfrc.json";
        check(
            "http://127.0.0.1:8080",
            &[("HOME", "/h")],
            &[(file, json)],
            Some(("t", &["127.0.0.1:8080", file])),
        );
    }

    #[test]
    fn what_cannot_be_read_is_named_without_its_contents() {
        for (text, why) in [
            ("credentials \"a\" { token = \"s3cret", "a quote is not closed"),
            ("credentials \"a\" {", "a brace is not closed"),
            ("}", "a brace is closed that was not opened"),
            ("/* s3cret", "a comment is not closed"),
            (
                "{\"credentials\": s3cret}",
                "it is not the JSON of a CLI configuration",
            ),
        ] {
            let search = found("a", &[("TF_CLI_CONFIG_FILE", "/x")], &[("/x", text)]);
            assert_eq!(search.unreadable, [format!("`/x`: {why}")], "{text}");
        }
    }

    #[test]
    fn the_place_of_a_token_is_named() {
        let file = "/h/.terraform.d/credentials.tfrc.json";
        let json = r#"{"credentials": {"a.io": {"token": "t"}}}"#;
        let block = "credentials \"a.io\" { token = \"t\" }";
        for (env, file, want) in [
            (
                ("TF_TOKEN_a_io", "t"),
                ("/none", ""),
                "the variable `TF_TOKEN_a_io`",
            ),
            (
                ("HOME", "/h"),
                (file, json),
                "the credentials of `a.io` in `/h/.terraform.d/credentials.tfrc.json`",
            ),
            (
                ("HOME", "/h"),
                ("/h/.terraformrc", block),
                "the credentials of `a.io` in `/h/.terraformrc`",
            ),
        ] {
            let origin = found("a.io", &[env], &[file]).found.map(|(_, origin)| origin);
            assert_eq!(origin.as_deref(), Some(want));
        }
    }
}
