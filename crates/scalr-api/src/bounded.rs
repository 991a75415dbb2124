//! Bounds of texts in an answer: a server that goes wrong must not fill states, logs and messages.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// Longest text for people; a longer one is cut.
const TEXT_CHARS_MAX: usize = 1_000;
/// Longest code or status; a longer one is cut.
const WORD_CHARS_MAX: usize = 128;
/// Longest name; a longer one is refused, since half a name is another.
const NAME_CHARS_MAX: usize = 1_024;

/// The text, cut to so many characters with a sign that it was.
pub(crate) fn cut(mut text: String, chars_max: usize) -> String {
    if let Some((at, _)) = text.char_indices().nth(chars_max) {
        text.truncate(at);
        text.push('…');
        text.shrink_to_fit();
    }
    text
}

/// A text for people.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.map(|text| cut(text, TEXT_CHARS_MAX)))
}

/// A code, where there is one.
pub(crate) fn code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.map(|text| cut(text, WORD_CHARS_MAX)))
}

/// A status or another word.
pub(crate) fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(cut(String::deserialize(deserializer)?, WORD_CHARS_MAX))
}

/// A name.
pub(crate) fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.chars().nth(NAME_CHARS_MAX) {
        None => Ok(text),
        Some(_) => Err(D::Error::custom(format_args!(
            "a name of more than {NAME_CHARS_MAX} characters"
        ))),
    }
}

/// A name, where there is one.
pub(crate) fn optional_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    struct Name(#[serde(deserialize_with = "name")] String);
    let name = Option::<Name>::deserialize(deserializer)?;
    Ok(name.map(|Name(name)| name))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{ConnectionAttributes, ErrorObject, RunStatus, Status};

    #[test]
    fn a_text_is_cut_at_a_character() {
        assert_eq!(cut("äöü".to_owned(), 2), "äö…");
        assert_eq!(cut("äöü".to_owned(), 3), "äöü");
        assert_eq!(cut(String::new(), 0), "");
    }

    fn connection(member: &str, value: &str) -> Result<ConnectionAttributes, String> {
        let mut attributes = json!({ "name": "p", "aws-account-id": "1", "region": "r", "status": "active" });
        attributes[member] = Value::from(value);
        serde_json::from_value(attributes).map_err(|error| error.to_string())
    }

    #[test]
    fn no_text_of_an_answer_is_longer_than_its_bound() {
        let long = "x".repeat(1 << 20);
        let object =
            |member: &str| -> ErrorObject { serde_json::from_value(json!({ member: long })).unwrap() };
        for (text, chars) in [
            (object("detail").detail, TEXT_CHARS_MAX),
            (object("title").title, TEXT_CHARS_MAX),
            (object("code").code, WORD_CHARS_MAX),
            (object("status").status, WORD_CHARS_MAX),
            (
                connection("err-message", &long).unwrap().err_message,
                TEXT_CHARS_MAX,
            ),
            (
                Some(connection("status", &long).unwrap().status.to_string()),
                WORD_CHARS_MAX,
            ),
        ] {
            assert_eq!(text.unwrap().chars().count(), chars + 1);
        }
        let status: RunStatus = serde_json::from_value(json!(long)).unwrap();
        assert_eq!(status.as_str().chars().count(), WORD_CHARS_MAX + 1);
        assert_eq!(
            serde_json::from_value::<Status>(json!("failed")).unwrap(),
            Status::Failed
        );
        for member in [
            "name",
            "region",
            "aws-account-id",
            "event-source",
            "event-source-arn",
        ] {
            let error = connection(member, &long).unwrap_err();
            assert_eq!(error, "a name of more than 1024 characters", "{member}");
        }
    }
}
