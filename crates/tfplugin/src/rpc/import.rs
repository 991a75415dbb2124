//! Importing: by id, or by identity. Either sets the attributes that tell the object; Terraform then reads the rest.

use std::collections::BTreeMap;

use super::catalog::ResourceType;
use super::{Service, guard_now, read, wire};
use crate::cty::{Type, Val};
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::path::{Path, Step};
use crate::proto::tfplugin6 as pb;
use crate::provider::import::Imported;
use crate::schema::Attribute;
use crate::semantics::draft::TIMEOUTS;
use crate::semantics::{contract, merge, validate};

pub(super) fn import(
    service: &Service,
    message: &pb::import_resource_state::Request,
) -> pb::import_resource_state::Response {
    let one = match service.catalog.resource(&message.type_name) {
        Ok(one) => one,
        Err(diags) => return failed(diags, &Type::Dynamic),
    };
    let state = match guard_now(|| state(one, message)) {
        Ok(state) => state,
        Err(diags) => return failed(diags, &one.ty),
    };
    let mut diags = Diagnostics::new();
    let identity = read::identity(one, &state, &mut diags);
    let imported = pb::import_resource_state::ImportedResource {
        type_name: one.name.clone(),
        state: wire::dynamic(&state, &one.ty, &mut diags),
        private: Vec::new(),
        identity,
    };
    pb::import_resource_state::Response {
        imported_resources: vec![imported],
        diagnostics: wire::diagnostics(diags, &one.ty),
        deferred: None,
    }
}

fn failed(diags: Diagnostics, ty: &Type) -> pb::import_resource_state::Response {
    pb::import_resource_state::Response {
        diagnostics: wire::diagnostics(diags, ty),
        ..Default::default()
    }
}

fn state(one: &ResourceType, message: &pb::import_resource_state::Request) -> Result<Val> {
    if !one.any.importable() {
        let detail = format!("A `{}` cannot be imported.", one.name);
        return Err(Diagnostic::error("Import is not supported").detail(detail).into());
    }
    let identity = message
        .identity
        .as_ref()
        .and_then(|identity| identity.identity_data.as_ref());
    let mut state = match identity {
        Some(identity) if message.id.is_empty() => by_identity(one, identity)?,
        _ => by_id(one, &message.id)?,
    };
    if let (Val::Map(all), false) = (&mut state, one.timeouts.entries().is_empty()) {
        all.insert(TIMEOUTS.to_owned(), Val::Null);
    }
    Ok(state)
}

fn by_id(one: &ResourceType, id: &str) -> Result<Val> {
    if id.is_empty() {
        let detail = format!("A `{}` is found by its id. Nothing was imported.", one.name);
        return Err(Diagnostic::error("The import id is empty").detail(detail).into());
    }
    let mut state = merge::sparse(&one.object, BTreeMap::new());
    for (path, imported) in one.any.import_id(id)? {
        let attr = match path.steps() {
            [Step::Attr(name)] => one.object.attribute(name),
            _ => None,
        };
        let (Some(attr), Val::Map(all)) = (attr, &mut state) else {
            let detail = format!(
                "This is a bug in the provider: `{}` has no attribute `{path}`.",
                one.name
            );
            return Err(Diagnostic::error("Cannot import by id").detail(detail).into());
        };
        let value = match imported {
            Imported::Value(value) => value,
            Imported::Text(text) => scalar(&text, &attr.shape.ty()).ok_or_else(|| {
                Diagnostic::error("Invalid import id").detail(format!("`{text}` is no value for `{path}`."))
            })?,
        };
        validate::value(attr, &value).map_err(|reason| refused_id(one, id, attr, &value, &reason))?;
        all.insert(attr.name.clone(), value);
    }
    Ok(state)
}

/// An id, or a part of one, that its attribute's check refuses.
fn refused_id(one: &ResourceType, id: &str, attr: &Attribute, value: &Val, reason: &str) -> Diagnostic {
    let name = &attr.name;
    let detail = match value {
        Val::String(text) if text == id && name == "id" => format!("It {reason}. Nothing was imported."),
        Val::String(text) if text == id => format!(
            "It {reason}: a `{}` is imported by its `{name}`. Nothing was imported.",
            one.name
        ),
        _ => format!("What it has for `{name}` {reason}. Nothing was imported."),
    };
    Diagnostic::error(format!("Import id `{}` cannot be used", id.escape_debug())).detail(detail)
}

fn scalar(text: &str, ty: &Type) -> Option<Val> {
    match ty {
        Type::String => Some(Val::String(text.to_owned())),
        Type::Number => text.parse().ok().map(Val::Number),
        Type::Bool => text.parse().ok().map(Val::Bool),
        _ => None,
    }
}

fn by_identity(one: &ResourceType, message: &pb::DynamicValue) -> Result<Val> {
    let value = wire::value(Some(message), &one.identity_ty)?;
    let missing = one
        .identity
        .iter()
        .find(|(name, required)| *required && value.get(name).is_null());
    if let Some((name, _)) = missing {
        let detail = format!("The identity of a `{}` needs `{name}`.", one.name);
        return Err(Diagnostic::error("Incomplete identity").detail(detail).into());
    }
    let Val::Map(all) = value else {
        return Err(Diagnostic::error("The identity is empty").into());
    };
    let mut refused = Diagnostics::new();
    for (name, value) in &all {
        let reason = one
            .object
            .attribute(name)
            .and_then(|attr| validate::value(attr, value).err());
        refused.extend(reason.map(|reason| {
            let shown = match value {
                Val::String(text) => format!("`{}`", text.escape_debug()),
                other => contract::brief(other),
            };
            Diagnostic::error(format!("The `{name}` of the identity cannot be used"))
                .detail(format!("It is {shown} and {reason}. Nothing was imported."))
                .at(Path::root(name))
        }));
    }
    if refused.is_empty() {
        Ok(merge::sparse(&one.object, all))
    } else {
        Err(refused)
    }
}
