//! Which values agree: what is planned with what is applied, what is written with what is planned.

use serde_json::Value as Json;
use tfplugin::testing::UNKNOWN;

/// Where the two differ: what is known of the first must be so in the second.
pub(super) fn difference(known: &Json, found: &Json) -> Option<String> {
    differs("", known, found, false)
}

/// The same where null says nothing: what is written must be so in the plan.
pub(super) fn contradiction(written: &Json, planned: &Json) -> Option<String> {
    differs("", written, planned, true)
}

fn differs(at: &str, known: &Json, found: &Json, null_is_open: bool) -> Option<String> {
    match (known, found) {
        (Json::Null, _) if null_is_open => None,
        (Json::String(text), _) if text == UNKNOWN => None,
        (Json::Object(known), Json::Object(found)) => {
            let more = found
                .keys()
                .filter(|key| !null_is_open && !known.contains_key(*key));
            known.keys().chain(more).find_map(|key| {
                let of = |all: &serde_json::Map<String, Json>| all.get(key).cloned().unwrap_or_default();
                differs(&format!("{at}.{key}"), &of(known), &of(found), null_is_open)
            })
        }
        // Elements of a set that are not known yet may turn out to be one.
        (Json::Array(known), Json::Array(found)) if known.iter().any(is_unknown) => {
            let is_there = |one: &Json| is_unknown(one) || found.contains(one);
            let is_so = known.iter().all(is_there) && found.len() <= known.len();
            (!is_so).then(|| format!("`{at}`: {known:?} became {found:?}"))
        }
        _ => (known != found).then(|| format!("`{at}`: {known} became {found}")),
    }
}

fn is_unknown(value: &Json) -> bool {
    value == UNKNOWN
}

/// The value without these attributes, which are named by their paths.
pub(super) fn without<'p>(value: &Json, paths: impl IntoIterator<Item = &'p str>) -> Json {
    let mut value = value.clone();
    for path in paths {
        let pointer = format!("/{}", path.replace('.', "/"));
        if let Some(found) = value.pointer_mut(&pointer) {
            *found = Json::Null;
        }
    }
    value
}

/// The value without attributes that are as where nothing is written.
pub(super) fn without_usual<'p>(value: &Json, usual: impl IntoIterator<Item = (&'p str, &'p str)>) -> Json {
    let is_usual = |(path, usual): &(&str, &str)| {
        let pointer = format!("/{}", path.replace('.', "/"));
        value.pointer(&pointer).map(Json::to_string).as_deref() == Some(*usual)
    };
    without(value, usual.into_iter().filter(is_usual).map(|(path, _)| path))
}

/// The value without what is empty in it, which an import cannot tell from what is not written; none where all of it is.
pub(super) fn filled(value: &Json) -> Option<Json> {
    match value {
        Json::Null => None,
        Json::String(text) if text.is_empty() => None,
        Json::Object(all) => {
            let filled = |(key, one): (&String, &Json)| Some((key.clone(), filled(one)?));
            let all: serde_json::Map<String, Json> = all.iter().filter_map(filled).collect();
            (!all.is_empty()).then_some(Json::Object(all))
        }
        other => Some(other.clone()),
    }
}

/// The places of a configuration that may be unknown in a plan: attributes, and what is in them.
pub(super) fn places(config: &Json) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in config.as_object().into_iter().flatten() {
        found.push(format!("/{key}"));
        match value {
            Json::Object(inner) => {
                found.extend(inner.keys().map(|inner| format!("/{key}/{}", escaped(inner))));
            }
            Json::Array(inner) => {
                found.extend((0..inner.len()).map(|n| format!("/{key}/{n}")));
            }
            _ => {}
        }
    }
    found
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[test]
fn what_is_known_has_to_be_found() {
    for (known, found, same) in [
        (r#"{"a": 1}"#, r#"{"a": 1}"#, true),
        (r#"{"a": 1}"#, r#"{"a": 2}"#, false),
        (r#"{"a": 1}"#, r#"{"a": 1, "b": 2}"#, false),
        (r#"{"a": null}"#, "{}", true),
        ("{\"a\": \"\\u0001unknown\\u0001\"}", r#"{"a": [2]}"#, true),
        ("{\"a\": [1, \"\\u0001unknown\\u0001\"]}", r#"{"a": [1]}"#, true),
        (
            "{\"a\": [1, \"\\u0001unknown\\u0001\"]}",
            r#"{"a": [2, 3]}"#,
            false,
        ),
        (r#"{"a": {"b": true}}"#, r#"{"a": {"b": false}}"#, false),
    ] {
        let [known, found] = [known, found].map(|text| serde_json::from_str::<Json>(text).unwrap());
        assert_eq!(difference(&known, &found).is_none(), same, "{known} {found}");
    }
}
