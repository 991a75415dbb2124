//! JSON checked and made compact in one pass, without recursion, so that depth costs no stack.

use std::borrow::Cow;

/// AWS processes JSON up to this depth.
const DEPTH_MAX: usize = 1000;

/// The object without whitespace between its tokens, key order and number spelling untouched; borrowed where there is
/// none. `None` where the text is not one JSON object, or nests deeper than AWS processes.
pub(crate) fn compact_object(text: &str) -> Option<Cow<'_, str>> {
    let mut scan = Scan {
        text,
        at: 0,
        copied: 0,
        out: String::new(),
    };
    scan.blank();
    if scan.next() != Some(b'{') {
        return None;
    }
    scan.document()?;
    if scan.copied == 0 {
        return Some(Cow::Borrowed(text));
    }
    scan.out.push_str(&text[scan.copied..]);
    Some(Cow::Owned(scan.out))
}

/// A reader of JSON at a byte of its text. Its methods give `None` where the text is not JSON.
struct Scan<'t> {
    text: &'t str,
    at: usize,
    /// How much of the text is in `out`, or is whitespace that was left out.
    copied: usize,
    out: String,
}

impl Scan<'_> {
    fn document(&mut self) -> Option<()> {
        let mut open: Vec<u8> = Vec::new();
        loop {
            // A value starts here.
            self.blank();
            match self.next()? {
                b'{' if open.len() < DEPTH_MAX => {
                    self.at += 1;
                    if !self.took(b'}') {
                        open.push(b'}');
                        self.key()?;
                        continue;
                    }
                }
                b'[' if open.len() < DEPTH_MAX => {
                    self.at += 1;
                    if !self.took(b']') {
                        open.push(b']');
                        continue;
                    }
                }
                b'"' => self.string()?,
                b'-' | b'0'..=b'9' => self.number()?,
                _ => self.word()?,
            }
            // A value has ended here.
            loop {
                let Some(end) = open.last().copied() else {
                    self.blank();
                    return self.next().is_none().then_some(());
                };
                if self.took(b',') {
                    if end == b'}' {
                        self.key()?;
                    }
                    break;
                }
                if !self.took(end) {
                    return None;
                }
                open.pop();
            }
        }
    }

    fn key(&mut self) -> Option<()> {
        self.blank();
        if self.next() != Some(b'"') {
            return None;
        }
        self.string()?;
        self.took(b':').then_some(())
    }

    /// A string, from its first quote on.
    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let plain = event_pattern::plain(rest);
            self.at += plain + 1;
            match rest.get(plain)? {
                b'"' => return Some(()),
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
    }

    /// What comes after a backslash.
    fn escape(&mut self) -> Option<()> {
        let kind = self.next()?;
        self.at += 1;
        match kind {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let hex = self.text.as_bytes().get(self.at..self.at + 4)?;
                self.at += 4;
                hex.iter().all(u8::is_ascii_hexdigit).then_some(())
            }
            _ => None,
        }
    }

    fn number(&mut self) -> Option<()> {
        self.skip(b"-");
        if !self.skip(b"0") {
            self.digits()?;
        }
        if self.skip(b".") {
            self.digits()?;
        }
        if self.skip(b"eE") {
            self.skip(b"+-");
            self.digits()?;
        }
        Some(())
    }

    /// One digit or more.
    fn digits(&mut self) -> Option<()> {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        (count > 0).then_some(())
    }

    fn word(&mut self) -> Option<()> {
        let rest = &self.text.as_bytes()[self.at..];
        let words = [&b"true"[..], b"false", b"null"];
        let word = words.into_iter().find(|word| rest.starts_with(word))?;
        self.at += word.len();
        Some(())
    }

    /// Passes one byte if it is any of these.
    fn skip(&mut self, any_of: &[u8]) -> bool {
        let found = self.next().is_some_and(|byte| any_of.contains(&byte));
        self.at += usize::from(found);
        found
    }

    /// Passes this byte if it is the next token.
    fn took(&mut self, byte: u8) -> bool {
        self.blank();
        self.skip(&[byte])
    }

    /// Passes whitespace, and leaves it out.
    fn blank(&mut self) {
        let start = self.at;
        while matches!(self.next(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        if self.at > start {
            self.out.reserve(self.text.len() - self.copied);
            self.out.push_str(&self.text[self.copied..start]);
            self.copied = self.at;
        }
    }

    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn only_objects_are_compacted() {
        let deep = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        let (deepest, too_deep) = (deep(999), deep(1000));
        for (text, expected) in [
            ("{}", Some("{}")),
            (
                " { \"a\" : [ 1 , -2.5e3 , true , null , \"x\\\"y \" , { } ] , \"b\" : { \"c\" : [ ] } } ",
                Some(r#"{"a":[1,-2.5e3,true,null,"x\"y ",{}],"b":{"c":[]}}"#),
            ),
            ("{\"a\":0.10E-07}\n", Some("{\"a\":0.10E-07}")),
            ("{\"\\u00e9\\/\":\"é\"}", Some("{\"\\u00e9\\/\":\"é\"}")),
            ("", None),
            ("[]", None),
            ("{}x", None),
            ("{} {}", None),
            ("{\"a\"}", None),
            ("{\"a\":}", None),
            ("{\"a\":1,}", None),
            ("{,}", None),
            ("{\"a\":[1,]}", None),
            ("{\"a\":[1 2]}", None),
            ("{\"a\":01}", None),
            ("{\"a\":1.}", None),
            ("{\"a\":-}", None),
            ("{\"a\":1e}", None),
            ("{\"a\":+1}", None),
            ("{\"a\":nul}", None),
            ("{\"a\":truer}", None),
            ("{\"a\":\"\\x\"}", None),
            ("{\"a\":\"\\u12g4\"}", None),
            ("{\"a\":\"\t\"}", None),
            ("{\"a\":[}]", None),
            ("{\"a\":1", None),
            ("{a:1}", None),
            (&deepest, Some(&deepest)),
            (&too_deep, None),
        ] {
            assert_eq!(compact_object(text).as_deref(), expected, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 4_096, ..ProptestConfig::default() })]

        #[test]
        fn it_judges_as_serde_json_does(
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "{", "}", "[", "]", ",", ":", "\"a\"", "\"", "\\", "\\u00e9", "\\n", "é", " ", "\n", "1", "0", "-", ".", "e", "E+",
                    "true", "null", "{\"a\":", "{\"b\":[", "]}", "}}", "01", "-0.5", "2.", "3e", "4e-05", "\"\\u12\"", "[ 1, 2 ]",
                ]),
                0..6,
            ),
        ) {
            let text = format!("{{\"k\":{}}}", pieces.concat());
            let compact = compact_object(&text);
            prop_assert_eq!(compact.is_some(), serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok(), "{}", text);
            if let Some(compact) = compact {
                // A lone surrogate is JSON, and no value.
                if let Ok(value) = serde_json::from_str::<Value>(&text) {
                    prop_assert_eq!(serde_json::from_str::<Value>(&compact).ok(), Some(value));
                }
                prop_assert_eq!(compact_object(&compact), Some(Cow::Borrowed(&*compact)));
            }
        }
    }
}
