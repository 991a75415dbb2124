//! Attribute paths as string literals: outside the framework a path is a generated one, which the compiler checks. A
//! misspelt string reads as null, or fails when a user runs it.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::file::File;

/// Where providers are written.
const HOME: &str = "provider/src/";

/// Methods whose first argument is a path.
const METHODS: [&str; 5] = ["at", "attr", "set", "set_unknown", "value"];
/// The same, whatever follows in their name.
const FAMILIES: [&str; 2] = ["config", "planned"];
/// Functions whose first argument is a path, or a list of pairs that each begin with one.
const FUNCTIONS: [&str; 4] = ["NotKnownYet", "differing", "known", "known_text"];

/// Finds them.
pub(super) fn check(files: &[File]) -> Vec<String> {
    let code = files
        .iter()
        .filter(|file| file.is_rust() && file.path.starts_with(HOME));
    let found = code.filter_map(|file| {
        let lines = file.text.parse().map(lines).unwrap_or_default();
        (!lines.is_empty()).then(|| {
            format!(
                "{}: attribute paths as strings, at lines {lines:?}: use the generated ones",
                file.path
            )
        })
    });
    found.collect()
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
    let function = !method && FUNCTIONS.contains(&name) && (path || lists_a_path(&arguments));
    function || (path && ((method && (named || replaces)) || root))
}

/// Whether the first argument is a list with a pair such as `("name", value)`.
fn lists_a_path(arguments: &[TokenTree]) -> bool {
    let Some(TokenTree::Group(list)) = arguments.first() else {
        return false;
    };
    list.stream().into_iter().any(|element| match element {
        TokenTree::Group(pair) => pair
            .stream()
            .into_iter()
            .next()
            .is_some_and(|first| is_path(&first.to_string())),
        _ => false,
    })
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
    use super::{File, check, lines};

    #[test]
    fn paths_in_strings_are_counted() {
        let counted = |code: &str, expected: usize| {
            assert_eq!(lines(code.parse().unwrap()).len(), expected, "{code}");
        };
        counted("plan.set(\"status\", value)", 1);
        counted("plan.set_unknown(\"tags_all\")", 1);
        counted("plan.config::<String>(\"name\")", 1);
        counted("plan.config::<Vec<String>>(\"names\")", 1);
        counted("plan.planned::<LogGroup>(\"log_group\")", 1);
        counted("plan.replace(\"region\")", 1);
        counted("config.value::<bool>(\"log_group.create\")", 1);
        counted("Diagnostic::error(summary)\n    .at(\n    \"name\")", 1);
        counted("assert!(diagnostic.at(\"name\").is_some())", 1);
        counted("Path::root(\"a\").attr(\"b\").key(\"c\")", 2);
        counted("known(\"aws.region\", config.region)?", 1);
        counted("tags.map(|tags| known_text(\"aws.profile\", tags))", 1);
        counted("Err(NotKnownYet(\"token\"))", 1);
        counted("differing([(\"name\", a == b)])", 1);
        counted("differing([(Self::name().into(), a), (\"tags\", b)])", 1);
        counted("plan.set(Target::status(), \"status\")", 0);
        counted("known(ScalrEventBridge::token(), token)", 0);
        counted("NotKnownYet(path.into())", 0);
        counted("differing([(Self::name().into(), a == \"b\")])", 0);
        counted("text(\"NamePrefix\")", 0);
        counted("value.known(\"name\")", 0);
        counted("error.at(\"/data/attributes/name\")", 0);
        counted("fake.set_status(\"pending\")", 0);
        counted("text.replace(\"__\", \"-\")", 0);
        counted("text.replace('_', \"-\")", 0);
        counted("list.at(0)", 0);
        counted("format(\"at\")", 0);
        counted("// plan.set(\"status\")", 0);
    }

    #[test]
    fn the_framework_itself_may_have_them() {
        let file = |path: &str| File {
            path: path.to_owned(),
            text: "fn f() {\n plan.set(\"a\", 1);\n}".to_owned(),
        };
        assert_eq!(
            check(&[file("provider/src/a.rs"), file("crates/tfplugin/src/a.rs")]),
            ["provider/src/a.rs: attribute paths as strings, at lines [2]: use the generated ones"]
        );
    }
}
