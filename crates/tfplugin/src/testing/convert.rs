//! Between the JSON of tests and the messages of the protocol.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::UNKNOWN;
use crate::cty::{Dynamic, Type, Val, ValueError, from_json, to_msgpack};
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::path::{Path, Step};
use crate::proto::tfplugin6 as pb;
use crate::rpc::wire;
use crate::schema::Object;

/// A configuration; what Terraform itself refuses before it asks the provider is refused here.
pub(super) fn config(json: &Json, object: &Object, ty: &Type) -> Result<Val> {
    let value = typed(json, ty).map_err(|error| {
        Diagnostic::error("The configuration does not fit the schema")
            .detail(error.message)
            .at(error.path)
    })?;
    for attr in &object.attributes {
        let set = !value.get(&attr.name).is_null();
        let reason = match (set, attr.required, attr.optional) {
            (false, true, _) => "is required",
            (true, false, false) => "is computed and cannot be set",
            _ => continue,
        };
        let detail = format!("`{}` {reason}.", attr.name);
        return Err(Diagnostic::error("The configuration does not fit the schema")
            .detail(detail)
            .into());
    }
    Ok(value)
}

/// A value of a type, with [`UNKNOWN`] for an unknown.
pub(super) fn typed(json: &Json, ty: &Type) -> Result<Val, ValueError> {
    match (json, ty) {
        (Json::String(text), _) if text == UNKNOWN => Ok(Val::UNKNOWN),
        (Json::Null, _) => Ok(Val::Null),
        (_, Type::Dynamic) => {
            let Dynamic { ty, value } = Dynamic::from_json(json)?;
            Ok(Val::Typed(Box::new(Dynamic { ty, value })))
        }
        (Json::Array(all), Type::List(inner)) => Ok(Val::List(elements(all, inner)?)),
        (Json::Array(all), Type::Set(inner)) => Ok(Val::set(elements(all, inner)?)),
        (Json::Object(all), Type::Map(inner)) => {
            let entry = |(key, one): (&String, &Json)| {
                Ok((
                    key.clone(),
                    typed(one, inner).map_err(|error| error.under(Step::Key(key.clone())))?,
                ))
            };
            Ok(Val::Map(
                all.iter().map(entry).collect::<Result<_, ValueError>>()?,
            ))
        }
        (Json::Object(all), Type::Object(types, _)) => object(all, types),
        _ => from_json(json, ty),
    }
}

fn elements(all: &[Json], inner: &Type) -> Result<Vec<Val>, ValueError> {
    let one = |(n, one)| typed(one, inner).map_err(|error| error.under(Step::Index(n)));
    all.iter().enumerate().map(one).collect()
}

fn object(all: &serde_json::Map<String, Json>, types: &BTreeMap<String, Type>) -> Result<Val, ValueError> {
    if let Some(name) = all.keys().find(|name| !types.contains_key(*name)) {
        return Err(ValueError::new("there is no such attribute").under(Step::Attr(name.clone())));
    }
    let entry = |(name, ty): (&String, &Type)| {
        let value = typed(all.get(name).unwrap_or(&Json::Null), ty);
        Ok((
            name.clone(),
            value.map_err(|error| error.under(Step::Attr(name.clone())))?,
        ))
    };
    Ok(Val::Map(
        types.iter().map(entry).collect::<Result<_, ValueError>>()?,
    ))
}

/// A value as JSON, with [`UNKNOWN`] for an unknown.
pub(super) fn show(value: &Val) -> Json {
    match value {
        Val::Null => Json::Null,
        Val::Unknown(_) => UNKNOWN.into(),
        Val::Bool(value) => (*value).into(),
        Val::Number(number) => {
            serde_json::from_str(&number.to_string()).unwrap_or_else(|_| number.to_string().into())
        }
        Val::String(text) => text.as_str().into(),
        Val::List(all) | Val::Set(all) => all.iter().map(show).collect(),
        Val::Map(all) => Json::Object(all.iter().map(|(key, one)| (key.clone(), show(one))).collect()),
        Val::Typed(inner) => show(inner.value()),
    }
}

/// A value as a message.
pub(super) fn message(value: &Val, ty: &Type) -> pb::DynamicValue {
    match to_msgpack(value, ty) {
        Ok(msgpack) => pb::DynamicValue {
            msgpack,
            json: Vec::new(),
        },
        Err(error) => panic!("the value does not fit its type: {error}"),
    }
}

