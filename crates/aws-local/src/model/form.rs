//! Inputs of the query protocol: flat names such as `Tags.member.1.Key`, read by the shapes of the model.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Input, Kind, Model, Shape};

/// The pairs of a form, by name.
pub(crate) type Form = BTreeMap<String, String>;

impl Input {
    /// The input as JSON. Pairs that the model does not know are left out; what is not of its member's type stays text,
    /// which the check refuses.
    pub(crate) fn read_form(self, form: &Form) -> Value {
        structure(self.model, self.shape, "", form).unwrap_or_else(|| Value::Object(Map::new()))
    }
}

fn read(model: &Model, shape: &Shape, name: &str, form: &Form) -> Option<Value> {
    match shape.kind {
        Kind::Structure => structure(model, shape, name, form),
        Kind::List => {
            let of = model.shape(shape.of.as_deref()?)?;
            let items = (1..).map_while(|n| read(model, of, &format!("{name}.member.{n}"), form));
            some_of(items.collect::<Vec<_>>())
        }
        Kind::Map => {
            let of = model.shape(shape.value.as_deref()?)?;
            let entry = |n: usize| {
                let key = form.get(&format!("{name}.entry.{n}.key"))?;
                let value = read(model, of, &format!("{name}.entry.{n}.value"), form)?;
                Some((key.clone(), value))
            };
            let entries: Map<String, Value> = (1..).map_while(entry).collect();
            (!entries.is_empty()).then_some(Value::Object(entries))
        }
        Kind::Integer | Kind::Long => {
            let text = form.get(name)?;
            Some(
                text.parse::<i64>()
                    .map_or_else(|_| text.as_str().into(), Value::from),
            )
        }
        Kind::Boolean => {
            let text = form.get(name)?;
            Some(
                text.parse::<bool>()
                    .map_or_else(|_| text.as_str().into(), Value::from),
            )
        }
        Kind::String | Kind::Float | Kind::Double | Kind::Timestamp | Kind::Blob => {
            form.get(name).map(|text| text.as_str().into())
        }
    }
}

fn structure(model: &Model, shape: &Shape, name: &str, form: &Form) -> Option<Value> {
    let member = |(member, of): &(String, String)| {
        let below = if name.is_empty() {
            member.clone()
        } else {
            format!("{name}.{member}")
        };
        Some((member.clone(), read(model, model.shape(of)?, &below, form)?))
    };
    let members: Map<String, Value> = shape.members.iter().filter_map(member).collect();
    (!members.is_empty()).then_some(Value::Object(members))
}

fn some_of(items: Vec<Value>) -> Option<Value> {
    (!items.is_empty()).then_some(Value::Array(items))
}

#[cfg(test)]
mod tests {
    use crate::model::Service;

    fn check(service: Service, operation: &str, pairs: &[(&str, &str)], expected: &str) {
        let form = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let input = service.input(operation).unwrap().read_form(&form.collect());
        assert_eq!(input.to_string(), expected, "{operation} {pairs:?}");
    }

    #[test]
    fn members_lists_and_maps_are_read_by_the_model() {
        let sns = Service::Sns;
        check(sns, "CreateTopic", &[], "{}");
        check(
            sns,
            "CreateTopic",
            &[
                ("Action", "CreateTopic"),
                ("Attributes.entry.1.key", "DisplayName"),
                ("Attributes.entry.1.value", ""),
                ("Attributes.entry.2.key", "KmsMasterKeyId"),
                ("Attributes.entry.2.value", "k"),
                ("Attributes.entry.4.key", "Policy"),
                ("Attributes.entry.4.value", "after a gap"),
                ("Name", "t"),
                ("Tags.member.1.Key", "a"),
                ("Tags.member.1.Value", "1"),
                ("Tags.member.2.Key", "b"),
            ],
            r#"{"Attributes":{"DisplayName":"","KmsMasterKeyId":"k"},"Name":"t","Tags":[{"Key":"a","Value":"1"},{"Key":"b"}]}"#,
        );
        check(
            Service::Sts,
            "AssumeRole",
            &[
                ("DurationSeconds", "900"),
                ("RoleArn", "r"),
                ("TransitiveTagKeys.member.1", "k"),
                ("Odd", "x"),
            ],
            r#"{"DurationSeconds":900,"RoleArn":"r","TransitiveTagKeys":["k"]}"#,
        );
        check(
            Service::Sts,
            "AssumeRole",
            &[("DurationSeconds", "x")],
            r#"{"DurationSeconds":"x"}"#,
        );
    }
}
