//! The JSON form of values: state files, and messages of clients that choose it.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{Budget, DEPTH_MAX, Dynamic, Type, Val, ValueError};
use crate::path::Step;

/// Reads a value of a type from JSON text.
pub(crate) fn from_json_bytes(bytes: &[u8], ty: &Type, budget: &mut Budget) -> Result<Val, ValueError> {
    let json = parse_json(bytes, &mut Budget::default())?;
    read(&json, ty, 0, budget)
}

/// Reads a value of a type from JSON. Attributes that the type lacks are left out; missing ones are null.
pub(crate) fn from_json(json: &Json, ty: &Type) -> Result<Val, ValueError> {
    read(json, ty, 0, &mut Budget::default())
}

/// Parses JSON text that came from outside, if it holds no more values than a message may.
pub(crate) fn parse_json(bytes: &[u8], budget: &mut Budget) -> Result<Json, ValueError> {
    budget.take(values(bytes))?;
    serde_json::from_slice(bytes).map_err(|error| ValueError::new(format!("not valid JSON: {error}")))
}

/// At least as many as there are values in a JSON text: each but the first follows a comma or an opening bracket.
fn values(bytes: &[u8]) -> usize {
    let (mut count, mut text, mut escaped) = (1, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = text,
            b'"' => text = !text,
            b',' | b'[' | b'{' if !text => count += 1,
            _ => {}
        }
    }
    count
}

fn read(json: &Json, ty: &Type, depth: usize, budget: &mut Budget) -> Result<Val, ValueError> {
    budget.take(1)?;
    if depth > DEPTH_MAX {
        return Err(ValueError::new(format!("a value nests deeper than {DEPTH_MAX}")));
    }
    match (ty, json) {
        (_, Json::Null) => Ok(Val::Null),
        (Type::Dynamic, _) => read_dynamic(json, depth, budget),
        (Type::String, Json::String(text)) => Ok(Val::String(text.clone())),
        // cty writes numbers and booleans for strings too where a state is old.
        (Type::String, Json::Number(number)) => Ok(Val::String(number.to_string())),
        (Type::String, Json::Bool(value)) => Ok(Val::String(value.to_string())),
        (Type::Number, Json::Number(number)) => Ok(Val::Number(number.to_string().parse()?)),
        (Type::Number, Json::String(text)) => Ok(Val::Number(text.parse()?)),
        (Type::Bool, Json::Bool(value)) => Ok(Val::Bool(*value)),
        (Type::Bool, Json::String(text)) if text == "true" || text == "false" => {
            Ok(Val::Bool(text == "true"))
        }
        (Type::List(inner), Json::Array(all)) => Ok(Val::List(read_all(all, |_| inner, depth, budget)?)),
        (Type::Set(inner), Json::Array(all)) => Ok(Val::set(read_all(all, |_| inner, depth, budget)?)),
        (Type::Tuple(types), Json::Array(all)) if types.len() == all.len() => {
            Ok(Val::List(read_all(all, |n| &types[n], depth, budget)?))
        }
        (Type::Map(inner), Json::Object(all)) => {
            let entry = |(key, one): (&String, &Json)| {
                let value = read(one, inner, depth + 1, budget)
                    .map_err(|error| error.under(Step::Key(key.clone())))?;
                Ok((key.clone(), value))
            };
            Ok(Val::Map(
                all.iter().map(entry).collect::<Result<_, ValueError>>()?,
            ))
        }
        (Type::Object(types, _), Json::Object(all)) => {
            let entry = |(name, ty): (&String, &Type)| {
                let one = all.get(name).unwrap_or(&Json::Null);
                let value = read(one, ty, depth + 1, budget)
                    .map_err(|error| error.under(Step::Attr(name.clone())))?;
                Ok((name.clone(), value))
            };
            Ok(Val::Map(
                types.iter().map(entry).collect::<Result<_, ValueError>>()?,
            ))
        }
        _ => Err(ValueError::new(format!("expected {}", ty.to_json()))),
    }
}

fn read_all<'t>(
    all: &[Json],
    ty: impl Fn(usize) -> &'t Type,
    depth: usize,
    budget: &mut Budget,
) -> Result<Vec<Val>, ValueError> {
    let element = |(n, one): (usize, &Json)| {
        read(one, ty(n), depth + 1, budget).map_err(|error| error.under(Step::Index(n)))
    };
    all.iter().enumerate().map(element).collect()
}

fn read_dynamic(json: &Json, depth: usize, budget: &mut Budget) -> Result<Val, ValueError> {
    let parts = json
        .as_object()
        .filter(|parts| parts.contains_key("type") && parts.contains_key("value"));
    let Some(parts) = parts else {
        return Err(ValueError::new(
            "a value of dynamic type needs `type` and `value`",
        ));
    };
    let ty = Type::from_json(&parts["type"])?;
    let value = read(&parts["value"], &ty, depth + 1, budget)?;
    Ok(Val::Typed(Box::new(Dynamic { ty, value })))
}

/// Writes a value of a type as JSON; an unknown has no JSON form.
pub(crate) fn to_json(value: &Val, ty: &Type) -> Result<Json, ValueError> {
    Ok(match (value, ty) {
        (Val::Null, _) => Json::Null,
        (Val::Unknown(_), _) => return Err(ValueError::new("an unknown value has no JSON form")),
        (Val::Bool(value), _) => Json::Bool(*value),
        (Val::Number(number), _) => {
            let number = serde_json::from_str(&number.to_wire());
            Json::Number(number.map_err(|_| ValueError::new("an infinite number has no JSON form"))?)
        }
        (Val::String(text), _) => Json::String(text.clone()),
        (Val::List(all) | Val::Set(all), Type::List(inner) | Type::Set(inner)) => Json::Array(
            all.iter()
                .map(|one| to_json(one, inner))
                .collect::<Result<_, _>>()?,
        ),
        (Val::List(all), Type::Tuple(types)) => Json::Array(
            all.iter()
                .zip(types)
                .map(|(one, ty)| to_json(one, ty))
                .collect::<Result<_, _>>()?,
        ),
        (Val::Map(all), Type::Map(inner)) => object(all, |_| Some(&**inner))?,
        (Val::Map(all), Type::Object(types, _)) => object(all, |name| types.get(name))?,
        (Val::Typed(inner), _) => serde_json::json!({
            "type": inner.ty.to_json(),
            "value": to_json(&inner.value, &inner.ty)?,
        }),
        _ => return Err(ValueError::new(format!("expected {}", ty.to_json()))),
    })
}

fn object<'t>(
    all: &BTreeMap<String, Val>,
    ty: impl Fn(&str) -> Option<&'t Type>,
) -> Result<Json, ValueError> {
    let entry = |(key, one): (&String, &Val)| {
        let ty =
            ty(key).ok_or_else(|| ValueError::new("no such attribute").under(Step::Attr(key.clone())))?;
        Ok((key.clone(), to_json(one, ty)?))
    };
    Ok(Json::Object(
        all.iter().map(entry).collect::<Result<_, ValueError>>()?,
    ))
}