/// A message as a value.
pub(super) fn value(message: Option<&pb::DynamicValue>, ty: &Type) -> Val {
    match wire::value(message, ty) {
        Ok(value) => value,
        Err(diags) => panic!("{diags}"),
    }
}

/// Diagnostics from their messages.
pub(super) fn diagnostics(messages: Vec<pb::Diagnostic>) -> Diagnostics {
    let one = |message: pb::Diagnostic| {
        let error = message.severity == i32::from(pb::diagnostic::Severity::Error);
        let diagnostic = if error {
            Diagnostic::error
        } else {
            Diagnostic::warning
        };
        diagnostic(message.summary)
            .detail(message.detail)
            .at(message.attribute.map_or_else(Path::empty, |at| path(&at)))
    };
    messages.into_iter().map(one).collect()
}

/// A path from its message.
pub(super) fn path(message: &pb::AttributePath) -> Path {
    use pb::attribute_path::step::Selector;
    let step = |step: &pb::attribute_path::Step| match step.selector.as_ref()? {
        Selector::AttributeName(name) => Some(Step::Attr(name.clone())),
        Selector::ElementKeyString(key) => Some(Step::Key(key.clone())),
        Selector::ElementKeyInt(index) => usize::try_from(*index).ok().map(Step::Index),
    };
    Path::of(message.steps.iter().filter_map(step).collect())
}

/// The whole schema as JSON.
pub(super) fn schema(schema: &pb::get_provider_schema::Response) -> Json {
    let blocks = |all: &BTreeMap<String, pb::Schema>| -> Json {
        Json::Object(all.iter().map(|(name, one)| (name.clone(), block(one))).collect())
    };
    json!({
        "provider": schema.provider.as_ref().map(block),
        "resources": blocks(&schema.resource_schemas),
        "data_sources": blocks(&schema.data_source_schemas),
        "actions": Json::Object(schema.action_schemas.iter().filter_map(|(name, one)| Some((name.clone(), block(one.schema.as_ref()?)))).collect()),
        "lists": blocks(&schema.list_resource_schemas),
        "functions": Json::Object(schema.functions.iter().map(|(name, one)| (name.clone(), function(one))).collect()),
    })
}

fn block(schema: &pb::Schema) -> Json {
    let Some(block) = &schema.block else {
        return Json::Null;
    };
    json!({
        "version": schema.version,
        "description": block.description,
        "attributes": attributes(&block.attributes),
        "blocks": block.block_types.iter().map(|one| one.type_name.as_str()).collect::<Vec<_>>(),
    })
}

fn attributes(all: &[pb::schema::Attribute]) -> Json {
    Json::Object(all.iter().map(|one| (one.name.clone(), attribute(one))).collect())
}

fn attribute(one: &pb::schema::Attribute) -> Json {
    let flags = [
        ("required", one.required),
        ("optional", one.optional),
        ("computed", one.computed),
        ("sensitive", one.sensitive),
        ("write_only", one.write_only),
        ("deprecated", one.deprecated),
    ];
    let mut json = serde_json::Map::new();
    json.insert("description".into(), one.description.as_str().into());
    json.insert(
        "is".into(),
        flags
            .into_iter()
            .filter(|(_, set)| *set)
            .map(|(name, _)| name)
            .collect(),
    );
    match &one.nested_type {
        Some(nested) => {
            json.insert("nesting".into(), nested.nesting().as_str_name().into());
            json.insert("attributes".into(), attributes(&nested.attributes));
        }
        None => {
            json.insert("type".into(), ty(&one.r#type));
        }
    }
    Json::Object(json)
}

fn function(one: &pb::Function) -> Json {
    let parameter = |one: &pb::function::Parameter| {
        json!({
            "name": one.name,
            "type": ty(&one.r#type),
            "null": one.allow_null_value,
            "unknown": one.allow_unknown_values,
            "description": one.description,
        })
    };
    json!({
        "summary": one.summary,
        "parameters": one.parameters.iter().map(parameter).collect::<Vec<_>>(),
        "variadic": one.variadic_parameter.as_ref().map(parameter),
        "return": one.r#return.as_ref().map(|one| ty(&one.r#type)),
    })
}

fn ty(bytes: &[u8]) -> Json {
    serde_json::from_slice(bytes).unwrap_or(Json::Null)
}
