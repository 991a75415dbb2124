//! Filter patterns: terms and phrases, or comparisons on the fields of JSON messages.

use serde_json::Value;

mod json;

/// A parsed filter pattern.
#[derive(Debug)]
pub(super) enum Filter {
    Everything,
    Terms(Terms),
    Json(json::Expression),
}

/// `a "b c" -d`, or `?a ?b`.
#[derive(Debug, Default)]
pub(super) struct Terms {
    all: Vec<String>,
    none: Vec<String>,
    any: Vec<String>,
}

impl Filter {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self::Everything);
        }
        if text.starts_with('{') {
            return json::parse(text).map(Self::Json);
        }
        if text.starts_with('[') {
            return Err("patterns for space-delimited events are not supported by the local AWS".to_owned());
        }
        Terms::parse(text).map(Self::Terms)
    }

    pub(super) fn matches(&self, message: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Terms(terms) => terms.matches(message),
            Self::Json(expression) => serde_json::from_str::<Value>(message)
                .is_ok_and(|value| value.is_object() && expression.holds(&value)),
        }
    }
}

impl Terms {
    fn parse(text: &str) -> Result<Self, String> {
        let mut terms = Self::default();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let list = match first {
                '?' => &mut terms.any,
                '-' => &mut terms.none,
                _ => &mut terms.all,
            };
            let body = rest.strip_prefix(['?', '-']).unwrap_or(rest);
            let (term, after) = term(body)?;
            list.push(term);
            rest = after.trim_start();
        }
        Ok(terms)
    }

    /// Beside other terms AWS ignores those with a `?`.
    fn matches(&self, message: &str) -> bool {
        let has = |term: &String| message.contains(term.as_str());
        if self.all.is_empty() && self.none.is_empty() {
            return self.any.iter().any(has);
        }
        self.all.iter().all(has) && !self.none.iter().any(has)
    }
}

fn term(text: &str) -> Result<(String, &str), String> {
    if let Some(inner) = text.strip_prefix('"') {
        return quoted(inner);
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (term, rest) = text.split_at(end);
    if term.is_empty() {
        return Err("a term is missing".to_owned());
    }
    if let Some(odd) = term.chars().find(|c| !c.is_alphanumeric() && *c != '_') {
        return Err(format!(
            "Invalid character(s) in term '{term}': put terms with '{odd}' in double quotes"
        ));
    }
    Ok((term.to_owned(), rest))
}

/// The text up to the closing quote, with `\"` and `\\` undone, and what follows.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((out, &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, next @ ('"' | '\\'))) => out.push(next),
                Some((_, next)) => out.extend(['\\', next]),
                None => break,
            },
            other => out.push(other),
        }
    }
    Err("a quote is not closed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, message: &str) -> Option<bool> {
        Filter::parse(pattern).ok().map(|filter| filter.matches(message))
    }

    #[test]
    fn terms_phrases_and_alternatives() {
        for (pattern, message, expected) in [
            ("", "x", Some(true)),
            ("ERROR", "an ERROR here", Some(true)),
            ("ERROR", "an error here", Some(false)),
            ("a b", "b and a", Some(true)),
            ("a b", "only b", Some(false)),
            ("a -b", "a c", Some(true)),
            ("a -b", "a b", Some(false)),
            ("-b", "a", Some(true)),
            ("?x ?y", "has y", Some(true)),
            ("?x ?y", "has z", Some(false)),
            ("?x z", "only z", Some(true)),
            ("\"a b\"", "x a b y", Some(true)),
            ("\"a b\"", "b a", Some(false)),
            (r#""say \"x\"""#, r#"say "x" now"#, Some(true)),
            ("-\"a b\"", "x a b y", Some(false)),
            ("run-1", "run-1", None),
            ("\"open", "open", None),
            ("[a, b]", "x", None),
        ] {
            assert_eq!(check(pattern, message), expected, "{pattern} on {message}");
        }
    }

    #[test]
    fn json_selectors() {
        let message =
            r#"{"a":{"b":"text","n":5,"t":true,"z":null,"l":[1,{"k":"v"}]},"detail-type":"RunExecuted"}"#;
        for (pattern, expected) in [
            (r#"{ $.a.b = "text" }"#, Some(true)),
            (r#"{ $.a.b = "te*" }"#, Some(true)),
            (r#"{ $.a.b = "x*" }"#, Some(false)),
            (r#"{ $.a.b != "text" }"#, Some(false)),
            (r#"{ $.a.b != "t?xt" }"#, Some(true)),
            (r"{ $.a.b = text }", Some(true)),
            (r"{ $.a.n > 4 }", Some(true)),
            (r"{ $.a.n >= 5.0 }", Some(true)),
            (r"{ $.a.n < 5 }", Some(false)),
            (r"{ $.a.n = 5e0 }", Some(true)),
            (r"{ $.a.n != 5 }", Some(false)),
            (r"{ $.a.t IS TRUE }", Some(true)),
            (r"{ $.a.t IS FALSE }", Some(false)),
            (r"{ $.a.z IS NULL }", Some(true)),
            (r"{ $.a.y NOT EXISTS }", Some(true)),
            (r"{ $.a.b NOT EXISTS }", Some(false)),
            (r"{ $.a.l[0] = 1 }", Some(true)),
            (r#"{ $.a.l[1].k = "v" }"#, Some(true)),
            (r#"{ $.a.l[*].k = "v" }"#, Some(true)),
            (r#"{ $.detail-type = "RunExecuted" }"#, Some(true)),
            (r#"{ $.['detail-type'] = "Run*" }"#, Some(true)),
            (r#"{ ($.a.n = 5) && ($.a.b = "text") }"#, Some(true)),
            (r#"{ ($.a.n = 4) || $.a.b = "text" }"#, Some(true)),
            (r#"{ $.a.n = 4 || $.a.n = 5 && $.a.b = "no" }"#, Some(false)),
            (r"{ ($.a.n = 4 || $.a.n = 5) && $.a.t IS TRUE }", Some(true)),
            (r#"{ $.missing = "x" }"#, Some(false)),
            (r"{ $.a.b = }", None),
            (r#"{ $.a.b = "x" "#, None),
            (r#"{ a = "x" }"#, None),
            (r#"{ $.a.n > "x" }"#, None),
            (r"{ }", None),
        ] {
            assert_eq!(check(pattern, message), expected, "{pattern}");
        }
        assert_eq!(check(r"{ $.a NOT EXISTS }", "not json"), Some(false));
    }
}
