//! Importing: by id, or by identity. Either sets the attributes that tell the object; Terraform then reads the rest.

use std::collections::BTreeMap;

use super::catalog::ResourceType;
use super::{Service, guard_now, read, wire};
use crate::cty::{Type, Val};
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::proto::tfplugin6 as pb;
use crate::semantics::draft::TIMEOUTS;
use crate::semantics::merge;

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
    let mut set = match identity {
        Some(identity) if message.id.is_empty() => by_identity(one, identity)?,
        _ => by_id(one, &message.id)?,
    };
    if !one.timeouts.entries().is_empty() {
        set.insert(TIMEOUTS.to_owned(), Val::Null);
    }
    Ok(merge::sparse(&one.object, set))
}

fn by_id(one: &ResourceType, id: &str) -> Result<BTreeMap<String, Val>> {
    if id.is_empty() {
        return Err(Diagnostic::error("The import id is empty").into());
    }
    let mut set = BTreeMap::new();
    for (name, text) in one.any.parse_import_id(id)? {
        let Some(attr) = one.object.attribute(name) else {
            let detail = format!(
                "This is a bug in the provider: `{}` has no attribute `{name}`.",
                one.name
            );
            return Err(Diagnostic::error("Cannot import by id").detail(detail).into());
        };
        let value = scalar(&text, &attr.shape.ty()).ok_or_else(|| {
            Diagnostic::error("Invalid import id").detail(format!("`{text}` is no value for `{name}`."))
        })?;
        set.insert(name.to_owned(), value);
    }
    Ok(set)
}

fn scalar(text: &str, ty: &Type) -> Option<Val> {
    match ty {
        Type::String => Some(Val::String(text.to_owned())),
        Type::Number => text.parse().ok().map(Val::Number),
        Type::Bool => text.parse().ok().map(Val::Bool),
        _ => None,
    }
}

fn by_identity(one: &ResourceType, message: &pb::DynamicValue) -> Result<BTreeMap<String, Val>> {
    let value = wire::value(Some(message), &one.identity_ty)?;
    let missing = one
        .identity
        .iter()
        .find(|(name, required)| *required && value.get(name).is_null());
    if let Some((name, _)) = missing {
        let detail = format!("The identity of a `{}` needs `{name}`.", one.name);
        return Err(Diagnostic::error("Incomplete identity").detail(detail).into());
    }
    match value {
        Val::Map(all) => Ok(all),
        _ => Err(Diagnostic::error("The identity is empty").into()),
    }
}
