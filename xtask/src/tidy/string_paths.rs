//! Attribute paths as string literals: outside the framework a path is a generated one, which the compiler checks. A
//! misspelt string reads as null, or fails when a user runs it.

use std::cmp::Ordering;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::file::File;

/// Where providers are written.
const HOME: &str = "provider/src/";
/// How many are left. It may only shrink.
const LEFT: usize = 0;

/// Methods whose first argument is a path.
const METHODS: [&str; 5] = ["at", "attr", "set", "set_unknown", "value"];
/// The same, whatever follows in their name.
const FAMILIES: [&str; 2] = ["config", "planned"];

/// Counts them.
pub(super) fn check(files: &[File]) -> Vec<String> {
    against(files, LEFT)
}

fn against(files: &[File], left: usize) -> Vec<String> {
    let code = files
        .iter()
        .filter(|file| file.is_rust() && file.path.starts_with(HOME));
    let paths: Vec<(&str, Vec<usize>)> = code
        .map(|file| {
            (
                file.path.as_str(),
                file.text.parse().map(lines).unwrap_or_default(),
            )
        })
        .filter(|(_, lines)| !lines.is_empty())
        .collect();
    let count: usize = paths.iter().map(|(_, lines)| lines.len()).sum();
    match count.cmp(&left) {
        Ordering::Equal => Vec::new(),
        Ordering::Less => vec![format!(
            "xtask/src/tidy/string_paths.rs: {count} attribute paths are strings: lower the constant from {left}"
        )],
        Ordering::Greater => paths
            .iter()
            .map(|(path, lines)| {
                format!("{path}: attribute paths as strings, at lines {lines:?} ({count} in all, at most {left}): use the generated ones")
            })
            .collect(),
    }
}

/// The lines of a file at which a path is a string.
fn lines(tokens: TokenStream) -> Vec<usize> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            found.extend(lines(group.stream()));
        }
        if let TokenTree::Ident(name) = token
            && takes_a_path(&tokens, at, &name.to_string())
        {
            found.push(name.span().start().line);
        }
    }
    found
}

fn takes_a_path(tokens: &[TokenTree], at: usize, name: &str) -> bool {
    let Some(arguments) = arguments(&tokens[at + 1..]) else {
        return false;
    };
    let path = arguments.first().is_some_and(|first| is_path(&first.to_string()));
    let before = |back: usize, mark: char| at >= back && is(&tokens[at - back], mark);
    let method = before(1, '.');
    let named = METHODS.contains(&name) || FAMILIES.iter().any(|family| name.starts_with(family));
    // `text.replace("a", "b")` replaces text; `plan.replace("path")` a resource.
    let replaces = name == "replace" && arguments.len() == 1;
    let root = name == "root" && before(1, ':') && before(2, ':');
    path && ((method && (named || replaces)) || root)
}

/// Whether a token is a string such as `"log_group.name"`; `"/data/attributes/name"` is no path of Terraform's.
fn is_path(token: &str) -> bool {
    let text = token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    text.is_some_and(|text| {
        let legal = |c: char| c.is_ascii_alphanumeric() || "_.[]\\\"".contains(c);
        text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(legal)
    })
}

/// The arguments of a call, whose name may be followed by `::<T>`.
fn arguments(after: &[TokenTree]) -> Option<Vec<TokenTree>> {
    let mut rest = after;
    if let [colon, second, ..] = rest
        && is(colon, ':')
        && is(second, ':')
    {
        let close = rest
            .iter()
            .position(|token| matches!(token, TokenTree::Group(_)))?;
        rest = &rest[close..];
    }
    match rest.first()? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
            Some(group.stream().into_iter().collect())
        }
        _ => None,
    }
}

fn is(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

#[cfg(test)]
mod tests {
    use super::{File, against, lines};

    #[test]
    fn paths_in_strings_are_counted() {
        let check = |code: &str, expected: usize| {
            assert_eq!(lines(code.parse().unwrap()).len(), expected, "{code}");
        };
        check("plan.set(\"status\", value)", 1);
        check("plan.set_unknown(\"tags_all\")", 1);
        check("plan.config::<String>(\"name\")", 1);
        check("plan.config::<Vec<String>>(\"names\")", 1);
        check("plan.planned::<LogGroup>(\"log_group\")", 1);
        check("plan.replace(\"region\")", 1);
        check("config.value::<bool>(\"log_group.create\")", 1);
        check("Diagnostic::error(summary)\n    .at(\n    \"name\")", 1);
        check("assert!(diagnostic.at(\"name\").is_some())", 1);
        check("Path::root(\"a\").attr(\"b\").key(\"c\")", 2);
        check("plan.set(Target::status(), \"status\")", 0);
        check("error.at(\"/data/attributes/name\")", 0);
        check("fake.set_status(\"pending\")", 0);
        check("text.replace(\"__\", \"-\")", 0);
        check("text.replace('_', \"-\")", 0);
        check("list.at(0)", 0);
        check("format(\"at\")", 0);
        check("// plan.set(\"status\")", 0);
    }

    #[test]
    fn their_number_may_only_shrink() {
        let check = |left: usize, expected: &[&str]| {
            let file = File {
                path: "provider/src/a.rs".to_owned(),
                text: "fn f() {\n plan.set(\"a\", 1);\n}".to_owned(),
            };
            let elsewhere = File {
                path: "crates/tfplugin/src/a.rs".to_owned(),
                text: "fn f() { plan.set(\"a\", 1); }".to_owned(),
            };
            let found = against(&[file, elsewhere], left);
            assert_eq!(found.len(), expected.len(), "{found:?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.contains(expected), "{found}");
            }
        };
        check(
            0,
            &["provider/src/a.rs: attribute paths as strings, at lines [2] (1 in all, at most 0)"],
        );
        check(1, &[]);
        check(2, &["lower the constant"]);
    }
}
