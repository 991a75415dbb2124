//! Filter patterns: terms and phrases, a regular expression, or comparisons on the fields of JSON messages and of
//! messages whose fields are separated by spaces.

use regex::Regex;
use serde_json::Value;

use crate::fault::Fault;

mod json;
mod reader;
mod spaced;

/// A parsed filter pattern.
#[derive(Debug)]
pub(super) enum Filter {
    Everything,
    Terms(Terms),
    Matches(Regex),
    Json(json::Expression),
    Spaced(spaced::Fields),
}

/// `a "b c" -d`, or `?a ?b`.
#[derive(Debug, Default)]
pub(super) struct Terms {
    all: Vec<String>,
    none: Vec<String>,
    any: Vec<String>,
}

/// A pattern, or the error that calls answer with. It may take long: before the engine's lock is taken.
pub(super) fn parsed(text: &str) -> Result<Filter, Fault> {
    Filter::parse(text).map_err(|why| Fault::parameter(format!("Invalid filter pattern: {why}")))
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
            return spaced::Fields::parse(text).map(Self::Spaced);
        }
        let inner = text.strip_prefix('%').and_then(|rest| rest.strip_suffix('%'));
        if let Some(inner) = inner {
            return reader::regex(inner).map(Self::Matches);
        }
        Terms::parse(text).map(Self::Terms)
    }

    /// How much a message costs, compared with reading its bytes once.
    pub(super) fn passes(&self) -> usize {
        match self {
            Self::Everything => 0,
            Self::Terms(terms) => terms.all.len() + terms.none.len() + terms.any.len(),
            Self::Matches(_) => 2,
            Self::Spaced(_) => 4,
            Self::Json(expression) => 4 + expression.count(),
        }
    }

    pub(super) fn matches(&self, message: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Terms(terms) => terms.matches(message),
            Self::Matches(regex) => regex.is_match(message),
            Self::Spaced(fields) => fields.matches(message),
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
            let (term, after) = term(body.trim_start())?;
            list.push(term);
            rest = after.trim_start();
        }
        Ok(terms)
    }

    /// AWS ignores terms with a `?` when there are others.
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
            (
                "\"ERROR\" - \"Exiting\"",
                "Exiting with ERRORCODE: -1",
                Some(false),
            ),
            ("\"ERROR\" - \"Exiting\"", "[ERROR] A fatal exception", Some(true)),
            ("-", "x", None),
            ("%AUTHORIZED%", "[ERROR 401] UNAUTHORIZED REQUEST", Some(true)),
            ("%AUTHORIZED%", "FORBIDDEN", Some(false)),
            (
                r"%\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}%",
                "from 10.21.0.30 now",
                Some(true),
            ),
            ("%[Ee]rror|[Ff]ail%", "it Failed", Some(true)),
            ("%^[hc]at%", "a hat", Some(false)),
            ("%something!%", "something!", None),
            ("%(a)%", "a", None),
            ("%[%", "[", None),
            ("%%", "", None),
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
            (r#"{ $.a.l = "x" }"#, Some(false)),
            (r#"{ $.a.l != "x" }"#, Some(false)),
            (r"{ $.a.l != 1 }", Some(false)),
            (r"{ $.a.n = * }", Some(true)),
            (r"{ $.a.b != nan }", Some(true)),
            (r"{ $.a.n < +1e1 && $.a.n > -1.5 }", Some(true)),
            (r"{ $.a.n > 5 || $.a.n < 5 }", Some(false)),
            (r"{ $.a.b = %^te.t$% }", Some(true)),
            (r"{ $.a.b != %^x% && $.a.n = %[0-9]% }", Some(true)),
            (r"{ $.a.b = %a% || $.a.b = %b% || $.a.b = %c% }", None),
            (r"{ $.a.b > %a% }", None),
            (r"{ $.a.b = %a }", None),
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

    #[test]
    fn fields_between_blanks() {
        let line = r#"127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534"#;
        for (pattern, expected) in [
            (
                "[ip, id, user, timestamp, request, status_code, bytes]",
                Some(true),
            ),
            ("[ip, id, user, timestamp, request, status_code]", Some(false)),
            ("[ip, id, ...]", Some(true)),
            ("[..., status_code, bytes]", Some(true)),
            ("[ip, ..., bytes]", Some(true)),
            ("[a, b, c, d, e, f, g, h, ...]", Some(false)),
            ("[..., status_code = 404, bytes]", Some(true)),
            ("[..., status_code = 4*, bytes > 1000]", Some(true)),
            (
                "[..., status_code = 4* && status_code != 404, bytes]",
                Some(false),
            ),
            (
                "[..., (status_code = 500 || status_code = 404) && status_code < 410, bytes]",
                Some(true),
            ),
            ("[..., request=*.html*, status_code=4*,]", Some(true)),
            ("[..., request = \"GET *\", status_code, bytes]", Some(true)),
            ("[ip, id, user = fr*, ...]", Some(true)),
            ("[ip, id, user != frank, ...]", Some(false)),
            ("[ip, id, user != 5, ...]", Some(true)),
            ("[ip=%127\\.0\\.0\\.[1-9]%, ...]", Some(true)),
            ("[..., timestamp = *2000*, request, code, bytes]", Some(true)),
            ("[...]", Some(true)),
            ("[..., a, ...]", None),
            ("[a", None),
            ("[a =]", None),
            ("[a b]", None),
            ("[a > x]", None),
            ("[(a = 1]", None),
        ] {
            assert_eq!(check(pattern, line), expected, "{pattern}");
        }
        assert_eq!(check("[w1=ERROR || w1=WARN, w2]", "WARN message"), Some(true));
        assert_eq!(check("[w1=ERROR, w2]", "WARN message"), Some(false));
        assert_eq!(check("[a]", "[open"), Some(true));
        assert_eq!(check("[a]", ""), Some(false));
    }
}
