//! Where a value of the event is nearly what the pattern looks for: another type of the same spelling, or another case.

use serde_json::Value;

use crate::explain::Leaf;

/// How a value of the event nearly is what a comparison looks for. Both are JSON texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NearMiss {
    /// One is a text, the other a number, a boolean or null that is spelt alike.
    Type {
        /// What the pattern looks for.
        wanted: String,
        /// What the event has.
        found: String,
    },
    /// Both are texts, and only the case of letters differs.
    Case {
        /// What the pattern looks for, of a text or of its beginning or end.
        wanted: String,
        /// What the event has.
        found: String,
    },
}

impl Leaf {
    /// How a value that the leaf misses nearly is right; none where it matched.
    pub fn near_miss(&self) -> Option<NearMiss> {
        if self.matched {
            return None;
        }
        let wanted: Vec<Value> = serde_json::from_str(&self.expected).ok()?;
        let found = || {
            let values = self.found.iter();
            values.filter_map(|text| Some((text, serde_json::from_str::<Value>(text).ok()?)))
        };
        let misses = wanted
            .iter()
            .flat_map(|wanted| found().filter_map(move |(text, found)| near(wanted, &found, text)));
        // What has another type is certainly meant.
        let (types, cases): (Vec<_>, Vec<_>) = misses.partition(|miss| matches!(miss, NearMiss::Type { .. }));
        types.into_iter().chain(cases).next()
    }
}

fn near(wanted: &Value, found: &Value, text: &str) -> Option<NearMiss> {
    let shown = || (wanted.to_string(), text.to_owned());
    match (wanted, found) {
        (Value::Object(matcher), Value::String(found)) => {
            let is_near = matcher
                .iter()
                .any(|(name, wanted)| match (name.as_str(), wanted) {
                    ("prefix", Value::String(wanted)) => {
                        found.to_lowercase().starts_with(&wanted.to_lowercase())
                    }
                    ("suffix", Value::String(wanted)) => {
                        found.to_lowercase().ends_with(&wanted.to_lowercase())
                    }
                    _ => false,
                });
            is_near
                .then(shown)
                .map(|(wanted, found)| NearMiss::Case { wanted, found })
        }
        (Value::Object(_) | Value::Array(_), _) | (_, Value::Object(_) | Value::Array(_)) => None,
        (Value::String(wanted), Value::String(found)) => (wanted.to_lowercase() == found.to_lowercase())
            .then(shown)
            .map(|(wanted, found)| NearMiss::Case { wanted, found }),
        (Value::String(spelt), other) | (other, Value::String(spelt)) => {
            let other = other.to_string();
            (other == *spelt)
                .then(shown)
                .map(|(wanted, found)| NearMiss::Type { wanted, found })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pattern;

    #[track_caller]
    fn check(wanted: &str, found: &str, want: Option<&NearMiss>) {
        let pattern = Pattern::compile(&format!(r#"{{"a": {wanted}}}"#)).unwrap();
        let explained = pattern.explain(&format!(r#"{{"a": {found}}}"#)).unwrap();
        assert_eq!(explained.leaves[0].near_miss().as_ref(), want, "{wanted} {found}");
    }

    #[test]
    fn near_misses_are_told_from_others() {
        let types = |wanted: &str, found: &str| {
            Some(NearMiss::Type {
                wanted: wanted.to_owned(),
                found: found.to_owned(),
            })
        };
        let case = |wanted: &str, found: &str| {
            Some(NearMiss::Case {
                wanted: wanted.to_owned(),
                found: found.to_owned(),
            })
        };
        check(r#"["true"]"#, "true", types(r#""true""#, "true").as_ref());
        check("[true]", r#""true""#, types("true", r#""true""#).as_ref());
        check(r#"["201"]"#, "201", types(r#""201""#, "201").as_ref());
        check("[null]", r#""null""#, types("null", r#""null""#).as_ref());
        check(
            r#"["x", "Prod"]"#,
            r#"["prod", "y"]"#,
            case(r#""Prod""#, r#""prod""#).as_ref(),
        );
        check(
            r#"[{"prefix": "Prod-"}]"#,
            r#""prod-a""#,
            case(r#"{"prefix":"Prod-"}"#, r#""prod-a""#).as_ref(),
        );
        check(
            r#"[{"suffix": "-A"}]"#,
            r#""prod-a""#,
            case(r#"{"suffix":"-A"}"#, r#""prod-a""#).as_ref(),
        );
        check(
            r#"["TRUE", "true"]"#,
            r#"[true, "True"]"#,
            types(r#""true""#, "true").as_ref(),
        );
        // These match, or are something else.
        check(r#"["true"]"#, r#""true""#, None);
        check(r#"["errored"]"#, r#""applied""#, None);
        check("[true]", "false", None);
        check(r#"["x"]"#, r#"{"b": "x"}"#, None);
        check(r#"[{"anything-but": "x"}]"#, r#""x""#, None);
    }
}
