//! JSON kept as text: minified, values cut out by path, with key order and number spelling unchanged.

mod compact;

pub(crate) use compact::compact_object;

/// Adds a text as a JSON string.
pub(crate) fn quote(text: &str, out: &mut String) {
    if event_pattern::plain(text.as_bytes()) == text.len() {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}

/// The same JSON without whitespace between tokens. The text is valid JSON.
pub(crate) fn minify(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in text.chars() {
        if in_string {
            out.push(c);
            (in_string, escaped) = (escaped || c != '"', !escaped && c == '\\');
        } else if !matches!(c, ' ' | '\t' | '\n' | '\r') {
            out.push(c);
            in_string = c == '"';
        }
    }
    out
}

/// One step of a path into JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
    /// `*`: each member of an object, each item of a list.
    Every,
}

/// A path as input paths write it: `$`, `$.detail.event`, `$.resources[0]`, `$['detail-type']`.
pub(crate) fn parse_path(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            if end == 0 {
                return None;
            }
            steps.push(match &after[..end] {
                "*" => Step::Every,
                key => Step::Key(key.to_owned()),
            });
            rest = &after[end..];
        } else {
            let inner = rest.strip_prefix('[')?;
            let end = inner.find(']')?;
            let inside = &inner[..end];
            let quoted = ['\'', '"']
                .iter()
                .find_map(|q| inside.strip_prefix(*q)?.strip_suffix(*q));
            steps.push(match quoted {
                Some(key) => Step::Key(key.to_owned()),
                None if inside == "*" => Step::Every,
                None => Step::Index(inside.parse().ok()?),
            });
            rest = &inner[end + 1..];
        }
    }
    Some(steps)
}

/// The text of the value at `steps`, in minified, valid JSON; the first, where there are more.
pub(crate) fn cut<'t>(text: &'t str, steps: &[Step]) -> Option<&'t str> {
    let mut found = Vec::new();
    cut_all(text, steps, &mut found);
    found.first().copied()
}

/// The texts of all values at `steps`, in order; where a text is not JSON, those before that place.
pub(crate) fn cut_all<'t>(text: &'t str, steps: &[Step], found: &mut Vec<&'t str>) {
    let Some((step, below)) = steps.split_first() else {
        found.extend(value_end(text).map(|end| &text[..end]));
        return;
    };
    let open = match (step, text.as_bytes().first()) {
        (Step::Key(_) | Step::Every, Some(b'{')) => b'{',
        (Step::Index(_) | Step::Every, Some(b'[')) => b'[',
        _ => return,
    };
    let (mut rest, mut at) = (&text[1..], 0);
    while let Some((name, value)) = entry(rest, open) {
        let fits = match step {
            Step::Key(key) => name.is_some_and(|name| name == *key),
            Step::Index(index) => *index == at,
            Step::Every => true,
        };
        if fits {
            cut_all(value, below, found);
            if *step != Step::Every {
                return;
            }
        }
        let after = value_end(value).and_then(|end| value[end..].strip_prefix(','));
        let Some(after) = after else { return };
        rest = after;
        at += 1;
    }
}

/// The name, in an object, and the text from the value on.
fn entry(text: &str, open: u8) -> Option<(Option<String>, &str)> {
    let end = value_end(text)?;
    if open == b'[' {
        return Some((None, text));
    }
    let name = serde_json::from_str(&text[..end]).ok()?;
    Some((Some(name), text[end..].strip_prefix(':')?))
}

/// Where the value that `text` starts with ends; `None` when it starts with none.
fn value_end(text: &str) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        if in_string {
            (in_string, escaped) = (escaped || byte != b'"', !escaped && byte == b'\\');
            if !in_string && depth == 0 {
                return Some(at + 1);
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' | b',' | b':' if depth == 0 => return (at > 0).then_some(at),
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    (depth == 0 && !in_string && !text.is_empty()).then_some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_as_json_has_them() {
        for text in ["", "plain é \u{7f}", "a\"b", "\\", "\n", "\u{1}\u{1f} "] {
            let mut out = "x".to_owned();
            quote(text, &mut out);
            assert_eq!(out, format!("x{}", serde_json::Value::from(text)), "{text}");
        }
    }

    #[test]
    fn whitespace_goes_and_nothing_else() {
        for (text, expected) in [
            ("{ \"a\" : [ 1.0 , 2e3 ] }", r#"{"a":[1.0,2e3]}"#),
            (r#"{"a":" x \" y \\"} "#, r#"{"a":" x \" y \\"}"#),
            ("\n{}\t", "{}"),
        ] {
            assert_eq!(minify(text), expected);
        }
    }

    #[test]
    fn values_are_cut_out_by_path() {
        let event = r#"{"a":{"b c":[10,{"d":"x,\"}"},null],"n":1.50},"detail-type":"T","e":{}}"#;
        for (path, expected) in [
            ("$", Some(event)),
            ("$.a.n", Some("1.50")),
            ("$.detail-type", Some("\"T\"")),
            ("$['detail-type']", Some("\"T\"")),
            ("$.a['b c'][0]", Some("10")),
            ("$.a.b c[1].d", Some(r#""x,\"}""#)),
            ("$.a.b c[2]", Some("null")),
            ("$.a.b c[3]", None),
            ("$.e", Some("{}")),
            ("$.e.x", None),
            ("$.zz", None),
            ("$.a.n.x", None),
        ] {
            assert_eq!(cut(event, &parse_path(path).unwrap()), expected, "{path}");
        }
        for (path, expected) in [
            ("$.a.*", vec![r#"[10,{"d":"x,\"}"},null]"#, "1.50"]),
            ("$.a['b c'][*]", vec!["10", r#"{"d":"x,\"}"}"#, "null"]),
            ("$.a.b c[*].d", vec![r#""x,\"}""#]),
            ("$.e.*", vec![]),
            ("$.detail-type[*]", vec![]),
        ] {
            let mut found = Vec::new();
            cut_all(event, &parse_path(path).unwrap(), &mut found);
            assert_eq!(found, expected, "{path}");
        }
        for bad in ["", "a", "$.", "$..a", "$[", "$[x]", "$x"] {
            assert_eq!(parse_path(bad), None, "{bad}");
        }
    }
}
