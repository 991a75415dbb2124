//! Texts, numbers and maps as attributes take them.

use proptest::collection::{btree_map, btree_set};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::string::string_regex;
use serde_json::{Value as Json, json};

/// Stands in generated names for the number of the trial, so that no two trials meet.
pub(super) const NUMBER: char = '\u{2}';

/// The same in AWS account ids: four digits.
const FOUR_DIGITS: char = '\u{3}';

pub(super) type Values = BoxedStrategy<Json>;
/// A value, or none: the attribute is left out.
pub(super) type Attribute = (&'static str, BoxedStrategy<Option<Json>>);

/// An attribute that is always written.
pub(super) fn always(name: &'static str, values: Values) -> Attribute {
    (name, values.prop_map(Some).boxed())
}

/// One that may be left out.
pub(super) fn perhaps(name: &'static str, values: Values) -> Attribute {
    (name, prop::option::of(values).boxed())
}

/// An object of attributes.
pub(super) fn object(attributes: Vec<Attribute>) -> Values {
    let (names, values): (Vec<_>, Vec<_>) = attributes.into_iter().unzip();
    let of = move |values: Vec<Option<Json>>| {
        let all = names.iter().zip(values);
        let written = all.filter_map(|(name, value)| Some(((*name).to_owned(), value?)));
        Json::Object(written.collect())
    };
    values.prop_map(of).boxed()
}

/// The attributes of both.
pub(super) fn merged(one: &Json, other: &Json) -> Json {
    let mut all = one.clone();
    if let (Some(all), Json::Object(more)) = (all.as_object_mut(), other) {
        all.extend(more.clone());
    }
    all
}

pub(super) fn text(pattern: &str) -> Values {
    string_regex(pattern).unwrap().prop_map(Json::from).boxed()
}

/// A name with the trial's number in it.
pub(super) fn name(pattern: &str) -> Values {
    let named = string_regex(pattern).unwrap();
    named.prop_map(|text| json!(format!("{text}{NUMBER}"))).boxed()
}

/// An AWS account that no other trial has.
pub(super) fn account() -> Values {
    let digits = string_regex("[1-9][0-9]{7}").unwrap();
    digits
        .prop_map(|digits| json!(format!("{digits}{FOUR_DIGITS}")))
        .boxed()
}

pub(super) fn one_of(all: &[&str]) -> Values {
    let all: Vec<Json> = all.iter().copied().map(Json::from).collect();
    select(all).boxed()
}

pub(super) fn of(all: &[String]) -> Values {
    select(all.to_vec()).prop_map(Json::from).boxed()
}

/// Both ends are as likely as all between.
pub(super) fn number(least: i64, most: i64) -> Values {
    prop_oneof![Just(least), Just(most), least..=most]
        .prop_map(Json::from)
        .boxed()
}

pub(super) fn flag() -> Values {
    any::<bool>().prop_map(Json::from).boxed()
}

/// Any printable text; the longest that AWS takes among them.
pub(super) fn description() -> Values {
    prop_oneof![
        4 => text("\\PC{0,40}"),
        1 => text("[a-zé]{512}"),
    ]
    .boxed()
}

/// Keys beside those of default tags; a value may be empty or null.
pub(super) fn tags() -> Values {
    let key = prop_oneof![
        string_regex("[a-zA-Zé0-9][a-zA-Z0-9 _.:/=+@-]{0,8}[a-z]").unwrap(),
        Just("team".to_owned())
    ];
    let value = prop::option::weighted(0.9, string_regex("[a-zA-Zü0-9 _.:/=+@-]{0,9}").unwrap());
    map(key, value)
}

pub(super) fn texts(keys: &str, values: &str) -> Values {
    map(string_regex(keys).unwrap(), string_regex(values).unwrap())
}

fn map<V>(keys: impl Strategy<Value = String> + 'static, values: impl Strategy<Value = V> + 'static) -> Values
where
    V: Into<Json> + std::fmt::Debug + 'static,
{
    let object = |all: std::collections::BTreeMap<String, V>| {
        Json::Object(all.into_iter().map(|(key, value)| (key, value.into())).collect())
    };
    btree_map(keys, values, 0..4).prop_map(object).boxed()
}

/// At least one of these.
pub(super) fn some_of(all: &[String]) -> Values {
    let chosen = btree_set(select(all.to_vec()), 1..=all.len());
    chosen
        .prop_map(|chosen| chosen.into_iter().collect::<Vec<_>>().into())
        .boxed()
}

/// Puts the trial's number into all names.
pub(super) fn numbered(value: &Json, number: usize) -> Json {
    match value {
        Json::String(text) => {
            let text = text.replace(NUMBER, &number.to_string());
            text.replace(FOUR_DIGITS, &format!("{number:04}")).into()
        }
        Json::Array(all) => all.iter().map(|one| numbered(one, number)).collect(),
        Json::Object(all) => {
            let of = |(key, one): (&String, &Json)| (key.clone(), numbered(one, number));
            Json::Object(all.iter().map(of).collect())
        }
        other => other.clone(),
    }
}
