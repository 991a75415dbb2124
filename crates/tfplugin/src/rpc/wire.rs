//! Between messages and values: dynamic values, diagnostics, paths, private state.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use crate::cty::{Budget, Type, Val, ValueError, from_json_bytes, from_msgpack, parse_json, to_msgpack};
use crate::diag::{Diagnostic, Diagnostics, Result, Severity};
use crate::log;
use crate::path::{Path, Step};
use crate::proto::tfplugin6 as pb;
use crate::semantics::draft::TIMEOUTS;

/// Reads a value; a message without one is null.
pub(crate) fn value(message: Option<&pb::DynamicValue>, ty: &Type) -> Result<Val> {
    let Some(message) = message else {
        return Ok(Val::Null);
    };
    decode(message, ty, &mut Budget::default()).map_err(|error| {
        Diagnostic::error("Cannot read a value that Terraform sent")
            .detail(format!("The message does not fit the schema: {error}."))
            .at(error.path)
            .into()
    })
}

/// Whether a message holds a null as a whole, without reading it.
pub(crate) fn is_null(message: Option<&pb::DynamicValue>) -> bool {
    const NIL: [u8; 1] = [0xc0];
    message.is_none_or(|message| {
        if message.msgpack.is_empty() {
            message.json.trim_ascii() == b"null"
        } else {
            message.msgpack == NIL
        }
    })
}

/// Reads a value in either encoding. Values that come in any number share a budget.
pub(crate) fn decode(message: &pb::DynamicValue, ty: &Type, budget: &mut Budget) -> Result<Val, ValueError> {
    if !message.msgpack.is_empty() {
        from_msgpack(&message.msgpack, ty, budget)
    } else if !message.json.is_empty() {
        from_json_bytes(&message.json, ty, budget)
    } else {
        Err(ValueError::new("neither msgpack nor JSON is set"))
    }
}

/// Writes a value. A value that does not fit its own schema is a bug of this crate, and becomes a diagnostic.
pub(crate) fn dynamic(value: &Val, ty: &Type, diags: &mut Diagnostics) -> Option<pb::DynamicValue> {
    match to_msgpack(value, ty) {
        Ok(msgpack) => Some(pb::DynamicValue {
            msgpack,
            json: Vec::new(),
        }),
        Err(error) => {
            diags.push(
                Diagnostic::error("The provider returned a value that does not fit its schema")
                    .detail(format!("This is a bug in the provider: {error}."))
                    .at(error.path),
            );
            None
        }
    }
}

/// Writes diagnostics; the type distinguishes attributes from keys in their paths.
pub(crate) fn diagnostics(diags: Diagnostics, ty: &Type) -> Vec<pb::Diagnostic> {
    let one = |one: Diagnostic| pb::Diagnostic {
        severity: match one.severity {
            Severity::Error => pb::diagnostic::Severity::Error.into(),
            Severity::Warning => pb::diagnostic::Severity::Warning.into(),
        },
        summary: log::scrub(&one.summary),
        detail: log::scrub(&one.detail),
        attribute: (!one.path.is_empty()).then(|| pointer(&one.path, ty)),
    };
    diags.into_iter().map(one).collect()
}

/// Where Terraform shows a diagnostic. It looks for the last name of a path at the top of the block, and so shows the
/// wrong line for an attribute of a nested object, or the block's head; it finds a key of a top-level attribute. So a
/// nested attribute is named as such a key. The message names the whole path.
fn pointer(at: &Path, ty: &Type) -> pb::AttributePath {
    use pb::attribute_path::{Step as Message, step::Selector};
    let mut found = path(at, ty);
    let is_block = matches!(at.steps().first(), Some(Step::Attr(name)) if name == TIMEOUTS);
    if is_block {
        return found;
    }
    found.steps.truncate(2);
    if let [_, Message { selector: second }] = found.steps.as_mut_slice()
        && let Some(Selector::AttributeName(name)) = second
    {
        *second = Some(Selector::ElementKeyString(std::mem::take(name)));
    }
    found
}

/// Writes a path.
pub(crate) fn path(path: &Path, ty: &Type) -> pb::AttributePath {
    use pb::attribute_path::{Step as Message, step::Selector};
    let mut here = Some(ty);
    let mut steps = Vec::new();
    for step in path.steps() {
        let (selector, next) = match (step, here) {
            (Step::Attr(name) | Step::Key(name), Some(Type::Map(inner))) => {
                (Selector::ElementKeyString(name.clone()), Some(&**inner))
            }
            (Step::Index(index), Some(Type::Map(inner))) => {
                (Selector::ElementKeyString(index.to_string()), Some(&**inner))
            }
            // An element of a set is named by its whole value, which this protocol's paths cannot do.
            (Step::Index(_), Some(Type::Set(_))) => break,
            (Step::Attr(name), Some(Type::Object(types, _))) => {
                (Selector::AttributeName(name.clone()), types.get(name))
            }
            (Step::Attr(name), _) => (Selector::AttributeName(name.clone()), None),
            (Step::Key(key), _) => (Selector::ElementKeyString(key.clone()), None),
            (Step::Index(index), here) => {
                let inner = match here {
                    Some(Type::List(inner)) => Some(&**inner),
                    Some(Type::Tuple(types)) => types.get(*index),
                    _ => None,
                };
                (
                    Selector::ElementKeyInt(i64::try_from(*index).unwrap_or(i64::MAX)),
                    inner,
                )
            }
        };
        steps.push(Message {
            selector: Some(selector),
        });
        here = next;
    }
    pb::AttributePath { steps }
}

/// Private state on the wire: nothing, or a versioned JSON object.
pub(crate) fn private_to_bytes(private: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    if private.is_empty() {
        return Vec::new();
    }
    let keys = private
        .iter()
        .map(|(key, bytes)| (key.clone(), Json::from(STANDARD.encode(bytes))));
    serde_json::json!({ "version": 1, "keys": Json::Object(keys.collect()) })
        .to_string()
        .into_bytes()
}

/// Reads private state. Bytes that another provider program left are not ours to read: they count as none.
pub(crate) fn private_from_bytes(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let Ok(json) = parse_json(bytes, &mut Budget::default()) else {
        return BTreeMap::new();
    };
    let keys = json.get("keys").and_then(Json::as_object);
    let entry = |(key, value): (&String, &Json)| Some((key.clone(), STANDARD.decode(value.as_str()?).ok()?));
    keys.map(|keys| keys.iter().filter_map(entry).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{is_null, pb};

    #[test]
    fn nulls_are_seen_without_reading() {
        let message = |msgpack: &[u8], json: &[u8]| pb::DynamicValue {
            msgpack: msgpack.to_vec(),
            json: json.to_vec(),
        };
        assert!(is_null(None));
        for (msgpack, json, null) in [
            (&[0xc0][..], &b""[..], true),
            (b"", b"null", true),
            (b"", b" null\n", true),
            (&[0x80], b"", false),
            (&[0xc0, 0xc0], b"", false),
            (b"", b"{}", false),
            // Neither is set: an error once the value is read.
            (b"", b"", false),
        ] {
            assert_eq!(
                is_null(Some(&message(msgpack, json))),
                null,
                "{msgpack:?} {json:?}"
            );
        }
    }
}
