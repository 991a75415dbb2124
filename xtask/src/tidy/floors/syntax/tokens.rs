//! Paths in tokens that have no syntax of their own: the arguments of macros and attributes.

use proc_macro2::{Ident, TokenStream, TokenTree};

/// Paths such as `a::b`, and single names, each with its line.
pub(super) fn paths(tokens: TokenStream) -> Vec<(Vec<String>, usize)> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let start = at;
        at += 1;
        match token {
            TokenTree::Group(group) => found.extend(paths(group.stream())),
            TokenTree::Ident(first) => {
                let segments = path(first, &tokens, &mut at);
                // `value.field` and `::krate` name nothing of this crate.
                let member = is_before(&tokens, start, 1, '.') && segments.len() == 1;
                let foreign = is_before(&tokens, start, 1, ':') && is_before(&tokens, start, 2, ':');
                if !member && !foreign {
                    found.push((segments, first.span().start().line));
                }
            }
            _ => {}
        }
    }
    found
}

/// The path that begins with `first`; `at` is moved to behind it.
fn path(first: &Ident, tokens: &[TokenTree], at: &mut usize) -> Vec<String> {
    let mut segments = vec![first.to_string()];
    while let Some([one, two, TokenTree::Ident(next)]) = tokens.get(*at..*at + 3)
        && is(one, ':')
        && is(two, ':')
    {
        segments.push(next.to_string());
        *at += 3;
    }
    segments
}

fn is_before(tokens: &[TokenTree], at: usize, back: usize, mark: char) -> bool {
    let token = at.checked_sub(back).and_then(|at| tokens.get(at));
    token.is_some_and(|token| is(token, mark))
}

fn is(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

/// Paths in strings, as in `#[serde(with = "crate::date")]`.
pub(super) fn paths_in_strings(tokens: TokenStream) -> Vec<(Vec<String>, usize)> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => found.extend(paths_in_strings(group.stream())),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                if let Ok(path) = syn::parse_str::<syn::Path>(text.trim_matches('"'))
                    && path.segments.len() > 1
                {
                    found.push((super::segments(&path), literal.span().start().line));
                }
            }
            _ => {}
        }
    }
    found
}
